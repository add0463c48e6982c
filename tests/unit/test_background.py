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
from gateway.registry import Agency, Registry
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting
from tests.contract.ledger import an_entry
from tests.fakes import MONDAY_MORNING, FakeClock


class Full(SqliteLedger):
    """A ledger whose disk can be full: it reads, and writes nothing new."""

    full = False
    pulsed: asyncio.Event

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

    def __call__(self, event: str, /, *, level: str = "info", **_facts: object) -> None:
        self.events.append(f"{level} {event}")


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Full]:
    opened = await Full.open(tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), FakeClock(autojump=False))
    assert isinstance(opened, Full)
    opened.pulsed = asyncio.Event()
    yield opened
    await opened.close()


def beside(ledger: Full, clock: FakeClock, metrics: Metrics, log: Told) -> Background:
    known = Registry(agencies={"dpmptsp": Agency(name="dpmptsp", title="", operations={}, breaker=lambda: "closed")})
    return Background(
        known=known,
        config=Config(),
        ledger=ledger,
        settler=Settler(ledger, clock),
        rooms=Rooms(lanes=ledger, clock=clock),
        waiting=Waiting(lanes=ledger, clock=clock),
        metrics=metrics,
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

    async with beside(ledger, clock, metrics, Told()).running(asyncio.Event()):
        await ledger.pulsed.wait()
        await clock.settled()
        assert (figure("near"), figure("past")) == (1, 1)
        assert figure("earliest_due_timestamp_seconds") == (now - timedelta(hours=1)).timestamp()


async def test_a_full_disk_is_told_once_and_its_end_once(ledger: Full) -> None:
    clock, log = FakeClock(autojump=False), Told()
    background = beside(ledger, clock, Metrics(), log)
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
