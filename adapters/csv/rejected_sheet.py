"""Rows handed back as .xlsx: every cell is Text, so that an identifier keeps its digits when somebody mends it."""

import tempfile
from collections.abc import Sequence
from typing import BinaryIO, cast

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell

from adapters.csv.layout import HANDED_BACK
from adapters.csv.sheet import MOST_CELLS

IN_MEMORY = 8 << 20
MOST_ROWS = 1_000_000
LONGEST_CELL = 32_767
"""What Excel takes."""
NOT_SHOWN = "#VALUE!"
"""Stands for a cell that Excel can't hold: it is refused when it comes back, so that nothing is cut off silently."""


class Sheet:
    """A workbook in the making, which is written as it comes; what one sheet can't hold goes on in the next.

    None holds more than is read of one when it comes back.
    """

    def __init__(self, most_rows: int = MOST_ROWS, most_cells: int = MOST_CELLS) -> None:
        self._book = Workbook(write_only=True)
        self._sheet = self._book.create_sheet(HANDED_BACK)
        self._most_rows = most_rows
        self._most_cells = most_cells
        self._header: Sequence[str] | None = None
        self._rows = self._width = 0

    def add(self, row: Sequence[str], /) -> None:
        """Write a row, the header first."""
        self._header = self._header or row
        width = max(self._width, len(row))
        if self._rows >= min(self._most_rows, max(2, self._most_cells // width)):
            self._rows, width = 0, max(len(self._header), len(row))
            self._sheet = self._book.create_sheet(f"{HANDED_BACK} {len(self._book.worksheets) + 1}")
            self._append(self._header)
        self._width = width
        self._append(row)

    def _append(self, row: Sequence[str]) -> None:
        self._rows += 1
        self._sheet.append([self._cell(value) for value in row])

    def end(self) -> BinaryIO:
        """Return all of it from its beginning."""
        made = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - whoever asked for it closes it
        self._book.save(cast("BinaryIO", made))
        made.seek(0)
        return cast("BinaryIO", made)

    def _cell(self, value: str) -> Cell:
        fits = len(value) <= LONGEST_CELL and not ILLEGAL_CHARACTERS_RE.search(value)
        cell = WriteOnlyCell(self._sheet, value if fits else NOT_SHOWN)
        cell.data_type = "s" if fits else "e"
        cell.number_format = "@"
        return cell
