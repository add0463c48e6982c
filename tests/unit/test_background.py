"""What goes on beside requests: the ledger is looked after, and it is noticed when it takes nothing any more."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.background import SWEEP_EVERY, Background
from gateway.config.models import Config
from gateway.errors import LedgerUnavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.metrics import Metrics
from gateway.records import Buried, Delivered, Retention, Shed, State
from gateway.registry import Agency, Registry
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting
from tests.contract.ledger import an_entry
from tests.fakes import MONDAY_MORNING, FakeClock
from tests.office import Books
from tests.postgres import until


class Full(SqliteLedger):
    """A ledger whose disk can be full: it reads, and writes nothing new."""

    full = False
    pulsed: asyncio.Event
    shedding: asyncio.Queue[tuple[str, Retention]]

    async def shed(self, lane: str, retention: Retention, /, *, limit: int = 500) -> Shed:
        shed = await super().shed(lane, retention, limit=limit)
        if shed == Shed():
            self.shedding.put_nowait((lane, retention))
        return shed

    async def hold(self, name: str, /, *, by: str, seconds: float) -> int | None:
        try:
            if self.full:
                raise LedgerUnavailable("database or disk is full")
            return await super().hold(name, by=by, seconds=seconds)
        finally:
            if name == "pulse":
                self.pulsed.set()


class Told:
    """The log's events."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.facts: dict[str, list[dict[str, object]]] = {}

    def __call__(self, event: str, /, *, level: str = "info", **facts: object) -> None:
        self.events.append(f"{level} {event}")
        self.facts.setdefault(f"{level} {event}", []).append(facts)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Full]:
    opened = await Full.open(tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), FakeClock(autojump=False))
    assert isinstance(opened, Full)
    opened.pulsed = asyncio.Event()
    opened.shedding = asyncio.Queue()
    yield opened
    await opened.close()


def a_background(
    ledger: Full, clock: FakeClock, log: Told, config: Config | None = None, metrics: Metrics | None = None
) -> Background:
    known = Registry(agencies={"dpmptsp": Agency(name="dpmptsp", title="", operations={}, breaker=lambda: "closed")})
    return Background(
        known=known,
        config=config or Config(),
        ledger=ledger,
        settler=Settler(ledger, clock),
        rooms=Rooms(lanes=ledger, clock=clock),
        waiting=Waiting(lanes=ledger, clock=clock),
        metrics=metrics or Metrics(),
        clock=clock,
        log=log,
    )


async def test_what_is_near_its_date_and_past_it_is_a_figure(ledger: Full) -> None:
    clock, metrics, now = FakeClock(autojump=False), Metrics(), MONDAY_MORNING
    for hours in (-1, 1, 50):
        by = now + timedelta(hours=hours)
        await ledger.put(an_entry(near_at=by - timedelta(hours=24), answer_by=by))

    def figure(name: str) -> float | None:
        return metrics.registry.get_sample_value(f"gateway_answers_{name}", {"agency": "dpmptsp"})

    async with a_background(ledger, clock, Told(), metrics=metrics).running(asyncio.Event()):
        await asyncio.wait_for(until(lambda: figure("earliest_due_timestamp_seconds") is not None), 10.0)
        assert (figure("near"), figure("past")) == (1, 1)
        assert figure("earliest_due_timestamp_seconds") == (now - timedelta(hours=1)).timestamp()


async def test_a_full_disk_is_told_once_and_its_end_once(ledger: Full) -> None:
    clock, log = FakeClock(autojump=False), Told()
    background = a_background(ledger, clock, log)
    rooms = background.rooms
    seen = []
    async with background.running(asyncio.Event()):
        for full in (False, True, True, False):
            await ledger.pulsed.wait()
            await clock.settled()
            ledger.full = full
            ledger.pulsed.clear()
            await clock.advance(SWEEP_EVERY)
            await ledger.pulsed.wait()
            await clock.settled()
            seen.append(rooms.writable)
    assert seen == [True, False, False, True]
    assert [event for event in log.events if "ledger" in event] == ["error ledger-unavailable", "info ledger-back"]


async def test_rule_11_22_messages_of_an_operation_that_is_gone_are_told_at_the_start_and_wait(ledger: Full) -> None:
    clock, log = FakeClock(autojump=False), Told()
    books = Books(ledger, clock)
    await books.ended(Buried(reason="poison"))
    message = await books.put()
    async with a_background(ledger, clock, log).running(asyncio.Event()):
        await ledger.pulsed.wait()
        await clock.settled()
        await clock.advance(10 * SWEEP_EVERY)
    (facts,) = log.facts["warning operation-dropped"]
    assert facts["operation"] == "dpmptsp/ajukan-izin"
    assert facts["what"].startswith("2 messages (1 buried, 1 pending) wait until it is declared again")
    assert await books.state(message) is State.PENDING


async def test_what_need_not_be_kept_is_let_go_of_each_agencys_own_time_and_of_agencies_that_are_gone(
    ledger: Full,
) -> None:
    clock = ledger._clock
    assert isinstance(clock, FakeClock)
    books = Books(ledger, clock)
    (gone,) = await books.ended(Delivered(), lane="dpupr")
    (kept,) = await books.ended(Delivered(), lane="dpmptsp")
    await clock.advance(31 * 86400.0)
    agency = {"adapter": "rest", "mapping": "m.toml", "retention": {"bodies": "60d"}}
    config = Config.model_validate({"agency": {"dpmptsp": agency}})
    async with a_background(ledger, clock, Told(), config).running(asyncio.Event()):
        while ledger.shedding.qsize() < 2:
            await clock.advance(0.05)
        shed = dict([await ledger.shedding.get() for _ in range(2)])
    assert {lane: retention.bodies / 86400.0 for lane, retention in shed.items()} == {"dpmptsp": 60.0, "dpupr": 30.0}
    assert (await books.record(gone)).body is None
    assert (await books.record(kept)).body is not None
