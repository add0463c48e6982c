"""A complete file -> rows and the rows that can't be read; must not know where the file lay nor what it means."""

import io
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from operator import itemgetter
from typing import BinaryIO

from adapters.csv.encoding import find_encoding
from adapters.csv.header import header_errors
from adapters.csv.layout import Cells, Layout, Records, Unreadable
from adapters.csv.lines import CsvReader, Lines
from adapters.csv.plain import PlainLines, Portion, quoted_columns
from adapters.csv.settings import Dialect
from adapters.csv.sheet import is_sheet, sheet_records
from adapters.csv.unpack import check_head, unpacked
from gateway import LINE, OF, Batch, FieldError, LineForm, ReadLines, Reject, Row

SEVERAL = 2
"""Times as many records in a batch of plain lines, whose rows are small."""
HEAVY = 1 << 20
"""Characters of a batch: some files have cells of a megabyte."""
LOOKED_AT = 200
"""Lines that tell which columns are written within quotes."""
UNDECODABLE = "\ufffd"
# A spreadsheet takes a cell that begins so for a formula, whoever typed it: CSV injection.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
BARIS, ALASAN, BERKAS = LINE, "_alasan", OF
"""Columns that stand before the file's own where rows are handed back: line, reasons, the receipt's reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read: `wanted` columns must be there, with `only` no others; the first `after` records are done.

    `name` tells by its ending what kind of file it is, `size` is how many records a batch has; with `lines` it is told
    in which line each begins. `plain` makes what reads plain lines of a text file, so many characters `at_once`: 0 are
    as many as usual.
    """

    name: str
    layout: Layout
    wanted: Sequence[str]
    size: int
    after: int = 0
    trailer: str | None = None
    only: bool = False
    lines: bool = False
    plain: Callable[[LineForm], ReadLines | None] | None = None
    at_once: int = 0


def read(file: BinaryIO, reading: Reading) -> Generator[Batch, None, None]:
    """Read a file and close it; it is refused whole unless its header has all that is wanted."""
    with closing(file):
        try:
            with opened(file, reading.name, reading.layout) as found:
                header = [name.strip() for name in next(found, None) or ()]
                if not header:
                    yield refusal(FieldError(pointer="", rule="empty-file"), found.encoding)
                elif errors := header_errors(header, reading.wanted, only=reading.only):
                    yield refusal(errors[0], found.encoding)
                else:
                    batches = _Batches(reading, header, found)
                    plain = _plain_lines(found, reading, header)
                    yield from batches.all() if plain is None else batches.of_portions(plain)
        except Unreadable as error:
            yield refusal(error.reason)


def _plain_lines(found: Records, reading: Reading, header: Sequence[str]) -> PlainLines | None:
    """Return the records after the header as lines that may be plain, None where each is to be looked at."""
    handed_back = BARIS in header or BERKAS in header
    if reading.plain is None or reading.lines or handed_back or not isinstance(found, TextRecords):
        return None
    return found.plain(reading, reading.plain, header) if found.is_clean else None


@contextmanager
def opened(file: BinaryIO, name: str, layout: Layout) -> Iterator[Records]:
    """Yield the records of a file of any kind, which stays open; raises Unreadable, and so may each record."""
    with unpacked(file, name) as (plain, inner):
        if is_sheet(inner):
            with sheet_records(plain, inner, layout) as sheet:
                yield sheet
            return
        text = TextRecords(plain, layout.dialect)
        try:
            yield text
        finally:
            text.let_go()


def refusal(reason: FieldError, encoding: str = "") -> Batch:
    """Return the batch that refuses a file whole."""
    return Batch(rows=(), rejects=(Reject(number=0, reasons=(reason,)),), encoding=encoding, last=True)


class _Batches:
    """Records gathered into batches; those that are no rows, a repeated header and the trailer, are counted."""

    def __init__(self, reading: Reading, header: Sequence[str], records: Records) -> None:
        self._reading = reading
        self._header = list(header)
        self._records = records
        self._doubtful = None if records.is_clean else records.encoding
        self._guarded = BARIS in header
        self._mends = BERKAS in header
        self._refused: Batch | None = None
        self._written: list[Row] = []
        self._clear()

    def all(self) -> Iterator[Batch]:
        """Yield batches of records that are looked at one by one."""
        after, size, trailer = self._reading.after, self._reading.size, self._reading.trailer
        found: Iterator[list[str] | None] = self._records if trailer is None else self._before(trailer, self._records)
        deque(islice(found, after), maxlen=0)
        number = after
        taken = self._noting(found, after) if self._reading.lines else found
        while portion := self._some(taken, size - number % size):
            self._add(number, portion)
            number += len(portion)
            if number % size == 0 or self._is_heavy():
                yield self._batch(number, last=False)
        yield self._refused or self._batch(number, last=True)

    def _some(self, found: Iterator[list[str] | None], most: int) -> list[list[str] | None]:
        portion = []
        for cells in islice(found, most):
            portion.append(cells)
            if self._is_heavy():
                break
        return portion

    def _is_heavy(self) -> bool:
        return self._records.characters - self._start >= HEAVY

    def of_portions(self, plain: PlainLines) -> Iterator[Batch]:
        """Yield batches of what is not done yet, none of less than a portion."""
        number = closed = yielded = 0
        while (portion := plain.after(number)) is not None and self._refused is None:
            before, number = number, number + portion.count
            if self._reading.trailer is not None and portion.count:
                closed, portion = self._closed(self._reading.trailer, portion, number, closed)
            if number > self._reading.after:
                self._take(portion, max(before, self._reading.after))
            is_full = number - yielded >= SEVERAL * self._reading.size or self._is_heavy()
            if is_full and number > self._reading.after:
                yield self._batch(number, last=False)
                yielded = number
        if self._reading.trailer is not None and not closed:
            self._refused = self._refused or _unclosed(self._reading.trailer)
        yield self._refused or self._batch(max(number, self._reading.after), last=True)

    def _closed(self, trailer: str, portion: Portion, last: int, closed: int) -> tuple[int, Portion]:
        """Return the number of the record that closes the file, if it is known, and the portion with none in its place.

        Nothing may come after it.
        """
        begun = [number for number, cells in portion.others if cells is not None and _begins(cells, trailer)]
        closed = closed or min(begun, default=0)
        if closed and closed < last:
            self._refused = _early(closed)
        return closed, replace(portion, others=[(at, [] if at == closed else cells) for at, cells in portion.others])

    def _take(self, portion: Portion, after: int) -> None:
        rows = portion.rows
        self._written += rows if rows and rows[0][0] > after else [row for row in rows if row[0] > after]
        self._look((number, cells) for number, cells in portion.others if number > after)

    def _noting(self, found: Iterator[list[str] | None], after: int) -> Iterator[list[str] | None]:
        """Yield records, and note where each began."""
        for number, cells in enumerate(found, after + 1):
            self._lines[number] = self._records.line
            yield cells

    def _before(self, trailer: str, found: Iterator[list[str] | None]) -> Iterator[list[str] | None]:
        """Yield records, the trailer as an empty one; a file that it does not end is refused.

        One that mends rows is none that an export ended, and may bring those of several.
        """
        for number, cells in enumerate(found, 1):
            closed = cells is not None and _begins(cells, trailer)
            yield [] if closed else cells
            if closed and not self._mends:
                if next(found, self) is not self:
                    self._refused = _early(number)
                return
        if not self._mends:
            self._refused = _unclosed(trailer)

    def _add(self, before: int, portion: Sequence[list[str] | None]) -> None:
        """Take the records after so many; nearly all are rows, and are not looked at one by one."""
        if self._doubtful is not None or self._guarded:
            self._look(enumerate(portion, before + 1))
            return
        width, name = len(self._header), next(iter(self._header), None)
        self._rows += [
            (number, cells)
            for number, cells in enumerate(portion, before + 1)
            if cells.__class__ is list and len(cells) == width and cells and cells[0].strip() != name
        ]
        taken = len(self._rows)
        self._look(
            (number, cells)
            for number, cells in enumerate(portion, before + 1)
            if cells.__class__ is not list or len(cells) != width or not cells or cells[0].strip() == name
        )
        if len(self._rows) > taken:
            self._rows.sort(key=itemgetter(0))

    def _look(self, odd: Iterable[tuple[int, list[str] | None]]) -> None:
        for number, cells in odd:
            if cells is None:
                self._rejects.append(Reject(number=number, reasons=(FieldError(pointer="", rule="quote"),)))
            elif not cells:
                self._skipped += 1
            elif reasons := _reasons(cells, self._header, self._doubtful):
                self._rejects.append(Reject(number=number, reasons=reasons))
            elif cells[0].strip() == self._header[0] and [cell.strip() for cell in cells] == self._header:
                self._skipped += 1
            else:
                self._rows.append((number, self._readable(cells)))

    def _readable(self, cells: list[str]) -> Sequence[object]:
        """Return cells with the reason in place of each that can't be read."""
        plain: list[object] = [*map(unguarded, cells)] if self._guarded else [*cells]
        for place, error in cells.bad.items() if isinstance(cells, Cells) else ():
            plain[place] = error
        return plain

    def _batch(self, done: int, *, last: bool) -> Batch:
        batch = Batch(
            columns=self._header,
            rows=self._rows,
            rejects=self._rejects,
            done=done,
            skipped=self._skipped,
            encoding=self._records.encoding,
            last=last,
            lines=self._lines,
            written=self._written,
        )
        self._clear()
        return batch

    def _clear(self) -> None:
        self._rows: list[tuple[int, Sequence[object]]] = []
        self._rejects: list[Reject] = []
        self._skipped = 0
        self._lines: dict[int, int] = {}
        self._written = []
        self._start = self._records.characters


def _early(number: int) -> Batch:
    return refusal(FieldError(pointer="", rule="trailer-early", params={"number": str(number)}))


def _unclosed(trailer: str) -> Batch:
    return refusal(FieldError(pointer="", rule="no-trailer", params={"trailer": trailer}))


def unguarded(cell: str) -> str:
    """Undo what `rejects` did so that no spreadsheet takes a cell for a formula."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _begins(cells: Sequence[str], trailer: str) -> bool:
    first = next((cell.strip() for cell in cells if cell.strip()), "")
    return first.casefold().startswith(trailer.casefold())


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


class TextRecords:
    """The records of a text file that is open."""

    def __init__(self, file: BinaryIO, dialect: Dialect) -> None:
        check_head(file, text=True)
        self.encoding, self.is_clean = find_encoding(file, dialect)
        file.seek(0)
        self._text = io.TextIOWrapper(file, encoding=self.encoding, errors="replace", newline="")
        self._dialect = dialect
        self._lines = Lines(self._text)
        self._reader = CsvReader(self._lines, dialect)
        self._found = self._reader.all()

    @property
    def characters(self) -> int:
        """How many were read so far."""
        return self._lines.characters

    @property
    def line(self) -> int:
        """The line in which the record that came last begins."""
        return self._lines.first

    @property
    def raw(self) -> str:
        """The first line of the record that came last."""
        return "".join(self._lines.taken[:1]).rstrip("\r\n")

    def __iter__(self) -> Iterator[list[str] | None]:
        return self._found

    def __next__(self) -> list[str] | None:
        return next(self._found)

    def after(self, count: int, /) -> list[str] | None:
        """Return the record that comes after so many more, most of which are passed over unread."""
        while count > 0:
            passed = self._reader.skip(count)
            count -= passed
            if count and self._reader.next() == []:
                return []
            count -= count > 0
        return self._reader.next()

    def plain(
        self, reading: Reading, make: Callable[[LineForm], ReadLines | None], header: Sequence[str]
    ) -> PlainLines | None:
        """Return the records after the header as lines that may be plain, None where none can be."""
        dialect = self._dialect
        quoted, mixed = quoted_columns(self._lines.ahead(LOOKED_AT), dialect, len(header))
        form = LineForm(
            columns=tuple(header),
            delimiter=dialect.delimiter,
            quote=dialect.quote,
            quoted=quoted,
            mixed=mixed,
            closing=reading.trailer,
        )
        run = make(form)
        return None if run is None else PlainLines(self._lines, self._reader, run, reading.at_once)

    def let_go(self) -> None:
        """Leave the file open, or closed where that was done."""
        if not self._text.closed:
            self._text.detach()
