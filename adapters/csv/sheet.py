"""A spreadsheet that is open -> its records: typed cells become the texts that CSV would have; a child reads it."""

import errno
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, time, timedelta
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO

import msgspec

from adapters.csv.layout import HANDED_BACK, Cells, Layout, Unreadable
from adapters.csv.settings import Feed
from adapters.csv.unpack import SHEETS, check_head
from gateway import OF, SHEET, ConfigError, FieldError, Finding

EXACT = 10**15
"""Beyond this Excel keeps no digit: from the 16th on they are zeros."""
MOST_CELLS = 5_000_000
"""In one sheet; half a gigabyte of memory."""
_CHILD = Path(__file__).with_name("cells.py")
_TOO_LARGE = {-signal.SIGABRT, -signal.SIGKILL, -signal.SIGXCPU}
"""How a child ends that wanted more memory or time than it may have."""
_STOPPED = {-signal.SIGTERM, -signal.SIGHUP}
"""How it ends when the gateway's whole group of processes is told to stop."""
_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
"""What a child is told of ours: no secret."""
_READ: Mapping[str, Any] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
    "span": lambda seconds: timedelta(seconds=float(seconds)),
}


def is_sheet(name: str) -> bool:
    """Tell whether a file is a spreadsheet, by its name."""
    return name.lower().endswith(SHEETS)


def is_installed() -> bool:
    """Tell whether the libraries are there, which come with the extra `excel`."""
    try:
        return find_spec("python_calamine") is not None and find_spec("openpyxl") is not None
    except ValueError:  # one was put out of reach
        return False


def check_extra(where: str, feed: Feed) -> None:
    """Tell what to install for a feed that will want it; raises ConfigError."""
    setting = "files" if is_sheet(feed.files) else "rejected" if feed.rejected == "xlsx" else None
    if setting and not is_installed():
        what = "Excel files need python-calamine and openpyxl, which are not installed here"
        remedy = "install the extra: make .venv/excel"
        raise ConfigError(Finding(where=f"{where}.{setting}", what=what, remedy=remedy))


@contextmanager
def sheet_records(file: BinaryIO, name: str, layout: Layout) -> Iterator["SheetRecords"]:
    """Yield the records of a spreadsheet; raises Unreadable or OSError, and so may each record."""
    if not is_installed():
        raise Unreadable("no-excel")
    check_head(file, text=False)
    # Rows that were handed back do not lie where the agency's own do.
    handed = (HANDED_BACK, OF, "anywhere" if layout.sheet or layout.header_row else "first", str(SHEET))
    with ExitStack() as stack:
        child = subprocess.Popen(  # noqa: S603 - our own program; the sheet's name is told apart from options
            [sys.executable, "-P", "-X", "utf8", str(_CHILD), str(MOST_CELLS), f"sheet={layout.sheet or ''}", *handed],
            stdin=_on_disk(file, stack),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            # Ctrl-C is for the gateway, which ends it.
            start_new_session=True,
        )
        stack.callback(_end, child)
        yield SheetRecords(child, name.rpartition(".")[2].lower(), layout)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.communicate()


def _on_disk(file: BinaryIO, stack: ExitStack) -> IO[bytes]:
    """Return a file that another process can read: the file itself, or what comes out of it, on disk."""
    try:
        file.fileno()
    except (OSError, io.UnsupportedOperation):
        copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - whoever has the stack closes it
        file.seek(0)
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.flush()
        return copy
    return file


class SheetRecords:
    """The rows of a sheet, as its child tells them."""

    is_clean = True
    raw = ""

    def __init__(self, child: subprocess.Popen[bytes], kind: str, layout: Layout) -> None:
        self.encoding = kind
        self.line = 0
        self.characters = 0
        self._child = child
        self._lines = iter(child.stdout or ())
        self._layout = layout
        self._header: list[str] | None = None

    def __iter__(self) -> Iterator[list[str] | None]:
        return self

    def __next__(self) -> list[str]:
        while True:
            self.line, typed = self._told()
            if self._header is not None:
                return self._record(typed, self._header)
            header = [_spelt(value, None)[0] for value in typed]
            # Where rows were handed back, the header stands in the first row.
            if self._layout.header_row in (None, self.line) or OF in map(str.strip, header):
                self._header = header
                return [*header]

    def after(self, count: int, /) -> list[str] | None:
        """Return the record that comes after so many more."""
        return next(islice(self, count, None), [])

    def _told(self) -> tuple[int, list[Any]]:
        line = next(self._lines, b"")
        if not line.endswith(b"\n"):
            raise self._ended(self._child.wait())
        self.characters += len(line)
        told = msgspec.json.decode(line)
        if isinstance(told, list):
            return told[0], told[1]
        self._lines = iter((line,))
        if told["end"]:
            raise self._refused(told["end"])
        raise StopIteration

    def _ended(self, how: int) -> Exception:
        """Return what it means that the child fell silent; one that was told to stop says nothing of the file."""
        if how in _STOPPED:
            return InterruptedError(errno.EINTR, "what reads it was stopped")
        return self._refused("sheet-too-large" if how in _TOO_LARGE else "sheet-broken")

    def _refused(self, rule: str) -> Unreadable:
        return Unreadable(rule, sheet=self._layout.sheet or "1", most=str(MOST_CELLS))

    def _record(self, typed: list[Any], header: list[str]) -> list[str]:
        typed += [""] * (len(header) - len(typed))
        cells, bad = [], {}
        for place, value in enumerate(typed):
            if value.__class__ is str:
                cells.append(value)
                continue
            cell, error = _spelt(value, header[place].strip() if place < len(header) else None, self._layout)
            cells.append(cell)
            if error:
                bad[place] = error
        return Cells(cells, bad) if bad else cells


def _spelt(told: object, column: str | None, layout: Layout | None = None) -> tuple[str, FieldError | None]:
    """Return a cell's text as its column's rule reads it, else as a CSV export would have it, and what is wrong."""
    if isinstance(told, list) and told[0] in {"error", "no-value"}:
        params = {"error": told[1]} if told[0] == "error" else {}
        return told[1], FieldError(pointer="", rule=f"cell-{told[0]}", params=params)
    value = _READ[told[0]](told[1]) if isinstance(told, list) else told
    text, error = plain(value)
    spell = layout.spell.get(column) if layout and column is not None else None
    spelt = spell(value) if spell else None
    if isinstance(spelt, FieldError):
        return text, spelt
    return (spelt, None) if spelt is not None else (text, error)


def plain(value: object) -> tuple[str, FieldError | None]:
    """Return how a value is written where no rule says: 12 without .0, dates as ISO 8601 has them."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE", None
        case int() | float() if abs(value) >= EXACT:
            # As Excel shows it, so that nobody takes it for the number that was typed.
            return f"{value:.14E}", FieldError(pointer="", rule="number-cell")
        case float():
            return str(int(value)) if value.is_integer() else f"{value:.15g}", None
        case _:
            return _time(value), None


def _time(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat(" ", "seconds")
        case time():
            return value.isoformat("seconds")
        case timedelta():
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
        case _:
            return str(value)
