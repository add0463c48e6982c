"""A text's records, many at once where lines are plain: those are rows already, only the others are read as csv."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from adapters.csv.lines import CsvReader, Lines
from adapters.csv.settings import Dialect
from gateway import ReadLines, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """So many records: those that are rows already, and by their number the cells of the others, None where broken."""

    count: int
    rows: Sequence[Row] = ()
    others: Sequence[tuple[int, list[str] | None]] = ()


class PlainLines:
    """The records after a text's header, portion by portion; `size` is that of one, 0 the usual."""

    def __init__(self, lines: Lines, reader: CsvReader, run: ReadLines, size: int) -> None:
        self._size = size
        self._lines = lines
        self._reader = reader
        self._run = run

    def after(self, done: int) -> Portion | None:
        """Return the records that follow the first `done`, None at the end."""
        if text := self._lines.text_ahead(self._size):
            count, rows, odd = self._run(text, done + 1)
            found = self._cells([line for _, line in odd])
            if found is not None:
                self._lines.take_text(count)
                return _portion(count, rows, list(zip(map(itemgetter(0), odd), found, strict=True)))
        if ahead := self._lines.by_line():
            others = list(enumerate(self._reader.with_care(ahead), done + 1))
            return Portion(count=len(others), others=others)
        return None

    def _cells(self, lines: Sequence[str]) -> list[list[str]] | None:
        """Return the cells of lines that are not plain, None where one is not a whole record.

        Where each ends with its line, so does each that is plain: nothing in a plain line opens a quote.
        """
        # A CR alone ends a line, too.
        if any(line.count("\r") > line.endswith("\r\n") for line in lines):
            return None
        return self._reader.one_a_line(lines)


def _portion(count: int, rows: Sequence[Row], others: Sequence[tuple[int, list[str]]]) -> Portion:
    """Return records by their numbers, which blank ones don't have."""
    blank = [number for number, cells in others if not any(map(str.strip, cells))]
    if blank:
        rows = [(row[0] - bisect_left(blank, row[0]), *row[1:]) for row in rows]
        gone = {*blank}
        others = [(number - bisect_left(blank, number), cells) for number, cells in others if number not in gone]
    return Portion(count=count - len(blank), rows=rows, others=others)


def quoted_columns(lines: Sequence[str], dialect: Dialect, width: int) -> tuple[frozenset[int], frozenset[int]]:
    """Return the places of cells that most lines have within quotes, and of those that some have.

    Whoever exports them does so by column, or where a cell has a separator in it.
    """
    quote, sign = re.escape(dialect.quote), re.escape(dialect.delimiter)
    cell = re.compile(rf"(?:{quote}([^{quote}]*){quote}|[^{sign}{quote}]*)(?:{sign}|$)")
    found = [[*cell.finditer(line.rstrip("\r\n"))][:width] for line in lines]
    counts = Counter(place for cells in found for place, one in enumerate(cells) if one[0].startswith(dialect.quote))
    most = frozenset(place for place, count in counts.items() if count * 2 > len(found))
    return most, frozenset(counts) - most
