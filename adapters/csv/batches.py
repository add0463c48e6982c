"""A file's batches, each read in a thread of its disk; must not know what is in them."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import suppress
from threading import Lock
from typing import BinaryIO

from adapters.csv.disk import Disk, Hangs
from adapters.csv.read import Reading, read
from gateway import Batch

GOODBYE = 2.0
"""Seconds that who goes waits for the thread, which a disk may keep for ever."""


async def batches(file: BinaryIO, reading: Reading, disk: Disk) -> AsyncGenerator[Batch, None]:
    """Read a file batch by batch, and close it; whoever goes finds the thread done. Raises OSError."""
    turns = _Turns(file, read(file, reading))
    coming: asyncio.Task[Batch | None] | None = None
    try:
        while True:
            coming = asyncio.create_task(disk.do(turns.next))
            batch = await asyncio.shield(coming)
            coming = None  # what is kept by now is not held while the next is read
            if batch is None:
                return
            yield batch
            del batch
    finally:
        try:
            if coming is not None:
                await _done(coming)
        finally:  # whoever is told to go twice does not wait, and leaves nothing open either
            if turns.leave():
                with suppress(Hangs):
                    await disk.do(turns.close)


async def _done(coming: "asyncio.Task[Batch | None]") -> None:
    """Wait for what nobody wants any more."""
    try:
        await asyncio.wait({coming}, timeout=GOODBYE)
    finally:
        if not coming.cancel() and not coming.cancelled():
            coming.exception()  # nobody asks for it


class _Turns:
    """What reads a file, in one thread at a time; once nobody wants more, whoever is at work closes it."""

    def __init__(self, file: BinaryIO, found: Generator[Batch, None, None]) -> None:
        self._file = file
        self._found = found
        self._lock = Lock()
        self._is_at_work = False
        self._is_left = False

    def next(self) -> Batch | None:
        """Read on; nothing once nobody wants more."""
        if not self._begins():
            return None
        try:
            return next(self._found, None)
        finally:
            with self._lock:
                self._is_at_work = False
                left = self._is_left
            if left:
                self.close()

    def _begins(self) -> bool:
        """Be at work, unless whoever wanted more went before a thread was free."""
        with self._lock:
            self._is_at_work = not self._is_left
            return self._is_at_work

    def leave(self) -> bool:
        """Want no more; true where nobody is at work who would close the file."""
        with self._lock:
            self._is_left = True
            return not self._is_at_work

    def close(self) -> None:
        """Close the file."""
        self._found.close()
        self._file.close()
