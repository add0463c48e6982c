"""However rows are read, many at once or one by one, by compiled code or step by step, it comes to the same."""

import csv
import io
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.csv.encoding import find_encoding
from adapters.csv.lines import LONGEST_RECORD, CsvReader, Lines
from adapters.csv.read import TextRecords
from adapters.csv.settings import Dialect
from gateway import Document, TranslationError
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping

CORPUS = os.environ.get("GATEWAY_CORPUS")
COLUMNS = ("NIK", "NAMA", "TGL", "JK", "RT", "KEC", "UANG", "AKTIF", "NO", "JAM", "LAIN", "SISA", "RP")
MAPPING = r"""
[codes.kelamin]
"1" = "laki-laki"
"2" = "perempuan"
[penduduk.row]
nik        = { from = "NIK", digits = 16, mask = true }
nama       = { from = "NAMA", max = 8 }
sebutan    = { from = ["NAMA", "LAIN"], join = " " }
lahir      = { from = "TGL", date = "dd/mm/yyyy" }
kelamin    = { from = "JK", codes = "kelamin" }
alamat.rt  = { from = "RT", split = "/", part = 1 }
alamat.rw  = { from = "RT", split = "/", part = 2, digits = 3, optional = true }
kecamatan  = { from = "KEC", pattern = '\d{3}' }
uang       = { from = "UANG", number = "1.234,56", optional = true }
rupiah     = { from = "RP", number = "Rp1.234", default = 0 }
aktif      = { from = "AKTIF", bool = ["Y", "T"] }
urutan     = { from = "NO", integer = true, optional = true }
jam        = { from = "JAM", date = "dd/mm/yyyy HH:MM", optional = true }
lain       = { from = "LAIN", optional = true }
sisa       = { from = "SISA", default = "-" }
khusus     = { from = "SISA", when = { path = "JK", equals = "2" }, optional = true }
sumber     = { const = "dukcapil" }
"""
ODD = (
    "", " ", "1,40502E+15", "٣", "²", "30/02/1990", "0000-00-00", "00/00/0000", "a\x00b", "é", "\ud800", "1" * 300,
    "1/2/3", "/", "1234,5",
)  # fmt: skip
FITTING = {
    "NIK": ("1405029001180001",), "NAMA": ("Ani", "Siti'a", "Ñ 你", 'A"n\\i'), "TGL": ("17/03/1990", "29/02/2024"),
    "JK": ("1", "2"), "RT": ("001/002", "1/002/3"), "KEC": ("101",),
    "UANG": ("1.234,56", "0,50", "-0,5", "001", "12,3"),
    "AKTIF": ("Y", "T"), "NO": ("7", "-07"), "JAM": ("17/03/1990 08:05",), "LAIN": ("x", "y; z, w"), "SISA": ("y",),
    "RP": ("Rp1.234", ""),
}  # fmt: skip
CELL = (
    st.sampled_from(ODD) | st.text(max_size=4) | st.sampled_from([cell for each in FITTING.values() for cell in each])
)
ROW = st.tuples(*(st.sampled_from(FITTING[name]) | CELL for name in COLUMNS))
GOOD = st.tuples(*(st.sampled_from(FITTING[name]) for name in COLUMNS))
PROGRAM = compile_row(parse_mapping(MAPPING, "mappings/penduduk.toml"), "penduduk").read


def told(read: Callable[[Any], Document], given: object) -> object:
    try:
        return [*_typed(read(given))]
    except TranslationError as error:
        return error.errors


def _typed(value: object, name: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield every value with its type: 1 is not true, and 1.50 is not 1.5."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _typed(each, f"{name}.{key}")
    else:
        yield name, type(value).__name__, str(value)


def step_by_step(document: Document) -> Document:
    return PROGRAM._again(document, None)


@given(ROW | GOOD, st.permutations(COLUMNS))
def test_a_row_of_cells_is_read_as_step_by_step_with_every_value_and_reason(
    row: tuple[str, ...], order: list[str]
) -> None:
    native = dict(zip(COLUMNS, row, strict=True))
    cells = [native[name] for name in order]
    expected = told(step_by_step, native)
    assert told(PROGRAM.of_cells(order), cells) == expected
    assert told(PROGRAM, native) == expected


@given(GOOD)
def test_rows_that_are_meant_to_fit_do(row: tuple[str, ...]) -> None:
    assert len(PROGRAM.of_cells(COLUMNS)(row)) > len(COLUMNS)


def test_a_row_that_is_more_than_texts_is_read_all_the_same() -> None:
    text = '[f.row]\ntanggal = { from = "@now", date = "dd/mm/yyyy", optional = true }\na = "A"\nb = "B.C"'
    read = compile_row(parse_mapping(text, "mappings/p.toml"), "f").read
    assert told(read.of_cells(("A", "B")), ["1", "2"]) == told(read, {"A": "1", "B": "2"})


def one_by_one(text: str, dialect: Dialect) -> list[list[str] | None]:
    """Read records with care, each by itself: what reading many at once must come to."""
    waiting, taken = deque(io.StringIO(text, newline="").readlines()), list[str]()

    def lines() -> Iterator[str]:
        while waiting:
            if len(taken) >= LONGEST_RECORD:
                raise csv.Error
            taken.append(waiting.popleft())
            yield taken[-1]

    found: list[list[str] | None] = []
    width = 0
    while waiting:
        taken.clear()
        reader = csv.reader(lines(), delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
        try:
            cells = next(reader)
        except csv.Error:
            cells = None
        if cells is None or (width and len(cells) != width and len(taken) > 1):
            waiting.extendleft(reversed(taken[1:]))
            found.append(None)
        elif any(map(str.strip, cells)):
            width = width or len(cells)
            found.append(cells)
    return found


def at_once(text: str, dialect: Dialect) -> list[list[str] | None]:
    return list(CsvReader(Lines(io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8", newline="")), dialect).all())


LINE = st.sampled_from(
    [
        "a;b;c",
        '"a";b;c',
        '"a;b;c',
        'a;"b\nc";d',
        'a;b"c;d',
        "",
        " ; ;",
        "a;b",
        'a;"b""c";d',
        "a\rb;c;d",
        '"',
        'x;"y"z;w',
    ]
)


@given(st.lists(LINE, max_size=60), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@example(rows=["a;b;c"] * 40 + ['"a;b;c'] + ["a;b;c"] * 90, ending="\r\n", closed=True)
def test_records_are_the_same_read_at_once_as_one_by_one(rows: list[str], ending: str, closed: bool) -> None:
    text = ending.join(rows) + (ending if closed else "")
    assert at_once(text, Dialect()) == one_by_one(text, Dialect())


@given(st.text(alphabet='ab;"\n\r\0\ufeffé,', max_size=300))
def test_any_text_is_the_same_read_at_once_as_one_by_one(text: str) -> None:
    assert at_once(text, Dialect()) == one_by_one(text, Dialect())


@given(
    st.lists(LINE, max_size=60).map("\n".join) | st.text(alphabet='ab;"\n\r\0é, ', max_size=300),
    st.lists(st.integers(0, 20), max_size=9),
)
def test_the_record_after_so_many_is_what_would_have_come(text: str, gaps: list[int]) -> None:
    content = io.BytesIO(b"\xef\xbb\xbf" + text.encode())
    expected, found = one_by_one(text, Dialect()), TextRecords(content, Dialect())
    assert next(found, []) == (expected[0] if expected else [])
    at = 0
    for gap in gaps:
        at += gap + 1
        record = found.after(gap)
        assert record == (expected[at] if at < len(expected) else [])
        if record is None:
            assert found.raw in text


def _public() -> Sequence[Path]:
    return [path for path in Path(CORPUS or "", "csv").rglob("*") if path.is_file() and path.stat().st_size < 1 << 18]


@pytest.mark.skipif(not CORPUS, reason="GATEWAY_CORPUS names no folder of public files")
def test_public_files_are_the_same_read_at_once_as_one_by_one_with_every_value_and_reason() -> None:
    for path in _public():
        for dialect in (Dialect(delimiter=","), Dialect()):
            with path.open("rb") as file:
                encoding, _ = find_encoding(file, dialect)
            text = path.read_bytes().decode(encoding, "replace")
            found = at_once(text, dialect)
            assert found == one_by_one(text, dialect), path
            for cells in filter(None, found[:200]):
                row = (list(cells) * len(COLUMNS))[: len(COLUMNS)]
                native = dict(zip(COLUMNS, row, strict=True))
                assert told(PROGRAM.of_cells(COLUMNS), row) == told(step_by_step, native), path
