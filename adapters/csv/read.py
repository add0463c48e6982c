"""A complete file -> rows and the rows that can't be read; must not know where the file lay nor what it means."""

import asyncio
import codecs
import csv
import io
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from adapters.csv.header import header_errors
from adapters.csv.settings import Dialect
from gateway import Document, FieldError, Reject

BLOCK = 1 << 20
LONGEST_LINE = 1 << 20
# Quoted line breaks are rare and short: a quote that runs on for longer was never closed.
LONGEST_RECORD = 64
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
HEAD = 4096
UNDECODABLE = "\ufffd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Some records of a file, in order; `last` closes the file."""

    rows: Sequence[tuple[int, Document]]
    rejects: Sequence[Reject]
    last: bool


async def pieces(file: BinaryIO, dialect: Dialect, wanted: Sequence[str], size: int) -> AsyncGenerator[Piece, None]:
    """Read a file in a thread, `size` records at a time, and close it; raises OSError."""
    reading = read(file, dialect, wanted, size)
    try:
        while piece := await asyncio.to_thread(next, reading, None):
            yield piece
    finally:
        file.close()


def read(file: BinaryIO, dialect: Dialect, wanted: Sequence[str], size: int) -> Iterator[Piece]:
    """Read a file, `size` records at a time, and close it; it is refused whole unless its header has all `wanted`."""
    encoding, clean = find_encoding(file, dialect)
    file.seek(0)
    with io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="") as text:
        records = _records(text, dialect)
        header = [name.strip() for name in next(records, None) or ()]
        if errors := header_errors(header, wanted):
            yield Piece(rows=(), rejects=(Reject(number=0, reasons=errors),), last=True)
        else:
            yield from _pieces(records, header, size, None if clean else encoding)


def _pieces(records: Iterator[list[str] | None], header: list[str], size: int, doubtful: str | None) -> Iterator[Piece]:
    rows: list[tuple[int, Document]] = []
    rejects: list[Reject] = []
    for number, cells in enumerate(records, 1):
        if cells is None:
            rejects.append(Reject(number=number, reasons=(FieldError(pointer="", rule="quote"),)))
        elif reasons := _reasons(cells, header, doubtful):
            rejects.append(Reject(number=number, reasons=reasons))
        else:
            rows.append((number, dict(zip(header, cells, strict=True))))
        if len(rows) + len(rejects) >= size:
            yield Piece(rows=rows, rejects=rejects, last=False)
            rows, rejects = [], []
    yield Piece(rows=rows, rejects=rejects, last=True)


def _reasons(cells: list[str], header: list[str], doubtful: str | None) -> tuple[FieldError, ...]:
    """Return why a record can't be a row; `doubtful` is the encoding when not every byte of the file fits it."""
    if len(cells) != len(header):
        counts = {"found": str(len(cells)), "expected": str(len(header))}
        return (FieldError(pointer="", rule="columns", params=counts),)
    if doubtful is None:
        return ()
    return tuple(
        FieldError(pointer=name, rule="encoding", params={"encoding": doubtful})
        for name, cell in zip(header, cells, strict=True)
        if UNDECODABLE in cell
    )


def find_encoding(file: BinaryIO, dialect: Dialect) -> tuple[str, bool]:
    """Return the encoding, and whether every byte fits: a BOM's, else the first declared that fits, else the last.

    What is declared decides, as guessing from letters goes wrong on short files.
    """
    candidates = _announced(file.read(HEAD)) or dialect.encodings
    for name in candidates:
        if _fits(file, name):
            return name, True
    return candidates[-1], False


def _announced(head: bytes) -> tuple[str, ...]:
    for bom, name in BOMS:
        if head.startswith(bom):
            return (name,)
    # UTF-16 that lost its BOM: in mostly plain text every second byte is NUL.
    half = len(head) // 2
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        if head[first::2].count(0) > half // 2:
            return (name,)
    return ()


def _fits(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        while block := file.read(BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


class _Lines:
    """The lines of a file, some of which may be given back and come again."""

    __slots__ = ("_again", "_text", "taken")

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) >= LONGEST_RECORD:
            raise csv.Error("a quote is never closed")
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line

    def give_back_all_but_the_first(self) -> None:
        self._again.extendleft(reversed(self.taken[1:]))


def _records(text: TextIO, dialect: Dialect) -> Iterator[list[str] | None]:
    """Yield each record's cells, or None where the quoting is broken; blank records are left out.

    A record over several lines that doesn't come out right is taken for one line with a stray quote, and the lines
    after it are read afresh: so one quote costs one row.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
    width = 0
    while True:
        lines.taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.give_back_all_but_the_first()
            yield None
            continue
        if width and len(cells) != width and len(lines.taken) > 1:
            lines.give_back_all_but_the_first()
            yield None
        elif any(map(str.strip, cells)):
            width = width or len(cells)
            yield cells
