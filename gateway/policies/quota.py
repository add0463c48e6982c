"""So many calls per calendar window, as an agency's terms of use count them: from its own midnight."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Literal

from gateway.ports import Clock

Period = Literal["minute", "hour", "day", "month"]


class Quota:
    """`limit` calls in each `period` of the agency's `zone`; counts in this process, since its start.

    Divided among replicas, each has its part less what it spent itself. `on_quota` hears of each call that found it
    spent. One per agency.
    """

    __slots__ = ("__weakref__", "_clock", "_ends", "_limit", "_on_quota", "_period", "_spent", "_whole", "_zone")

    def __init__(
        self,
        clock: Clock,
        *,
        limit: int,
        period: Period,
        zone: tzinfo,
        on_quota: Callable[[], None] = lambda: None,
    ) -> None:
        self._clock = clock
        self._whole = self._limit = limit
        self._period = period
        self._zone = zone
        self._on_quota = on_quota
        self._spent = 0
        self._ends = datetime.min.replace(tzinfo=UTC)

    @property
    def left(self) -> int:
        """Calls that the window which is running still allows."""
        return max(0, self._limit - self._spent) if self._clock.now() < self._ends else self._limit

    @property
    def limit(self) -> int:
        """Calls that a window allows to this process."""
        return self._limit

    def divide(self, among: int) -> None:
        """Keep to one replica's part, rounded down, but a call at least."""
        self._limit = max(1, self._whole // among)

    def take(self) -> float:
        """Count a call and return 0, or count none and return the seconds until the window ends."""
        now = self._clock.now()
        if now >= self._ends:
            self._ends = _end(now.astimezone(self._zone), self._period)
            self._spent = 0
        if self._spent < self._limit:
            self._spent += 1
            return 0.0
        self._on_quota()
        return (self._ends - now).total_seconds()


def _end(now: datetime, period: Period) -> datetime:
    """Return the start of the next window in UTC, where differences are real seconds even when clocks change."""
    minute = now.replace(second=0, microsecond=0)
    midnight = minute.replace(hour=0, minute=0)
    ends = {
        "minute": minute + timedelta(minutes=1),
        "hour": minute.replace(minute=0) + timedelta(hours=1),
        "day": midnight + timedelta(days=1),
        "month": (midnight.replace(day=1) + timedelta(days=32)).replace(day=1),
    }
    return ends[period].astimezone(UTC)
