"""What SFTP requests of one session become on an account's shelf; knows no passwords and no listener.

A request that isn't in `REQUESTS` is refused before anything here hears of it: no links, no copies, no locks, no
look at the disk. The server of asyncssh has no word for a session that broke off in the middle of a file, so its
handler is told apart here.
"""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import ParamSpec, Protocol, TypeVar, cast

import asyncssh
from asyncssh import constants
from asyncssh.packet import SSHPacket, UInt32
from asyncssh.sftp import SFTPServerHandler
from asyncssh.stream import SSHReader, SSHServerStreamSession, SSHWriter

from gateway.offered.shelf import How, Seen, Shelf, Upload, shown_path

P = ParamSpec("P")
T = TypeVar("T")

HANDLES = 64
"""Open in one session."""
LONGEST_READ = 256 << 10
VERSION = 3
"""Of SFTP: what every client speaks."""
REQUESTS = frozenset(
    {
        constants.FXP_OPEN,
        constants.FXP_CLOSE,
        constants.FXP_READ,
        constants.FXP_WRITE,
        constants.FXP_LSTAT,
        constants.FXP_FSTAT,
        constants.FXP_SETSTAT,
        constants.FXP_FSETSTAT,
        constants.FXP_OPENDIR,
        constants.FXP_READDIR,
        constants.FXP_REMOVE,
        constants.FXP_REALPATH,
        constants.FXP_STAT,
        constants.FXP_RENAME,
        b"posix-rename@openssh.com",
        b"fsync@openssh.com",
    }
)
_OPENING = {constants.FXP_OPEN, constants.FXP_OPENDIR}
_REFUSED = {
    constants.FXP_MKDIR: "folder tidak dapat dibuat di sini; taruh berkas langsung",
    constants.FXP_RMDIR: "folder tidak dapat dihapus di sini",
    constants.FXP_SYMLINK: "tautan tidak tersedia di sini",
    constants.FXP_READLINK: "tautan tidak tersedia di sini",
}
_FOLDER, _OWN, _READ_ONLY = 0o40750, 0o100640, 0o100440


class Told(Protocol):
    """Who hears what an account did: `what` is uploaded, broken, removed or renamed."""

    def __call__(self, what: str, /, *, file: str, size: int | None = None) -> None:
        """Hear of it."""
        ...


@dataclass(slots=True)
class Writing:
    """A file that a session writes, one step at a time."""

    upload: Upload
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that a session reads."""

    fd: int


class Desk:
    """One account's shelf and what is being written on it, in all its sessions; disk work is done in `disk`."""

    def __init__(self, shelf: Shelf, disk: Callable[..., Awaitable[object]], told: Told) -> None:
        self.shelf = shelf
        self.told = told
        self._disk = disk
        self._written: dict[str, Writing] = {}

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what blocks, in a thread."""
        return await self._disk(lambda: work(*args, **kwargs))  # type: ignore[return-value]

    async def begin(self, path: bytes, how: How) -> Writing:
        """Open a file to be written; one that is open already is taken from whoever had it.

        A client whose connection broke comes back long before anybody notices that the old one is dead.
        """
        name = self.shelf.own_name(path)
        if before := self._written.pop(name, None):
            async with before.turn:
                await self.do(before.upload.close)
        upload = await self.do(self.shelf.open_to_write, path, how)
        writing = Writing(upload)
        for each in {upload.name, upload.making}:
            self._written[each] = writing
        return writing

    def end(self, writing: Writing) -> None:
        """Forget a file that is closed."""
        self._written = {name: each for name, each in self._written.items() if each is not writing}


class Visit(asyncssh.SFTPServer):
    """The requests of one session."""

    def __init__(self, chan: "asyncssh.SSHServerChannel[bytes]", desk: Desk) -> None:
        super().__init__(chan)
        self._desk = desk
        self._brought: set[str] = set()
        self.is_broken = False

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:  # noqa: ARG002 - rights are ours
        """Open a file, to be read or to be written."""
        if not pflags & constants.FXF_WRITE:
            return Reading(await self._do(self._desk.shelf.open_to_read, path))
        return await self._desk.begin(
            path,
            How(
                create=bool(pflags & constants.FXF_CREAT),
                only_new=bool(pflags & constants.FXF_EXCL),
                afresh=bool(pflags & constants.FXF_TRUNC),
                at_the_end=bool(pflags & constants.FXF_APPEND),
            ),
        )

    async def close(self, file_obj: object) -> None:
        """End a file: one that a client closed is whole, one that a lost connection left behind isn't."""
        if isinstance(file_obj, Reading):
            await self._do(os.close, file_obj.fd)
        if not isinstance(file_obj, Writing):
            return
        upload = file_obj.upload
        try:
            async with file_obj.turn:
                if self.is_broken:
                    await self._do(self._desk.shelf.abandon, upload)
                    self._desk.told("broken", file=upload.making)
                    return
                size = await self._do(self._desk.shelf.finish, upload)
        finally:
            self._desk.end(file_obj)
        self._brought.add(upload.name)
        self._desk.told("uploaded", file=upload.name, size=size)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Read a part of a file."""
        if not isinstance(file_obj, Reading):
            raise PermissionError(errno.EACCES, "berkas ini dibuka untuk ditulis")
        return await self._do(os.pread, file_obj.fd, min(size, LONGEST_READ), offset)

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Write a part of a file."""
        writing = _written(file_obj)
        async with writing.turn:
            return await self._do(self._desk.shelf.write, writing.upload, offset, data)

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Tell what is at a path; there are no links."""
        return _attributes(await self._do(self._desk.shelf.seen, path))

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs:
        """Tell what is at a path."""
        return await self.lstat(path)

    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        """Tell how an open file stands."""
        fd = file_obj.fd if isinstance(file_obj, Reading) else _written(file_obj).upload.fd
        state = await self._do(os.fstat, fd)
        seen = Seen(name="", is_folder=False, size=state.st_size, mtime=state.st_mtime, writable=True)
        return _attributes(seen)

    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        """Set a file's time, which clients do after an upload; rights and owners stay as they are, without a word.

        A file that this session brought may have been taken in meanwhile: that is no reason to show an error.
        """
        if attrs.size is not None:
            raise PermissionError(errno.EACCES, "ukuran berkas hanya berubah dengan menulisnya")
        try:
            if (times := _times(attrs)) is None:
                await self._do(self._desk.shelf.seen, path)
            else:
                await self._do(self._desk.shelf.date, path, times)
        except FileNotFoundError:
            if self._desk.shelf.own_name(path) not in self._brought:
                raise

    async def fsetstat(self, file_obj: object, attrs: asyncssh.SFTPAttrs) -> None:
        """Set the time of a file that is being written, or cut it."""
        writing = _written(file_obj)
        async with writing.turn:
            if attrs.size is not None:
                await self._do(self._desk.shelf.cut, writing.upload, attrs.size)
            if (times := _times(attrs)) is not None:
                await self._do(os.utime, writing.upload.fd, ns=times)

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        """List a folder."""
        for seen in await self._do(self._desk.shelf.listing, path):
            yield asyncssh.SFTPName(seen.name.encode(errors="surrogateescape"), attrs=_attributes(seen))

    async def remove(self, path: bytes) -> None:
        """Take a file away that is not taken in yet."""
        await self._do(self._desk.shelf.remove, path)
        self._desk.told("removed", file=self._desk.shelf.own_name(path))

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give a file another name that is free."""
        await self._rename(oldpath, newpath, replace=False)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Give a file another name, in place of one that is not taken in yet."""
        await self._rename(oldpath, newpath, replace=True)

    async def fsync(self, file_obj: object) -> None:
        """Have what was written on disk."""
        writing = _written(file_obj)
        async with writing.turn:
            await self._do(os.fsync, writing.upload.fd)

    def realpath(self, path: bytes) -> bytes:
        """Return a path from the account's root, beyond which there is nothing."""
        return shown_path(path)

    async def _rename(self, path: bytes, to: bytes, *, replace: bool) -> None:
        new = await self._do(self._desk.shelf.rename, path, to, replace=replace)
        self._brought.add(new)
        self._desk.told("renamed", file=new)

    async def _do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._desk.do(work, *args, **kwargs)


class _Handler(SFTPServerHandler):
    """Reads requests off the wire, lets through what is needed, and knows when it was not the client who closed."""

    def __init__(
        self,
        visit: Visit,
        reader: "SSHReader[bytes]",
        writer: "SSHWriter[bytes]",
        asked: Callable[[], None],
    ) -> None:
        super().__init__(visit, reader, writer, VERSION)
        self._packet_handlers = {name: do for name, do in self._packet_handlers.items() if name in REQUESTS}
        self._extensions = [(name, version) for name, version in self._extensions if name in REQUESTS]
        self._visit = visit
        self._asked = asked
        self._end = visit.channel

    async def _process_packet(self, pkttype: int, pktid: int, packet: SSHPacket) -> None:
        self._asked()
        if pkttype in _REFUSED:
            refusal = asyncssh.SFTPOpUnsupported(_REFUSED[pkttype]).encode(VERSION)
            self.send_packet(constants.FXP_STATUS, pktid, UInt32(pktid), refusal)
            return
        if pkttype in _OPENING and len(self._file_handles) + len(self._dir_handles) >= HANDLES:
            refusal = asyncssh.SFTPFailure("terlalu banyak berkas terbuka").encode(VERSION)
            self.send_packet(constants.FXP_STATUS, pktid, UInt32(pktid), refusal)
            return
        await super()._process_packet(pkttype, pktid, packet)

    async def _cleanup(self, exc: Exception | None) -> None:
        self._visit.is_broken = True
        if not self._end.is_closing():
            self._end.exit(0 if exc is None else 1)  # what scp makes its own
        await super()._cleanup(exc)


class Session(SSHServerStreamSession[bytes]):
    """A channel on which nothing can be asked for but SFTP."""

    def __init__(
        self, desk: Desk, asked: Callable[[], None], over: Callable[[], None], under_way: set["asyncio.Task[None]"]
    ) -> None:
        super().__init__(None)
        self._desk = desk
        self._asked = asked
        self._over = over
        self._under_way = under_way

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the channel is gone."""
        super().connection_lost(exc)
        self._over()

    def shell_requested(self) -> bool:
        """Refuse a shell."""
        return False

    def exec_requested(self, command: str) -> bool:  # noqa: ARG002 - whatever it is
        """Refuse every command, `scp` among them."""
        return False

    def subsystem_requested(self, subsystem: str) -> bool:
        """Allow SFTP."""
        return subsystem == "sftp"

    def session_started(self) -> None:
        """Serve."""
        assert self._chan is not None  # noqa: S101 -- it was opened
        assert self._conn is not None  # noqa: S101 -- on a connection
        reader, writer = SSHReader[bytes](self, self._chan), SSHWriter[bytes](self, self._chan)
        chan = cast("asyncssh.SSHServerChannel[bytes]", self._chan)
        handler = _Handler(Visit(chan, self._desk), reader, writer, self._asked)
        task = self._conn.create_task(handler.run(), reader.logger)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


def _written(file_obj: object) -> Writing:
    if not isinstance(file_obj, Writing) or file_obj.upload.is_void:
        raise OSError(errno.EBUSY, "berkas ini tidak sedang ditulis oleh sambungan ini")
    return file_obj


def _times(attrs: asyncssh.SFTPAttrs) -> tuple[int, int] | None:
    if attrs.mtime is None:
        return None
    atime = attrs.mtime if attrs.atime is None else attrs.atime
    return int(atime) * 10**9, int(attrs.mtime) * 10**9


def _attributes(seen: Seen) -> asyncssh.SFTPAttrs:
    rights = _FOLDER if seen.is_folder else _OWN if seen.writable else _READ_ONLY
    mtime = int(seen.mtime)
    return asyncssh.SFTPAttrs(size=seen.size, uid=0, gid=0, permissions=rights, atime=mtime, mtime=mtime)
