"""Rows that could not be taken, handed back as they were, with line and reasons; knows no ledger."""

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from adapters.csv.disk import Disk
from adapters.csv.layout import Layout
from adapters.csv.ours import ours
from adapters.csv.read import ALASAN, BARIS, BERKAS, FORMULA, opened, unguarded
from adapters.csv.settings import Dialect
from adapters.csv.write import NEGATIVE
from gateway import handed_back_as, is_lost, records_mended, reference_mended, shown_line

IN_MEMORY = 1 << 18
PAGE = 1000
OURS = (BARIS, ALASAN, BERKAS)


class Handed(Protocol):
    """A file of rows in the making."""

    def add(self, row: Sequence[str], /) -> None:
        """Write a row, the header first."""
        ...

    def end(self) -> BinaryIO:
        """Return all of it from its beginning; the caller closes it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HandingBack:
    """How rows are handed back: `kind` is `csv` or `xlsx`, `reference` the receipt's."""

    name: str
    layout: Layout
    kind: str
    reference: str


async def rejected_file(
    file: BinaryIO, how: HandingBack, rejects: AsyncIterator[tuple[int, str]], disk: Disk
) -> BinaryIO:
    """Return the file of a file's rejects, which come in order of their number; the caller closes both.

    It may be dropped again once its rows are mended.
    """
    writer = await disk.do(_Writer, file, how)
    page: list[tuple[int, str]] = []
    try:
        async for reject in rejects:
            page.append(reject)
            if len(page) >= PAGE:
                await disk.do(writer.add, page)
                page = []
        await disk.do(writer.add, page)
        return await disk.do(writer.made.end)
    finally:
        await disk.do(writer.let_go)


class _Writer:
    """Goes through the file once more, and keeps the records whose numbers it is told."""

    def __init__(self, file: BinaryIO, how: HandingBack) -> None:
        self._open = ExitStack()
        self._records = self._open.enter_context(opened(file, how.name, how.layout))
        self._number = 0
        self._reference = how.reference
        self._dialect = how.layout.dialect
        self.made = _handed(how)
        header = next(self._records, None) or []
        self._header = [name.strip() for name in header]
        self._of = ""
        # A file that was handed back before has these columns already, wherever somebody left them.
        self.made.add((*OURS, *(name for name in header if name.strip() not in OURS)))

    def add(self, rejects: Sequence[tuple[int, str]]) -> None:
        """Write rejects, whose numbers are greater than those before."""
        for number, why in rejects:
            cells = self._at(number)
            told = self._told(cells)
            before = records_mended(told.get(BERKAS) or self._of, told.get(BARIS, ""))
            lost = (cells is None and BERKAS in self._header and not told) or is_lost(told.get(BERKAS, ""))
            raw = [self._records.raw] if cells is None else self._own(cells)
            own = (shown_line(self._records.line), why, handed_back_as(self._reference, before, lost=lost))
            self.made.add((*own, *map(guarded, raw)))

    def _at(self, number: int) -> list[str] | None:
        """Return a record, those before it passed over; the first says whose rejects all mend that don't say it."""
        cells: list[str] | None = []
        if self._number == 0:
            cells, self._number = self._records.after(0), 1
            self._of = reference_mended(self._told(cells).get(BERKAS, ""))
        if self._number < number:
            cells = self._records.after(number - self._number - 1)
            self._number = number
        return cells

    def _told(self, cells: list[str] | None) -> Mapping[str, str]:
        return ours(self._header, cells, self._records.raw, self._dialect)

    def _own(self, cells: list[str]) -> list[str]:
        theirs = {place for place, name in enumerate(self._header) if name in OURS}
        own = [cell for place, cell in enumerate(cells) if place not in theirs]
        return [*map(unguarded, own)] if BARIS in self._header else own

    def let_go(self) -> None:
        """Read no more of the file, and leave it open."""
        self._open.close()


def _handed(how: HandingBack) -> Handed:
    if how.kind == "csv":
        return _Csv(how.layout.dialect)
    from adapters.csv.rejected_sheet import Sheet  # noqa: PLC0415 - an extra

    return Sheet()


class _Csv:
    """UTF-8 with a BOM, which a spreadsheet understands."""

    def __init__(self, dialect: Dialect) -> None:
        self._made = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - whoever asked for it closes it
        self._text = io.TextIOWrapper(self._made, encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._text, delimiter=dialect.delimiter, quotechar=dialect.quote, quoting=csv.QUOTE_ALL)

    def add(self, row: Sequence[str], /) -> None:
        """Write a row, the header first."""
        self._csv.writerow(row)

    def end(self) -> BinaryIO:
        """Return all of it from its beginning."""
        self._text.flush()
        self._text.detach()
        self._made.seek(0)
        return self._made  # type: ignore[return-value]


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; a negative number stays one.

    One that looks as if it were guarded is guarded once more, so that what comes back is what it was.
    """
    return f"'{cell}" if cell.lstrip("'").startswith(FORMULA) and not NEGATIVE.fullmatch(cell) else cell
