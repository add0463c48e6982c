<?php
// PHP's own SoapServer with the WSDL beside it.
ini_set("soap.wsdl_cache_enabled", "0");

class Layanan
{
    public function gema($isi)
    {
        $data = $isi->data;
        unset($data->telepon);
        if ($data->teks === "null") {
            $data->telepon = null;
        }
        if ($data->teks === "kosong") {
            $data->telepon = "";
        }
        return ["return" => $data];
    }

    public function gagal($isi)
    {
        throw new SoapFault("Server.Sibuk", $isi->alasan);
    }
}

$server = new SoapServer("layanan.wsdl");
$server->setClass("Layanan");
$server->handle();
