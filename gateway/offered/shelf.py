"""One feed's files in a drop as its account sees and fills them; all of it blocks, and follows no link anywhere."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from gateway.offers import Offer

MOST_FILES = 1000
"""Files of one account that may lie in the drop at a time, so that nobody fills it up with small ones."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A FIFO would otherwise wait for its other end.
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CONTROL = {*map(chr, range(32)), "\x7f", "\\"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A file or folder as it is shown."""

    name: str
    is_folder: bool
    size: int
    mtime: float
    writable: bool


@dataclass(slots=True, kw_only=True)
class Upload:
    """A file being written: it lies there as `making` until it is whole, and then is `name`.

    `at_the_end` goes everything, wherever the client says. It is void once its account began to write the same file
    anew, as after a connection that broke.
    """

    fd: int
    name: str
    making: str
    at_the_end: bool = False

    @property
    def is_void(self) -> bool:
        """Whether it can't be written any more."""
        return self.fd < 0

    def close(self) -> None:
        """Let go of the file, and so of its lock."""
        if not self.is_void:
            os.close(self.fd)
            self.fd = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a file is opened to be written: made where there is none, only then, without what is there, at its end."""

    create: bool = False
    only_new: bool = False
    afresh: bool = False
    at_the_end: bool = False


class Shelf:
    """What an account may do; paths are as clients write them. Raises OSError, in words for whoever sits there."""

    def __init__(self, offer: Offer, largest: int) -> None:
        self._drop = offer.folder
        self._names = offer.names
        self._largest = largest

    def seen(self, path: bytes) -> Seen:
        """Return what is at a path."""
        folder, name = self._place(path)
        if not name:
            with self._opened(folder) as at:
                return _seen("", os.fstat(at), writable=not folder)
        with self._opened(folder) as at:
            return _seen(name, _plain(os.stat(name, dir_fd=at, follow_symlinks=False)), writable=not folder)

    def listing(self, path: bytes) -> Sequence[Seen]:
        """Return what a folder holds of the account's."""
        folder, name = self._place(path)
        if name:
            raise NotADirectoryError(errno.ENOTDIR, "bukan folder")
        with self._opened(folder) as at:
            return list(self._found(folder, at))

    def open_to_read(self, path: bytes) -> int:
        """Return a descriptor."""
        folder, name = self._place(path)
        if not name:
            raise IsADirectoryError(errno.EISDIR, "ini folder")
        with self._opened(folder) as at:
            return _opened(name, os.O_RDONLY, at)

    def open_to_write(self, path: bytes, how: How) -> Upload:
        """Begin a file, or go on with one."""
        name = self._own(path)
        making = self._names.in_the_making(name) if self._names.is_seen(name) else name
        with self._opened("") as at:
            there = {each for each in {name, making} if _is_there(each, at)}
            if how.only_new and name in there:
                raise FileExistsError(errno.EEXIST, f"{name} sudah ada")
            if not there or how.afresh or how.only_new:
                if not there and not how.create:
                    raise FileNotFoundError(errno.ENOENT, f"{name} tidak ada")
                fd = self._begun(making, at)
            else:
                fd = _gone_on_with(name, making, there, at)
        return Upload(fd=fd, name=name, making=making, at_the_end=how.at_the_end)

    def write(self, upload: Upload, offset: int, data: bytes) -> int:
        """Write into a file in the making."""
        _still(upload)
        if upload.at_the_end:
            offset = os.fstat(upload.fd).st_size
        self._fits(offset + len(data))
        view = memoryview(data)
        while view:
            done = os.pwrite(upload.fd, view, offset)
            view, offset = view[done:], offset + done
        return len(data)

    def cut(self, upload: Upload, size: int) -> None:
        """Cut a file in the making to a size."""
        _still(upload)
        self._fits(size)
        os.truncate(upload.fd, size)

    def finish(self, upload: Upload) -> int:
        """Let a file that was closed whole appear by its name, on disk; returns its size."""
        try:
            _still(upload)
            os.fsync(upload.fd)
            state = os.fstat(upload.fd)
            with self._opened("") as at:
                if not _is_same(upload.making, state, at):
                    raise FileNotFoundError(errno.ENOENT, f"{upload.making} sementara itu dihapus")
                if upload.making != upload.name:
                    os.rename(upload.making, upload.name, src_dir_fd=at, dst_dir_fd=at)
                os.fsync(at)
            return state.st_size
        finally:
            upload.close()

    def abandon(self, upload: Upload) -> None:
        """Leave a file that was not closed as one in the making, which can be gone on with; nothing at all goes."""
        if not upload.is_void:
            with suppress(OSError), self._opened("") as at:
                state = os.fstat(upload.fd)
                if not state.st_size and _is_same(upload.making, state, at):
                    os.unlink(upload.making, dir_fd=at)
        upload.close()

    def remove(self, path: bytes) -> None:
        """Take a file away that is not taken in yet."""
        name = self._own(path)
        with self._opened("") as at, _quiet(name, at):
            os.unlink(name, dir_fd=at)

    def rename(self, path: bytes, to: bytes, *, replace: bool) -> str:
        """Give a file that is not taken in yet another name of the feed's; returns it."""
        name, new = self._own(path), self._own(to)
        with self._opened("") as at, _quiet(name, at):
            if _is_there(new, at):
                if not replace:
                    raise FileExistsError(errno.EEXIST, f"{new} sudah ada")
                with _quiet(new, at):
                    """Nobody writes it."""
            os.rename(name, new, src_dir_fd=at, dst_dir_fd=at)
            os.fsync(at)
        return new

    def date(self, path: bytes, times: tuple[int, int]) -> None:
        """Set when a file was read and written last, in nanoseconds."""
        name = self._own(path)
        with self._opened("") as at:
            _plain(os.stat(name, dir_fd=at, follow_symlinks=False))
            os.utime(name, ns=times, dir_fd=at, follow_symlinks=False)

    def own_name(self, path: bytes) -> str:
        """Return the name that a path has in the drop itself."""
        return self._own(path)

    def _fits(self, size: int) -> None:
        if size > self._largest:
            raise OSError(errno.EFBIG, f"berkas lebih besar dari {self._largest // 10**6} MB")

    def _own(self, path: bytes) -> str:
        """Return the name of a file that the account may bring or take back."""
        folder, name = _split(path)
        if folder or not name:
            raise PermissionError(errno.EACCES, "folder ini hanya dapat dibaca" if folder else "ini folder")
        if not self._names.may_come(name):
            raise PermissionError(errno.EACCES, f"akun ini hanya untuk berkas bernama {self._names.pattern}")
        return name

    def _place(self, path: bytes) -> tuple[str, str]:
        """Return folder and name, no name for a folder; what is not the account's is not there."""
        folder, name = _split(path)
        whole = f"{folder}/{name}" if folder else name
        if not whole or self._names.is_folder(whole):
            return whole, ""
        if folder and not self._names.is_folder(folder):
            raise _missing()
        if not (self._names.is_own(folder, name) or (not folder and self._names.may_come(name))):
            raise _missing()
        return folder, name

    def _found(self, folder: str, at: int) -> Iterator[Seen]:
        with os.scandir(at) as entries:
            for entry in entries:
                with suppress(FileNotFoundError, PermissionError):
                    state = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(state.st_mode):
                        shown = self._names.is_folder(f"{folder}/{entry.name}" if folder else entry.name)
                    else:
                        own = self._names.is_own(folder, entry.name) or (
                            not folder and self._names.may_come(entry.name)
                        )
                        shown = stat.S_ISREG(state.st_mode) and own
                    if shown:
                        yield _seen(entry.name, state, writable=not folder)

    def _begun(self, making: str, at: int) -> int:
        if _is_there(making, at):
            with _quiet(making, at):
                # Not cut but left: whoever may still have it open writes into what is nobody's any more.
                os.unlink(making, dir_fd=at)
        elif sum(1 for each in os.listdir(at) if self._names.may_come(each)) >= MOST_FILES:
            raise OSError(errno.EDQUOT, f"sudah ada {MOST_FILES} berkas; hapus yang tidak perlu")
        fd = _created(making, at)
        _locked(fd, making)
        return fd

    @contextmanager
    def _opened(self, folder: str) -> Iterator[int]:
        """Go down step by step, through no link; only the drop itself may be one, which an operator named."""
        try:
            at = os.open(self._drop, _FOLDER)
        except OSError as error:
            raise OSError(errno.EIO, "folder tidak dapat dibuka; hubungi operator gateway") from error
        try:
            for step in folder.split("/") if folder else ():
                below = os.open(step, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = below
            yield at
        finally:
            os.close(at)


def _split(path: bytes) -> tuple[str, str]:
    """Return folder and name of a path from the account's root; `..` never leads above it."""
    try:
        text = path.decode()
    except UnicodeDecodeError:
        raise _missing() from None
    if _CONTROL & set(text):
        raise _missing()
    steps: list[str] = []
    for step in text.split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    return "/".join(steps[:-1]), "".join(steps[-1:])


def shown_path(path: bytes) -> bytes:
    """Return a path as the account may be told it, from its root."""
    folder, name = _split(path)
    return "/".join(["", *filter(None, (folder, name))]).encode() or b"/"


def _missing() -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "tidak ada")


def _plain(state: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(state.st_mode):
        raise _missing()
    return state


def _seen(name: str, state: os.stat_result, *, writable: bool) -> Seen:
    is_folder = stat.S_ISDIR(state.st_mode)
    size = 0 if is_folder else state.st_size
    return Seen(name=name, is_folder=is_folder, size=size, mtime=state.st_mtime, writable=writable)


def _is_there(name: str, at: int) -> bool:
    """Tell whether something has a name; a link or a folder of that name is in the way of everything."""
    try:
        state = os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(state.st_mode):
        raise PermissionError(errno.EACCES, f"{name} bukan berkas")
    return True


def _is_same(name: str, state: os.stat_result, at: int) -> bool:
    try:
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (found.st_dev, found.st_ino) == (state.st_dev, state.st_ino)


def _opened(name: str, how: int, at: int) -> int:
    fd = os.open(name, how | _FILE, dir_fd=at)
    try:
        _plain(os.fstat(fd))
    except OSError:
        os.close(fd)
        raise
    return fd


def _created(name: str, at: int) -> int:
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE, 0o640, dir_fd=at)


def _gone_on_with(name: str, making: str, there: set[str], at: int) -> int:
    """Open what is there to be gone on with; a whole file is one in the making again, so that nobody takes half."""
    if making != name and len(there) > 1:
        raise FileExistsError(errno.EEXIST, f"ada {name} dan {making}; hapus atau ganti nama salah satunya dahulu")
    if making not in there:
        os.rename(name, making, src_dir_fd=at, dst_dir_fd=at)
    fd = _opened(making, os.O_WRONLY, at)
    _locked(fd, making)
    return fd


def _locked(fd: int, name: str) -> None:
    """Keep others from a file that is being written, those of another replica too, where the file system can."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise OSError(errno.EBUSY, f"{name} sedang ditulis; coba lagi sebentar") from None
    except OSError:
        """A file system without locks: what is left is that one process does not let itself be disturbed."""


@contextmanager
def _quiet(name: str, at: int) -> Iterator[None]:
    """Hold a file that nobody is writing."""
    try:
        fd = _opened(name, os.O_RDWR, at)  # as a lock on NFS wants it
    except PermissionError:
        fd = _opened(name, os.O_RDONLY, at)
    _locked(fd, name)
    try:
        yield
    finally:
        os.close(fd)


def _still(upload: Upload) -> None:
    if upload.is_void:
        raise OSError(errno.EBUSY, f"{upload.name} sedang ditulis oleh sambungan lain")
