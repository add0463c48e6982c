"""Documents -> the bytes of one row file; must not know where the file goes."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from decimal import Decimal

from adapters.csv.read import FORMULA
from adapters.csv.settings import Dialect, Out
from gateway import Document, FieldError, TranslationError

NEGATIVE = re.compile(r"-\d[\d.,]*")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNMARKED = frozenset({"utf-8", "utf-16-le", "utf-16-be"})
"""Encodings that put no BOM of their own before a text."""
Cells = Sequence[str]


def row(document: Document, columns: Sequence[str], out: Out) -> Cells:
    """Return a row's cells; raises TranslationError with all that doesn't fit the first declared encoding."""
    encoding = out.dialect.encodings[0]
    errors = [FieldError(pointer=name, rule="unknown") for name in document if name not in columns]
    cells: list[str] = []
    for name in columns:
        cell = _cell(document.get(name), guard=out.formula_guard)
        if error := _error(name, cell, encoding):
            errors.append(error)
        elif cell is not None:
            cells.append(cell)
    if errors:
        raise TranslationError("request", errors)
    return cells


def row_file(rows: Sequence[Cells], columns: Sequence[str], out: Out) -> bytes:
    """Return header line and rows in the first declared encoding."""
    return (_first(out) + _lines([columns, *rows], out.dialect)).encode(out.dialect.encodings[0])


def _cell(value: object, *, guard: bool) -> str | None:
    """Return what stands in the cell, None for what can't."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case str():
            return _guarded(value) if guard else value
        case _:
            return None


def _guarded(text: str) -> str:
    """Keep a spreadsheet from running a text; -5 stays a number."""
    return f"'{text}" if text.startswith(FORMULA) and not NEGATIVE.fullmatch(text) else text


def _error(name: str, cell: str | None, encoding: str) -> FieldError | None:
    if cell is None:
        return FieldError(pointer=name, rule="native", params={"expected": "text or a number"})
    if CONTROL.search(cell):
        return FieldError(pointer=name, rule="control-character")
    try:
        cell.encode(encoding)
    except UnicodeEncodeError:
        return FieldError(pointer=name, rule="encoding", params={"encoding": encoding})
    return None


def _first(out: Out) -> str:
    """Return what tells Excel how to read it: it takes no notice of a BOM before a line that names the separator."""
    if not out.excel:
        return ""
    encoding = codecs.lookup(out.dialect.encodings[0]).name
    if out.excel is True and encoding.startswith("utf"):
        return "\ufeff" if encoding in _UNMARKED else ""
    return f"sep={out.dialect.delimiter}\r\n"


def _lines(rows: Sequence[Sequence[str]], dialect: Dialect) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=dialect.delimiter, quotechar=dialect.quote, quoting=csv.QUOTE_ALL, lineterminator="\r\n"
    )
    writer.writerows(rows)
    return text.getvalue()
