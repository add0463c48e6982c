"""SIMPEG, SOAP 1.2 document/literal with the login in a header, in good health and in bad."""

from typing import Any

import pytest

from tests.flows import flow as checks
from tests.flows.asks import NIP, OFFICIAL, SIMPEG, UNITS, Ask
from tests.flows.flow import Flow, Scene

HAPPY: dict[Ask, dict[str, Any]] = {
    OFFICIAL: {
        "nip": NIP,
        "nama": "Drs. Zulkifli Harahap, M.Si.",
        "pangkat": "Pembina Tk. I",
        "golongan": "IV/b",
        "jabatan": "Sekretaris Dinas",
        "unit": {"kode": 10400, "nama": "DPMPTSP"},
        "tmt_pangkat": "2022-04-01",
        "masa_kerja": 21,
        "gaji_pokok": 4250600,
        "aktif": True,
        "diperbarui": "2026-11-20T14:05:09+07:00",
    },
    UNITS: {
        "jumlah": 3,
        "unit": [
            {"kode": 10400, "nama": "DPMPTSP", "pegawai": 48},
            {"kode": 10500, "nama": "Dinas Kesehatan", "pegawai": 612},
            {"kode": 10700, "nama": "Diskominfo", "pegawai": 39},
        ],
    },
}
NOBODY = "Pegawai tidak ditemukan"
REFUSALS = (
    *(Scene(ask=ask, switch="refuse", status=422, type="refused", says="Permintaan ditolak") for ask in SIMPEG),
    *(Scene(ask=ask, switch="login-refused", status=502, type="agency-login") for ask in SIMPEG),
    Scene(ask=OFFICIAL, switch="not-found", status=404, type="not-found", says=NOBODY),
    Scene(ask=OFFICIAL, switch="", body={"nip": "199102282019039999"}, status=404, type="not-found", says=NOBODY),
)
BUSY = [Scene(ask=ask, switch="busy", status=503, type="agency-unavailable", retry_after="5") for ask in SIMPEG]
WRONG = (
    (OFFICIAL, "wrong", ("Pegawai.MasaKerjaTahun", "xsd:int", "31/02/1978")),
    (OFFICIAL, "drift", ("Pegawai.NamaPegawai", "is not a known field", "Pegawai.NamaLengkap", "is required")),
    (UNITS, "wrong", ("DaftarUnit.Unit.JumlahPegawai", "banyak", "NamaUnit")),
)


@pytest.mark.parametrize(("ask", "expected"), HAPPY.items(), ids=map(str, HAPPY))
def test_what_is_asked_of_simpeg_is_answered_in_clean_json(flow: Flow, ask: Ask, expected: dict[str, Any]) -> None:
    answer = flow.ask(ask)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert flow.arrived("bkpsdm") == [ask.arrives]


@pytest.mark.parametrize("scene", REFUSALS, ids=str)
def test_a_fault_of_simpeg_is_told_by_the_name_in_its_detail(flow: Flow, scene: Scene) -> None:
    checks.plays(flow, scene)


@pytest.mark.parametrize("scene", BUSY, ids=str)
def test_a_busy_simpeg_is_to_be_asked_again(unlucky: Flow, scene: Scene) -> None:
    checks.plays(unlucky, scene)


@pytest.mark.parametrize("ask", SIMPEG, ids=str)
def test_a_simpeg_that_is_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.is_down(unlucky, ask)


@pytest.mark.parametrize("ask", SIMPEG, ids=str)
def test_a_simpeg_that_keeps_silent_is_504(unlucky: Flow, ask: Ask) -> None:
    checks.keeps_silent(unlucky, ask)


@pytest.mark.parametrize("ask", SIMPEG, ids=str)
def test_an_answer_of_simpeg_that_breaks_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.breaks_off(unlucky, ask)


@pytest.mark.parametrize(("ask", "switch", "words"), WRONG, ids=[f"{ask}-{switch}" for ask, switch, _ in WRONG])
def test_what_does_not_fit_the_wsdl_is_502_and_the_log_names_the_field(
    flow: Flow, ask: Ask, switch: str, words: tuple[str, ...]
) -> None:
    checks.is_broken(flow, ask, switch, *words)


@pytest.mark.parametrize("switch", ["html", "junk"])
@pytest.mark.parametrize("ask", SIMPEG, ids=str)
def test_what_is_no_soap_at_all_is_502(flow: Flow, ask: Ask, switch: str) -> None:
    checks.is_broken(flow, ask, switch, "HTML")


@pytest.mark.parametrize("ask", SIMPEG, ids=str)
def test_two_bodies_in_one_answer_are_502(flow: Flow, ask: Ask) -> None:
    checks.is_broken(flow, ask, "twice", "exactly one Body")
