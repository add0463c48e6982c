"""Polars' expressions and the row function agree row by row, byte by byte, reason by reason: one table makes both."""

import csv
import io
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.csv.read import read
from adapters.csv.settings import Dialect
from gateway.columns import LineForm
from gateway.feeds import Keeping
from gateway.ledger.rows import encode
from gateway.registry import Feed
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping
from tests.laws.longer import LONGER
from tests.laws.test_line_laws import CORPUS, FEEDS, FILE, LOOSE, ROWS, feed_of, public_files, reading, taken, written
from tests.laws.test_row_laws import COLUMNS, FITTING

PLAIN = compile_row(
    parse_mapping(
        r"""
[codes.kelamin]
"1" = "laki-laki"
"2" = "perempuan"
[f.row]
nik        = { from = "NIK", digits = 16 }
nama       = { from = "NAMA", max = 8 }
lahir      = { from = "TGL", date = "dd/mm/yyyy" }
kelamin    = { from = "JK", codes = "kelamin" }
alamat.rt  = { from = "RT", split = "/", part = 1 }
alamat.rw  = { from = "RT", split = "/", part = 2, digits = 3, optional = true }
kecamatan  = { from = "KEC", pattern = '\d{3}' }
uang       = { from = "UANG", number = "1.234,56", default = 0 }
aktif      = { from = "AKTIF", bool = ["Y", "T"] }
jauh.lain  = { from = "LAIN", pattern = '(?:[a-z]|é){1,3}', optional = true }
jauh.sisa  = { from = "SISA", default = "-" }
""",
        "mappings/f.toml",
    ),
    "f",
).read
"""Every field of it is an expression; some of ROWS and LOOSE are not."""
OWN = [
    Feed(read=PLAIN, keeping=keeping, max_reject=1.0)
    for keeping in (
        Keeping(key=("nik",), indexes=(("lahir", "uang"), ("alamat.rw",))),
        Keeping(key=("kelamin", "jauh.lain"), indexes=(("aktif",), ("jauh.sisa",))),
        Keeping(),
    )
]
HOSTILE = st.sampled_from(
    ["\ufeff", "\x1e", "\x1e\n", '"', '"x";', "\u212aTOTAL", "\r", "\n\n", "\r\n", "29/02/2024", "\u2028"]
)
SIZES = st.sampled_from([300, 1 << 22])


def all_three(content: bytes, feed: Feed, dialect: Dialect, at_once: int, **more: Any) -> Sequence[object]:
    """Return what comes of a file read by polars, by one pattern, and cell by cell."""
    frames, lines = (partial(run, feed.keeping.paths) for run in (feed.read.of_frames, feed.read.of_lines))  # type: ignore[attr-defined]
    return (
        taken(content, feed, reading(dialect, frames, at_once=at_once, **more)),
        taken(content, feed, reading(dialect, lines, **more)),
        taken(content, feed, reading(dialect, None, **more)),
    )


@settings(max_examples=60 * LONGER, deadline=None)  # tables are compiled anew each time
@given(
    FILE,
    st.sampled_from([*FEEDS, *OWN]),
    st.lists(st.tuples(st.integers(0, 2000), HOSTILE), max_size=2),
    st.fixed_dictionaries(
        {"trailer": st.sampled_from([None, None, "TOTAL", "t"]), "after": st.sampled_from([0, 0, 3])}
    ),
    SIZES,
)
def test_a_file_comes_to_the_same_by_polars_by_a_pattern_and_cell_by_cell(
    file: tuple[Any, ...], feed: Feed, hostile: list[tuple[int, str]], more: dict[str, Any], at_once: int
) -> None:
    order, rows, dialect, quoting, ending, spoilt = file
    ordered = [[dict(zip(COLUMNS, row, strict=True))[name] for name in order] for row in rows]
    text = written([order, *ordered], dialect, quoting, ending)
    for place, sign in (*spoilt, *hostile):
        at = len(order) + place % len(text)
        text = text[:at] + sign + text[at:]
    frames, lines, cells = all_three(text.encode(errors="replace"), feed, dialect, at_once, **more)
    assert frames == cells
    assert lines == cells


def test_good_lines_are_written_with_the_very_bytes_of_the_row_function() -> None:
    good = {name: fitting[0] for name, fitting in FITTING.items()}
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        text = written([COLUMNS, *[[good[name] for name in COLUMNS]] * 100], Dialect(), quoting, "\r\n")
        for program in (PLAIN, ROWS, LOOSE):
            frames = partial(program.of_frames, ("nik",))
            batches = list(read(io.BytesIO(text.encode()), reading(Dialect(), frames, at_once=1 << 22)))
            found = [row for batch in batches for row in batch.written]
            assert found == [(number, encode(program(good)), good["NIK"]) for number in range(1, 101)]


@pytest.mark.parametrize("form", ["dd/mm/yyyy", "yyyy-mm-dd", "ddmmyyyy", "mm.dd.yyyy", "dd yyyy mm"])
def test_every_day_is_known_but_leap_days_and_those_that_there_are_not(form: str) -> None:
    table = compile_row(parse_mapping(f'[f.row]\nhari = {{ from = "H", date = "{form}" }}', "mappings/f.toml"), "f")
    line = LineForm(columns=("H",), delimiter=";", quote='"')
    frames, lines = table.read.of_frames(("hari",), line), table.read.of_lines(("hari",), line)
    assert frames is not None
    assert lines is not None
    days = [(y, m, d) for y in (0, 1, 1900, 2023, 2024, 9999) for m in range(14) for d in range(33)]
    text = "".join(
        form.replace("yyyy", f"{y:04d}").replace("mm", f"{m:02d}").replace("dd", f"{d:02d}") + "\n" for y, m, d in days
    )
    found = [row for row in frames(text, 1)[1] if days[row[0] - 1][1:] != (2, 29)]
    assert found == lines(text, 1)[1]


@pytest.mark.parametrize("pattern", [r"[A-Z]{2}\.?\d+", r"a{,2}", r"\w-\w", r"a.c", r"(?:x|yz)?", r"[a&b]+", "é+"])
def test_a_pattern_means_the_same(pattern: str) -> None:
    table = compile_row(
        parse_mapping(f"[f.row]\nx = {{ from = 'X', pattern = '{pattern}', optional = true }}", "mappings/f.toml"), "f"
    )
    line = LineForm(columns=("N", "X"), delimiter=";", quote='"')
    frames, lines = table.read.of_frames((), line), table.read.of_lines((), line)
    assert frames is not None
    assert lines is not None
    cells = (
        "AB.12",
        "AB1",
        "a{,2}",
        "aa",
        "a",
        "[",
        "[a",
        "x-é",
        "x-_",
        "a.c",
        "a\u00e9c",
        "yz",
        "x",
        "",
        "b&",
        "é",
        "AB\u0663",
    )
    text = "".join(f"{number};{cell}\n" for number, cell in enumerate(cells, 1))
    assert {row[0] for row in frames(text, 1)[1]} <= {row[0] for row in lines(text, 1)[1]}
    assert [row for row in lines(text, 1)[1] if cells[row[0] - 1].isascii()] == [
        row for row in frames(text, 1)[1] if cells[row[0] - 1].isascii()
    ]


@pytest.mark.skipif(not CORPUS, reason="GATEWAY_CORPUS names no folder of public files")
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_public_files_come_to_the_same_by_polars_by_a_pattern_and_cell_by_cell(sign: str) -> None:
    for path in public_files():
        for feed in (
            feed_of(path, sign),
            feed_of(path, sign, "max = 9", "number = '1234.5'", "pattern = '[A-Za-z0-9 ]+'"),
        ):
            frames, lines, cells = all_three(path.read_bytes(), feed, Dialect(delimiter=sign), 1 << 22)
            assert frames == cells, path
            assert lines == cells, path
