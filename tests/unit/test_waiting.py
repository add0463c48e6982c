"""Why recorded messages wait, the strongest reason first, in both languages."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.errors import LedgerUnavailable
from gateway.hours import Calendar, ClosedDays, Hours, Maintenance
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import MessageId, OperationId
from gateway.records import Pause, Record, State, Summary
from gateway.waiting import Waiting, Why
from tests.fakes import JAKARTA, MONDAY_MORNING, FakeClock

SATURDAY = datetime(2026, 3, 7, 20, 0, tzinfo=JAKARTA)
OFFICE = Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Fri 07:30-16:00"))


@pytest.fixture
async def lanes(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    ledger = await SqliteLedger.open(
        tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), FakeClock(SATURDAY, autojump=False)
    )
    yield ledger
    await ledger.close()


def waiting(lanes: object, at: datetime = SATURDAY, calendar: Calendar | None = None) -> Waiting:
    clock = FakeClock(at, autojump=False)
    return Waiting(lanes=lanes, clock=clock, calendars={"dpmptsp": calendar} if calendar else {})  # type: ignore[arg-type]


def a_record(state: State = State.PENDING, *, held: str | None = None, **summary: object) -> Record:
    given = {
        "id": MessageId("m1"),
        "lane": "dpmptsp",
        "operation": OperationId("dpmptsp/ajukan-izin"),
        "client": "klik",
        "state": state,
        "direct": False,
        "repeat": "never",
        "attempts": 0,
        "accepted_at": SATURDAY,
    }
    return Record(
        summary=Summary(**{**given, **summary}),  # type: ignore[arg-type]
        correlation_id="c",
        traceparent="",
        held=None if held is None else MessageId(held),
    )


def said(why: Why | None) -> tuple[str, str, str]:
    assert why is not None
    return why.reason, why.text("id"), why.text("en")


async def test_outside_service_hours_it_waits_for_the_opening(lanes: SqliteLedger) -> None:
    why = await waiting(lanes, calendar=OFFICE).why(a_record())
    assert said(why) == ("hours", "menunggu jam layanan, Senin 07:30", "waiting for service hours, Monday 07:30")
    assert why is not None
    assert why.until == datetime(2026, 3, 9, 7, 30, tzinfo=JAKARTA)


async def test_a_holiday_keeps_its_name(lanes: SqliteLedger) -> None:
    calendar = Calendar(
        zone=JAKARTA, weekly=OFFICE.weekly, closed=[ClosedDays(first=SATURDAY.date(), last=SATURDAY.date(), name="HUT")]
    )
    assert said(await waiting(lanes, calendar=calendar).why(a_record()))[:2] == (
        "closed",
        "tutup (HUT), menunggu jam layanan, Senin 07:30",
    )


async def test_rule_11_13_an_operators_pause_is_stronger_than_hours_and_maintenance(lanes: SqliteLedger) -> None:
    await lanes.pause("dpmptsp", "maintenance", by="gateway", until=SATURDAY + timedelta(hours=1))
    maintained = await waiting(lanes, calendar=OFFICE).why(a_record())
    await lanes.pause("dpmptsp", "operator", by="sari")
    paused = await waiting(lanes, calendar=OFFICE).why(a_record())
    elsewhere = await waiting(lanes, MONDAY_MORNING).why(a_record(lane="dinkes"))
    assert said(maintained)[:2] == ("maintenance", "pemeliharaan sistem, Sabtu 21:00")
    assert said(paused)[:2] == ("operator", "pengiriman dihentikan sementara oleh petugas")
    assert said(elsewhere)[0] == "queue"


async def test_rule_11_13_planned_maintenance_is_stronger_than_hours(lanes: SqliteLedger) -> None:
    window = Maintenance(start=SATURDAY - timedelta(hours=1), until=SATURDAY + timedelta(hours=2))
    calendar = Calendar(zone=JAKARTA, weekly=OFFICE.weekly, maintenance=[window])
    await lanes.pause("dpmptsp", "hours", by="gateway")
    assert said(await waiting(lanes, calendar=calendar).why(a_record()))[0] == "maintenance"


async def test_rule_11_13_hours_are_stronger_than_an_outage(lanes: SqliteLedger) -> None:
    closed, opened = waiting(lanes, calendar=OFFICE), waiting(lanes, MONDAY_MORNING, OFFICE)
    for one in (closed, opened):
        one.outage("dpmptsp", True)
    assert said(await closed.why(a_record()))[0] == "hours"
    assert said(await opened.why(a_record())) == (
        "outage",
        "sistem instansi tidak dapat dihubungi; dikirim begitu pulih",
        "the agency's system can't be reached; sent as soon as it is back",
    )
    opened.outage("dpmptsp", False)
    assert said(await opened.why(a_record()))[0] == "queue"


async def test_what_the_lanes_of_an_earlier_configuration_tell_of_outages_counts_no_more(lanes: SqliteLedger) -> None:
    """They finish what is under way beside those in force, and nobody would take back what they say."""
    waits = waiting(lanes, MONDAY_MORNING)
    before = waits.outage
    before("dinkes", True)
    waits.now_of({"dpmptsp": OFFICE})
    before("dpmptsp", True)
    assert not waits.down("dinkes")
    assert said(await waits.why(a_record()))[0] == "queue"
    waits.outage("dpmptsp", True)
    before("dpmptsp", False)
    assert said(await waits.why(a_record()))[0] == "outage"


async def test_a_pause_that_another_process_made_counts_too(lanes: SqliteLedger) -> None:
    await lanes.pause("dpmptsp", "hours", by="gateway", until=SATURDAY + timedelta(hours=36))
    assert said(await waiting(lanes).why(a_record()))[:2] == ("hours", "menunggu jam layanan, Senin 08:00")


async def test_an_open_lane_leaves_the_messages_own_reasons(lanes: SqliteLedger) -> None:
    due = MONDAY_MORNING + timedelta(seconds=40)
    of = waiting(lanes, MONDAY_MORNING, OFFICE).why
    assert said(await of(a_record(held="m0", due=due)))[0] == "order"
    retried = await of(a_record(due=due, reason="postponed"))
    assert said(retried)[0] == "retry"
    assert retried is not None
    assert retried.until == due
    assert said(await of(a_record(due=MONDAY_MORNING, reason="postponed")))[0] == "queue"


async def test_what_is_settled_waits_for_nobody(lanes: SqliteLedger) -> None:
    of = waiting(lanes, calendar=OFFICE).why
    assert said(await of(a_record(State.DELIVERING)))[0] == "delivering"
    assert said(await of(a_record(State.BURIED)))[0] == "buried"
    for state in (State.DELIVERED, State.REFUSED, State.UNKNOWN, State.EXPIRED, State.CANCELLED):
        assert await of(a_record(state)) is None


async def test_a_ledger_that_can_not_be_asked_hides_no_reason_that_is_known_otherwise() -> None:
    class Away:
        async def list(self) -> tuple[Pause, ...]:
            raise LedgerUnavailable("away")

    assert said(await waiting(Away(), calendar=OFFICE).why(a_record()))[0] == "hours"
