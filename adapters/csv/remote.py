"""A drop elsewhere, over whichever protocol: one connection, kept and reopened; files are fetched before they are read.

Each protocol says what its library's exceptions mean as OSError; here they become what every drop raises.
"""

import asyncio
import errno
import posixpath
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import BinaryIO, Protocol, TypeVar, runtime_checkable

from adapters.csv.disk import Disk
from adapters.csv.drop import Entry
from adapters.csv.place import Place
from adapters.csv.spool import Spool
from gateway import Unavailable, Unreachable

T = TypeVar("T")
Alive = Callable[[], None]
"""What is called at each sign of life."""
BLOCK = 1 << 20
PATIENCE = 30.0
"""Seconds without a sign from the server, a block of a file or an answer, until the connection is given up."""
_ANSWERS = (FileNotFoundError, FileExistsError, PermissionError)
"""What a server says no with; anything else says nothing good of the connection."""
_LOST = (ConnectionError, TimeoutError)
"""After what nobody knows whether the last step was done."""


class Changed(OSError):
    """A file was written anew before it could be moved: it lies where it was."""


class Wire(Protocol):
    """An open connection, used by one at a time; raises whatever its library raises."""

    async def list(self, folder: str, /) -> Sequence[Entry]:
        """Return the files of a folder; FileNotFoundError where there is none."""
        ...

    def read(self, name: str, after: int, /) -> AsyncIterator[bytes]:
        """Yield a file's bytes after the first `after`, to its end."""
        ...

    async def write(self, name: str, blocks: AsyncIterator[bytes], /) -> None:
        """Write a file, and see it on disk where the server can."""
        ...

    async def move(self, name: str, to: str, entry: Entry, /) -> None:
        """Give a file, which is there, a name that nobody has, as far as anybody could see; may raise Changed."""
        ...

    async def remove(self, name: str, /) -> None:
        """Take a file away."""
        ...

    async def make(self, folder: str, /) -> None:
        """Make a folder below one that is there."""
        ...

    async def close(self) -> None:
        """Hang up."""
        ...

    def abort(self) -> None:
        """Hang up at once: what is waited for ends, since libraries wait for answers even when they give up."""
        ...


@runtime_checkable
class Growing(Wire, Protocol):
    """Where a file is seen while it is written; elsewhere it appears whole under its name, or not at all."""

    async def replace(self, name: str, to: str, /) -> None:
        """Give a file another name, in place of one that has it; may fail where there is one."""
        ...


class Server(Protocol):
    """How a place is reached."""

    place: Place

    async def connect(self) -> Wire:
        """Open a connection and log in."""
        ...

    def trouble(self, error: Exception, /) -> OSError:
        """Say what an exception of the library means."""
        ...


@dataclass(slots=True)
class _Doing:
    """What is being done may have been done, from some step on."""

    maybe_done: bool = False


class Remote:
    """A Drop over a Server."""

    __slots__ = ("_lock", "_patience", "_reached", "_seen", "_server", "_spool", "_touched", "_wire", "disk")

    def __init__(self, server: Server, patience: float = PATIENCE) -> None:
        self._server = server
        self._patience = patience
        self._wire: Wire | None = None
        self._reached = True
        self._spool: tuple[str, Spool] | None = None
        self._seen: set[str] = set()
        self._touched: set[tuple[str, int]] = set()
        self._lock = asyncio.Lock()
        self.disk = Disk()

    async def list(self, folder: str = "", /) -> Sequence[Entry]:
        """Return the files of a folder below, hidden ones too; none where there is no such folder."""
        with self._told("list", folder or "the folder"):
            return await self._listed(folder) or ()

    async def tail(self, name: str, /) -> bytes:
        """Return the last two bytes, fewer when the file is shorter."""
        with self._told("read", name):
            entry = await self._entry(name)

            async def last(wire: Wire, alive: Alive) -> bytes:
                found = b""
                async for block in wire.read(name, max(0, entry.size - 2)):
                    alive()
                    found = (found + block)[-2:]
                return found

            return await self._do(last)

    async def open(self, name: str, /) -> BinaryIO:
        """Return the file, fetched: what is fetched is what was listed before and is listed after."""
        with self._told("fetch", name):
            entry = await self._entry(name)
            if self._spool is None or (self._spool[0], self._spool[1].entry) != (name, entry):
                self._let_go()
                self._spool = name, await self._fetched(name, entry)
            return self._spool[1].open()

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        """Write under a hidden name and rename, where a file is seen while it grows; not done until then."""
        folder, base = posixpath.split(name)
        with self._told("write", name) as doing:
            await self._make(folder)

            async def put(wire: Wire, alive: Alive) -> None:
                if isinstance(wire, Growing):
                    hidden = posixpath.join(folder, f".{base}.tmp")
                    await self._put(wire, hidden, name, self._blocks(content, alive), doing)
                else:
                    doing.maybe_done = True
                    await wire.write(name, self._blocks(content, alive))

            await self._do(put)

    async def move(self, name: str, to: str, /, seen: Entry | None = None) -> Entry | None:
        """Rename, where nothing of that name is seen; the place of a file that comes in the same instant is its own."""
        folder, base = posixpath.split(to)
        with self._told("move", name):
            entry = await self._found(name)
            if entry is None or (seen is not None and entry != seen):
                return None
            if any(each.name == base for each in await self._listed(folder) or ()):
                raise FileExistsError(errno.EEXIST, f"there is a {base} in {folder} already")
            await self._make(folder)
            try:
                await self._do(lambda wire, _: wire.move(name, to, entry))
            except Changed:
                return None
            if self._spool is not None and self._spool[0] == name:
                self._let_go()
            return replace(entry, name=base) if seen is None else await self._still_seen(name, to, entry)

    async def close(self) -> None:
        """Hang up, and let go of what was fetched."""
        self._let_go()
        await self._hang_up()

    async def _still_seen(self, name: str, to: str, entry: Entry) -> Entry | None:
        """Return a file that was moved; one that somebody began to write anew meanwhile goes back, to be seen again.

        There are servers that set a file's time as they rename it: what comes so once more is taken.
        """
        after = await self._found(to)
        if after is None:
            return None
        is_touched = after.mtime != entry.mtime and entry.size == after.size
        if after.size == entry.size and (not is_touched or (name, entry.size) in self._touched):
            self._touched.discard((name, entry.size))
            return after
        if is_touched:
            self._touched.add((name, entry.size))
        if await self._found(name) is None:
            await self._do(lambda wire, _: wire.move(to, name, after))
        return None

    async def _put(self, wire: Growing, hidden: str, name: str, blocks: AsyncIterator[bytes], doing: _Doing) -> None:
        try:
            await wire.write(hidden, blocks)
            doing.maybe_done = True
            await self._replace(wire, hidden, name)
        except Exception as error:
            if not isinstance(self._server.trouble(error), _LOST):
                with suppress(Exception):
                    await wire.remove(hidden)
            raise

    async def _replace(self, wire: Growing, hidden: str, name: str) -> None:
        """Rename in place of an older one; where the server won't, that one steps aside, and back if need be."""
        try:
            await wire.replace(hidden, name)
        except Exception as error:
            folder, base = posixpath.split(name)
            older = next((each for each in await wire.list(folder) if each.name == base), None)
            if older is None or isinstance(self._server.trouble(error), _LOST):
                raise
            aside = posixpath.join(folder, f".{base}.old.tmp")
            await wire.move(name, aside, older)
            try:
                await wire.move(hidden, name, older)
            except BaseException:
                await wire.move(aside, name, older)
                raise
            await wire.remove(aside)

    async def _blocks(self, content: bytes | BinaryIO, alive: Alive) -> AsyncIterator[bytes]:
        if isinstance(content, bytes):
            yield content
            return
        while block := await self.disk.do(content.read, BLOCK):
            yield block
            alive()

    def _let_go(self) -> None:
        if self._spool is not None:
            self._spool[1].close()
        self._spool = None

    async def _fetched(self, name: str, entry: Entry) -> Spool:
        spool = await self.disk.do(Spool, entry)
        try:
            await self._fill(name, spool)
        except BaseException:
            spool.close()
            raise
        return spool

    async def _fill(self, name: str, spool: Spool) -> None:
        async def fill(wire: Wire, alive: Alive) -> None:
            async for block in wire.read(name, 0):
                alive()
                await self.disk.do(spool.add, block)

        await self._do(fill)
        size = await self.disk.do(spool.finish)
        if size != spool.entry.size or await self._found(name) != spool.entry:
            raise OSError(errno.EBUSY, "it changed while it was fetched")

    async def _entry(self, name: str) -> Entry:
        entry = await self._found(name)
        if entry is None:
            raise FileNotFoundError(errno.ENOENT, "it is not there")
        return entry

    async def _found(self, name: str) -> Entry | None:
        folder, base = posixpath.split(name)
        return next((each for each in await self._listed(folder) or () if each.name == base), None)

    async def _make(self, folder: str) -> None:
        """Make a folder and those above it, but never the drop itself: it may be another one's, or misspelt."""
        if not folder or folder in self._seen or await self._listed(folder) is not None:
            return
        above = posixpath.dirname(folder)
        await self._make(above)
        await self._do(lambda wire, _: wire.make(folder))

    async def _listed(self, folder: str) -> Sequence[Entry] | None:
        """Return a folder's files, None where there is no such folder below the drop, which must be there."""
        try:
            entries = await self._looked(folder)
        except FileNotFoundError:
            if folder:
                await self._looked("")
                return None
            raise
        self._seen.add(folder)
        return entries

    async def _looked(self, folder: str) -> Sequence[Entry]:
        kept = self._wire is not None
        try:
            return await self._do(lambda wire, _: wire.list(folder))
        except _ANSWERS:
            raise
        except OSError:
            # Servers hang up on who is silent for long, and only the next to speak learns of it.
            if not kept:
                raise
        return await self._do(lambda wire, _: wire.list(folder))

    async def _do(self, act: Callable[[Wire, Alive], Awaitable[T]]) -> T:
        """Have it done over the connection; hang up when that is not known to be sound afterwards."""
        async with self._lock:
            try:
                return await self._watched(act)
            except Exception as error:
                trouble = self._server.trouble(error)
                if not isinstance(trouble, _ANSWERS):
                    await self._hang_up()
                raise trouble from error
            except BaseException:
                await self._hang_up()
                raise

    async def _watched(self, act: Callable[[Wire, Alive], Awaitable[T]]) -> T:
        """Wait as long as there are signs of life, and no longer than whoever asked."""
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(self._patience)

        def alive() -> None:
            limit.reschedule(loop.time() + self._patience)

        async def acted() -> T:
            if self._wire is None:
                self._reached = False
                self._wire = await self._server.connect()
                self._reached = True
                alive()
            return await act(self._wire, alive)

        task = asyncio.create_task(acted())
        try:
            async with limit:
                await asyncio.wait({task})
        except BaseException:
            if self._wire is not None:
                self._wire.abort()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        return task.result()

    async def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        self._seen.clear()
        if wire is not None:
            with suppress(Exception):
                await wire.close()

    @contextmanager
    def _told(self, doing: str, name: str) -> Iterator[_Doing]:
        """Tell what could not be done, where, and why."""
        what = _Doing()
        try:
            yield what
        except OSError as error:
            maybe_done = what.maybe_done and isinstance(error, _LOST)
            text = f"could not {doing} {name} at {self._server.place}: {self._why(error)}"
            kind = Unavailable if self._reached else Unreachable
            raise kind(text, maybe_done=maybe_done) from error

    def _why(self, error: OSError) -> str:
        if isinstance(error, TimeoutError):
            return f"no answer within {self._patience:g} s; is its server running, and let through by firewalls?"
        return error.strerror or str(error) or type(error).__name__
