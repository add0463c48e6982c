"""PLN, signed REST through an adapter of its own: everything that can be asked of it, in good health and in bad."""

from typing import Any

import pytest

from tests.flows import flow as checks
from tests.flows.asks import BILL, CUSTOMER, OUTAGE_STATUS, PLN, REPORT_OUTAGE, Ask
from tests.flows.flow import MOMENT, Flow, Scene

HAPPY: dict[Ask, dict[str, Any]] = {
    CUSTOMER: {
        "id_pelanggan": "143205009001",
        "no_meter": "14320500901",
        "nama": "SITI RAHMAWATI",
        "tarif": "R1",
        "daya": "1300 VA",
    },
    BILL: {"id_pelanggan": "143205009001", "periode": "202611", "tagihan": 287450, "lunas": False},
    REPORT_OUTAGE: {"no_laporan": "G1400000001", "diterima": MOMENT, "perkiraan": MOMENT},
    OUTAGE_STATUS: {"no_laporan": "G1400000001", "status": "diterima", "petugas": None, "perkiraan": MOMENT},
}
NO_CUSTOMER = "ID pelanggan tidak ditemukan"
NOBODY = {"id_pelanggan": "143205009999"}
REFUSALS = (
    *(
        Scene(ask=ask, switch="refuse", status=422, type="refused", says="Permintaan tidak dapat diproses")
        for ask in PLN
    ),
    *(Scene(ask=ask, switch="not-found", status=404, type="not-found", says=NO_CUSTOMER) for ask in PLN),
    *(Scene(ask=ask, switch="login-refused", status=502, type="agency-login") for ask in PLN),
    *(
        Scene(ask=ask, switch="", body=NOBODY, status=404, type="not-found", says=NO_CUSTOMER)
        for ask in (CUSTOMER, BILL)
    ),
)
LATER = (
    # Two seconds are more than the impatient gateway has, so PLN isn't asked before its Retry-After is over.
    *(Scene(ask=ask, switch="busy", status=503, type="agency-unavailable", retry_after="2") for ask in PLN),
    *(Scene(ask=ask, switch="unavailable", status=503, type="agency-unavailable", retry_after="5") for ask in PLN),
    *(Scene(ask=ask, switch="gangguan", status=503, type="agency-unavailable", retry_after="5") for ask in PLN),
)
WRONG = (
    (CUSTOMER, ("tarif_daya", "has no part 2", 'from = "nama"')),
    (BILL, ("tagihan", "Rp abc", "status_lunas", "mungkin")),
    (REPORT_OUTAGE, ("no_laporan", "diterima", "kemarin")),
    (OUTAGE_STATUS, ("no_laporan", "is required")),
)


@pytest.mark.parametrize(("ask", "expected"), HAPPY.items(), ids=map(str, HAPPY))
def test_what_is_asked_of_pln_is_answered_in_clean_json(flow: Flow, ask: Ask, expected: dict[str, Any]) -> None:
    answer = flow.ask(ask)
    assert (answer.status_code, answer.json()) == (200, expected)
    assert flow.arrived("pln") == [ask.arrives]


@pytest.mark.parametrize("scene", REFUSALS, ids=str)
def test_pln_says_no_in_its_own_words(flow: Flow, scene: Scene) -> None:
    checks.plays(flow, scene)


@pytest.mark.parametrize("scene", LATER, ids=str)
def test_a_pln_that_can_not_serve_now_is_to_be_asked_again(unlucky: Flow, scene: Scene) -> None:
    checks.plays(unlucky, scene)


def test_the_time_that_pln_asks_for_is_kept_before_it_is_asked_again(unlucky: Flow) -> None:
    checks.problem(unlucky.prepared(REPORT_OUTAGE, "busy"), 503, "agency-unavailable")
    assert unlucky.arrived("pln") == ["laporGangguan"]


@pytest.mark.parametrize("ask", PLN, ids=str)
def test_a_pln_that_is_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.is_down(unlucky, ask)


@pytest.mark.parametrize("ask", PLN, ids=str)
def test_a_pln_that_keeps_silent_is_504(unlucky: Flow, ask: Ask) -> None:
    checks.keeps_silent(unlucky, ask)


def test_a_report_that_pln_took_and_never_answered_was_done_once(unlucky: Flow) -> None:
    checks.keeps_silent(unlucky, REPORT_OUTAGE, "accepted-then-silent")
    unlucky.turn("pln", "up")
    found = unlucky.gateway.http.get("/v1/pln/gangguan/status?no_laporan=G1400000001")
    assert found.json()["status"] == "diterima"
    other = unlucky.gateway.http.get("/v1/pln/gangguan/status?no_laporan=G1400000002")
    assert checks.problem(other, 404, "not-found")["agency_message"] == "Nomor laporan tidak ditemukan"


@pytest.mark.parametrize("ask", PLN, ids=str)
def test_an_answer_of_pln_that_breaks_off_is_503(unlucky: Flow, ask: Ask) -> None:
    checks.breaks_off(unlucky, ask)


@pytest.mark.parametrize(("ask", "words"), WRONG, ids=[str(ask) for ask, _ in WRONG])
def test_wrong_values_of_pln_are_502_and_the_log_names_them(flow: Flow, ask: Ask, words: tuple[str, ...]) -> None:
    checks.is_broken(flow, ask, "wrong", *words)


@pytest.mark.parametrize("switch", ["html", "junk"])
@pytest.mark.parametrize("ask", PLN, ids=str)
def test_what_is_no_json_at_all_is_502(flow: Flow, ask: Ask, switch: str) -> None:
    checks.is_broken(flow, ask, switch, "not JSON")
