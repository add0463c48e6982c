"""Lets identical reads that run at the same time share one call; only for safe operations."""

import asyncio
from collections.abc import Callable

from gateway.errors import AgencyTimeout, GatewayError
from gateway.message import Message, Reply
from gateway.ports import Clock, Handler, Policy
from gateway.trail import sampled, step

_CLOSE_ENOUGH = 0.1
"""Seconds by which a first asker's deadline may fall short of the operation's before the shared call gets its own."""


class _Flight:
    """One shared call and those who wait for it; it is a task of its own, so that any of them may leave."""

    __slots__ = ("_error", "_flights", "_key", "_loop", "_reply", "_task", "_waiters", "deadline", "traceparent")

    def __init__(self, flights: dict[bytes, "_Flight"], key: bytes, handler: Handler, message: Message) -> None:
        self._flights = flights
        self._key = key
        self._reply: Reply | None = None
        self._error: BaseException | None = None
        self._waiters: dict[asyncio.Future[None], None] = {}
        self.deadline = message.deadline
        self.traceparent = message.traceparent
        flights[key] = self
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._fly(handler, message))

    async def join(self, message: Message, now: float) -> Reply:
        """Return the shared reply, or raise the shared error or, at a waiter's own earlier deadline, AgencyTimeout."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters[waiter] = None
        # The call itself ends at its deadline, so only a waiter with an earlier one needs a timer.
        earlier = message.deadline < self.deadline
        timer = self._loop.call_later(message.deadline - now, _wake, waiter) if earlier else None
        try:
            await waiter
        finally:
            if timer:
                timer.cancel()
            del self._waiters[waiter]
            if not self._waiters and not self._landed:
                self._abandon()
        if self._reply is not None:
            return self._reply
        if self._error is not None:
            raise self._own_error()
        raise AgencyTimeout(f"{message.operation}: no answer before the deadline; try again later", maybe_done=True)

    @property
    def _landed(self) -> bool:
        return self._reply is not None or self._error is not None

    async def _fly(self, handler: Handler, message: Message) -> None:
        try:
            self._reply = await handler(message)
        except asyncio.CancelledError as error:
            self._error = error
            raise
        except Exception as error:  # noqa: BLE001 # whatever it is, the waiters raise it
            self._error = error
        finally:
            self._leave()
            for waiter in self._waiters:
                _wake(waiter)

    def _abandon(self) -> None:
        self._leave()
        self._task.cancel()

    def _leave(self) -> None:
        """Nobody may join any more; by now the key may belong to a later flight."""
        if self._flights.get(self._key) is self:
            del self._flights[self._key]

    def _own_error(self) -> BaseException:
        """Return the error for the last waiter to raise, and a copy for each other: raising one writes into it."""
        error = self._error
        assert error is not None  # noqa: S101 # asked by join
        if not self._waiters:
            self._error = None
            return error
        return _copy(error)


def single_flight(
    clock: Clock, key: Callable[[Message], bytes], *, deadline: float, on_shared: Callable[[], None] = lambda: None
) -> Policy:
    """Share one call among messages of equal `key`; `deadline` is the operation's, in seconds.

    The shared call lives by the operation's deadline even when the first to ask had less time. It relies on the
    deadline policy inside to end it, and is cancelled when its last waiter leaves. `on_shared` hears of each message
    that joined a call under way.
    """
    monotonic = clock.monotonic

    def policy(handler: Handler) -> Handler:
        flights: dict[bytes, _Flight] = {}

        async def call(message: Message) -> Reply:
            now = monotonic()
            if message.deadline <= now:
                raise AgencyTimeout(f"{message.operation}: the deadline passed already; try again", maybe_done=False)
            name = key(message)
            flight = flights.get(name)
            if flight is None:
                flight = _Flight(flights, name, handler, _with_time(message, now + deadline))
                return await flight.join(message, now)
            on_shared()
            # The work is in the trace of whoever asked first.
            link = flight.traceparent if sampled(flight.traceparent) else ""
            with step(message.trail, "single_flight", link):
                return await flight.join(message, now)

        return call

    return policy


def _with_time(message: Message, deadline: float) -> Message:
    return message if message.deadline >= deadline - _CLOSE_ENOUGH else message.but(deadline=deadline)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


def _copy(error: BaseException) -> BaseException:
    """Copy one of our errors without its traceback, with the original as its cause; others can't be copied safely."""
    if not isinstance(error, GatewayError):
        return error
    copied = type(error).__new__(type(error), *error.args)
    copied.__dict__.update(error.__dict__)
    copied.__cause__ = error
    return copied
