"""The real clock; tests bring their own."""

import asyncio
import time
from datetime import datetime
from zoneinfo import ZoneInfo


class SystemClock:
    """Wall time in the gateway's zone, the loop's monotonic seconds, real sleep."""

    __slots__ = ("_zone",)

    def __init__(self, timezone: str = "Asia/Jakarta") -> None:
        self._zone = ZoneInfo(timezone)

    monotonic = staticmethod(time.monotonic)  # it is read a dozen times in a request

    def now(self) -> datetime:
        """Return the time of day with its zone."""
        return datetime.now(self._zone)

    async def sleep(self, seconds: float, /) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
