"""Where files appear: what every kind of drop can do; must not know what is in them nor when they are complete."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from adapters.csv.disk import Disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file as a listing shows it; `mtime` is seconds since 1970. A rewritten file is another entry."""

    name: str
    size: int
    mtime: float


class Drop(Protocol):
    """A folder somewhere; every method raises Unavailable, whose `maybe_done` matters for `put` only."""

    @property
    def disk(self) -> Disk:
        """The threads in which open files are read and closed, and nobody else's are."""
        ...

    async def list(self, folder: str = "", /) -> Sequence[Entry]:
        """Return the files of a folder below, hidden ones too; none where there is no such folder."""
        ...

    async def tail(self, name: str, /) -> bytes:
        """Return the last two bytes, fewer when the file is shorter."""
        ...

    async def open(self, name: str, /) -> BinaryIO:
        """Return a file on this machine, whose blocking reads belong in threads of `disk`; the caller closes it.

        As it lies open it has the size and time of its entry (fstat), and others if somebody writes into it meanwhile.
        """
        ...

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        """Let a file appear, whole and on disk, or not at all; one of the same name is replaced."""
        ...

    async def move(self, name: str, to: str, /, seen: Entry | None = None) -> Entry | None:
        """Give a file another name, where there is none of that name, and make its folder; None when it is gone.

        With `seen` only the file that was seen so: what is another by now, or becomes one as it is moved, lies where it
        was. Returned is how it is seen there.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; the next use opens them again."""
        ...
