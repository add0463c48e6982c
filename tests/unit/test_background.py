"""What goes on beside requests: the ledger is looked after, and it is noticed when it takes nothing any more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.background import SWEEP_EVERY, Background
from gateway.config.models import Config
from gateway.errors import LedgerUnavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.metrics import Metrics
from gateway.registry import Registry
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting
from tests.fakes import FakeClock


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


async def test_a_full_disk_is_told_once_and_its_end_once(ledger: Full) -> None:
    clock, log = FakeClock(autojump=False), Told()
    rooms = Rooms(lanes=ledger, clock=clock)
    background = Background(
        known=Registry(),
        config=Config(),
        ledger=ledger,
        outbox=ledger,
        settler=Settler(ledger, clock),
        rooms=rooms,
        waiting=Waiting(lanes=ledger, clock=clock),
        metrics=Metrics(),
        clock=clock,
        log=log,
    )
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
