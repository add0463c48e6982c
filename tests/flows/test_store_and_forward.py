"""The walk that nothing may be lost on: file a permit while SIPOLAN is off, kill the gateway, bring SIPOLAN back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.testing import Running
from tests.flows import process
from tests.flows.asks import FILE_PERMIT, REPORT_OUTAGE, REPORT_ROAD, SITI, Ask
from tests.flows.flow import TODAY, Like
from tests.flows.pilot import pilot
from tests.flows.process import Gateway, eventually

ANY_HOUR = {'hours   = "Mon-Thu 07:30-16:00; Fri 07:30-16:30"': 'hours   = "Mon-Sun 00:00-24:00"'}
NO_HOLIDAYS = {'timezone = "Asia/Jakarta"\n\n[defaults]': 'timezone = "Asia/Jakarta"\nholidays = "none"\n\n[defaults]'}
NUMBER = Like(r"9\d\d/IMB/[IVX]+/20\d\d")


@pytest.fixture
def config(agencies: Running, tmp_path: Path) -> Iterator[Path]:
    agencies.reset()
    yield pilot(tmp_path, agencies.ports, {**ANY_HOUR, **NO_HOLIDAYS}, stored=True)
    agencies.reset()


def ask(gateway: Gateway, what: Ask, **headers: str) -> Any:
    return gateway.http.request(what.method, what.path, json=what.body, headers=headers)


def settled(gateway: Gateway, location: str, state: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        told = gateway.http.get(location).json()
        return told if told["state"] == state else None

    return eventually(look, f"{location} {state}", 60.0)


def test_a_permit_filed_while_sipolan_is_off_survives_a_kill_and_is_delivered_once(
    config: Path, agencies: Running
) -> None:
    agencies.switch("dpmptsp", "down")
    with process.running(config) as gateway:
        accepted = ask(gateway, FILE_PERMIT, prefer="respond-async", **{"idempotency-key": "izin-1"})
        assert accepted.status_code == 202, accepted.text
        location = accepted.headers["location"]
        assert SITI not in accepted.text
        gateway.event("lane-waiting", agency="dpmptsp")
        gateway.process.kill()
        gateway.process.wait()
    with process.running(config) as gateway:
        again = ask(gateway, FILE_PERMIT, prefer="respond-async", **{"idempotency-key": "izin-1"})
        assert (again.status_code, again.headers["location"]) == (202, location)
        agencies.switch("dpmptsp", "up")
        told = settled(gateway, location, "delivered")
    assert told["answer"]["body"] == {"nomor": NUMBER, "diajukan": TODAY}
    assert told["attempts"]
    assert told["answer_by"]
    assert [each.operation for each in agencies.arrivals("dpmptsp")].count("ajukanPermohonan") == 1


@pytest.mark.parametrize("what", [FILE_PERMIT, REPORT_OUTAGE, REPORT_ROAD], ids=str)
def test_what_an_agency_answers_at_once_is_the_answer(config: Path, agencies: Running, what: Ask) -> None:
    with process.running(config) as gateway:
        answer = ask(gateway, what)
    assert answer.status_code == 200, answer.text
    assert answer.headers["location"].startswith("/v1/requests/")
    assert [each.operation for each in agencies.arrivals(what.agency)].count(what.arrives) == 1


def test_a_permit_that_sipolan_took_without_a_word_is_asked_for_and_not_sent_again(
    config: Path, agencies: Running
) -> None:
    agencies.switch("dpmptsp", "accepted-then-silent", times=1)
    config.write_text(config.read_text("utf-8").replace('timeout = "8s"\n', 'timeout = "1s"\n'), "utf-8")
    with process.running(config) as gateway:
        accepted = ask(gateway, FILE_PERMIT, prefer="respond-async")
        told = settled(gateway, accepted.headers["location"], "delivered")
    assert told["answer"]["body"]["nomor"] == NUMBER
    arrived = [each.operation for each in agencies.arrivals("dpmptsp")]
    assert (arrived.count("ajukanPermohonan"), arrived.count("cariPermohonan")) == (1, 1)


def test_rule_11_17_a_filed_permit_is_answered_only_when_sipolan_has_decided(config: Path, agencies: Running) -> None:
    agencies.switch("dpmptsp", "decide")
    with process.running(config) as gateway:
        location = ask(gateway, FILE_PERMIT).headers["location"]
        told = settled(gateway, location, "delivered")
        assert told["answer_by"]
        answered = eventually(lambda: gateway.http.get(location).json()["answered_at"], "SIPOLAN's decision", 40.0)
        gateway.event("answered", agency="dpmptsp", status="terbit")
        assert 'gateway_answers_past{agency="dpmptsp"} 0.0' in gateway.figures()
    assert answered > told["settled_at"]
    assert [each.operation for each in agencies.arrivals("dpmptsp")].count("cariPermohonan") == 1


def test_a_report_that_may_have_been_filed_is_unknown_until_a_person_decides(config: Path, agencies: Running) -> None:
    agencies.switch("dpupr", "html", times=1)
    with process.running(config) as gateway:
        accepted = ask(gateway, REPORT_ROAD)
        assert accepted.status_code == 202, accepted.text
        settled(gateway, accepted.headers["location"], "unknown")
    assert [each.operation for each in agencies.arrivals("dpupr")] == ["laporan"]


def test_a_gateway_that_is_asked_to_stop_finishes_what_it_is_sending_and_keeps_the_rest(
    config: Path, agencies: Running
) -> None:
    agencies.switch("dpmptsp", "slow", seconds=2.0)
    with process.running(config) as gateway:
        locations = [
            ask(gateway, FILE_PERMIT, prefer="respond-async").headers["location"] for _ in range(3)
        ]  # of one applicant, so that they go one after the other
        eventually(lambda: agencies.arrivals("dpmptsp") or None, "the first on its way")
        assert gateway.stop() == 0
    agencies.switch("dpmptsp", "up")
    with process.running(config) as gateway:
        for location in locations:
            settled(gateway, location, "delivered")
        told = [gateway.http.get(location).json() for location in locations]
    assert [len(each["attempts"]) for each in told] == [1, 1, 1]
    assert [each.operation for each in agencies.arrivals("dpmptsp")] == ["ajukanPermohonan"] * 3
