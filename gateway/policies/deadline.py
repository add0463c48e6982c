"""Ends a read at its deadline, and never starts anything after it; a write in flight is left to finish."""

import asyncio

from gateway.errors import AgencyTimeout
from gateway.message import Message, Reply
from gateway.ports import Clock, Handler, Policy
from gateway.trail import mark

_GRACE = 0.02
"""Seconds. Queues and adapters end at the deadline itself and know whether anything was sent: they speak first."""


class _Alarm:
    """Cancels a task when its time is over, and tells its own cancellation from anybody else's."""

    __slots__ = ("_before", "_rang", "_task", "_timer")

    def __init__(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        # A policy only ever runs inside a task.
        self._task: asyncio.Task[object] = asyncio.current_task(loop)  # type: ignore[assignment]
        self._before = self._task.cancelling()
        self._rang = False
        self._timer = loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._rang = True
        self._task.cancel()

    def off(self) -> bool:
        """Stop; true when the task was cancelled by this alarm and by nobody else."""
        self._timer.cancel()
        return self._rang and self._task.uncancel() <= self._before


def deadline(clock: Clock, *, safe: bool) -> Policy:
    """Hold a call to `message.deadline`.

    A call that starts too late raises AgencyTimeout with `maybe_done` false. A safe one is cancelled in flight and
    raises it with `maybe_done` true; any other goes on until its adapter's own timeout, because a write cut off in
    flight is a write nobody knows about.
    """
    monotonic = clock.monotonic

    def policy(handler: Handler) -> Handler:
        async def write(message: Message) -> Reply:
            _remaining(message, monotonic())
            return await handler(message)

        async def read(message: Message) -> Reply:
            alarm = _Alarm(_remaining(message, monotonic()) + _GRACE)
            try:
                reply = await handler(message)
            except BaseException as error:
                if alarm.off() and isinstance(error, asyncio.CancelledError):
                    mark(message.trail, "deadline", outcome=AgencyTimeout.code)
                    raise AgencyTimeout(
                        f"{message.operation}: no answer before the deadline; try again later", maybe_done=True
                    ) from error
                raise
            alarm.off()
            return reply

        return read if safe else write

    return policy


def _remaining(message: Message, now: float) -> float:
    seconds = message.deadline - now
    if seconds <= 0:
        mark(message.trail, "deadline", outcome=AgencyTimeout.code)
        raise AgencyTimeout(
            f"{message.operation}: the deadline passed before anything was sent; try again", maybe_done=False
        )
    return seconds
