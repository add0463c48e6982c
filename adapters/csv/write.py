"""A document -> the bytes of one row file; must not know where the file goes."""

import csv
import io
import re
from collections.abc import Sequence
from decimal import Decimal

from adapters.csv.read import FORMULA
from adapters.csv.settings import Dialect
from gateway import Document, FieldError, TranslationError

NEGATIVE = re.compile(r"-\d[\d.,]*")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def row_file(document: Document, columns: Sequence[str], dialect: Dialect) -> bytes:
    """Return header line and row in the first declared encoding; raises TranslationError with all that doesn't fit."""
    encoding = dialect.encodings[0]
    errors = [FieldError(pointer=name, rule="unknown") for name in document if name not in columns]
    cells = []
    for name in columns:
        cell = _cell(document.get(name))
        if error := _error(name, cell, encoding):
            errors.append(error)
        else:
            cells.append(cell)
    if errors:
        raise TranslationError("request", errors)
    return _lines(columns, cells, dialect).encode(encoding)


def _cell(value: object) -> str | None:
    """Return what stands in the cell, None for what can't; the guard is for text only, so that -5 stays a number."""
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
            return f"'{value}" if value.startswith(FORMULA) and not NEGATIVE.fullmatch(value) else value
        case _:
            return None


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


def _lines(columns: Sequence[str], cells: Sequence[str | None], dialect: Dialect) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=dialect.delimiter, quotechar=dialect.quote, quoting=csv.QUOTE_ALL, lineterminator="\r\n"
    )
    writer.writerows((columns, cells))
    return text.getvalue()
