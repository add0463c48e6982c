"""How full the lanes are: what a lane takes before it answers overloaded; knows no store."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.errors import Overloaded
from gateway.hours import Calendar
from gateway.ports import Clock, Lanes
from gateway.records import LaneStats, State
from gateway.registry import Queue

LOOK_EVERY = 2.0
"""Seconds for which what the ledger said of its lanes is good enough."""
AGAIN = 60.0
"""Seconds to stay away from a full lane that is open."""


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
        if (depth := waiting(stats)) < queue.depth:
            return None
        closed = queue.calendar.why_closed(self.clock.now()) if queue.calendar is not None else None
        return Overloaded(f"{lane}: {depth} messages wait already", retry_after=closed.seconds if closed else AGAIN)

    async def stats(self) -> Mapping[str, LaneStats]:
        """Return how every lane stands, at most two seconds old."""
        now = self.clock.monotonic()
        if now - self._read >= LOOK_EVERY:
            self._stats = {stats.lane: stats for stats in await self.lanes.stats()}
            self._read = now
        return self._stats


def waiting(stats: LaneStats) -> int:
    """Return how many messages wait in a lane, those under way among them."""
    return stats.depth.get(State.PENDING, 0) + stats.depth.get(State.DELIVERING, 0)
