"""Wakes those in this process who wait for a lane or a message; knows no store."""

import asyncio
from collections import defaultdict
from typing import Self

from gateway.ports import Clock


class News:
    """What happened, by lane and by message id.

    A lane's news is kept until it is heard, so nothing is missed between a look and the wait after it.
    """

    __slots__ = ("_clock", "_lanes", "_messages")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lanes: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._messages: dict[str, set[asyncio.Event]] = {}

    def tell_lane(self, lane: str) -> None:
        """Wake who waits for the lane, now or next."""
        self._lanes[lane].set()

    def tell_message(self, message: str) -> None:
        """Wake who waits for the message now."""
        for event in self._messages.get(message, ()):
            event.set()

    def watch(self, message: str) -> "Watch":
        """Return a watch over a message, to be entered before the first look at it."""
        return Watch(self._messages, message, self._clock)

    async def of_lane(self, lane: str, seconds: float) -> bool:
        """Return true when there is news of the lane, false when the time is up."""
        event = self._lanes[lane]
        if not await _happened(event, self._clock, seconds):
            return False
        event.clear()
        return True


class Watch:
    """Hears of one message while it is entered."""

    __slots__ = ("_clock", "_event", "_message", "_watches")

    def __init__(self, watches: dict[str, set[asyncio.Event]], message: str, clock: Clock) -> None:
        self._watches = watches
        self._message = message
        self._clock = clock
        self._event = asyncio.Event()

    def __enter__(self) -> Self:
        self._watches.setdefault(self._message, set()).add(self._event)
        return self

    def __exit__(self, *_: object) -> None:
        events = self._watches[self._message]
        events.discard(self._event)
        if not events:
            del self._watches[self._message]

    async def news(self, seconds: float) -> bool:
        """Return true when there is news, false when the time is up."""
        happened = await _happened(self._event, self._clock, seconds)
        self._event.clear()
        return happened


async def _happened(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    if event.is_set():
        return True
    if seconds <= 0:
        return False
    told, timer = asyncio.ensure_future(event.wait()), asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({told, timer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        timer.cancel()
    return event.is_set()
