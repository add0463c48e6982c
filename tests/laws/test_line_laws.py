"""However the lines of a file are read, by polars, by one pattern or cell by cell, it comes to the same bytes."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.csv.layout import Layout
from adapters.csv.read import Reading, find_encoding, read
from adapters.csv.settings import Dialect
from gateway import LineForm, ReadLines
from gateway.feeds import Keeping
from gateway.ledger.snapshot_rows import rows_of
from gateway.registry import Feed
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping
from gateway.translate.program import Program
from gateway.verdict import translated
from tests.laws.test_row_laws import CELL, COLUMNS, CORPUS, FITTING, PROGRAM, public_files

MAPPING = r"""
[codes.kelamin]
"1" = "laki-laki"
"2" = "perempuan"
[penduduk.row]
nik        = { from = "NIK", digits = 16 }
nama       = { from = "NAMA", max = 8 }
lahir      = { from = "TGL", date = "dd/mm/yyyy" }
kelamin    = { from = "JK", codes = "kelamin" }
alamat.rt  = { from = "RT", split = "/", part = 1 }
alamat.rw  = { from = "RT", split = "/", part = 2, digits = 3, optional = true }
kecamatan  = { from = "KEC", pattern = '\d{3}' }
uang       = { from = "UANG", number = "1.234,56", default = 0 }
aktif      = { from = "AKTIF", bool = ["Y", "T"] }
jauh.lain  = { from = "LAIN", optional = true }
jauh.sisa  = { from = "SISA", date = "yyyy-mm-dd", optional = true }
"""
PLAIN = compile_row(parse_mapping(MAPPING, "mappings/penduduk.toml"), "penduduk").read
"""What polars has an expression for in every field; in PROGRAM it has not."""
GOOD: Mapping[str, Sequence[str]] = {
    **FITTING,
    "NAMA": ("Ani", "Bé"),
    "RT": ("001/002", "1/002", "/"),
    "UANG": ("1.234,56", "0,50", "", "001"),
    "LAIN": ("x", ""),
    "SISA": ("1990-03-17", "2024-02-29", ""),
}
HOSTILE = st.sampled_from(
    [
        "\ufeffx",
        "\x1e",
        "NIK",
        "TOTAL",
        "total 1",
        "\u212ax",
        " x",
        "\xa0x",
        "a\rb",
        "\\",
        "'",
        '"',
        '"x"',
        '"x;y"',
        "1;2",
    ]
)
WRITTEN = st.builds("".join, st.lists(HOSTILE | CELL, max_size=2)).map(lambda text: text.replace("\ud800", "?"))
PATHS = (("nik", "lahir", "uang"), ("nik", "kelamin", "alamat.rw", "aktif"), ())
"""Fields whose values are kept beside a row."""


@st.composite
def lines(draw: st.DrawFn) -> str:
    cells = [draw(st.sampled_from(GOOD[name])) for name in COLUMNS]
    for place in draw(st.lists(st.integers(0, len(COLUMNS) - 1), max_size=2)):
        cells[place] = draw(WRITTEN)
    if draw(st.booleans()):
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
        return text.getvalue()
    return draw(st.sampled_from(["{}", "{}", "{}", "{};", "", ";;", " "])).format(";".join(cells))


def engines(
    program: Program, paths: Sequence[str]
) -> Iterator[tuple[Callable[[LineForm], ReadLines | None] | None, int]]:
    yield None, 0
    yield partial(program.of_lines, paths), 0
    yield partial(program.of_frames, paths), 700
    yield partial(program.of_frames, paths), 1 << 22


def taken(content: bytes, program: Program, paths: Sequence[str], more: Mapping[str, object]) -> list[object]:
    """Return what each way of reading takes, and why not the rest."""
    keeping = Keeping(key=tuple(paths))
    feed = Feed(read=program, keeping=keeping, max_reject=1.0)
    found: list[object] = []
    for plain, ahead in engines(program, paths):
        dialect = more.get("dialect", Dialect())
        assert isinstance(dialect, Dialect)
        trailer = more.get("trailer")
        reading = Reading(
            name="a.csv", layout=Layout(dialect=dialect), wanted=(), size=7, plain=plain, ahead=ahead,
            trailer=trailer if isinstance(trailer, str) else None,
        )  # fmt: skip
        chunks = [translated(feed, batch, 0) for batch in read(io.BytesIO(content), reading)]
        rows = [row for chunk in chunks for row in rows_of(chunk, keeping)]
        rejects = sorted((reject for chunk in chunks for reject in chunk.rejects), key=lambda one: one.number)
        if refused := [reject for reject in rejects if reject.number == 0]:
            found.append(refused)
            continue
        shown = [(*row, *map(repr, row[2:])) for row in rows]
        found.append((shown, rejects, sum(chunk.skipped for chunk in chunks), chunks[-1].position))
    return found


def all_the_same(content: bytes, program: Program, paths: Sequence[str], **more: object) -> bool:
    first, *others = taken(content, program, paths, more)
    return all(one == first for one in others)


@settings(deadline=None)  # tables are compiled anew each time
@given(
    st.lists(lines(), max_size=30),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from(PATHS),
    st.sampled_from([None, "TOTAL"]),
)
@example(rows=["x;" * 11], ending="\n", closed=True, paths=(), trailer=None)
def test_lines_are_rows_or_not_for_the_same_reasons_whatever_reads_them(
    rows: list[str], ending: str, closed: bool, paths: Sequence[str], trailer: str | None
) -> None:
    text = ending.join([";".join(COLUMNS), *rows]) + (ending if closed else "")
    for program in (PLAIN, PROGRAM):
        assert all_the_same(text.encode(), program, paths, trailer=trailer)


def test_polars_reads_whole_blocks_of_good_lines_and_says_the_same_as_one_pattern() -> None:
    form = LineForm(columns=COLUMNS, delimiter=";", quote='"', quoted=frozenset({1}))
    rows = [[GOOD[name][number % len(GOOD[name])] for name in COLUMNS] for number in range(8)]
    text = "".join(
        ";".join(f'"{cell}"' if place == 1 else cell for place, cell in enumerate(row)) + "\r\n" for row in rows
    )
    for program in (PLAIN, PROGRAM):
        for paths in PATHS[1:]:
            by_lines, by_frames = program.of_lines(paths, form), program.of_frames(paths, form)
            assert by_lines is not None and by_frames is not None
            count, read_rows, odd = by_frames(text, 1)
            fitting = {row[0]: row for row in by_lines(text, 1)[1]}
            assert count == len(rows)
            assert read_rows
            assert {number for number, _ in odd} | {row[0] for row in read_rows} == {*range(1, count + 1)}
            assert [(*row, *map(type, row)) for row in read_rows] == [
                (*fitting[row[0]], *map(type, fitting[row[0]])) for row in read_rows
            ]


def made_of(width: int) -> Program:
    """Return a table of so many columns, with rules that some of their cells meet."""
    rules = ("optional = true", "max = 8", 'number = "1.234,56", optional = true', r"pattern = '[A-Za-z0-9 ]+'")
    table = "".join(f'f{n} = {{ from = "k{n}", {rules[n % len(rules)]} }}\n' for n in range(width))
    return compile_row(parse_mapping(f"[publik.row]\n{table}", "mappings/publik.toml"), "publik").read


@pytest.mark.skipif(not CORPUS, reason="GATEWAY_CORPUS names no folder of public files")
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_lines_of_public_files_are_rows_or_not_for_the_same_reasons_whatever_reads_them(sign: str) -> None:
    dialect = Dialect(delimiter=sign)
    for path in public_files():
        with path.open("rb") as file:
            encoding, _ = find_encoding(file, dialect)
        text = path.read_bytes().decode(encoding, "replace")
        width = min(text.partition("\n")[0].count(sign) + 1, 60)
        header = sign.join(f"k{number}" for number in range(width))
        content = f"{header}\n{text}".encode("utf-8", "replace")
        assert all_the_same(content, made_of(width), ("f0",), dialect=dialect), path
