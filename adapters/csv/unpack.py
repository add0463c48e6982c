"""A file as it was dropped -> the file that is in it: .gz and .zip, read as a stream; must not know what rows are."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from adapters.csv.layout import Unreadable

PACKED = (".gz", ".zip")
SHEETS = (".xlsx", ".xlsm", ".ods")
DATA = (".csv", ".txt", ".tsv", ".dat", *SHEETS)
"""Endings of what may be in a .zip."""
NESTED = (*PACKED, ".7z", ".rar", ".bz2", ".xz", ".zst", ".tar", ".tgz")
MOST_BYTES = 4 << 30
MOST_RATIO = 250
"""How many times larger than its packed self a file may be: rows that are much alike come to 50."""
UNCOUNTED = 16 << 20
"""Bytes up to which any ratio will do."""
MOST_AT_ONCE = 4 << 20
"""The list of a .zip's members is read at once: one beyond this is none of an office's."""
_PLAIN = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_BROKEN = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError)


_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_SHEET, _UTF_16 = b"PK", (b"\xff\xfe", b"\xfe\xff")
_NO_TEXT = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\x1f\x8b": "a gzip file",
    b"<": "a web page or XML",
    b"%PDF": "a PDF",
}
"""How files begin that are no text with columns, whatever they are called."""


def is_plain_text(name: str) -> bool:
    """Tell whether a file's end is the end of its last line."""
    return not name.lower().endswith((*PACKED, *SHEETS, ".xls"))


def check_head(file: BinaryIO, *, text: bool) -> None:
    """Tell what a file is that is neither text nor a spreadsheet of today; raises Unreadable."""
    file.seek(0)
    head = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
    file.seek(0)
    if head.startswith(_OLD_EXCEL):
        raise Unreadable("old-excel")
    if text and (kind := next((kind for begin, kind in _NO_TEXT.items() if head.startswith(begin)), None)):
        raise Unreadable("kind", expected=kind)
    if not text and head and not head.startswith(_SHEET) and (head.startswith(_UTF_16) or b"\0" not in head):
        raise Unreadable("text-in-sheet")


@contextmanager
def unpacked(file: BinaryIO, name: str) -> Iterator[tuple[BinaryIO, str]]:
    """Yield what is in a file, and what that is called; the file itself stays open. Raises Unreadable, reads too."""
    file.seek(0)
    lowered = name.lower()
    if lowered.endswith(".gz"):
        inner = name[: -len(".gz")]
        if inner.lower().endswith(NESTED):
            raise Unreadable("packed-nested", name=inner)
        with gzip.GzipFile(fileobj=file, mode="rb") as stream:
            yield _buffered(cast("BinaryIO", stream), _size(file)), inner
    elif lowered.endswith(".zip"):
        with _archive(file) as archive:
            member = _member(archive)
            with archive.open(member) as stream:
                yield _buffered(cast("BinaryIO", stream), member.compress_size), PurePosixPath(member.filename).name
    else:
        yield file, name


@contextmanager
def _archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(cast("BinaryIO", _Sparing(file)))
    except (*_BROKEN, ValueError) as error:
        raise Unreadable("packed-broken") from error
    with archive:
        yield archive


def _member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the one file of data."""
    members = [each for each in archive.infolist() if not each.is_dir() and not _is_litter(each.filename)]
    if nested := next((each for each in members if each.filename.lower().endswith(NESTED)), None):
        raise Unreadable("packed-nested", name=PurePosixPath(nested.filename).name)
    data = [each for each in members if each.filename.lower().endswith(DATA)]
    if len(data) != 1:
        raise Unreadable("packed-members", found=str(len(data)))
    if data[0].flag_bits & _ENCRYPTED:
        raise Unreadable("packed-encrypted")
    if data[0].compress_type not in _PLAIN:
        raise Unreadable("packed-broken")
    return data[0]


def _is_litter(name: str) -> bool:
    """Tell what a Mac puts beside each file."""
    return name.startswith("__MACOSX/") or PurePosixPath(name).name.startswith(".")


def _size(file: BinaryIO) -> int:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    return size


def _buffered(stream: BinaryIO, packed: int) -> BinaryIO:
    return io.BufferedReader(cast("io.RawIOBase", _Bounded(stream, packed)), 1 << 16)


class _Sparing:
    """A file of which never much is read at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1) -> bytes:
        if size > MOST_AT_ONCE:
            raise Unreadable("packed-broken")
        return self._file.read(size if size >= 0 else MOST_AT_ONCE)


class _Bounded(io.RawIOBase):
    """What comes out of a packed file, which may not be much larger than that."""

    def __init__(self, stream: BinaryIO, packed: int) -> None:
        super().__init__()
        self._stream = stream
        self._most = min(MOST_BYTES, max(UNCOUNTED, packed * MOST_RATIO))
        self._read = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._read = self._stream.seek(offset, whence)
        return self._read

    def tell(self) -> int:
        return self._read

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any buffer will do
        try:
            block = self._stream.read(len(buffer))
        except _BROKEN as error:
            raise Unreadable("packed-broken") from error
        self._read += len(block)
        if self._read > self._most:
            raise Unreadable("packed-bomb", most=f"{self._most >> 20} MB")
        buffer[: len(block)] = block
        return len(block)
