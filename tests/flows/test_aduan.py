"""A citizen's report, which the gateway routes to DPUPR or Diskominfo by its category, and how far it is."""

from typing import Any

import pytest

from tests.flows import flow as checks
from tests.flows.asks import DESKS, REPORT_ROAD, REPORT_STATUS, REPORT_WASTE, Ask, report
from tests.flows.flow import MOMENT, Flow, Like, Scene

WASTE_NUMBER = Like(r"001/ADUAN/XI/20\d\d")
HAPPY: dict[Ask, dict[str, Any]] = {
    REPORT_ROAD: {"nomor": Like(r"001/PUPR/20\d\d"), "instansi": "DPUPR", "diterima": MOMENT},
    REPORT_WASTE: {"nomor": WASTE_NUMBER, "instansi": "Diskominfo", "diterima": MOMENT},
    REPORT_STATUS: {
        "nomor": WASTE_NUMBER,
        "instansi": "Diskominfo",
        "kategori": "sampah",
        "diterima": MOMENT,
        "status": "diterima",
        "tanggapan": None,
    },
}
ROUTES = {
    "jalan": "dpupr",
    "jembatan": "dpupr",
    "drainase": "dpupr",
    "sampah": "diskominfo",
    "lampu": "diskominfo",
    "lainnya": "diskominfo",
}
CLOSED = "Loket pengaduan ditutup sementara"
SHORT = {**report("jalan"), "isi": "rusak"}
REFUSALS = (
    *(Scene(ask=ask, switch="refuse", status=422, type="refused", says=CLOSED) for ask in DESKS),
    *(Scene(ask=ask, switch="login-refused", status=502, type="agency-login") for ask in DESKS),
    Scene(ask=REPORT_ROAD, switch="", body=SHORT, status=422, type="refused", says="Isi laporan terlalu singkat"),
)
WRONG = (
    (REPORT_ROAD, ("mappings/dpupr.toml", "nomor", "tadi pagi")),
    (REPORT_WASTE, ("mappings/diskominfo.toml", "nomor", "tadi pagi")),
    (REPORT_STATUS, ("kode_status", "known: 1, 2, 3", "tadi pagi")),
)


@pytest.mark.parametrize(("ask", "expected"), HAPPY.items(), ids=map(str, HAPPY))
def test_a_report_is_taken_in_and_followed(flow: Flow, ask: Ask, expected: dict[str, Any]) -> None:
    answer = flow.ask(ask)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert flow.arrived(ask.agency) == [ask.arrives]


@pytest.mark.parametrize(("kategori", "agency"), ROUTES.items())
def test_a_report_reaches_the_agency_its_category_names_and_no_other(flow: Flow, kategori: str, agency: str) -> None:
    answer = flow.ask(REPORT_ROAD, report(kategori))
    assert (answer.status_code, answer.json()["instansi"].lower()) == (200, agency)
    other = {"dpupr": "diskominfo", "diskominfo": "dpupr"}[agency]
    assert (flow.arrived(agency), flow.arrived(other)) == (["laporan"], [])


def test_an_unknown_category_is_422_with_those_there_are(flow: Flow) -> None:
    said = checks.problem(flow.ask(REPORT_ROAD, report("jalur")), 422, "invalid-request")
    assert [(each["pointer"], each["rule"]) for each in said["errors"]] == [("/kategori", "enum")]
    for known in ROUTES:
        assert known in said["errors"][0]["message"]
    assert flow.arrived("dpupr") == flow.arrived("diskominfo") == []


def test_an_unknown_number_is_404_in_the_agencys_words(flow: Flow) -> None:
    answer = flow.gateway.http.get("/v1/aduan/status", params={"nomor": "9/ADUAN/I/2020"})
    assert checks.problem(answer, 404, "not-found")["agency_message"] == "Laporan tidak ditemukan"


@pytest.mark.parametrize("scene", REFUSALS, ids=str)
def test_a_desk_says_no_in_its_own_words(flow: Flow, scene: Scene) -> None:
    checks.plays(flow, scene)


@pytest.mark.parametrize("ask", DESKS, ids=str)
def test_a_desk_that_is_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.is_down(unlucky, ask)


@pytest.mark.parametrize("ask", DESKS, ids=str)
def test_a_desk_that_keeps_silent_is_504(unlucky: Flow, ask: Ask) -> None:
    checks.keeps_silent(unlucky, ask)


@pytest.mark.parametrize("ask", DESKS, ids=str)
def test_an_answer_of_a_desk_that_breaks_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.breaks_off(unlucky, ask)


@pytest.mark.parametrize(("ask", "words"), WRONG, ids=[str(ask) for ask, _ in WRONG])
def test_wrong_values_of_a_desk_are_502_and_the_log_names_them(flow: Flow, ask: Ask, words: tuple[str, ...]) -> None:
    checks.is_broken(flow, ask, "wrong", *words)


@pytest.mark.parametrize("switch", ["html", "junk"])
@pytest.mark.parametrize("ask", DESKS, ids=str)
def test_what_is_no_json_at_all_is_502(flow: Flow, ask: Ask, switch: str) -> None:
    checks.is_broken(flow, ask, switch, "not JSON")
