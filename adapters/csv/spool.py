"""A file that was fetched lies on this machine's disk under no name, so that nothing of it is left behind."""

import io
import os
import tempfile
from dataclasses import dataclass, field
from typing import IO, BinaryIO

from adapters.csv.drop import Entry

BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class Spool:
    """What was fetched of an entry; it goes with the last that reads it."""

    entry: Entry
    file: IO[bytes] = field(default_factory=lambda: tempfile.TemporaryFile(prefix="gateway-"))  # noqa: SIM115 - it stays open

    def add(self, block: bytes) -> None:
        """Write on."""
        self.file.write(block)

    def finish(self) -> int:
        """Give it the time of its entry; returns how many bytes it has."""
        self.file.flush()
        moment = round(self.entry.mtime * 1e9)
        os.utime(self.file.fileno(), ns=(moment, moment))
        return os.fstat(self.file.fileno()).st_size

    def close(self) -> None:
        """Let go of it; whoever reads it still can."""
        self.file.close()

    def open(self) -> BinaryIO:
        """Return it from its beginning, apart from others that read it."""
        return io.BufferedReader(_Reader(os.dup(self.file.fileno())), BUFFER)


class _Reader(io.RawIOBase):
    """An open file with a place of its own to read on from."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def readinto(self, into: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        block = os.pread(self._descriptor, len(into), self._at)
        into[: len(block)] = block
        self._at += len(block)
        return len(block)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._descriptor).st_size}[whence]
        self._at = base + offset
        return self._at

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()
