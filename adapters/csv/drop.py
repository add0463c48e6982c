"""Where files appear and when they are complete; must not know what is in them."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Protocol

from adapters.csv.settings import Feed
from gateway import ConfigError, Finding, Unavailable

UNFINISHED = (".tmp", ".part", ".filepart")
MARKERS = (".ok", ".done")
OVERDUE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file as a listing shows it; `mtime` is seconds since 1970. A rewritten file is another entry."""

    name: str
    size: int
    mtime: float


class Drop(Protocol):
    """A folder somewhere; every method raises Unavailable, whose `maybe_done` matters for `put` only."""

    async def list(self) -> Sequence[Entry]:
        """Return the files, hidden ones too."""
        ...

    async def tail(self, name: str, /) -> bytes:
        """Return the last two bytes, fewer when the file is shorter."""
        ...

    async def open(self, name: str, /) -> BinaryIO:
        """Return a file on this machine, whose blocking reads belong in a thread; the caller closes it."""
        ...

    async def put(self, name: str, content: bytes, /) -> None:
        """Let a file appear, whole and on disk, or not at all; one of the same name is replaced."""
        ...


def drop_at(place: str, setting: str) -> Drop:
    """Return the drop that `place` names; raises ConfigError for a kind that isn't spoken."""
    if "://" in place:
        kind = place.split("://", 1)[0]
        raise ConfigError(
            Finding(where=setting, what=f"{kind}:// is not supported", remedy="mount it and name the folder here")
        )
    return Folder(Path(place))


@dataclass(frozen=True, slots=True)
class Folder:
    """A Drop on a local or mounted disk."""

    path: Path

    async def list(self) -> Sequence[Entry]:
        """Return the files, hidden ones too."""
        try:
            return await asyncio.to_thread(_scan, self.path)
        except OSError as error:
            raise _unavailable("list", self.path, error) from error

    async def tail(self, name: str, /) -> bytes:
        """Return the last two bytes, fewer when the file is shorter."""
        try:
            return await asyncio.to_thread(_tail, self.path / name)
        except OSError as error:
            raise _unavailable("read", self.path / name, error) from error

    async def open(self, name: str, /) -> BinaryIO:
        """Return the file, to be read in a thread."""
        try:
            return await asyncio.to_thread((self.path / name).open, "rb")
        except OSError as error:
            raise _unavailable("open", self.path / name, error) from error

    async def put(self, name: str, content: bytes, /) -> None:
        """Write under a hidden name, fsync, rename, fsync the folder; not done until the rename."""
        await asyncio.to_thread(_put, self.path, name, content)


def _scan(path: Path) -> list[Entry]:
    entries = []
    with os.scandir(path) as found:
        for each in found:
            try:
                if each.is_file():
                    stat = each.stat()
                    entries.append(Entry(name=each.name, size=stat.st_size, mtime=stat.st_mtime))
            except FileNotFoundError:
                """Gone between listing and looking."""
    return entries


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 2))
        return file.read(2)


def _put(folder: Path, name: str, content: bytes) -> None:
    hidden = folder / f".{name}.tmp"
    try:
        _write(hidden, content)
        hidden.replace(folder / name)
    except OSError as error:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise _unavailable("write", folder / name, error) from error
    try:
        _sync_folder(folder)
    except OSError as error:
        raise _unavailable("make durable", folder / name, error, maybe_done=True) from error


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    """A rename is on disk only once the folder is."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unavailable(doing: str, path: Path, error: OSError, *, maybe_done: bool = False) -> Unavailable:
    why = error.strerror or type(error).__name__
    return Unavailable(
        f"could not {doing} {path.name}: {why}; is the folder mounted and readable?", maybe_done=maybe_done
    )


class Watch:
    """Which files of one feed are complete; remembers since when each has looked the same."""

    __slots__ = ("_feed", "_since")

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._since: dict[Entry, float] = {}

    def candidates(self, entries: Sequence[Entry], now: float) -> list[Entry]:
        """Return the feed's files that are not visibly in the making, newest name first; `now` is monotonic."""
        found = [entry for entry in entries if self._is_ours(entry.name)]
        self._since = {entry: self._since.get(entry, now) for entry in found}
        return sorted(found, key=lambda entry: entry.name, reverse=True)

    def is_quiet(self, entry: Entry, entries: Sequence[Entry], now: float) -> bool:
        """Tell whether nobody seems to be writing the file any more."""
        match self._feed.ready:
            case "rename":
                return True
            case "marker":
                marker = _marker(entry, {each.name: each for each in entries})
                # A marker older than its file may be left over from the file before.
                return marker is not None and (marker.mtime >= entry.mtime or self._is_still(entry, now))
            case "stable":
                return self._is_still(entry, now)

    async def is_closed(self, entry: Entry, drop: Drop) -> bool:
        r"""Tell whether the last line has its end; UTF-16 writes it as `\n\0`. A marker or a name vouches by itself."""
        if self._feed.ready != "stable":
            return True
        tail = await drop.tail(entry.name)
        return tail.endswith(b"\n") or tail == b"\n\0"

    def is_overdue(self, entry: Entry, now: float) -> bool:
        """Tell whether a file that isn't closed has been left so for too long to be still in the making."""
        return now - self._since[entry] >= OVERDUE * self._feed.stable_for

    def _is_still(self, entry: Entry, now: float) -> bool:
        return now - self._since[entry] >= self._feed.stable_for

    def _is_ours(self, name: str) -> bool:
        lowered = name.lower()
        in_the_making = lowered.startswith((".", "~$")) or lowered.endswith((*UNFINISHED, *MARKERS))
        # Windows programs write .CSV as they please.
        return not in_the_making and fnmatchcase(lowered, self._feed.files.lower())


def _marker(entry: Entry, by_name: Mapping[str, Entry]) -> Entry | None:
    markers = (by_name.get(entry.name + ending) for ending in MARKERS)
    return max((each for each in markers if each), key=lambda each: each.mtime, default=None)
