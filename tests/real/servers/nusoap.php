<?php
// nuSOAP as Indonesian systems ship it: rpc/encoded, every moment a text with a blank, its WSDL made on the way.
error_reporting(E_ERROR);
ini_set("display_errors", "1"); // so a fatal error is a page under HTTP 200
require "nusoap/nusoap.php";

function gema($data)
{
    unset($data["telepon"]);
    if ($data["teks"] === "null") {
        $data["telepon"] = null;
    }
    if ($data["teks"] === "kosong") {
        $data["telepon"] = "";
    }
    $data["berkas"] = base64_encode($data["berkas"]); // nuSOAP decodes what comes and leaves what goes to its caller
    return $data;
}

function gagal($alasan)
{
    return new nusoap_fault("Server.Sibuk", "", $alasan);
}

function tanya($masukan)
{
    $nim = json_decode($masukan)->nim;
    if ($nim === "fatal") {
        return tidak_ada();
    }
    if ($nim === "rusak") {
        return "Notice: Undefined index: nim";
    }
    if ($nim === "tidak ada") {
        return json_encode(["kode" => 106, "pesan" => "Mahasiswa tidak ditemukan", "data" => null]);
    }
    $nilai = [["mk" => "Kalkulus", "angka" => 3.5], ["mk" => "Fisika", "angka" => 4]];
    return json_encode(["kode" => 0, "data" => ["nim" => $nim, "nama" => "André <&>", "nilai" => $nilai]]);
}

$server = new soap_server();
$server->configureWSDL("Layanan", "urn:layanan");
$server->soap_defencoding = "UTF-8";
$server->decode_utf8 = false;
$types = $server->wsdl;
$element = fn($name, $type) => ["name" => $name, "type" => $type];
$array = fn($name, $type) => $types->addComplexType(
    $name,
    "complexType",
    "array",
    "",
    "SOAP-ENC:Array",
    [],
    [["ref" => "SOAP-ENC:arrayType", "wsdl:arrayType" => $type . "[]"]],
    $type
);
$types->addComplexType("Orang", "complexType", "struct", "all", "", [
    "nama" => $element("nama", "xsd:string"),
    "umur" => $element("umur", "xsd:int"),
]);
$array("DaftarOrang", "tns:Orang");
$array("DaftarTeks", "xsd:string");
$types->addComplexType("Data", "complexType", "struct", "all", "", [
    "teks" => $element("teks", "xsd:string"),
    "bulat" => $element("bulat", "xsd:int"),
    "pecahan" => $element("pecahan", "xsd:decimal"),
    "benar" => $element("benar", "xsd:boolean"),
    "tanggal" => $element("tanggal", "xsd:date"),
    "waktu" => $element("waktu", "xsd:string"),
    "berkas" => $element("berkas", "xsd:base64Binary"),
    "telepon" => $element("telepon", "xsd:string") + ["nillable" => "true", "minOccurs" => "0"],
    "daftar" => $element("daftar", "tns:DaftarTeks"),
    "orang" => $element("orang", "tns:DaftarOrang"),
]);
$server->register("gema", ["data" => "tns:Data"], ["return" => "tns:Data"], "urn:layanan", "urn:layanan#gema");
$server->register("gagal", ["alasan" => "xsd:string"], ["return" => "xsd:string"], "urn:layanan", "urn:layanan#gagal");
$server->register("tanya", ["masukan" => "xsd:string"], ["return" => "xsd:string"], "urn:layanan", "urn:layanan#tanya");
$server->service(file_get_contents("php://input"));
