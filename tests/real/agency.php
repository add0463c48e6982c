<?php
// An agency in a few lines: the query names the WSDL, or the way in which the script fails before it serves.
ini_set("soap.wsdl_cache_enabled", "0");
ini_set("display_errors", "1");
ini_set("html_errors", "1");

function AjukanIzin($p)
{
    $jenis = $p->jenis;
    if ($jenis === "fault") {
        return new SoapFault("Server.Busy", "Sistem sibuk: é", null, (object) ["kode" => "E1"]);
    }
    $alamat = isset($p->biaya) ? $p->biaya->mata_uang . " " . $p->biaya->_ : null;
    if ($jenis === "telepon") {
        $there = property_exists($p->pemohon, "telepon");
        $alamat = !$there ? "tidak ada" : ($p->pemohon->telepon === null ? "null" : "kosong");
    }
    $one = ["nik" => $p->pemohon->nik, "nama" => "A"];
    return [
        "nomor" => "503/1",
        "nik" => $p->pemohon->nik,
        "nama" => $p->pemohon->nama,
        "alamat" => $alamat,
        "jenis" => $jenis,
        "status" => "ok",
        "luas" => $p->luas,
        "lantai" => 2,
        "retribusi" => $p->retribusi ?? "0",
        "tanggal" => $p->tanggal ?? "2026-01-01",
        "diubah" => $jenis === "salah" ? "2026-03-14 09:26:53" : ($p->diubah ?? "2026-01-01T00:00:00Z"),
        "aktif" => $p->aktif ?? false,
        "riwayat" => $jenis === "satu" ? [$one] : [$one + ["telepon" => null], $one + ["telepon" => ""]],
    ];
}

function statusPermohonan($nomor, $kunci)
{
    if ($nomor === "fatal") {
        return tidak_ada();
    }
    $tahap = [
        ["nama_proses" => "Verifikasi", "tgl_selesai" => null, "urut" => 1],
        ["nama_proses" => "Penetapan", "tgl_selesai" => "", "urut" => 2],
    ];
    return [
        "no_permohonan" => $nomor,
        "kode_status" => "1",
        "retribusi" => "1.250.000,50",
        "riwayat" => $nomor === "kosong" ? [] : $tahap,
    ];
}

function simpanRiwayat($riwayat)
{
    return count($riwayat);
}

$wsdl = $_SERVER["QUERY_STRING"];
if ($wsdl === "fatal") {
    tidak_ada();
}
if ($wsdl === "notice") {
    echo $belum_ada;
    $wsdl = "izin.wsdl";
}
$server = new SoapServer($wsdl);
$server->addFunction(["AjukanIzin", "statusPermohonan", "simpanRiwayat"]);
$server->handle();
