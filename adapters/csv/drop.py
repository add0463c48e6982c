"""Where files appear and when they are complete; must not know what is in them."""

import asyncio
import errno
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Protocol

from adapters.csv.settings import Feed
from adapters.csv.unpack import is_plain_text
from gateway import ConfigError, Finding, Unavailable

UNFINISHED = (".tmp", ".part", ".filepart")
MARKERS = (".ok", ".done")
HANDED_BACK = re.compile(r"((\.r-[0-9a-f]{12})?\.rejected\.(csv|xlsx))+$")
OVERDUE = 10
COPIED = 1 << 20
"""Bytes copied at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file as a listing shows it; `mtime` is seconds since 1970. A rewritten file is another entry."""

    name: str
    size: int
    mtime: float


class Drop(Protocol):
    """A folder somewhere; every method raises Unavailable, whose `maybe_done` matters for `put` only."""

    async def list(self, folder: str = "", /) -> Sequence[Entry]:
        """Return the files of a folder below, hidden ones too; none where there is no such folder."""
        ...

    async def tail(self, name: str, /) -> bytes:
        """Return the last two bytes, fewer when the file is shorter."""
        ...

    async def open(self, name: str, /) -> BinaryIO:
        """Return a file on this machine, whose blocking reads belong in a thread; the caller closes it."""
        ...

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        """Let a file appear, whole and on disk, or not at all; one of the same name is replaced."""
        ...

    async def move(self, name: str, to: str, /) -> bool:
        """Give a file another name, where there is none of that name, and make its folder; false when it is gone."""
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

    async def list(self, folder: str = "", /) -> Sequence[Entry]:
        """Return the files of a folder below, hidden ones too; none where there is no such folder."""
        try:
            return await asyncio.to_thread(_scan, self.path / folder)
        except OSError as error:
            if folder and isinstance(error, FileNotFoundError) and self.path.is_dir():
                return ()
            raise _unavailable("list", self.path / folder, error) from error

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

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        """Write under a hidden name, fsync, rename, fsync the folder; not done until the rename.

        A folder below is made where it is missing, but never the drop itself: it may not be mounted.
        """
        await asyncio.to_thread(_put, self.path, name, content)

    async def move(self, name: str, to: str, /) -> bool:
        """Rename; where that leads to another disk, copy, fsync and take the old one away."""
        try:
            return await asyncio.to_thread(_move, self.path / name, self.path / to)
        except OSError as error:
            raise _unavailable("move", self.path / name, error) from error


def _scan(path: Path) -> list[Entry]:
    entries = []
    with os.scandir(path) as found:
        for each in found:
            try:
                # A link may lead anywhere, to files that whoever may write here may not read.
                if each.is_file(follow_symlinks=False):
                    stat = each.stat()
                    entries.append(Entry(name=each.name, size=stat.st_size, mtime=stat.st_mtime))
            except FileNotFoundError:
                """Gone between listing and looking."""
    return entries


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 2))
        return file.read(2)


def _put(folder: Path, name: str, content: bytes | BinaryIO) -> None:
    path = folder / name
    hidden = path.with_name(f".{path.name}.tmp")
    try:
        if path.parent != folder and folder.is_dir():
            path.parent.mkdir(parents=True, exist_ok=True)
        _write(hidden, content)
        hidden.replace(path)
    except OSError as error:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise _unavailable("write", path, error) from error
    try:
        _sync_folder(path.parent)
    except OSError as error:
        raise _unavailable("make durable", path, error, maybe_done=True) from error


def _write(path: Path, content: bytes | BinaryIO) -> None:
    with path.open("wb") as file:
        if isinstance(content, bytes):
            file.write(content)
        else:
            shutil.copyfileobj(content, file, COPIED)
        file.flush()
        os.fsync(file.fileno())


def _move(path: Path, to: Path) -> bool:
    if not path.exists():
        return False
    if to.exists():
        raise FileExistsError(errno.EEXIST, f"there is a {to.name} in {to.parent.name} already")
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.rename(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _carry(path, to)
    _sync_folder(to.parent)
    return True


def _carry(path: Path, to: Path) -> None:
    """Move to another disk: it is there whole before it is gone here, with the time it was written."""
    hidden = to.with_name(f".{to.name}.tmp")
    with path.open("rb") as file:
        _write(hidden, file)
    shutil.copystat(path, hidden)
    hidden.rename(to)
    path.unlink()


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
        """Return the feed's files that are not visibly in the making, oldest name first; `now` is monotonic."""
        found = [entry for entry in entries if self.is_ours(entry.name)]
        self._since = {entry: self._since.get(entry, now) for entry in found}
        return sorted(found, key=lambda entry: entry.name)

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
        if self._feed.ready != "stable" or not is_plain_text(entry.name):
            return True
        tail = await drop.tail(entry.name)
        return tail.endswith(b"\n") or tail == b"\n\0"

    def is_overdue(self, entry: Entry, now: float) -> bool:
        """Tell whether a file that isn't closed has been left so for too long to be still in the making."""
        return now - self._since[entry] >= OVERDUE * self._feed.stable_for

    def _is_still(self, entry: Entry, now: float) -> bool:
        return now - self._since[entry] >= self._feed.stable_for

    def is_ours(self, name: str) -> bool:
        """Tell whether a name is one of the feed's, and not that of a file in the making."""
        lowered = name.lower()
        in_the_making = lowered.startswith((".", "~$")) or lowered.endswith((*UNFINISHED, *MARKERS))
        # Windows programs write .CSV as they please.
        pattern = self._feed.files.lower()
        # Rows that were handed back come again under the name that they were given.
        origin = HANDED_BACK.sub("", lowered)
        return not in_the_making and (fnmatchcase(lowered, pattern) or fnmatchcase(origin, pattern))


def _marker(entry: Entry, by_name: Mapping[str, Entry]) -> Entry | None:
    markers = (by_name.get(entry.name + ending) for ending in MARKERS)
    return max((each for each in markers if each), key=lambda each: each.mtime, default=None)
