"""Everything about one citizen, gathered from two agencies side by side within one deadline."""

from time import monotonic

import pytest

from tests.flows import flow as checks
from tests.flows.asks import BUDI, MY_PERMITS, MY_TICKETS, SUMMARY
from tests.flows.flow import Flow

PARTS = {"izin": "dpmptsp", "antrean": "dinkes"}
OTHER = {"izin": "antrean", "antrean": "izin"}
FAILURES = {
    "wrong": "agency-invalid-answer",
    "html": "agency-invalid-answer",
    "junk": "agency-invalid-answer",
    "refuse": "refused",
    "login-refused": "agency-login",
}
OUTAGES = {"down": "agency-unavailable", "slow": "agency-timeout", "half": "agency-unavailable"}


def test_both_parts_are_what_the_agencies_answer_by_themselves(flow: Flow) -> None:
    permits, tickets = flow.ask(MY_PERMITS).json(), flow.ask(MY_TICKETS).json()
    flow.mark()
    answer = flow.ask(SUMMARY)
    assert answer.status_code == 200
    assert answer.json() == {
        "parts": {"izin": {"state": "ok", "data": permits}, "antrean": {"state": "ok", "data": tickets}}
    }
    assert (flow.arrived("dpmptsp"), flow.arrived("dinkes")) == (["daftarIzin"], ["antrean/saya"])


def test_a_part_that_knows_nobody_is_not_found_and_the_rest_is_there(flow: Flow) -> None:
    answer = flow.ask(SUMMARY, {"nik": BUDI})
    assert answer.status_code == 200
    assert answer.json() == {
        "parts": {"izin": {"state": "not-found"}, "antrean": {"state": "ok", "data": {"antrean": []}}}
    }


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("switch", "reason"), FAILURES.items(), ids=FAILURES)
def test_a_part_that_can_not_be_had_is_missing_with_the_reason(flow: Flow, part: str, switch: str, reason: str) -> None:
    flow.turn(PARTS[part], switch)
    answer = flow.ask(SUMMARY)
    assert answer.status_code == 200
    assert answer.json()["parts"][part] == {"state": "missing", "reason": reason}
    assert answer.json()["parts"][OTHER[part]]["state"] == "ok"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("switch", "reason"), OUTAGES.items(), ids=OUTAGES)
def test_an_agency_in_trouble_takes_away_its_own_part_only(unlucky: Flow, part: str, switch: str, reason: str) -> None:
    unlucky.turn(PARTS[part], switch)
    answer = unlucky.ask(SUMMARY)
    assert answer.status_code == 200
    assert answer.json()["parts"][part] == {"state": "missing", "reason": reason}
    assert answer.json()["parts"][OTHER[part]]["state"] == "ok"


def test_the_parts_are_asked_side_by_side_within_one_deadline(unlucky: Flow) -> None:
    for agency in PARTS.values():
        unlucky.turn(agency, "slow")
    began = monotonic()
    said = checks.problem(unlucky.ask(SUMMARY), 503, "parts-unavailable")
    assert monotonic() - began < 2  # one after the other would take twice the deadline of one second
    assert said["operation"] == "gateway/ringkasan-warga"


def test_it_fails_only_when_every_part_has_failed(unlucky: Flow) -> None:
    unlucky.turn("dpmptsp", "down")
    unlucky.turn("dinkes", "down")
    answer = unlucky.ask(SUMMARY)
    said = checks.problem(answer, 503, "parts-unavailable")
    assert said["maybe_done"] is False
    assert int(answer.headers["retry-after"]) >= 1
    error = unlucky.gateway.line(answer)["error"]
    assert "izin: agency-unavailable" in error
    assert "antrean: agency-unavailable" in error
