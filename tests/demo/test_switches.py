"""Every switch does what it says, on the agency's own port and on the control port."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import httpx
import pytest
from lxml import etree

from demo.serve import StandIns
from demo.testing import Running, running
from tests.demo.calls import dinkes, dukcapil, pln, simpeg, sipolan, texts

HEADER = {"X-Demo": "switch"}
REPORT = {"kategori": "JALAN", "lokasi": "x", "isi": "Lubang besar di jalan", "pelapor": {"nama": "Siti"}}


def status(http: httpx.Client, here: Running) -> httpx.Response:
    return sipolan(http, here, "statusPermohonan", "<no_permohonan>161/IMB/IV/2021</no_permohonan>")


def flip(http: httpx.Client, url: str, **settings: float) -> httpx.Response:
    return http.post(url, headers=HEADER, json=settings or None)


def test_rule_11_24_a_switch_needs_its_header(stand_ins: Running, http: httpx.Client) -> None:
    for url in (stand_ins.url("pln") + "/__demo/down", stand_ins.control_url + "/__demo/pln/down"):
        assert http.post(url).status_code == 403


def test_an_unknown_mode_is_told_the_known_ones(stand_ins: Running, http: httpx.Client) -> None:
    answer = flip(http, stand_ins.url("pln") + "/__demo/sad")
    assert answer.status_code == 404
    assert {"down", "busy", "gangguan"} <= {*answer.json()["modes"]}
    assert flip(http, stand_ins.control_url + "/__demo/nobody/down").status_code == 404
    assert http.post(stand_ins.url("pln") + "/__demo/slow", headers=HEADER, json={"s": 1}).status_code == 400


@pytest.mark.parametrize("own_port", [True, False])
def test_a_down_agency_refuses_connections_until_the_control_port_brings_it_up(
    own_port: bool, stand_ins: Running, http: httpx.Client
) -> None:
    assert status(http, stand_ins).status_code == 200
    url = stand_ins.url("dpmptsp") + "/__demo/down" if own_port else stand_ins.control_url + "/__demo/dpmptsp/down"
    assert flip(http, url).json() == {"agency": "dpmptsp", "mode": "down"}
    with httpx.Client() as fresh, pytest.raises(httpx.ConnectError):
        status(fresh, stand_ins)
    with pytest.raises(httpx.TransportError):
        status(http, stand_ins)
    assert flip(http, stand_ins.control_url + "/__demo/dpmptsp/up").status_code == 200
    with httpx.Client() as fresh:
        assert status(fresh, stand_ins).status_code == 200


def test_the_control_port_brings_all_up(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("pln", "down")
    stand_ins.switch("dinkes", "html")
    assert flip(http, stand_ins.control_url + "/__demo/up").status_code == 200
    assert pln(http, stand_ins, "infoPelanggan", id_pelanggan="143205009001").json()["rc"] == "00"
    assert dinkes(http, stand_ins, "GET", "/faskes")["metadata"]["code"] == 200


def test_a_mode_holds_for_the_given_number_of_calls(stand_ins: Running, http: httpx.Client) -> None:
    flip(http, stand_ins.url("dpmptsp") + "/__demo/html", times=2)
    kinds = [status(http, stand_ins).headers["content-type"].partition(";")[0] for _ in range(3)]
    assert kinds == ["text/html", "text/html", "text/xml"]


def test_a_slow_agency_has_done_the_work_at_once(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("pln", "slow", seconds=0.3)
    began = monotonic()
    with pytest.raises(httpx.ReadTimeout):
        http.post(stand_ins.url("pln") + "/pln/x", json={}, timeout=0.05)
    assert pln(http, stand_ins, "infoPelanggan", id_pelanggan="143205009001").json()["rc"] == "00"
    assert monotonic() - began > 0.3


def test_an_accepted_call_may_never_be_answered(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("pln", "accepted-then-silent", times=1)
    http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        pln(http, stand_ins, "laporGangguan", id_pelanggan="143205009001", ref="r-9")
    report = pln(http, stand_ins, "statusGangguan", no_laporan="G1400000001").json()
    assert report["rc"] == "00"


def test_a_half_answer_breaks_off(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("dpmptsp", "half")
    with pytest.raises(httpx.RemoteProtocolError):
        status(http, stand_ins)


def test_junk_stands_before_the_answer(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("dpmptsp", "junk")
    body = status(http, stand_ins).content
    assert body.startswith(b"\xef\xbb\xbf<br />\n<b>Notice</b>")
    assert b"161/IMB/IV/2021" in body


def test_an_answer_may_have_two_bodies(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("dpmptsp", "twice")
    assert status(http, stand_ins).content.count(b":Body>") == 4


def test_arrivals_tell_operation_and_path(stand_ins: Running, http: httpx.Client) -> None:
    dinkes(http, stand_ins, "GET", "/antrean/01122026UMU001/sisa")
    assert [each.operation for each in stand_ins.arrivals("dinkes")] == ["login", "antrean/sisa"]
    told = http.get(stand_ins.url("dinkes") + "/__demo/arrivals", headers=HEADER).json()
    assert told == http.get(stand_ins.control_url + "/__demo/dinkes/arrivals", headers=HEADER).json()
    assert told[1]["path"] == "/api/antrean/01122026UMU001/sisa"


def test_an_unreadable_call_is_a_bad_request(stand_ins: Running, http: httpx.Client) -> None:
    assert http.post(stand_ins.url("dpmptsp"), content=b"<a").status_code == 400
    assert http.post(stand_ins.url("dpmptsp"), content=b"<a/>").status_code == 400
    assert pln(http, stand_ins, "infoPelanggan").json()["rc"] == "14"
    odd = http.post(stand_ins.url("dpupr") + "/laporan", json={"kategori": []}, headers={"x-api-key": "rahasia-dpupr"})
    assert odd.status_code == 400


def wrong_pln(http: httpx.Client, here: Running) -> bool:
    data = pln(http, here, "infoPelanggan", id_pelanggan="143205009001").json()["data"]
    return data["tarif_daya"] == "R1" and "nama" not in data


def wrong_dukcapil(http: httpx.Client, here: Running) -> bool:
    said = {"NIK": "1405025205909001", "NAMA_LGKP": "Siti Rahmawati"}
    return dukcapil(http, here, "verifikasi_nik", **said)[0]["NAMA_LGKP"] == 100


def wrong_report(http: httpx.Client, here: Running) -> bool:
    key = {"x-api-key": "rahasia-dpupr"}
    return "nomor" not in http.post(here.url("dpupr") + "/laporan", json=REPORT, headers=key).json()


WRONG: dict[str, Callable[[httpx.Client, Running], bool]] = {
    "dpmptsp": lambda http, here: texts(status(http, here))["retribusi"] == "Rp abc",
    "dinkes": lambda http, here: "namafaskes" not in dinkes(http, here, "GET", "/faskes")["response"]["list"][0],
    "disdukcapil": wrong_dukcapil,
    "pln": wrong_pln,
    "bkpsdm": lambda http, here: (
        texts(simpeg(http, here, "CariPegawai", "<nip>197806152005011901</nip>"))["MasaKerjaTahun"] == "lama"
    ),
    "dpupr": wrong_report,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_has_other_types_or_fields(name: str, stand_ins: Running, http: httpx.Client) -> None:
    assert not WRONG[name](http, stand_ins)
    stand_ins.switch(name, "wrong")
    assert WRONG[name](http, stand_ins)


def test_each_agency_refuses_in_its_own_way(stand_ins: Running, http: httpx.Client) -> None:
    for name in stand_ins.ports:
        stand_ins.switch(name, "refuse")
    assert texts(status(http, stand_ins))["kode"] == "05"
    assert dinkes(http, stand_ins, "GET", "/faskes")["metadata"]["code"] == 201
    assert dukcapil(http, stand_ins, "cek_kk", NO_KK="1")[0]["RESPON"] == "Kuota Akses Hari ini telah Habis"
    assert pln(http, stand_ins, "infoPelanggan", id_pelanggan="143205009001").json()["rc"] == "30"
    assert b"<PermintaanDitolak" in simpeg(http, stand_ins, "UnitKerja", "").content
    desk = http.post(stand_ins.url("dpupr") + "/laporan", json=REPORT, headers={"x-api-key": "rahasia-dpupr"})
    assert desk.status_code == 422
    login = ("gateway", "rahasia-aduan")
    assert http.post(stand_ins.url("diskominfo") + "/laporan", json=REPORT, auth=login).status_code == 422


def test_sipolan_is_busy_or_finds_nothing_or_calls_a_filing_double(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("dpmptsp", "busy", times=1)
    assert texts(status(http, stand_ins))["faultcode"] == "Server.Busy"
    stand_ins.switch("dpmptsp", "not-found", times=1)
    assert texts(status(http, stand_ins))["kode"] == "02"
    stand_ins.switch("dpmptsp", "duplicate", times=1)
    filing = "<ref>b-1</ref><jenis_izin_id>IMB</jenis_izin_id><pemohon><nama>Siti</nama></pemohon>"
    answer = texts(sipolan(http, stand_ins, "ajukanPermohonan", filing))
    assert (answer["kode"], answer["no_permohonan"].split("/")[1]) == ("03", "IMB")


def test_sipolan_decides_what_was_filed_before(stand_ins: Running, http: httpx.Client) -> None:
    filing = "<ref>b-2</ref><jenis_izin_id>IMB</jenis_izin_id><pemohon><nama>Siti</nama></pemohon>"
    sipolan(http, stand_ins, "ajukanPermohonan", filing)
    seen = []
    for mode in ("up", "decide", "up"):
        stand_ins.switch("dpmptsp", mode)
        seen.append(texts(sipolan(http, stand_ins, "cariPermohonan", "<ref>b-2</ref>"))["kode_status"])
    assert seen == ["1", "3", "3"]


def test_dinkes_forgets_its_tokens(stand_ins: Running, http: httpx.Client) -> None:
    headers = {"x-username": "gateway", "x-password": "rahasia-dinkes"}
    token = http.get(stand_ins.url("dinkes") + "/api/auth", headers=headers).json()["response"]["token"]
    assert dinkes(http, stand_ins, "GET", "/faskes", token=token)["metadata"]["code"] == 200
    stand_ins.switch("dinkes", "expire")
    assert dinkes(http, stand_ins, "GET", "/faskes", token=token)["metadata"]["code"] == 401
    assert dinkes(http, stand_ins, "GET", "/faskes")["metadata"]["code"] == 200


def test_pln_is_busy_or_in_maintenance(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("pln", "busy", times=1)
    answer = pln(http, stand_ins, "tagihan", id_pelanggan="143205009001")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    stand_ins.switch("pln", "unavailable", times=1)
    assert pln(http, stand_ins, "tagihan", id_pelanggan="143205009001").status_code == 503
    stand_ins.switch("pln", "gangguan", times=1)
    assert pln(http, stand_ins, "tagihan", id_pelanggan="143205009001").json()["rc"] == "68"


def test_simpeg_renames_a_field(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("bkpsdm", "drift")
    fields = texts(simpeg(http, stand_ins, "CariPegawai", "<nip>197806152005011901</nip>"))
    assert "NamaPegawai" in fields
    assert "NamaLengkap" not in fields


def rows(folder: Path) -> list[list[str]]:
    (file,) = folder.glob("*.csv")
    return [line.split(";") for line in file.read_bytes().decode("cp1252").split("\r\n")]


def test_the_clerk_drops_good_and_bad_files(tmp_path: Path) -> None:
    with running(tmp_path) as here:
        lines = rows(tmp_path)
        assert (len(lines), lines[-1]) == (42, [""])
        assert lines[1][:4] == ["1405025503259101", "Alya Rahmawati", "15/03/2025", "HB-0"]
        assert "André Nasution" in [line[1] for line in lines[1:-1]]
        here.switch("puskesmas", "wrong")
        assert "no_batch" not in rows(tmp_path)[0]
        here.switch("puskesmas", "junk")
        assert rows(tmp_path)[1][0] == "1,40502E+15"
        here.switch("puskesmas", "half")
        assert rows(tmp_path)[-1] != [""]
        here.switch("puskesmas", "up")
        assert rows(tmp_path) == lines
        here.switch("puskesmas", "duplicate")
        assert len([*tmp_path.glob("*.csv")]) == 2


def test_the_html_of_a_php_error_is_no_xml(stand_ins: Running, http: httpx.Client) -> None:
    stand_ins.switch("bkpsdm", "html")
    answer = simpeg(http, stand_ins, "UnitKerja", "")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html")
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(answer.content)


def test_the_clerk_drops_no_first_file_that_was_taken_before(tmp_path: Path) -> None:
    def dropped(*, kept: bool) -> list[str]:
        async def once() -> None:
            made = StandIns({"puskesmas": 0}, 0, tmp_path)
            await made.start(kept=kept)
            await made.stop()

        asyncio.run(once())
        return [path.name for path in tmp_path.iterdir() if path.is_file()]

    (first,) = dropped(kept=True)
    (tmp_path / "archive/2026-11-24").mkdir(parents=True)
    (tmp_path / first).rename(tmp_path / "archive/2026-11-24" / first)

    assert dropped(kept=True) == []
    assert dropped(kept=False) == [first], "where the ledger is gone, its data is too"
