"""Limits how many calls an agency gets at once, so that a slow one can't use up the gateway."""

import asyncio
from collections import deque
from contextlib import suppress

from gateway.errors import Overloaded
from gateway.message import Message, Reply
from gateway.ports import Clock, Handler, Policy
from gateway.trail import step


class Bulkhead:
    """Slots of one agency: `concurrency` calls at once, `waiting` more in line, first come first served."""

    __slots__ = ("__weakref__", "_clock", "_free", "_limit", "_line", "_waiting", "_whole")

    def __init__(self, clock: Clock, *, concurrency: int = 8, waiting: int = 64) -> None:
        self._clock = clock
        self._whole = self._limit = concurrency
        self._waiting = waiting
        self._free = concurrency
        self._line: deque[asyncio.Future[bool]] = deque()

    @property
    def busy(self) -> int:
        """Slots taken."""
        return self._limit - self._free

    @property
    def limit(self) -> int:
        """Slots there are; more may be taken for a while after they became fewer."""
        return self._limit

    @property
    def waiting(self) -> int:
        """Calls in line."""
        return len(self._line)

    def divide(self, among: int) -> None:
        """Keep to one replica's part, rounded up, from now on; calls that run finish."""
        before, self._limit = self._limit, -(-self._whole // among)
        self._free += self._limit - before
        self._pass_on()

    def take(self) -> bool:
        """Take a free slot if there is one; none is while calls wait, since a slot given back goes to the line."""
        if self._free > 0:
            self._free -= 1
            return True
        return False

    async def wait(self, message: Message) -> None:
        """Return with a slot, before `message.deadline`; raises Overloaded, and then nothing was sent."""
        if len(self._line) >= self._waiting:
            raise _overloaded(message, f"{self._waiting} calls are in line already")
        loop = asyncio.get_running_loop()
        place: asyncio.Future[bool] = loop.create_future()
        self._line.append(place)
        timer = loop.call_later(message.deadline - self._clock.monotonic(), self._expire, place)
        try:
            granted = await place
        except asyncio.CancelledError:
            if place.cancelled():
                with suppress(ValueError):
                    self._line.remove(place)
            elif place.result():  # granted in the same turn of the loop
                self.give()
            raise
        finally:
            timer.cancel()
        if not granted:
            raise _overloaded(message, "no slot came free before the deadline")
        if self._clock.monotonic() >= message.deadline:
            self.give()
            raise _overloaded(message, "a slot came free only after the deadline")

    def give(self) -> None:
        """Give a slot back."""
        self._free += 1
        if self._line:
            self._pass_on()

    def _pass_on(self) -> None:
        while self._line and self._free > 0:
            place = self._line.popleft()
            if not place.done():  # else it was cancelled in this turn of the loop
                self._free -= 1
                place.set_result(True)

    def _expire(self, place: asyncio.Future[bool]) -> None:
        if not place.done():
            self._line.remove(place)
            place.set_result(False)


def bulkhead(slots: Bulkhead) -> Policy:
    """Run each call in one of the agency's slots."""
    take, give = slots.take, slots.give

    def policy(handler: Handler) -> Handler:
        async def call(message: Message) -> Reply:
            if not take():
                with step(message.trail, "bulkhead"):
                    await slots.wait(message)
            try:
                return await handler(message)
            finally:
                give()

        return call

    return policy


def _overloaded(message: Message, why: str) -> Overloaded:
    return Overloaded(f"{message.operation}: {why}; nothing was sent, try again shortly", retry_after=1.0)
