"""What the log says of a lane: a line for each delivery, in the form of a request's, and one when its hours change."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import msgspec
import pytest

from gateway.deliver import Lane
from gateway.edge.accesslog import LineLog
from gateway.errors import AgencyTimeout, FieldError, TranslationError
from gateway.hours import Calendar, Hours
from gateway.lanes import lanes
from gateway.message import MessageId, OperationId, Outcome, Reply
from gateway.metrics import Metrics
from gateway.recorder import Recording
from gateway.records import Buried, Claim, Delivered, Postponed, Refused, Settlement, Ticket, Tried, Verdict
from gateway.registry import Agency, Registry
from tests.delivery import Rig
from tests.fakes import JAKARTA, FakeClock
from tests.unit.test_channel import message
from tests.unit.test_compose import answering

NIK = "1405025205909001"
ID = MessageId("01a20cb8-a5d0-7d26-acfa-c0b6408d38d0")
TRACE = "80c08a451462ddad112908265ba73a43"


class Logged:
    """The lane of one agency as gateway.toml would make it, and what is logged of it."""

    def __init__(self) -> None:
        self._stream = BytesIO()
        self._log = LineLog(self._stream, FakeClock(autojump=False))
        operation = replace(answering("dpmptsp/ajukan"), recording=Recording(lane="dpmptsp"))
        agency = Agency(name="dpmptsp", title="DPMPTSP", operations={operation.id: operation}, breaker=lambda: "closed")
        known = Registry(agencies={"dpmptsp": agency})
        (self.lane,) = lanes(known, self._log, lambda _lane, _down: None, Metrics())

    def lines(self) -> list[dict[str, Any]]:
        self._log.close()
        return [msgspec.json.decode(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
async def logged() -> Logged:
    return Logged()


def claim(**changes: Any) -> Claim:
    filed = message({}).but(
        operation=OperationId("dpmptsp/ajukan"),
        client="klik",
        correlation_id="izin-7",
        traceparent=f"00-{TRACE}-b7ad6b7169203331-00",
    )
    given = {"ticket": Ticket(id=ID, token=1), "message": filed, "lane": "dpmptsp", "repeat": "never", "attempts": 2}
    return Claim(**{**given, **changes})


def settlement(verdict: Verdict, outcome: Outcome | None = None) -> Settlement:
    tried = None if outcome is None else Tried(at=FakeClock().now(), seconds=0.25, outcome=outcome)
    return Settlement(ticket=Ticket(id=ID, token=1), verdict=verdict, tried=tried)


async def test_a_delivery_is_found_by_the_correlation_id_of_its_filing(logged: Logged) -> None:
    logged.lane.told(claim(), settlement(Delivered(reply=Reply(body={})), Outcome.OK), None)
    (line,) = logged.lines()
    assert line.pop("time")
    assert line == {
        "level": "info",
        "event": "delivery",
        "correlation_id": "izin-7",
        "trace_id": TRACE,
        "client": "klik",
        "operation": "dpmptsp/ajukan",
        "agency": "dpmptsp",
        "state": "delivered",
        "outcome": "ok",
        "agency_ms": 250.0,
        "attempts": 3,
        "recorded": ID,
    }


@pytest.mark.parametrize(
    ("given", "repeat", "level", "state"),
    [
        (settlement(Refused(text="kuota habis"), Outcome.REFUSED), "never", "info", "refused"),
        (settlement(Postponed(seconds=4.0), Outcome.UNAVAILABLE), "never", "warning", "postponed"),
        (settlement(Postponed(seconds=4.0, maybe_done=True), Outcome.TIMEOUT), "ask", "warning", "postponed"),
        (settlement(Postponed(seconds=4.0, maybe_done=True), Outcome.TIMEOUT), "never", "error", "unknown"),
        (settlement(Buried(reason="poison", text="too often")), "harmless", "error", "buried"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_line_says_what_became_of_the_message_and_how_much_a_person_should_care(
    logged: Logged, given: Settlement, repeat: str, level: str, state: str
) -> None:
    logged.lane.told(claim(repeat=repeat), given, AgencyTimeout("no answer", maybe_done=True))
    (line,) = logged.lines()
    assert (line["level"], line["state"]) == (level, state)
    assert line.get("again") == (4.0 if state == "postponed" else None)
    assert line["attempts"] == 2 + (given.tried is not None)


async def test_why_a_delivery_failed_is_told_masked(logged: Logged) -> None:
    misfit = FieldError(pointer="/nik", rule="digits", params={"digits": "16"}, where="m.toml:3", value="140***")
    buried = settlement(Buried(reason="misfit", text=f"the NIK {NIK} does not fit"))
    logged.lane.told(claim(), buried, TranslationError("request", [misfit]))
    logged.lane.told(claim(), buried, None)
    first, second = logged.lines()
    assert first["error"] == "m.toml:3: /nik: must be exactly 16 digits (140***)"
    assert "does not fit" in second["error"]
    assert NIK not in second["error"]


async def test_hours_are_told_when_they_change_and_not_at_each_look(rig: Rig, logged: Logged) -> None:
    changes: list[tuple[object, ...]] = []
    hours = Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Fri 08:00-11:30,13:00-15:00"), holidays=None)
    rig.having(calendar=hours, hours=lambda *told: changes.append(told))
    start = rig.clock.now()
    async with rig.delivering():
        await rig.clock.sleep(timedelta(hours=4, minutes=10).total_seconds())
    closing, opening = changes
    assert closing[0] == "hours"
    assert closing[1] == start.replace(hour=13)
    assert opening == (None, None)
    lane: Lane = logged.lane
    for told in changes:
        lane.hours(*told)  # type: ignore[arg-type]
    closed, opened = logged.lines()
    assert (closed["event"], closed["agency"], closed["reason"]) == ("lane-closed", "dpmptsp", "hours")
    assert closed["until"].startswith("2026-03-02T13:00")
    assert opened["event"] == "lane-open"
