"""SIPOLAN, SOAP 1.1 rpc/encoded: everything that can be asked of it, in good health and in bad."""

from typing import Any

import pytest

from tests.flows import flow as checks
from tests.flows.asks import (
    BUDI,
    FILE_PERMIT,
    FIND_PERMIT,
    KINDS,
    MY_PERMITS,
    PERMIT_STATUS,
    REQUIREMENTS,
    SIPOLAN,
    Ask,
)
from tests.flows.flow import TODAY, Flow, Like, Scene

FILED = {"nomor": Like(r"902/IMB/[IVX]+/20\d\d"), "diajukan": TODAY}
HAPPY: dict[Ask, dict[str, Any]] = {
    KINDS: {
        "jumlah": 4,
        "jenis": [
            {
                "kode": "IMB",
                "nama": "Izin Mendirikan Bangunan",
                "lama_hari": 14,
                "tarif": 1250000.50,
                "dilayani": True,
            },
            {"kode": "SIUP", "nama": "Surat Izin Usaha Perdagangan", "lama_hari": 7, "tarif": 0, "dilayani": True},
            {"kode": "REKLAME", "nama": "Izin Pemasangan Reklame", "lama_hari": 5, "tarif": 350000, "dilayani": True},
            {"kode": "HO", "nama": "Izin Gangguan (dicabut)", "lama_hari": 14, "tarif": 500000, "dilayani": False},
        ],
    },
    REQUIREMENTS: {
        "persyaratan": [
            {"kode": "11", "nama": "Fotokopi KTP pemohon", "wajib": True, "keterangan": None},
            {"kode": "12", "nama": "Sertifikat tanah", "wajib": True, "keterangan": "Dilegalisir notaris"},
            {"kode": "13", "nama": "Gambar rencana bangunan", "wajib": True, "keterangan": None},
            {
                "kode": "14",
                "nama": "Persetujuan tetangga",
                "wajib": False,
                "keterangan": "Hanya untuk bangunan berdempetan",
            },
        ]
    },
    FILE_PERMIT: FILED,
    PERMIT_STATUS: {
        "nomor": "161/IMB/IV/2021",
        "jenis": {"kode": "IMB", "nama": "Izin Mendirikan Bangunan"},
        "permohonan": "baru",
        "pemohon": {"nama": "Siti Rahmawati"},
        "diajukan": "2021-04-05",
        "selesai": "2021-04-28",
        "biaya": 1250000.50,
        "lunas": True,
        "status": "terbit",
        "keterangan": None,
        "riwayat": [
            {"tahap": "Pendaftaran", "status": "selesai", "selesai": "2021-04-05"},
            {"tahap": "Pemeriksaan lapangan", "status": "selesai", "selesai": "2021-04-16"},
            {"tahap": "Penetapan", "status": "selesai", "selesai": "2021-04-28"},
        ],
    },
    MY_PERMITS: {
        "jumlah": 2,
        "izin": [
            {
                "nomor": "503/IMB/2021/0161",
                "permohonan": "161/IMB/IV/2021",
                "jenis": "Izin Mendirikan Bangunan",
                "mulai": "2021-04-28",
                "akhir": None,
                "berlaku": True,
            },
            {
                "nomor": "503/REKLAME/2023/0044",
                "permohonan": "44/REKLAME/II/2023",
                "jenis": "Izin Pemasangan Reklame",
                "mulai": "2023-02-10",
                "akhir": "2024-02-09",
                "berlaku": False,
            },
        ],
    },
    FIND_PERMIT: {"nomor": "88/SIUP/XI/2026", "status": "diproses", "diajukan": "2026-11-16"},
}
CLOSED = "Permohonan ditolak: layanan ditutup sementara"
NOT_THERE = "Data tidak ditemukan"
IN_DEBT = "Pemohon masih memiliki tunggakan retribusi"
BUDIS = {**(FILE_PERMIT.body or {}), "pemohon": {"nik": BUDI, "nama": "Budi Hartono", "alamat": "Bunut"}}
OUT_OF_USE = {**(FILE_PERMIT.body or {}), "jenis": "HO"}

REFUSALS = (
    *(Scene(ask=ask, switch="refuse", status=422, type="refused", says=CLOSED) for ask in SIPOLAN),
    *(Scene(ask=ask, switch="not-found", status=404, type="not-found", says=NOT_THERE) for ask in SIPOLAN),
    *(Scene(ask=ask, switch="login-refused", status=502, type="agency-login") for ask in SIPOLAN),
    Scene(ask=FILE_PERMIT, switch="", body=BUDIS, status=422, type="refused", says=IN_DEBT),
    Scene(ask=FILE_PERMIT, switch="", body=OUT_OF_USE, status=422, type="refused", says="Jenis izin tidak tersedia"),
    Scene(ask=MY_PERMITS, switch="", body={"nik": BUDI}, status=404, type="not-found", says=NOT_THERE),
)
BUSY = [Scene(ask=ask, switch="busy", status=503, type="agency-unavailable", retry_after="5") for ask in SIPOLAN]
# What the log must tell: native field names of the mapping line that did not fit, and the value.
WRONG = (
    (KINDS, ("sla_hari", "lama")),
    (REQUIREMENTS, ("wajib", "mungkin")),
    (FILE_PERMIT, ("no_permohonan", "tgl_pengajuan", "31-02-2026")),
    (PERMIT_STATUS, ("retribusi", "Rp abc", "tgl_pengajuan")),
    (MY_PERMITS, ("mulai_berlaku", "00-13-2026")),
    (FIND_PERMIT, ("no_permohonan", "31-02-2026")),
)


@pytest.mark.parametrize(("ask", "expected"), HAPPY.items(), ids=map(str, HAPPY))
def test_what_is_asked_of_sipolan_is_answered_in_clean_json(flow: Flow, ask: Ask, expected: dict[str, Any]) -> None:
    answer = flow.ask(ask)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert flow.arrived("dpmptsp") == [ask.arrives]


def test_an_application_in_progress_leaves_out_what_is_blank(flow: Flow) -> None:
    answer = flow.gateway.http.get("/v1/izin/status?nomor=88/SIUP/XI/2026").json()
    assert answer["pemohon"] == {"nama": "André Siahaan"}
    assert (answer["biaya"], answer["lunas"], answer["status"]) == (0, False, "diproses")
    assert answer["selesai"] is None
    assert answer["riwayat"][1] == {"tahap": "Verifikasi", "status": "berjalan"}


TEXTS = {
    "markup": "dua lantai & garasi <3 m> ]]> &amp; \"siap\" 'ya'",
    "white space": " spasi  ganda, tab\t, baris\nbaru\r\nlagi ",
    "other scripts": "é ñ 😀 \u2028 \u0627",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_filed_application_is_found_under_its_number_with_its_text_unharmed(flow: Flow, text: str) -> None:
    number = flow.ask(FILE_PERMIT, {**(FILE_PERMIT.body or {}), "keterangan": text}).json()["nomor"]
    told = flow.gateway.http.get("/v1/izin/status", params={"nomor": number}).json()
    assert (told["nomor"], told["keterangan"]) == (number, text)
    assert told["biaya"] == 1250000.50


def test_a_double_application_is_a_success_with_its_number(flow: Flow) -> None:
    answer = flow.prepared(FILE_PERMIT, "duplicate")
    assert (answer.status_code, answer.json()) == (200, FILED)
    assert flow.gateway.line(answer)["outcome"] == "duplicate"
    assert flow.arrived("dpmptsp") == ["ajukanPermohonan"]


@pytest.mark.parametrize("scene", REFUSALS, ids=str)
def test_sipolan_says_no_in_its_own_words(flow: Flow, scene: Scene) -> None:
    checks.plays(flow, scene)


@pytest.mark.parametrize("scene", BUSY, ids=str)
def test_a_busy_sipolan_is_to_be_asked_again(unlucky: Flow, scene: Scene) -> None:
    checks.plays(unlucky, scene)


@pytest.mark.parametrize("ask", SIPOLAN, ids=str)
def test_a_sipolan_that_is_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.is_down(unlucky, ask)


@pytest.mark.parametrize("ask", SIPOLAN, ids=str)
def test_a_sipolan_that_keeps_silent_is_504(unlucky: Flow, ask: Ask) -> None:
    checks.keeps_silent(unlucky, ask)


@pytest.mark.parametrize("ask", SIPOLAN, ids=str)
def test_an_answer_of_sipolan_that_breaks_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.breaks_off(unlucky, ask)


@pytest.mark.parametrize(("ask", "words"), WRONG, ids=[str(ask) for ask, _ in WRONG])
def test_wrong_values_of_sipolan_are_502_and_the_log_names_them(flow: Flow, ask: Ask, words: tuple[str, ...]) -> None:
    checks.is_broken(flow, ask, "wrong", *words)


@pytest.mark.parametrize("switch", ["html", "junk"])
@pytest.mark.parametrize("ask", SIPOLAN, ids=str)
def test_what_is_no_soap_at_all_is_502(flow: Flow, ask: Ask, switch: str) -> None:
    checks.is_broken(flow, ask, switch, "HTML")


@pytest.mark.parametrize("ask", SIPOLAN, ids=str)
def test_two_bodies_in_one_answer_are_502(flow: Flow, ask: Ask) -> None:
    checks.is_broken(flow, ask, "twice", "exactly one Body")
