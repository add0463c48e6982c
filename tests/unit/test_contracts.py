"""An agency's contract is compared rarely, by one process; changes are shown and told once; nothing of it is fatal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.background import resign
from gateway.contracts import FIRST_WITHIN, HELD, TURN, ContractWatch, forget, lease
from gateway.errors import ConfigError, Finding
from gateway.metrics import Metrics
from tests.fakes import FakeClock

DAY = 86400.0
PLACES = {"agency": "dpmptsp"}


class Published:
    """What an agency publishes: differences by the day, or why it can't be had."""

    compare_every: float | None = DAY

    def __init__(self, *days: Sequence[str] | str) -> None:
        self.days = [*days]
        self.looks = 0

    async def compare(self) -> Sequence[str]:
        said = self.days[min(self.looks, len(self.days) - 1)]
        self.looks += 1
        if isinstance(said, str):
            raise ConfigError(Finding(where="http://h/?wsdl", what=said))
        return said


class Told:
    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, object]]] = []

    def __call__(self, event: str, /, *, level: str = "info", **facts: object) -> None:
        self.lines.append((f"{level} {event}", facts))

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.lines]


class Office:
    """A clock, and the ledger's leases as the contract of Upkeep has them."""

    def __init__(self) -> None:
        self.clock = FakeClock(autojump=False)
        self.leases: dict[str, tuple[str, float]] = {}

    async def hold(self, name: str, /, *, by: str, seconds: float) -> int | None:
        holder, until = self.leases.get(name, (by, 0.0))
        if holder != by and until > self.clock.monotonic():
            return None
        self.leases[name] = (by, self.clock.monotonic() + seconds)
        return 1

    @asynccontextmanager
    async def watching(self, published: Published, log: Told, metrics: Metrics, me: str = "a") -> AsyncIterator[None]:
        watch = ContractWatch(
            agency="dpmptsp",
            compared=published,
            every=DAY,
            me=me,
            upkeep=self,
            metrics=metrics,
            clock=self.clock,
            log=log,
            chance=lambda: 0.5,
        )
        task = asyncio.create_task(watch.run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def office() -> Office:
    return Office()


def figure(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"gateway_agency_contract_{name}", PLACES)


async def test_a_change_is_shown_and_told_once_and_so_is_its_end(office: Office) -> None:
    changes = [f"field {number} is new" for number in range(25)]
    published, log, metrics = Published([], changes, changes, []), Told(), Metrics()
    shown = []
    async with office.watching(published, log, metrics):
        await office.clock.advance(FIRST_WITHIN)
        for _ in range(4):
            shown.append(figure(metrics, "changed"))
            await office.clock.advance(DAY)

    assert shown == [0, 1, 1, 0]
    assert log.events == ["warning contract-changed", "info contract-as-pinned"]
    assert log.lines[0][1] == {"agency": "dpmptsp", "changes": changes[:20], "more": 5}


async def test_the_first_look_is_minutes_after_the_start_and_the_next_a_day_later(office: Office) -> None:
    published, metrics = Published([]), Metrics()
    async with office.watching(published, Told(), metrics):
        await office.clock.advance(FIRST_WITHIN / 2 - 1)
        assert (published.looks, figure(metrics, "changed")) == (0, None)
        await office.clock.advance(2)
        assert published.looks == 1
        assert figure(metrics, "checked_timestamp_seconds") == pytest.approx(office.clock.now().timestamp(), abs=2)
        await office.clock.advance(DAY - TURN)
        assert published.looks == 1
        await office.clock.advance(2 * TURN)
        assert published.looks == 2


async def test_what_can_not_be_had_is_told_once_and_changes_no_figure(office: Office) -> None:
    published, log, metrics = Published(["a"], "is an HTML page", "is an HTML page", []), Told(), Metrics()
    shown = []
    async with office.watching(published, log, metrics):
        await office.clock.advance(FIRST_WITHIN)
        for _ in range(4):
            shown.append(figure(metrics, "changed"))
            await office.clock.advance(DAY)

    assert shown == [1, 1, 1, 0]
    assert log.events == ["warning contract-changed", "warning contract-unchecked", "info contract-as-pinned"]


async def test_of_two_processes_one_looks_and_the_other_takes_over_when_it_ends(office: Office) -> None:
    one, other, metrics, others = Published([]), Published([]), Metrics(), Metrics()
    forget(others, "dpmptsp")
    async with office.watching(other, Told(), others, me="b"):
        async with office.watching(one, Told(), metrics):
            await office.clock.advance(3 * DAY)
            looks: Any = {one.looks, other.looks}
            assert looks == {0, 3}
        await resign(office, "a", ["dpmptsp"])
        await office.clock.advance(2 * DAY)
        assert other.looks > 0
        assert figure(others, "changed") == 0


async def test_a_process_that_died_is_followed_within_minutes(office: Office) -> None:
    published, metrics = Published([]), Metrics()
    await office.hold(lease("dpmptsp"), by="dead", seconds=HELD)
    async with office.watching(published, Told(), metrics):
        await office.clock.advance(HELD - 1)
        assert published.looks == 0
        await office.clock.advance(2 * TURN + 2)
        assert published.looks == 1
