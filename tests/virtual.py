"""An event loop whose time is virtual: it jumps to the next timer when nothing else can happen.

For code that sets timers on the loop itself. A loop in which nothing can ever happen again is an error, so a lost
waiter fails a test instead of hanging it.
"""

import asyncio
import selectors
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from gateway.message import Message, MessageId, OperationId, Reply

START = datetime(2026, 3, 2, 9, 0, tzinfo=ZoneInfo("Asia/Jakarta"))


class _Jumping(selectors.DefaultSelector):
    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            if timeout is None:
                raise RuntimeError("everything waits and nothing can happen any more")
            self.loop.elapsed += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.elapsed = 0.0
        selector = _Jumping()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return 1000.0 + self.elapsed

    def stall(self, seconds: float) -> None:
        """Be busy for so long: time passes and nobody runs."""
        self.elapsed += seconds


class LoopClock:
    """The running loop's time."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic() - 1000.0)

    async def sleep(self, seconds: float, /) -> None:
        await asyncio.sleep(seconds)


_numbers = count(1)


def a_message(seconds: float = 20.0, **changes: object) -> Message:
    """Make a message whose deadline is `seconds` from now."""
    given = {
        "id": MessageId(f"m{next(_numbers)}"),
        "operation": OperationId("dinkes/faskes"),
        "body": {},
        "client": "klik",
        "correlation_id": "c-1",
        "traceparent": "",
        "accepted_at": START,
        "deadline": asyncio.get_running_loop().time() + seconds,
    }
    return Message(**{**given, **changes})


class Scripted:
    """A handler that answers its n-th call with the n-th step: a reply, an error, or either after some seconds.

    The last step is repeated. `calls` has each message with the time it came; `cut` counts those cancelled.
    """

    def __init__(self, *steps: object) -> None:
        self.steps = steps
        self.calls: list[tuple[Message, float]] = []
        self.cut = 0
        self.inside = 0
        self.most_inside = 0

    @property
    def times(self) -> list[float]:
        return [time for _, time in self.calls]

    async def __call__(self, message: Message) -> Reply:
        step = self.steps[min(len(self.calls), len(self.steps) - 1)]
        self.calls.append((message, asyncio.get_running_loop().time()))
        seconds, end = step if isinstance(step, tuple) else (0.0, step)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            if seconds:
                await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.cut += 1
            raise
        finally:
            self.inside -= 1
        if isinstance(end, Exception):
            raise end
        assert isinstance(end, Reply)
        return end
