"""Stand-ins that tests of several packages share; no mocks: each really does what its Protocol says."""

import asyncio
import heapq
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

JAKARTA = ZoneInfo("Asia/Jakarta")
MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=JAKARTA)
QUIET_TURNS = 3
LOOK_AGAIN = 0.0005


class _Counted(ThreadPoolExecutor):
    """The loop's threads, with a count of those at work, so that the clock doesn't jump past them."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(max_workers=4)
        self._loop = loop
        self.working = 0

    def submit(self, call: Callable[..., object], /, *args: object, **kwargs: object) -> Future:
        self.working += 1
        future = super().submit(call, *args, **kwargs)
        # Added a turn later, so that it runs after the callback that hands the result to the loop.
        self._loop.call_soon(future.add_done_callback, self._done)
        return future

    def _done(self, _: Future) -> None:
        try:
            self._loop.call_soon_threadsafe(self._less)
        except RuntimeError:
            """The loop is closed: nobody counts any more."""

    def _less(self) -> None:
        self.working -= 1


class FakeClock:
    """Time that passes only when nothing else can happen.

    With `autojump` (the default), as soon as every task waits and no `to_thread` work runs, the clock jumps to the
    earliest sleeper; a day of sleeping takes no time. Where real sockets outside this loop take part, give `settle`:
    real seconds of quiet before a jump. Without `autojump` time moves by `await clock.advance(seconds)` only.
    One clock to an event loop.
    """

    def __init__(
        self, start: datetime = MONDAY_MORNING, *, monotonic: float = 1000.0, autojump: bool = True, settle: float = 0.0
    ) -> None:
        self._start = start
        self._origin = monotonic
        self._monotonic = monotonic
        self._autojump = autojump
        self._settle = settle
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._watching = False
        self._threads: _Counted | None = None
        self.slept: list[float] = []
        self.elsewhere = 0
        """Work under way that the loop doesn't show, such as a ledger's threads: time stands still meanwhile."""

    def monotonic(self) -> float:
        return self._monotonic

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._monotonic - self._origin)

    async def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        self._count_threads(loop)
        future = loop.create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), future))
        if self._autojump:
            self._watch(loop)
        await future

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, waking each sleeper at its own time and letting it run before time goes on."""
        until = self._monotonic + seconds
        await self.settled()
        while self._next_wake() <= until:
            self._jump()
            await self.settled()
        self._monotonic = until

    async def settled(self) -> None:
        """Wait until every other task waits for something and no thread works."""
        loop = asyncio.get_running_loop()
        self._count_threads(loop)
        quiet = 0
        while quiet < QUIET_TURNS:
            busy = self.elsewhere or (self._threads and self._threads.working)
            await asyncio.sleep(LOOK_AGAIN if busy else 0)
            quiet = quiet + 1 if self._is_quiet(loop) else 0

    @property
    def sleeping(self) -> int:
        """How many are asleep."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._watching:
            self._watching = True
            loop.call_soon(self._look, loop, 0, loop.time())

    def _look(self, loop: asyncio.AbstractEventLoop, quiet: int, since: float) -> None:
        if self._next_wake() == float("inf"):
            self._watching = False
            return
        if not self._is_quiet(loop):
            quiet, since = 0, loop.time()
        elif quiet >= QUIET_TURNS and loop.time() - since >= self._settle:
            self._jump()
            quiet, since = 0, loop.time()
        if self._settle or self.elsewhere or (self._threads and self._threads.working):
            loop.call_later(LOOK_AGAIN, self._look, loop, quiet + 1, since)
        else:
            loop.call_soon(self._look, loop, quiet + 1, since)

    def _is_quiet(self, loop: asyncio.AbstractEventLoop) -> bool:
        return not loop._ready and not self.elsewhere and not (self._threads and self._threads.working)

    def _next_wake(self) -> float:
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else float("inf")

    def _jump(self) -> None:
        self._monotonic = max(self._monotonic, self._next_wake())
        while self._next_wake() <= self._monotonic:
            heapq.heappop(self._sleepers)[2].set_result(None)

    def _count_threads(self, loop: asyncio.AbstractEventLoop) -> None:
        if not isinstance(loop._default_executor, _Counted):
            loop.set_default_executor(_Counted(loop))
        self._threads = loop._default_executor


class Settable(FakeClock):
    """A clock that an administrator may set: the time on the wall jumps, and none passes."""

    ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)
