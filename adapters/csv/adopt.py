"""`gateway add csv`'s side of a sample: how it is written, its header and its first rows, or why it can't be used."""

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from adapters.csv.lines import Lines, records
from adapters.csv.read import BARIS, HEAD, find_encoding
from adapters.csv.settings import Dialect
from adapters.csv.sniff import SEPARATORS, sniffed
from gateway import ConfigError, Finding

ROWS = 20_000
"""Rows that are looked at."""
WIDEST = 1_000
"""A mapping of more columns than that is read by nobody."""
_PROBE, _LINES, _FIRST, _APOSTROPHES = 1 << 16, 200, 15, 10
_KINDS = {
    b"PK\x03\x04": ("a ZIP archive or an Excel workbook", "save it as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old Excel workbook", "save it as CSV"),
    b"%PDF": ("a PDF", "have the system export CSV"),
    b"\x1f\x8b": ("compressed by gzip", "unpack it"),
}
_TOTAL = re.compile(r"(grand total|sub ?total|total|jumlah)\b", re.IGNORECASE)
_VALUE = re.compile(
    r"[0-9]{5,}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}.*|-?[0-9]+[.,][0-9]+|\S+@\S+\.\S+"
)
_NUMBER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a file looks like: its dialect, its columns, and the first rows as (line, cells).

    `records` is how many there are in all; `broken` and `totals` are lines of those that can't be read, or sum up.
    `trailer` is how its last row begins where that alone is a total; `closed` tells whether its last line ends.
    """

    dialect: Dialect
    encoding: str
    header: tuple[str, ...]
    rows: Sequence[tuple[int, list[str]]] = field(repr=False)
    records: int
    whole: bool
    broken: tuple[int, ...]
    totals: tuple[int, ...]
    trailer: str
    closed: bool


def look(path: Path) -> Sample:
    """Look at a file; blocking. Raises ConfigError where no feed could be made of it."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
            if not head.strip():
                raise _no(path, "is empty", "take a file as the agency exports it, with some rows")
            for begin, (what, remedy) in _KINDS.items():
                if head.startswith(begin):
                    raise _no(path, f"is {what}, no CSV", remedy)
            file.seek(0)
            encoding, clean = find_encoding(file, Dialect())
            file.seek(0, io.SEEK_END)
            file.seek(max(0, file.tell() - len(b"\n\0")))
            closed = file.read().endswith((b"\n", b"\n\0"))
            file.seek(0)
            with io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="") as text:
                return _sample(path, text, encoding, clean=clean, closed=closed)
    except OSError as error:
        raise _no(path, f"can't be read: {error.strerror}", "name a file that is there") from None


def _sample(path: Path, text: io.TextIOWrapper, encoding: str, *, clean: bool, closed: bool) -> Sample:
    probe = text.read(_PROBE)
    if not clean or "\0" in probe:
        raise _no(path, "is no text in UTF-8, UTF-16 or Windows-1252", "save it as CSV, in UTF-8")
    if probe.lower().startswith("sep="):
        raise _no(path, 'begins with a line "sep=", which only Excel knows', "have the export leave that line out")
    dialect = _dialect("".join(probe.splitlines(keepends=True)[:_LINES]))
    text.seek(0)
    lines = Lines(text)
    found = records(lines, dialect)
    header = [name.strip() for name in next(found, None) or ()]
    rest = _rows(lines, found)
    first = list(islice(rest, _FIRST))
    _judge(path, header, first)
    rows, broken, last, many = [], [], None, 0
    for line, cells in chain(first, rest):
        many += 1
        last = cells
        if many <= ROWS:
            if cells is not None and len(cells) == len(header):
                rows.append((line, cells))
            else:
                broken.append(line)
    totals = [line for line, cells in rows if _total(cells)]
    trailer = _total(last) if not totals or (totals == [rows[-1][0]] and rows[-1][1] is last) else ""
    if trailer and many <= ROWS and rows and rows[-1][1] is last:
        rows.pop()
    elif trailer and many <= ROWS:
        broken.pop()
    if not rows:
        raise _no(path, "has a header and no row that fits it", "take a file as the agency exports it, with some rows")
    return Sample(
        dialect=dialect,
        encoding=encoding,
        header=tuple(header),
        rows=rows,
        records=many,
        whole=many <= ROWS,
        broken=tuple(broken),
        totals=() if trailer else tuple(totals),
        trailer=trailer,
        closed=closed,
    )


def _rows(lines: Lines, found: Iterator[list[str] | None]) -> Iterator[tuple[int, list[str] | None]]:
    for cells in found:
        yield lines.first, cells


def _dialect(probe: str) -> Dialect:
    """Return clevercsv's proposal, unless another separator makes rows of one width of more of the lines."""
    delimiter, quote = sniffed(probe) or ("", "")
    # An apostrophe is mostly one in a name, and what is not quoted at all is read as if it were in the usual way.
    quote = quote if quote == "'" and '"' not in probe and probe.count("'") > _APOSTROPHES else '"'
    proposals = [sign for sign in (delimiter, *SEPARATORS) if sign]
    best = max(dict.fromkeys(proposals), key=lambda sign: (_evenness(probe, sign, quote), sign == delimiter))
    return Dialect(delimiter=best, quote=quote)


def _evenness(probe: str, delimiter: str, quote: str) -> float:
    """Return how many of the records are as wide as most, nothing where that is one column."""
    found = list(records(Lines(io.StringIO(probe, newline="")), Dialect(delimiter=delimiter, quote=quote)))
    widths = [len(cells) for cells in found if cells is not None]
    usual = max(widths, key=widths.count, default=0)
    return round(widths.count(usual) / len(found), 1) if usual > 1 else 0.0


def _judge(path: Path, header: Sequence[str], first: Sequence[tuple[int, list[str] | None]]) -> None:
    """Refuse what has no line of names where the gateway reads them."""
    told = [cell for cell in header if cell]
    widest = max((len(cells) for _, cells in first if cells), default=0)
    if len(told) <= 1 < widest or len(header) < widest / 2:
        line = next((line for line, cells in first if cells and sum(map(bool, cells)) > 1), 2)
        what = f"has something before its columns' names, which seem to stand in line {line}"
        raise _no(path, what, "names must be in the first line: have the export leave out what is before them")
    if len(header) <= 1:
        what = "has one column, as far as semicolons, commas, tabs and bars tell"
        raise _no(path, what, "take a file as the agency exports it, as CSV")
    if len(header) > WIDEST:
        raise _no(path, f"has {len(header)} columns, more than {WIDEST}", "have the export leave out what isn't needed")
    if BARIS in header:
        raise _no(path, "holds rows that a gateway handed back", "take a file as the agency exports it")
    values = sum(bool(_VALUE.fullmatch(cell)) for cell in told)
    if values and (values > len(told) / 4 or values + sum(bool(_NUMBER.fullmatch(cell)) for cell in told) > 1):
        what = "seems to have data in its first line, not the columns' names"
        raise _no(path, what, "have the export write the names first: they are how columns are known")


def _total(cells: Sequence[str] | None) -> str:
    """Return how a row of totals begins, as it is written; "" where a row is none."""
    first = next((cell.strip() for cell in cells or () if cell.strip()), "")
    found = _TOTAL.match(first)
    return found[0] if found else ""


def _no(path: Path, what: str, remedy: str) -> ConfigError:
    return ConfigError(Finding(where=str(path), what=what, remedy=remedy))
