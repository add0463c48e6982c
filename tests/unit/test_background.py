"""What goes on beside requests: the ledger is looked after, and it is noticed when it takes nothing any more."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from gateway.background import PROBE_EVERY, SWEEP_EVERY, Background
from gateway.config.models import Config
from gateway.errors import LedgerUnavailable, Unavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.metrics import Metrics
from gateway.records import LaneStats
from gateway.registry import Agency, Registry
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting
from tests.fakes import FakeClock


class Full(SqliteLedger):
    """A ledger whose disk can be full: it reads, and writes nothing new."""

    full = False
    pulsed: asyncio.Event
    read: asyncio.Event

    async def hold(self, name: str, /, *, by: str, seconds: float) -> int | None:
        try:
            if self.full:
                raise LedgerUnavailable("database or disk is full")
            return await super().hold(name, by=by, seconds=seconds)
        finally:
            if name == "pulse":
                self.pulsed.set()

    async def stats(self) -> tuple[LaneStats, ...]:
        try:
            return await super().stats()
        finally:
            self.read.set()


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
    opened.pulsed, opened.read = asyncio.Event(), asyncio.Event()
    yield opened
    await opened.close()


def background(ledger: Full, clock: FakeClock, log: Told, **more: Any) -> Background:
    rooms = Rooms(lanes=ledger, clock=clock)
    return Background(
        ledger=ledger,
        settler=Settler(ledger, clock),
        rooms=rooms,
        waiting=Waiting(lanes=ledger, clock=clock),
        clock=clock,
        log=log,
        **{"known": Registry(), "config": Config(), "metrics": Metrics(), **more},
    )


async def test_a_full_disk_is_told_once_and_its_end_once(ledger: Full) -> None:
    clock, log = FakeClock(autojump=False), Told()
    made = background(ledger, clock, log)
    seen = []
    async with made.running(asyncio.Event()):
        for full in (False, True, True, False):
            await ledger.pulsed.wait()
            await clock.settled()
            ledger.full = full
            ledger.pulsed.clear()
            await clock.advance(SWEEP_EVERY)
            await ledger.pulsed.wait()
            await clock.settled()
            seen.append(made.rooms.writable)
    assert seen == [True, False, False, True]
    assert [event for event in log.events if "ledger" in event] == ["error ledger-unavailable", "info ledger-back"]


class Fickle:
    """An agency's probe that passes, then fails."""

    def __init__(self) -> None:
        self.asked = 0

    async def probe(self) -> None:
        self.asked += 1
        if self.asked > 1:
            raise Unavailable("away", maybe_done=False)


async def test_what_is_looked_at_now_and_then_is_in_the_figures(ledger: Full, tmp_path: Path) -> None:
    clock, metrics, probe = FakeClock(autojump=False), Metrics(), Fickle()
    agency = Agency(name="dinkes", title="Dinkes", operations={}, breaker=lambda: "closed", probe=probe)
    await ledger.pause("dinkes", "operator", by="budi")
    config = Config.model_validate({"gateway": {"ledger": f"sqlite:{tmp_path}/ledger.db"}})
    known = Registry(agencies={"dinkes": agency})
    made = background(ledger, clock, Told(), known=known, config=config, metrics=metrics)
    await clock.settled()  # from now on it waits for threads
    async with made.running(asyncio.Event()):
        await ledger.read.wait()
        await clock.settled()
        figures = shown(metrics)
        await clock.advance(PROBE_EVERY)
        await clock.settled()
        later = shown(metrics)
    for reason, held in (("operator", 1.0), ("hours", 0.0), ("maintenance", 0.0)):
        assert f'gateway_lane_paused{{agency="dinkes",reason="{reason}"}} {held}' in figures
    for name in ("bytes", "disk_free_bytes", "disk_size_bytes"):
        assert re.search(f"^gateway_ledger_{name} [1-9]", figures, re.MULTILINE)
    assert 'gateway_agency_up{agency="dinkes"} 1.0' in figures
    assert 'gateway_agency_up{agency="dinkes"} 0.0' in later
    for outcome in ("ok", "failed"):
        assert f'gateway_agency_probes_total{{agency="dinkes",outcome="{outcome}"}} 1.0' in later


def shown(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()
