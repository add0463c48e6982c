"""A file's batches, each read in a thread of its disk; must not know what is in them."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, suppress
from threading import Lock
from typing import BinaryIO

from adapters.csv.disk import Disk, Hangs
from adapters.csv.read import Reading, read
from gateway import Batch

GOODBYE = 2.0
"""Seconds that who goes waits for the thread, which a disk may keep for ever."""


async def batches(file: BinaryIO, reading: Reading, disk: Disk) -> AsyncGenerator[Batch, None]:
    """Read a file batch by batch, and close it; raises OSError."""
    turns = _Turns(file, read(file, reading))
    try:
        async with aclosing(_ahead(turns, disk) if reading.ahead else _in_turn(turns, disk)) as found:
            async for batch in found:
                yield batch
                del batch
    finally:
        if turns.leave():
            with suppress(Hangs):
                await disk.do(turns.close)


async def _in_turn(turns: "_Turns", disk: Disk) -> AsyncGenerator[Batch, None]:
    while batch := await disk.do(turns.next):
        yield batch
        del batch


async def _ahead(turns: "_Turns", disk: Disk) -> AsyncGenerator[Batch, None]:
    """Yield each batch while the next is read, and no more than that; whoever goes finds the thread done."""
    reading = asyncio.ensure_future(disk.do(turns.next))
    try:
        while batch := await asyncio.shield(reading):
            if not batch.last:
                reading = asyncio.ensure_future(disk.do(turns.next))
            yield batch
            if batch.last:
                return
    finally:
        try:
            await asyncio.wait({reading}, timeout=GOODBYE)
        finally:
            if not reading.cancel() and not reading.cancelled():
                reading.exception()  # nobody asks for it any more


class _Turns:
    """What reads a file, in one thread at a time; once nobody wants more, whoever is at work closes it."""

    def __init__(self, file: BinaryIO, found: Generator[Batch, None, None]) -> None:
        self._file = file
        self._found = found
        self._lock = Lock()
        self._is_at_work = False
        self._is_left = False

    def next(self) -> Batch | None:
        """Read on."""
        with self._lock:
            self._is_at_work = True
        try:
            return next(self._found, None)
        finally:
            with self._lock:
                self._is_at_work = False
                left = self._is_left
            if left:
                self.close()

    def leave(self) -> bool:
        """Want no more; true where nobody is at work who would close the file."""
        with self._lock:
            self._is_left = True
            return not self._is_at_work

    def close(self) -> None:
        """Close the file."""
        self._found.close()
        self._file.close()
