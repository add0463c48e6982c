"""Run as a program of its own, which may fail without harm: a spreadsheet on stdin -> a line of JSON for each row.

Spreadsheets are read whole, by a library that ends its process when memory is short; here that is one that bears it.
Imports nothing of ours, so that it starts at once.
"""

import json
import mmap
import resource
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from itertools import chain, count, takewhile
from math import isfinite
from typing import IO, Any, NamedTuple, cast
from xml.etree import ElementTree as ET

from python_calamine import CalamineError, CalamineWorkbook, load_workbook

MOST_MEMORY = 1 << 30
MOST_SECONDS = 120
MOST_UNPACKED = 2 << 30
MOST_MEMBERS = 5000
MOST_REPEATED = 10_000
AT_ONCE, MOST_TEXT = 5000, 64 << 20
"""So many rows, which whoever listens keeps at a time, may hold so many letters: one text can stand in every cell."""
BLOCK = 1 << 20
MANIFEST = "META-INF/manifest.xml"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# What calamine gives as an empty cell: an error, and a formula whose result was never kept.
_SUSPECT = {
    "xlsx": (b't="e"', b"t='e'", b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/"),
    "ods": (b'value-type="error"', b"value-type='error'"),
}
_OVERLAP = 64
Bad = dict[tuple[int, int], list[str]]
"""What stands in cells that can't be read, by row and column from 0."""


class Handed(NamedTuple):
    """Where rows that were handed back lie: in a sheet of this name with this column, and in those that go on with it.

    Without `anywhere` it must be the sheet that is read at all. Rows of each further sheet are counted on `apart`.
    """

    sheet: str
    column: str
    anywhere: bool
    apart: int


class Refused(Exception):
    """The file is not read, by this rule."""


def main(sheet: str, most_cells: int, handed: Handed) -> None:
    """Write every row that has something in it as `[number, cells]`, then a word of how it ended."""
    for what, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, MOST_SECONDS)):
        # Who started the gateway may have set a lower one, or forbid to set any.
        with suppress(OSError, ValueError):
            # Beyond the first its end tells why, beyond the second it is killed.
            resource.setrlimit(what, (most, most + most // 10))
    try:
        tell(rows(sheet, most_cells, handed))
        say({"end": ""})
    except Refused as error:
        say({"end": str(error)})
    except MemoryError:
        say({"end": "sheet-too-large"})
    except CalamineError as error:
        say({"end": "sheet-too-large" if "limit exceeded" in str(error) else "sheet-broken"})
    except (zipfile.BadZipFile, ET.ParseError, ValueError, KeyError, NotImplementedError):
        say({"end": "sheet-broken"})


def tell(found: Iterator[tuple[int, list[object]]]) -> None:
    """Write a line for each row."""
    told = 0
    for number, row in enumerate(found):
        line = json.dumps(row, ensure_ascii=False)
        told = len(line) + (told if number % AT_ONCE else 0)
        if told > MOST_TEXT:
            raise Refused("sheet-too-large")
        sys.stdout.write(line + "\n")


def say(what: object) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(what, ensure_ascii=False) + "\n")


class _Mapped(mmap.mmap):
    """The file on stdin; where it is read does not move with another's reading."""

    def seekable(self) -> bool:
        return True


def rows(sheet: str, most_cells: int, handed: Handed) -> Iterator[tuple[int, list[object]]]:
    """Yield the rows of a sheet, without its name those of the first; where rows were handed back, those."""
    with (
        _Mapped(0, 0, access=mmap.ACCESS_READ) as file,
        _Mapped(0, 0, access=mmap.ACCESS_READ) as same,
        zipfile.ZipFile(cast("IO[bytes]", same)) as archive,
    ):
        members = archive.infolist()
        if len(members) > MOST_MEMBERS or sum(each.file_size for each in members) > MOST_UNPACKED:
            raise Refused("sheet-too-large")
        if MANIFEST in archive.namelist() and b"encryption-data" in archive.read(MANIFEST):
            raise Refused("old-excel")
        with load_workbook(cast("IO[bytes]", file)) as book:
            name = sheet or next(iter(book.sheet_names), "")
            found = handed_back(archive, book, handed, most_cells) if handed.anywhere or handed.sheet == name else None
            if found is None and name not in book.sheet_names:
                raise Refused("no-sheet")
            yield from found or rows_of(archive, book, name, most_cells)


def handed_back(
    archive: zipfile.ZipFile, book: CalamineWorkbook, handed: Handed, most_cells: int
) -> Iterator[tuple[int, list[object]]] | None:
    """Return the rows that were handed back under one header, None where the workbook has none."""
    if handed.sheet not in book.sheet_names:
        return None
    found = rows_of(archive, book, handed.sheet, most_cells)
    header = next(found, None)
    if header is None or handed.column not in [str(cell).strip() for cell in header[1]]:
        return None
    numbers = takewhile(lambda number: f"{handed.sheet} {number}" in book.sheet_names, count(2))
    # Only one sheet is in memory at a time; the header of each further one is told, as somebody may have taken it out.
    further = (
        ((before + line, cells) for line, cells in rows_of(archive, book, name, most_cells))
        for name, before in ((f"{handed.sheet} {number}", (number - 1) * handed.apart) for number in numbers)
    )
    return chain([header], found, chain.from_iterable(further))


def rows_of(
    archive: zipfile.ZipFile, book: CalamineWorkbook, name: str, most_cells: int
) -> Iterator[tuple[int, list[object]]]:
    """Yield the rows of one sheet."""
    bad = unreadable(archive, book, name)
    found = book.get_sheet_by_name(name)
    last = found.end or (0, 0)
    if (last[0] + 1) * (last[1] + 1) > most_cells:
        raise Refused("sheet-too-large")
    left = found.start[1] if found.start else 0
    yield from _filled(found.iter_rows() if found.start else iter(()), left, bad)


def _filled(found: Iterator[list[Any]], left: int, bad: Bad) -> Iterator[tuple[int, list[object]]]:
    """Yield each row that is not empty; `left` columns before the first cell of the sheet are left out by calamine."""
    here: dict[int, list[tuple[int, list[str]]]] = {}
    for (at, column), what in bad.items():
        here.setdefault(at, []).append((column, what))
    number = 0
    for number, row in enumerate(found, 1):
        cells: list[object] = [""] * left
        yield from _row(
            number,
            cells + [value if value.__class__ is str else shown(value) for value in row],
            here.pop(number - 1, ()),
        )
    for below, more in sorted(here.items()):
        yield from _row(below + 1, [], more)


def _row(number: int, cells: list[Any], bad: Any) -> Iterator[tuple[int, list[object]]]:
    for column, what in bad:
        cells += [""] * (column + 1 - len(cells))
        cells[column] = what
    while cells and cells[-1] == "":
        cells.pop()
    if cells:
        yield number, cells


def shown(value: object) -> object:
    """Return a cell as JSON has it; what JSON has not is a pair of its kind and its text."""
    match value:
        case float() if not isfinite(value):
            return ["error", "#NUM!"]
        case str() | bool() | int() | float():
            return value
        case datetime() | date() | time():
            return [type(value).__name__, value.isoformat()]
        case timedelta():
            return ["span", str(value.total_seconds())]
        case _:
            return str(value)


def unreadable(archive: zipfile.ZipFile, book: CalamineWorkbook, name: str) -> Bad:
    """Return the cells that calamine would take for empty; most files have none, and are only searched for signs."""
    kind = "ods" if "content.xml" in archive.namelist() else "xlsx"
    if kind == "ods":
        return _errors_of_ods(archive, name) if _is_suspect(archive, "content.xml", kind) else {}
    member = _member(archive, book.sheet_names.index(name))
    return _errors_of_xlsx(archive, member) if member and _is_suspect(archive, member, kind) else {}


def _is_suspect(archive: zipfile.ZipFile, member: str, kind: str) -> bool:
    tail = b""
    with archive.open(member) as file:
        while block := tail + file.read(BLOCK):
            if len(block) == len(tail):
                break
            if any(sign in block for sign in _SUSPECT[kind]):
                return True
            tail = block[-_OVERLAP:]
    return False


def _member(archive: zipfile.ZipFile, index: int) -> str | None:
    """Return where in an .xlsx a sheet lies."""
    book = ET.fromstring(archive.read("xl/workbook.xml"))  # noqa: S314 - memory and time are bounded here
    sheets = [each for each in book.iter() if _tag(each) == "sheet"]
    relations = ET.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314 - as above
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    target = targets.get(sheets[index].get(_RELATION), "") if index < len(sheets) else ""
    member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return member if member in archive.namelist() else None


def _errors_of_xlsx(archive: zipfile.ZipFile, member: str) -> Bad:
    bad: Bad = {}
    row = column = -1
    with archive.open(member) as file:
        for event, element in ET.iterparse(file, ("start", "end")):  # noqa: S314 - as above
            match event, _tag(element):
                case "start", "row":
                    row, column = int(element.get("r", row + 2)) - 1, -1
                case "start", "c":
                    column = _column(element.get("r")) if element.get("r") else column + 1
                case "end", "c":
                    if what := _fault(element):
                        bad[row, column] = what
                    element.clear()
                case "end", "row":
                    element.clear()
    return bad


def _fault(cell: ET.Element) -> list[str] | None:
    values = {_tag(each): each.text or "" for each in cell}
    if cell.get("t") == "e":
        return ["error", values.get("v", "#?")]
    # An empty text is a result, an empty number is none.
    return ["no-value", ""] if "f" in values and not values.get("v") and cell.get("t") != "str" else None


def _column(reference: str | None) -> int:
    """Return a column from 0 by a reference such as AB12."""
    number = 0
    for letter in (reference or "A").rstrip("0123456789"):
        number = number * 26 + ord(letter.upper()) - ord("A") + 1
    return number - 1


def _errors_of_ods(archive: zipfile.ZipFile, name: str) -> Bad:
    bad: Bad = {}
    row, here = 0, False
    with archive.open("content.xml") as file:
        for event, element in ET.iterparse(file, ("start", "end")):  # noqa: S314 - as above
            match event, _tag(element):
                case "start", "table":
                    row, here = 0, _attribute(element, "name") == name
                case "end", "table-row":
                    times = int(_attribute(element, "number-rows-repeated") or 1)
                    for column, what in _errors_of_row(element) if here else ():
                        bad.update({(each, column): what for each in range(row, row + min(times, MOST_REPEATED))})
                    row += times
                    element.clear()
    return bad


def _errors_of_row(row: ET.Element) -> Iterator[tuple[int, list[str]]]:
    column = 0
    for cell in row:
        times = int(_attribute(cell, "number-columns-repeated") or 1)
        if _attribute(cell, "value-type") == "error":
            what = ["error", "".join(cell.itertext()) or "#?"]
            yield from ((each, what) for each in range(column, column + min(times, MOST_REPEATED)))
        column += times


def _attribute(element: ET.Element, name: str) -> str | None:
    """Return an attribute whatever its namespace; LibreOffice's own comes after ODF's and counts."""
    found = [value for key, value in element.items() if key.rpartition("}")[2] == name]
    return "error" if "error" in found else found[0] if found else None


def _tag(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]


if __name__ == "__main__":
    _, most, asked, lies_in, known_by, where, apart = sys.argv
    main(asked.removeprefix("sheet="), int(most), Handed(lies_in, known_by, where == "anywhere", int(apart)))
