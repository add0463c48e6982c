"""`gateway add csv`'s side of a sample: how it is written, its header and its first rows, or why it can't be used."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from adapters.csv.encoding import HEAD, find_encoding
from adapters.csv.layout import Layout, Records
from adapters.csv.lines import CsvReader, Lines
from adapters.csv.read import BARIS, TextRecords
from adapters.csv.settings import Dialect
from adapters.csv.sheet import is_sheet, sheet_records
from adapters.csv.sniff import SEPARATORS, sniffed
from adapters.csv.unpack import check_head, is_plain_text, unpacked
from gateway import ConfigError, Finding

ROWS = 20_000
"""Rows that are looked at."""
WIDEST = 1_000
"""A mapping of more columns than that is read by nobody."""
_PROBE, _LINES, _FIRST, _APOSTROPHES = 1 << 16, 200, 15, 10
_TOTAL = re.compile(r"(grand total|sub ?total|total|jumlah)\b", re.IGNORECASE)
_VALUE = re.compile(
    r"[0-9]{5,}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}|[0-9]{4}-[0-9]{2}-[0-9]{2}.*|-?[0-9]+[.,][0-9]+|\S+@\S+\.\S+"
)
_NUMBER = re.compile(r"-?[0-9]+")

_SOME = "take a file as the agency exports it, with some rows"
Row = tuple[int, list[str] | None]
"""A line and its cells, None where its quoting is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What a file looks like: its columns, the first rows as (line, cells), its dialect where it is text.

    `records` is how many there are in all; `broken` and `totals` are lines of those that can't be read, or sum up.
    `trailer` is how its last row begins where that alone is a total; `closed` tells whether its last line ends.
    `header_row` is where the names stand in a spreadsheet, where that is not the first row.
    """

    encoding: str
    header: tuple[str, ...]
    rows: Sequence[tuple[int, list[str]]] = field(repr=False)
    records: int
    whole: bool
    broken: tuple[int, ...]
    totals: tuple[int, ...]
    trailer: str
    closed: bool = True
    dialect: Dialect | None = None
    header_row: int | None = None


def look(path: Path) -> Sample:
    """Look at a file; blocking. Raises ConfigError or Unreadable where no feed could be made of it."""
    try:
        with path.open("rb") as file:
            if not file.read(HEAD).strip():
                raise _no(path, "is empty", _SOME)
            closed = not is_plain_text(path.name) or _ends(file)
            with unpacked(file, path.name) as (plain, inner):
                sample = _sheet(path, plain, inner) if is_sheet(inner) else _text(path, plain)
                return replace(sample, closed=closed)
    except OSError as error:
        raise _no(path, f"can't be read: {error.strerror}", "name a file that is there") from None


def _ends(file: BinaryIO) -> bool:
    """Tell whether the last line has its end; UTF-16 writes it with a NUL behind."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - len(b"\n\0")))
    return file.read().endswith((b"\n", b"\n\0"))


def _text(path: Path, file: BinaryIO) -> Sample:
    check_head(file, text=True)
    encoding, clean = find_encoding(file, Dialect())
    file.seek(0)
    text = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    probe = text.read(_PROBE)
    text.detach()
    if not clean or "\0" in probe:
        raise _no(path, "is no text in UTF-8, UTF-16 or Windows-1252", "save it as CSV, in UTF-8")
    if probe.lower().startswith("sep="):
        raise _no(path, 'begins with a line "sep=", which only Excel knows', "have the export leave that line out")
    dialect = _dialect("".join(probe.splitlines(keepends=True)[:_LINES]))
    found = TextRecords(file, dialect)
    try:
        header, first, rest = _begun(found)
        if names := _later(header, first):
            what = f"has something before its columns' names, which seem to stand in line {names}"
            remedy = "names must be in the first line: have the export leave out what is before them"
            raise _no(path, what, remedy)
        return replace(_sample(path, header, chain(first, rest), encoding), dialect=dialect)
    finally:
        found.let_go()


def _sheet(path: Path, file: BinaryIO, name: str) -> Sample:
    """Look at the first sheet of a spreadsheet; its names may stand below a title."""
    with sheet_records(file, name, Layout(dialect=Dialect())) as found:
        header, first, rest = _begun(found)
        header_row = _later(header, first)
        if not header_row:
            return _sample(path, header, chain(first, rest), found.encoding)
    with sheet_records(file, name, Layout(dialect=Dialect(), header_row=header_row)) as found:
        header, first, rest = _begun(found)
        return replace(_sample(path, header, chain(first, rest), found.encoding), header_row=header_row)


def _begun(found: Records) -> tuple[list[str], list[Row], Iterator[Row]]:
    """Return the header, the first rows, and those that follow."""
    header = [name.strip() for name in next(found, None) or ()]
    rest = ((found.line, cells) for cells in found)
    return header, list(islice(rest, _FIRST)), rest


def _sample(path: Path, header: Sequence[str], found: Iterable[Row], encoding: str) -> Sample:
    _judge(path, header)
    rows: list[tuple[int, list[str]]] = []
    broken: list[int] = []
    last: list[str] | None = None
    many = 0
    for many, (line, cells) in enumerate(found, 1):
        last = cells
        if many > ROWS:
            continue
        if cells is not None and len(cells) == len(header):
            rows.append((line, cells))
        else:
            broken.append(line)
    totals = [line for line, cells in rows if _total(cells)]
    trailer = _total(last) if not totals or (totals == [rows[-1][0]] and rows[-1][1] is last) else ""
    if trailer and many <= ROWS:
        (rows if rows and rows[-1][1] is last else broken).pop()
    if not rows:
        raise _no(path, "has a header and no row that fits it", _SOME)
    return Sample(
        encoding=encoding,
        header=tuple(header),
        rows=rows,
        records=many,
        whole=many <= ROWS,
        broken=tuple(broken),
        totals=() if trailer else tuple(totals),
        trailer=trailer,
    )


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
    found = list(CsvReader(Lines(io.StringIO(probe, newline="")), Dialect(delimiter=delimiter, quote=quote)).all())
    widths = [len(cells) for cells in found if cells is not None]
    usual = max(widths, key=widths.count, default=0)
    return round(widths.count(usual) / len(found), 1) if usual > 1 else 0.0


def _later(header: Sequence[str], first: Sequence[Row]) -> int:
    """Return the line in which the names seem to stand where something is before them, else 0."""
    told = sum(map(bool, header))
    widest = max((sum(map(bool, cells)) for _, cells in first if cells), default=0)
    if not (told <= 1 < widest or told < widest / 2):
        return 0
    return next((line for line, cells in first if cells and sum(map(bool, cells)) > widest / 2), 2)


def _judge(path: Path, header: Sequence[str]) -> None:
    """Refuse what has no line of names where the gateway reads them."""
    told = [cell for cell in header if cell]
    if len(header) <= 1:
        what = "has one column, as far as semicolons, commas, tabs and bars tell"
        raise _no(path, what, "take a file as the agency exports it, as CSV")
    if len(header) > WIDEST:
        raise _no(path, f"has {len(header)} columns, more than {WIDEST}", "have the export leave out what isn't needed")
    if BARIS in header:
        raise _no(path, "holds rows that a gateway handed back", "take a file as the agency exports it")
    values = sum(bool(_VALUE.fullmatch(cell)) for cell in told)
    numbers = sum(bool(_NUMBER.fullmatch(cell)) for cell in told)
    if 0 < len(told) == numbers or (values and (values > len(told) / 4 or values + numbers > 1)):
        what = "seems to have data in its first line, not the columns' names"
        raise _no(path, what, "have the export write the names first: they are how columns are known")


def _total(cells: Sequence[str] | None) -> str:
    """Return how a row of totals begins, as it is written; "" where a row is none."""
    first = next((cell.strip() for cell in cells or () if cell.strip()), "")
    found = _TOTAL.match(first)
    return found[0] if found else ""


def _no(path: Path, what: str, remedy: str) -> ConfigError:
    return ConfigError(Finding(where=str(path), what=what, remedy=remedy))
