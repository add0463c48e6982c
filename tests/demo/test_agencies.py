"""What each agency answers in good health, and its own refusals."""

from pathlib import Path

import httpx
from lxml import etree

from demo.dpmptsp import WRITTEN
from demo.testing import Running
from tests.demo.calls import dinkes, dukcapil, pln, simpeg, sipolan, texts

APPLICANT = "<pemohon><no_identitas>{nik}</no_identitas><nama>Siti Rahmawati</nama></pemohon>"
FILING = "<ref>{ref}</ref><jenis_izin_id>SIUP</jenis_izin_id><jenis_permohonan>baru</jenis_permohonan>"
REPORT = {
    "kategori": "JALAN",
    "lokasi": "Jl. Akasia",
    "isi": "Lubang besar di tengah jalan",
    "pelapor": {"nama": "Siti Rahmawati", "kontak": "081200009001"},
}


def test_sipolan_tells_the_status_in_the_manner_of_nusoap(stand_ins: Running, http: httpx.Client) -> None:
    answer = sipolan(http, stand_ins, "statusPermohonan", "<no_permohonan>161/IMB/IV/2021</no_permohonan>")
    assert answer.status_code == 200
    assert answer.content.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    root = etree.fromstring(answer.content)
    assert root.findtext(".//retribusi") == "1.250.000,50"
    assert [step.findtext("tgl_selesai") for step in root.iter("item")] == [
        "05-04-2021",
        "16-04-2021",
        "28-04-2021",
    ]
    xsi = "{http://www.w3.org/2001/XMLSchema-instance}"
    keterangan = root.find(".//keterangan")
    assert keterangan is not None
    assert keterangan.attrib == {f"{xsi}nil": "true", f"{xsi}type": "xsd:string"}


def test_sipolan_publishes_the_wsdl_that_the_pilot_has_pinned_with_the_address_that_was_asked(
    stand_ins: Running, http: httpx.Client
) -> None:
    address = stand_ins.url("dpmptsp") + "/sipolan"
    pinned = Path("wsdl/dpmptsp/sipolan.wsdl").read_bytes()
    assert pinned.count(WRITTEN.encode()) == 1
    for query in ("?wsdl", "?WSDL"):
        answer = http.get(address + query)
        assert (answer.status_code, answer.content) == (200, pinned.replace(WRITTEN.encode(), address.encode()))
    assert http.get(address).status_code == 400


def test_sipolan_files_once_per_reference(stand_ins: Running, http: httpx.Client) -> None:
    fields = FILING.format(ref="a-1") + APPLICANT.format(nik="1405025205909001")
    first = texts(sipolan(http, stand_ins, "ajukanPermohonan", fields))
    again = texts(sipolan(http, stand_ins, "ajukanPermohonan", fields))
    found = texts(sipolan(http, stand_ins, "cariPermohonan", "<ref>a-1</ref>"))
    assert (first["kode"], again["kode"], found["kode"]) == ("00", "03", "00")
    assert first["no_permohonan"] == again["no_permohonan"] == found["no_permohonan"]


def test_sipolan_refuses_who_owes_a_fee(stand_ins: Running, http: httpx.Client) -> None:
    fields = FILING.format(ref="a-2") + APPLICANT.format(nik="1405021708859002")
    answer = texts(sipolan(http, stand_ins, "ajukanPermohonan", fields))
    assert (answer["kode"], answer["pesan"]) == ("05", "Pemohon masih memiliki tunggakan retribusi")


def test_sipolan_lists_kinds_requirements_and_permits(stand_ins: Running, http: httpx.Client) -> None:
    kinds = etree.fromstring(sipolan(http, stand_ins, "daftarJenisIzin", "").content)
    assert [item.findtext("jenis_izin_id") for item in kinds.iter("item")] == ["IMB", "SIUP", "REKLAME", "HO"]
    needs = sipolan(http, stand_ins, "persyaratanIzin", "<jenis_izin_id>IMB</jenis_izin_id>")
    assert len([*etree.fromstring(needs.content).iter("item")]) == 4
    permits = sipolan(http, stand_ins, "daftarIzin", "<no_identitas>1405025205909001</no_identitas>")
    assert texts(permits)["jumlah"] == "2"
    assert texts(sipolan(http, stand_ins, "daftarIzin", "<no_identitas>0</no_identitas>"))["kode"] == "02"


def test_sipolan_faults_a_wrong_password_without_a_prefix(stand_ins: Running, http: httpx.Client) -> None:
    answer = sipolan(http, stand_ins, "daftarJenisIzin", "", password="salah")
    assert answer.status_code == 500
    assert texts(answer)["faultcode"] == "Client"
    assert texts(answer)["faultstring"] == "Kode akses atau kata sandi salah"


def test_simpeg_finds_a_civil_servant(stand_ins: Running, http: httpx.Client) -> None:
    answer = simpeg(http, stand_ins, "CariPegawai", "<nip>197806152005011901</nip>")
    assert answer.headers["content-type"] == "application/soap+xml; charset=utf-8"
    assert texts(answer)["NamaLengkap"] == "Drs. Zulkifli Harahap, M.Si."
    units = etree.fromstring(simpeg(http, stand_ins, "UnitKerja", "").content)
    assert len([*units.iter("{http://simpeg.bkpsdm.example/}Unit")]) == 3


def test_simpeg_answers_an_unknown_nip_with_a_fault(stand_ins: Running, http: httpx.Client) -> None:
    answer = simpeg(http, stand_ins, "CariPegawai", "<nip>1</nip>")
    assert answer.status_code == 500
    assert b"<PegawaiTidakDitemukan" in answer.content


def test_simpeg_speaks_soap_1_2_only(stand_ins: Running, http: httpx.Client) -> None:
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<UnitKerja xmlns="http://simpeg.bkpsdm.example/"/></s:Body></s:Envelope>'
    )
    answer = http.post(stand_ins.url("bkpsdm"), content=body, headers={"content-type": "text/xml"})
    assert answer.status_code == 415


def test_dinkes_gives_a_ticket_once_a_day(stand_ins: Running, http: httpx.Client) -> None:
    booking = {"nik": "1405020311789003", "kodepoli": "UMU", "tanggalperiksa": "2026-12-01"}
    first = dinkes(http, stand_ins, "POST", "/antrean/ambil", **booking)
    again = dinkes(http, stand_ins, "POST", "/antrean/ambil", **booking)
    assert (first["metadata"]["code"], again["metadata"]["code"]) == (200, 208)
    assert first["response"] == again["response"]
    assert first["response"]["estimasidilayani"] == 1796087400000  # 1 December 2026, 08:10 in Pelalawan
    left = dinkes(http, stand_ins, "GET", f"/antrean/{first['response']['kodebooking']}/sisa")
    assert left["response"]["sisaantrean"] == 1


def test_dinkes_cancels_a_ticket_once(stand_ins: Running, http: httpx.Client) -> None:
    mine = dinkes(http, stand_ins, "POST", "/antrean/saya", nik="1405025205909001")["response"]["list"]
    code = mine[0]["kodebooking"]
    first = dinkes(http, stand_ins, "POST", "/antrean/batal", kodebooking=code)
    again = dinkes(http, stand_ins, "POST", "/antrean/batal", kodebooking=code)
    assert (first["metadata"]["code"], again["metadata"]["code"]) == (200, 201)


def test_dinkes_refuses_a_full_clinic(stand_ins: Running, http: httpx.Client) -> None:
    answer = dinkes(http, stand_ins, "POST", "/antrean/ambil", kodepoli="GIG", tanggalperiksa="2026-12-01", nik="1")
    assert answer == {"metadata": {"message": "Kuota Antrean Penuh", "code": 201}}


def test_dinkes_lists_facilities_hours_and_immunisations(stand_ins: Running, http: httpx.Client) -> None:
    assert len(dinkes(http, stand_ins, "GET", "/faskes")["response"]["list"]) == 4
    hours = dinkes(http, stand_ins, "GET", "/jadwal?kodepoli=ANA&tanggal=2026-12-01")["response"]["list"]
    assert hours[0]["kodedokter"] == 302
    given = dinkes(http, stand_ins, "POST", "/imunisasi", nik="1405025503259101")["response"]["list"]
    assert [each["kodevaksin"] for each in given] == ["HB0", "BCG", "DPT1"]


def test_disdukcapil_compares_and_does_not_tell(stand_ins: Running, http: httpx.Client) -> None:
    said = {"NIK": "1405025205909001", "NAMA_LGKP": "Siti Rahmawati", "TGL_LHR": "13-05-1990"}
    (entry,) = dukcapil(http, stand_ins, "verifikasi_nik", **said)
    assert (entry["NAMA_LGKP"], entry["TGL_LHR"]) == ("Sesuai (100)", "Tidak Sesuai")
    assert "TMPT_LHR" not in entry


def test_disdukcapil_fails_under_http_200(stand_ins: Running, http: httpx.Client) -> None:
    assert dukcapil(http, stand_ins, "verifikasi_nik", NIK="1") == [{"RESPON": "Data Tidak Ditemukan"}]
    assert dukcapil(http, stand_ins, "cek_kk", NO_KK="1", password="x") == [{"RESPON": "User ID atau Password Salah"}]
    assert len(dukcapil(http, stand_ins, "cek_kk", NO_KK="1405022001159101")) == 3


def test_pln_knows_its_customers(stand_ins: Running, http: httpx.Client) -> None:
    customer = pln(http, stand_ins, "infoPelanggan", id_pelanggan="143205009001").json()
    assert customer["data"]["tarif_daya"] == "R1/1300 VA"
    assert pln(http, stand_ins, "tagihan", id_pelanggan="143205009001").json()["data"]["tagihan"] == 287450
    assert pln(http, stand_ins, "infoPelanggan", id_pelanggan="1").json()["rc"] == "14"
    assert pln(http, stand_ins, "infoPelanggan", b"salah", id_pelanggan="1").status_code == 401


def test_pln_takes_one_report_per_reference(stand_ins: Running, http: httpx.Client) -> None:
    first = pln(http, stand_ins, "laporGangguan", id_pelanggan="143205009001", ref="r-1").json()["data"]
    again = pln(http, stand_ins, "laporGangguan", id_pelanggan="143205009001", ref="r-1").json()["data"]
    assert first == again
    status = pln(http, stand_ins, "statusGangguan", no_laporan=first["no_laporan"]).json()["data"]
    assert status["kode_status"] == "1"


def test_the_report_desks_take_what_is_theirs(stand_ins: Running, http: httpx.Client) -> None:
    key = {"x-api-key": "rahasia-dpupr"}
    road = http.post(stand_ins.url("dpupr") + "/laporan", json=REPORT, headers=key)
    assert (road.status_code, road.json()["instansi"]) == (201, "DPUPR")
    waste = http.post(stand_ins.url("dpupr") + "/laporan", json={**REPORT, "kategori": "SAMPAH"}, headers=key)
    assert (waste.status_code, waste.json()["pesan"]) == (422, "Kategori bukan urusan DPUPR")
    assert http.post(stand_ins.url("dpupr") + "/laporan", json=REPORT).status_code == 401


def test_diskominfo_tells_the_status_of_a_number_with_slashes(stand_ins: Running, http: httpx.Client) -> None:
    login = ("gateway", "rahasia-aduan")
    number = http.post(stand_ins.url("diskominfo") + "/laporan", json=REPORT, auth=login).json()["nomor"]
    encoded = number.replace("/", "%2F")
    status = http.get(f"{stand_ins.url('diskominfo')}/laporan/{encoded}", auth=login)
    assert status.json()["nomor"] == number
    assert http.get(stand_ins.url("diskominfo") + "/laporan/0", auth=login).status_code == 404
