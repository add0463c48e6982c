"""A few threads of a folder's own: a disk that hangs keeps nobody waiting but those who use it; knows no files.

They are none of the process's, which many others wait for, and end with it even if the disk never answers.
"""

import asyncio
import errno
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
THREADS = 4
IDLE = 10.0
"""Seconds after which a thread without work ends."""


class Hangs(OSError):
    """All that a disk's threads do was given up, and none of it has ended: it was not even asked."""


class Disk:
    """Threads for what blocks, begun when there is work for them."""

    __slots__ = ("_jobs", "_left", "_lock", "_most", "_threads", "_undone")

    def __init__(self, threads: int = THREADS) -> None:
        self._most = threads
        self._jobs: SimpleQueue[tuple[Future[Any], Callable[[], object]]] = SimpleQueue()
        self._lock = Lock()
        self._threads = 0
        self._undone = 0
        self._left: set[Future[Any]] = set()

    async def do(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks, in a thread; raises Hangs at once while each of them still does what nobody waits for."""
        if len(self._left) >= self._most:
            raise Hangs(errno.ETIMEDOUT, f"{self._most} things before it were given up, and still wait for the disk")
        done: Future[T] = Future()
        self._begin(done, partial(work, *args, **kwargs))
        try:
            return await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            if done.running():
                self._left.add(done)
                done.add_done_callback(self._left.discard)
            raise

    def _begin(self, done: Future[Any], work: Callable[[], object]) -> None:
        with self._lock:
            self._jobs.put((done, work))
            self._undone += 1
            if self._threads >= min(self._undone, self._most):
                return
            self._threads += 1
        Thread(target=self._serve, name="disk", daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                done, work = self._jobs.get(timeout=IDLE)
            except Empty:
                if self._is_over():
                    return
                continue
            _run(done, work)
            del done, work  # what was made is not held while nothing is done
            with self._lock:
                self._undone -= 1

    def _is_over(self) -> bool:
        with self._lock:
            if not self._jobs.empty():
                return False
            self._threads -= 1
            return True


def _run(done: Future[Any], work: Callable[[], object]) -> None:
    if not done.set_running_or_notify_cancel():
        return
    try:
        made = work()
    except BaseException as error:  # noqa: BLE001 - it is whose who waits for it
        done.set_exception(error)
    else:
        done.set_result(made)
