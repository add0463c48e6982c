<?php
// PHP's own SoapServer in its non-WSDL mode: values have the types that PHP gives them.
class Layanan
{
    public function gema($data)
    {
        $back = $data + ["asal" => "André"];
        if ($data["teks"] === "null") {
            $back["telepon"] = null;
        }
        if ($data["teks"] === "kosong") {
            $back["telepon"] = "";
        }
        $back["berkas"] = new SoapVar($data["berkas"], XSD_BASE64BINARY);
        return $back;
    }

    public function gagal($alasan)
    {
        return new SoapFault("Server.Sibuk", $alasan);
    }
}

$server = new SoapServer(null, ["uri" => "urn:layanan"]);
$server->setClass("Layanan");
$server->handle();
