"""A text's lines -> records' cells, as many at once as are plain; must not know what a file or a header is."""

import csv
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TextIO

from adapters.csv.settings import Dialect

LONGEST_LINE = 1 << 24
"""Characters of a line beside its end; a longer one is no record, and only its beginning is kept."""
CUT = " ..."
"""What that is followed by."""
csv.field_size_limit(LONGEST_LINE)
# Quoted line breaks are rare and short: a quote that runs on for longer was never closed.
LONGEST_RECORD = 64
PORTION = 1 << 16
"""Characters that are read at once; of those, whole lines."""
LARGE_PORTION = 1 << 15
"""Characters where lines are not told apart one by one."""
MANY, FEW = 1 << 20, 16
"""Lines that are tried at once, and where one of them is odd."""


class Lines:
    """The lines of a file, some of which may be given back; `first` is the number of a record's first.

    Where one `has_long` come, records are read with care.
    """

    __slots__ = (
        "_again", "_ahead", "_is_passing", "_rest", "_text", "characters", "count", "first", "has_long", "taken"
    )  # fmt: skip

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._ahead = ""
        self._rest = ""
        self.characters = 0
        self._is_passing = False
        self.has_long = False
        self.count = 0
        self.first = 1
        self.taken: list[str] = []

    def __iter__(self) -> "Lines":
        return self

    def __next__(self) -> str:
        if len(self.taken) >= LONGEST_RECORD:
            raise csv.Error("a quote is never closed")
        if not self._again:
            self._again.extend(self._more())
        if not self._again:
            raise StopIteration
        line = self._again.popleft()
        self.count += 1
        self.taken.append(line)
        if self.has_long and line.endswith(CUT) and len(line) == LONGEST_LINE + len(CUT):
            raise csv.Error("a line is too long")
        return line

    def next_record(self) -> None:
        """Begin to count the lines of another record."""
        self.first = self.count + 1
        self.taken.clear()

    def give_back_all_but_the_first(self) -> None:
        """Let the record's other lines come again."""
        self.count -= len(self.taken) - 1
        self._again.extendleft(reversed(self.taken[1:]))

    def ahead(self, most: int) -> list[str]:
        """Return up to so many of the next lines, which are not taken yet; none at the end."""
        if not self._again:
            self._again.extend(self._more())
        return list(islice(self._again, most))

    def take(self, count: int) -> int:
        """Take so many of the lines ahead; returns the number of the first."""
        if count == len(self._again):
            self._again.clear()
        else:
            for _ in range(count):
                self._again.popleft()
        self.count += count
        return self.count - count + 1

    def text_ahead(self, size: int = 0) -> str:
        """Return the next whole lines as they stand, not taken yet; nothing where there are none that end."""
        if not self._again and not self.has_long:
            text = self._rest + self._read(size or LARGE_PORTION)
            end = text.rfind("\n") + 1
            if end and text.find("\n") <= LONGEST_LINE:
                self._ahead, self._rest = text[:end], text[end:]
                return self._ahead
            self._rest = ""
            self._again.extend(self._split(text))
        if not self._again:
            self._again.extend(self._more())
        if self.has_long or not self._again or not self._again[-1].endswith("\n"):
            return ""
        self._ahead = "".join(self._again)
        self._again.clear()
        return self._ahead

    def take_text(self, lines: int) -> None:
        """Take the text ahead, which has so many lines."""
        self.count += lines
        self._ahead = ""

    def by_line(self) -> int:
        """Return how many lines are ahead, which come one by one now."""
        self._again.extend(io.StringIO(self._ahead, newline="").readlines())
        self._ahead = ""
        return len(self._again)

    def _read(self, size: int) -> str:
        portion = self._text.read(size)
        self.characters += len(portion)
        return portion

    def _more(self) -> list[str]:
        """Read complete lines."""
        while portion := self._read(PORTION):
            if lines := self._split(portion):
                return lines
        last, self._rest = self._rest, ""
        return [last] if last else []

    def _split(self, text: str) -> list[str]:
        """Return complete lines: not the last of a portion, which may go on, or end between CR and LF."""
        *lines, self._rest = io.StringIO(self._rest + text, newline="").readlines() or [""]
        if self._is_passing:
            lines, self._is_passing = lines[1:], not lines
        # No other can be too long, as no portion is.
        elif lines and _is_long(lines[0]):
            lines[0] = self._cut(lines[0])
        if not self._is_passing and _is_long(self._rest):
            lines.append(self._cut(self._rest))
            self._is_passing = True
        if self._is_passing:
            self._is_passing = not self._rest.endswith("\n")
            self._rest = "\r" if self._rest.endswith("\r") else ""
        return lines

    def _cut(self, line: str) -> str:
        self.has_long = True
        return line[:LONGEST_LINE] + CUT


def _is_long(line: str) -> bool:
    return len(line) > LONGEST_LINE and len(line.rstrip("\r\n")) > LONGEST_LINE


class CsvReader:
    """Records' cells, or None where the quoting is broken; blank records are left out.

    A record over several lines that doesn't come out right is taken for one line with a stray quote, and the lines
    after it are read afresh: so one quote costs one row.
    """

    def __init__(self, lines: Lines, dialect: Dialect) -> None:
        self._lines = lines
        self._reader = partial(csv.reader, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
        self._slowly = self._with_care()
        self._dialect = dialect
        self._width = 0

    def all(self) -> Iterator[list[str] | None]:
        """Yield all records: many at once where each line is one; else with care, of a few lines at a time.

        The first is read by itself: what comes after it may be read in another way.
        """
        lines, careful = self._lines, 0
        while not self._width and lines.ahead(1):
            yield from self._slowly()
        while block := lines.ahead(FEW if careful > 0 else MANY):
            found = self.one_a_line(block)
            if found is None and careful <= 0:
                careful = len(block)
                continue
            before = lines.count
            if found is None:
                yield from self.with_care(len(block))
            else:
                first = lines.take(len(block))
                for lines.first, cells in enumerate(found, first):
                    # That a record has no text at all is rare: its first cell mostly tells.
                    if cells and (cells[0].strip() or any(map(str.strip, cells))):
                        yield cells
            careful -= lines.count - before

    def with_care(self, count: int) -> Iterator[list[str] | None]:
        """Yield the records of so many lines, and of those after them that the last one needs."""
        before = self._lines.count
        while self._lines.count - before < count:
            yield from self._slowly()

    def next(self) -> list[str] | None:
        """Return the next record, nothing at the end; not to be used while `all` is in the middle of it."""
        while self._lines.ahead(1):
            for cells in self._slowly():
                return cells
        return []

    def skip(self, most: int) -> int:
        """Pass over records, up to so many, as long as each is one line; returns how many they were."""
        delimiter, quote = self._dialect.delimiter, self._dialect.quote
        passed = 0
        # How wide records are tells which of those over several lines are none: the first is never passed over.
        while self._width and passed < most and (block := self._lines.ahead(min(MANY, most - passed))):
            found = self.one_a_line([line for line in block if quote in line])
            if found is None:
                break
            plain = (line for line in block if quote not in line)
            passed += sum(any(map(str.strip, cells)) for cells in found)
            passed += sum(1 for line in plain if line[0].isalnum() or line.replace(delimiter, "").strip())
            self._lines.take(len(block))
        return passed

    def one_a_line(self, block: Sequence[str]) -> list[list[str]] | None:
        """Return the cells of lines each of which is a record, None where one is not."""
        if self._lines.has_long:
            return None
        try:
            found = list(self._reader(block))
        except csv.Error:
            return None
        return found if len(found) == len(block) else None

    def _with_care(self) -> Callable[[], Iterator[list[str] | None]]:
        """Return what reads one record: it yields nothing where that is blank."""
        lines, reader = self._lines, self._reader(self._lines)

        def one() -> Iterator[list[str] | None]:
            lines.next_record()
            try:
                cells = next(reader)
            except csv.Error:
                lines.give_back_all_but_the_first()
                yield None
                return
            if self._width and len(cells) != self._width and len(lines.taken) > 1:
                lines.give_back_all_but_the_first()
                yield None
            elif any(map(str.strip, cells)):
                self._width = self._width or len(cells)
                yield cells

        return one
