"""A clock set by hand."""

from datetime import UTC, datetime


class HandClock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    async def sleep(self, seconds: float, /) -> None:
        self.seconds += seconds
