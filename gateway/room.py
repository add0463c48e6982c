"""How full the lanes are: what a lane takes before it answers overloaded, and for how long; knows no store."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from gateway.errors import Overloaded
from gateway.hours import Calendar
from gateway.ports import Clock, Lanes
from gateway.records import Backlog, LaneStats, State, Terms
from gateway.registry import Queue

T = TypeVar("T")

LOOK_EVERY = 2.0
"""Seconds for which what the ledger said of its lanes is good enough."""
AGAIN = 60.0
"""Seconds to stay away from a full lane of which nobody can tell when it has room."""
LONGEST = 3600.0
"""Open seconds to stay away at most: what a lane did lately tells no more about the next day."""
FOR_ROWS = 0.5
"""The part of a lane that rows of files may fill: a large file must not keep apps out."""
SHARE = 100
"""Of a full lane, this part has to be free before it is worth coming back: others come back too."""


@dataclass(slots=True, kw_only=True)
class Rooms:
    """Whether each agency's lane still takes messages; asks the ledger every two seconds at most.

    `writable` is what was last seen of the ledger's taking anything at all.
    """

    lanes: Lanes
    clock: Clock
    queues: Mapping[str, Queue] = field(default_factory=dict)
    writable: bool = True
    _stats: Mapping[str, LaneStats] = field(default_factory=dict, init=False)
    _read: float = field(default=float("-inf"), init=False)
    _full: dict[str, Overloaded | None] = field(default_factory=dict, init=False)
    _filled: dict[str, int] = field(default_factory=dict, init=False)
    _reading: dict[str, asyncio.Task[Mapping[str, LaneStats]]] = field(default_factory=dict, init=False)
    _looking: dict[str, asyncio.Task[Overloaded | None]] = field(default_factory=dict, init=False)

    @property
    def calendars(self) -> Mapping[str, Calendar]:
        """Return when each agency serves, of those that don't always."""
        return {name: queue.calendar for name, queue in self.queues.items() if queue.calendar is not None}

    async def of(self, lane: str) -> Overloaded | None:
        """Return why a lane takes no more, with the seconds to wait, or None; raises LedgerUnavailable."""
        queue = self.queues.get(lane)
        stats = (await self.stats()).get(lane)
        if queue is None or stats is None:
            return None
        if lane not in self._full:
            return await _once(self._looking, lane, partial(self._look_at, queue, stats))
        return self._full[lane]

    async def for_rows(self, lane: str) -> int:
        """Return how many rows of files a lane takes now; raises LedgerUnavailable."""
        queue = self.queues.get(lane)
        if queue is None or await self.of(lane) is not None:
            return 0
        stats = self._stats.get(lane)
        there = self._filled.get(lane, 0) + (waiting(stats) if stats is not None else 0)
        return max(1, int(queue.depth * FOR_ROWS)) - there

    def filled(self, lane: str, count: int) -> None:
        """Hear how many rows a lane has taken: the next count is seconds away."""
        self._filled[lane] = self._filled.get(lane, 0) + count

    def paused(self, lane: str) -> bool:
        """Return whether a lane was paused when it was last looked at."""
        stats = self._stats.get(lane)
        return stats is not None and bool(stats.pauses)

    async def stats(self) -> Mapping[str, LaneStats]:
        """Return how every lane stands, at most two seconds old; those who ask meanwhile share one count."""
        if self.clock.monotonic() - self._read >= LOOK_EVERY:
            return await _once(self._reading, "every lane", self._count)
        return self._stats

    async def _count(self) -> Mapping[str, LaneStats]:
        now = self.clock.monotonic()
        self._stats = {stats.lane: stats for stats in await self.lanes.stats()}
        self._read = now
        self._full = {}
        self._filled = {}
        return self._stats

    async def _look_at(self, queue: Queue, stats: LaneStats) -> Overloaded | None:
        full = self._full  # what is counted meanwhile begins another
        full[stats.lane] = await self._look(queue, stats)
        return full[stats.lane]

    async def _look(self, queue: Queue, stats: LaneStats) -> Overloaded | None:
        depth = waiting(stats)
        # No message can have waited for longer in open time than by the clock on the wall, so most looks end here.
        since = stats.oldest
        aged = since is not None and (self.clock.now() - since).total_seconds() >= queue.age
        if depth < queue.depth and not aged:
            return None
        terms = Terms(operations=queue.operations, most=queue.concurrency)
        backlog = await self.lanes.backlog(stats.lane, terms)
        if depth >= queue.depth:
            what = f"{depth} messages wait already"
            ahead = depth - queue.depth + max(1, queue.depth // SHARE)
        elif backlog.waited >= queue.age:
            what = f"messages have waited for {backlog.waited / 3600:.1f} h of open time already"
            ahead = depth
        else:
            return None
        return Overloaded(f"{stats.lane}: {what}", retry_after=self._after(queue, stats, backlog, ahead))

    def _after(self, queue: Queue, stats: LaneStats, backlog: Backlog, ahead: int) -> float:
        """Return the seconds until it is worth coming back: it opens, or so many are delivered at the pace of late."""
        now, calendar = self.clock.now(), queue.calendar
        if calendar is not None and (closed := calendar.why_closed(now)) is not None:
            return closed.seconds
        if stats.pauses:
            until = stats.pauses[0].until
            return AGAIN if until is None else max(LOOK_EVERY, until.timestamp() - now.timestamp())
        if not backlog.ended or backlog.since is None:
            return AGAIN
        if calendar is None:
            passed = (now - backlog.since).total_seconds()
        else:
            passed = calendar.open_seconds(backlog.since, now)
        seconds = min(LONGEST, max(LOOK_EVERY, passed / backlog.ended * ahead))
        if calendar is None:
            return seconds
        return calendar.after_open_seconds(now, seconds).timestamp() - now.timestamp()


def waiting(stats: LaneStats) -> int:
    """Return how many messages wait in a lane, those under way among them."""
    return stats.depth.get(State.PENDING, 0) + stats.depth.get(State.DELIVERING, 0)


async def _once(under_way: dict[str, asyncio.Task[T]], what: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Begin, or wait for what is under way already; whoever leaves does not end it for the others."""
    if (task := under_way.get(what)) is None:
        task = under_way[what] = asyncio.create_task(work())
        task.add_done_callback(lambda _: under_way.pop(what))
    return await asyncio.shield(task)
