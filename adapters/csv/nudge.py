"""Notices that a name appeared in a folder of this machine, so that it is looked at before its time; may be mistaken.

Whether it works depends on the disk (mounted folders tell nothing of what others do there): looking now and then is
what counts, and this only makes it sooner.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import Change
from watchfiles._rust_notify import RustNotify

STEP, GATHERED = 100, 200
"""Milliseconds between two looks at what the system told, and over which what it told is taken together."""
RENEWED = 60.0
"""Seconds after which the folder is watched anew: one that was mounted meanwhile is another one."""
GOODBYE = 2.0


class Nudge:
    """A folder that is watched from a thread of its own, from the first `wait` to `close`."""

    def __init__(self, folder: Path, matters: Callable[[str], bool], watch: Callable[[Path], RustNotify] | None = None):
        self._folder = folder
        self._matters = matters
        self._watch = watch or _watched
        self._stirred = asyncio.Event()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    async def wait(self) -> None:
        """Return once a name that matters has appeared since the last time, if it is noticed."""
        if self._thread is None:
            given = (asyncio.get_running_loop(),)
            self._thread = threading.Thread(target=self._follow, args=given, name="drop-watch", daemon=True)
            self._thread.start()
        await self._stirred.wait()
        self._stirred.clear()

    async def close(self) -> None:
        """End the thread; a mount that hangs may keep it."""
        self._over.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, GOODBYE)

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._over.is_set():
            try:
                with self._watch(self._folder) as told:
                    # What appeared before this was not noticed.
                    loop.call_soon_threadsafe(self._stirred.set)
                    self._listen(told, loop)
            except Exception:  # noqa: BLE001 - too many watches, a folder that is not there: it is looked at all the same
                self._over.wait(RENEWED)

    def _listen(self, told: RustNotify, loop: asyncio.AbstractEventLoop) -> None:
        until = time.monotonic() + RENEWED
        while (left := until - time.monotonic()) > 0 and not self._over.is_set():
            changes = told.watch(GATHERED, STEP, max(1, round(left * 1000)), self._over)
            if isinstance(changes, set) and any(
                change == Change.added and self._matters(Path(path).name) for change, path in changes
            ):
                loop.call_soon_threadsafe(self._stirred.set)


def _watched(folder: Path) -> RustNotify:
    return RustNotify(
        [str(folder)],
        debug=False,
        force_polling=False,
        poll_delay_ms=0,
        recursive=False,
        ignore_permission_denied=False,
    )
