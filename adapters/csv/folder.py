"""A drop on a local or mounted disk."""

import asyncio
import errno
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

from adapters.csv.disk import Disk, Hangs
from adapters.csv.drop import Entry
from adapters.csv.fitting import readable
from gateway import Unavailable

P = ParamSpec("P")
T = TypeVar("T")
COPIED = 1 << 20
"""Bytes copied at a time."""
PATIENCE = 30.0
"""Seconds until a look at a disk that does not answer is given up."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A Drop on a local or mounted disk; a look that takes longer than `patience` is given up."""

    path: Path
    disk: Disk = field(default_factory=Disk, repr=False, compare=False)
    patience: float = PATIENCE

    async def list(self, folder: str = "", /) -> Sequence[Entry]:
        """Return the files of a folder below, hidden ones too; none where there is no such folder."""
        return await self._looked("list", folder, _listed, self.path, folder)

    async def tail(self, name: str, /) -> bytes:
        """Return the last two bytes, fewer when the file is shorter."""
        return await self._looked("read", name, _tail, self.path / name)

    async def open(self, name: str, /) -> BinaryIO:
        """Return the file."""
        return await self._looked("open", name, _opened, self.path / name)

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        """Write under a hidden name, fsync, rename, fsync the folder; not done until the rename.

        A folder below is made where it is missing, but never the drop itself: it may not be mounted.
        """
        await self._done("write", name, _put, self.path, name, content)

    async def move(self, name: str, to: str, /, seen: Entry | None = None) -> Entry | None:
        """Rename; where that leads to another disk, copy, fsync and take the old one away."""
        return await self._done("move", name, _move, self.path, name, to, seen)

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _done(self, doing: str, name: str, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self.disk.do(work, *args, **kwargs)
        except OSError as error:
            raise _unavailable(doing, self.path / name, error) from error

    async def _looked(self, doing: str, name: str, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Have something looked at: to give that up does no harm."""
        try:
            async with asyncio.timeout(self.patience):
                return await self._done(doing, name, work, *args, **kwargs)
        except TimeoutError as error:
            silent = Hangs(errno.ETIMEDOUT, f"the disk did not answer within {self.patience:g} s")
            raise _unavailable(doing, self.path / name, silent) from error


def _listed(base: Path, folder: str) -> Sequence[Entry]:
    try:
        return _scan(base / folder)
    except FileNotFoundError:
        if folder and base.is_dir():
            return ()
        raise


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _scan(path: Path) -> list[Entry]:
    entries = []
    with os.scandir(path) as listed:
        for each in listed:
            try:
                # A link may lead anywhere, to files that whoever may write here may not read.
                if each.is_file(follow_symlinks=False):
                    found = each.stat()
                    entries.append(Entry(name=each.name, size=found.st_size, mtime=found.st_mtime))
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


def _move(folder: Path, name: str, target: str, seen: Entry | None) -> Entry | None:
    path, to = folder / name, folder / target
    before = _entry(path)
    if before is None:
        folder.stat()  # which may be what is gone
        return None
    if seen is not None and before != seen:
        return None
    if to.exists():
        raise FileExistsError(errno.EEXIST, f"there is a {to.name} in {to.parent.name} already")
    to.parent.mkdir(parents=True, exist_ok=True)
    if not _renamed(path, to, before, is_seen=seen is not None):
        return None
    _sync_folder(to.parent)
    return _entry(to)


def _entry(path: Path) -> Entry | None:
    """Return how a listing shows a file, None where there is none, or a link."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return Entry(name=path.name, size=found.st_size, mtime=found.st_mtime) if stat.S_ISREG(found.st_mode) else None


def _renamed(path: Path, to: Path, before: Entry, *, is_seen: bool) -> bool:
    """Rename; one that somebody began to write anew meanwhile goes back, to be seen again."""
    try:
        path.rename(to)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return _carried(path, to, before)
    after = _entry(to)
    if is_seen and (after is None or replace(after, name=before.name) != before):
        if not path.exists():
            to.rename(path)
        return False
    return True


def _carried(path: Path, to: Path, before: Entry) -> bool:
    """Move to another disk: it is there whole before it is gone here, with the time it was written.

    One that is written while it is copied stays.
    """
    hidden = to.with_name(f".{to.name}.tmp")
    with path.open("rb") as file:
        _write(hidden, file)
    shutil.copystat(path, hidden)
    if _entry(path) != before:
        hidden.unlink()
        return False
    hidden.rename(to)
    path.unlink()
    return True


def _sync_folder(path: Path) -> None:
    """A rename is on disk only once the folder is."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unavailable(doing: str, path: Path, error: OSError, *, maybe_done: bool = False) -> Unavailable:
    why = error.strerror or type(error).__name__
    what = "does the machine that the folder is mounted from answer? if so, mount it anew"
    ask = what if isinstance(error, Hangs) else "is the folder mounted and readable?"
    return Unavailable(f"could not {doing} {readable(path.name)}: {why}; {ask}", maybe_done=maybe_done)
