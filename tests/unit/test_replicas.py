"""How many replicas there are is followed; in doubt it is the larger number."""

import asyncio

from gateway.errors import LedgerUnavailable
from gateway.replicas import FOLLOW_EVERY, LASTS, Replicas
from gateway.shares import Shares
from tests.fakes import FakeClock


class Roll:
    """A ledger that counts replicas, and may be away."""

    def __init__(self, living: int, clock: FakeClock) -> None:
        self.living = living
        self.away = False
        self.broken = False
        self.clock = clock
        self.news = asyncio.Event()
        self.said: list[tuple[str, float]] = []

    async def unsettled(self) -> dict[str, dict[str, int]]:
        raise NotImplementedError

    async def stirred(self, seconds: float, /) -> bool:
        told, time = asyncio.ensure_future(self.news.wait()), asyncio.ensure_future(self.clock.sleep(seconds))
        await asyncio.wait({told, time}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        time.cancel()
        try:
            return self.news.is_set()
        finally:
            self.news.clear()

    async def replicas(self, me: str, seconds: float, /) -> int:
        self.said.append((me, seconds))
        if self.broken:
            self.broken = False
            raise ValueError("a bug")
        if self.away:
            raise LedgerUnavailable("away")
        return self.living


class Desk:
    """One replica with everything around it."""

    def __init__(self, living: int) -> None:
        self.shares, self.clock = Shares(), FakeClock(autojump=False)
        self.roll = Roll(living, self.clock)
        self.shown: list[float] = []
        self.events: list[tuple[str, object]] = []
        self.replicas = Replicas(
            me="a", census=self.roll, shares=self.shares, show=self.shown.append, clock=self.clock, log=self.log
        )

    def log(self, event: str, /, *, level: str = "info", **facts: object) -> None:
        self.events.append((event, facts.get("among", level)))

    async def after(self, seconds: float) -> int:
        await self.clock.advance(seconds)
        return self.shares.among


async def test_the_number_is_known_before_anything_is_sent_and_followed_from_then_on() -> None:
    desk = Desk(3)
    async with desk.replicas.among_them():
        assert desk.shares.among == 3
        desk.roll.living = 4
        assert await desk.after(FOLLOW_EVERY) == 4
        desk.roll.living = 2
        assert await desk.after(FOLLOW_EVERY) == 2
    assert desk.shown == [3, 4, 2]
    assert desk.events == [("replicas", 3), ("replicas", 4), ("replicas", 2)]


async def test_one_that_comes_or_goes_is_heard_at_once() -> None:
    desk = Desk(3)
    async with desk.replicas.among_them():
        desk.roll.living = 4
        desk.roll.news.set()
        assert await desk.after(0.0) == 4


async def test_a_clean_stop_ends_its_lease() -> None:
    desk = Desk(2)
    async with desk.replicas.among_them():
        assert desk.roll.said == [("a", LASTS)]
    assert desk.roll.said[-1] == ("a", 0.0)
    await desk.clock.advance(3 * FOLLOW_EVERY)
    assert len(desk.roll.said) == 2


async def test_without_the_ledger_the_last_number_stays() -> None:
    desk = Desk(3)
    async with desk.replicas.among_them():
        desk.roll.away = True
        assert await desk.after(60.0) == 3
    assert desk.shown == [3]


async def test_after_a_time_without_the_ledger_a_smaller_number_is_believed_only_when_it_stays() -> None:
    desk = Desk(3)
    async with desk.replicas.among_them():
        desk.roll.away = True
        await desk.after(60.0)
        desk.roll.away, desk.roll.living = False, 1  # the others have not come back yet
        assert await desk.after(FOLLOW_EVERY) == 3
        assert await desk.after(LASTS - FOLLOW_EVERY) == 3
        assert await desk.after(2 * FOLLOW_EVERY) == 1


async def test_a_short_word_lost_is_no_doubt_and_a_larger_number_counts_at_once() -> None:
    desk = Desk(3)
    async with desk.replicas.among_them():
        desk.roll.away = True
        await desk.after(FOLLOW_EVERY)
        desk.roll.away, desk.roll.living = False, 2
        assert await desk.after(FOLLOW_EVERY) == 2
        desk.roll.away = True
        await desk.after(60.0)
        desk.roll.away, desk.roll.living = False, 5
        assert await desk.after(FOLLOW_EVERY) == 5


async def test_a_bug_is_said_and_ends_nothing() -> None:
    desk = Desk(2)
    async with desk.replicas.among_them():
        desk.roll.broken = True
        await desk.after(FOLLOW_EVERY)
        assert desk.events[-1] == ("bug", "error")
        desk.roll.living = 3
        assert await desk.after(2 * FOLLOW_EVERY) == 3
