"""However a file is encoded, quoted and cut, and wherever it is read on, the same rows and reasons come."""

import codecs
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.csv.settings import Dialect
from gateway.columns import LineForm, ReadLines
from gateway.feeds import Keeping
from gateway.registry import Feed
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping
from tests.laws.longer import LONGER
from tests.laws.test_line_laws import reading, taken

HEADER = ("NIK", "NAMA", "TGL", "JK", "UANG")
TABLE = r"""
[codes.kelamin]
"1" = "laki-laki"
"2" = "perempuan"
[f.row]
nik      = { from = "NIK", digits = 4 }
nama     = { from = "NAMA", max = 12 }
lahir    = { from = "TGL", date = "dd/mm/yyyy", optional = true }
kelamin  = { from = "JK", codes = "kelamin", default = "laki-laki" }
d.uang   = { from = "UANG", number = "1.234,56", optional = true }
d.sebut  = { from = ["NAMA", "JK"], join = " ", optional = true }
"""
FEED = Feed(
    read=compile_row(parse_mapping(TABLE, "mappings/f.toml"), "f").read,
    keeping=Keeping(key=("nik",), indexes=(("kelamin", "d.uang"), ("lahir",))),
    max_reject=1.0,
)
BOMS = {"utf-8-sig": b"", "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
ENCODINGS = ("utf-8", "cp1252", *BOMS)
CELLS = (
    st.sampled_from(["1405", "0001", "1405", "14", "", "NIK", "é"]),
    st.sampled_from(
        ["Ani", "Siti'a", "Ñandú", "O;b|c", "a,b", "t\tb", 'A"n', "D\ne", "F\r\ng", "", " ", "€ ‰", "a\0b"]
    ),
    st.sampled_from(["17/03/1990", "29/02/2024", "30/02/1990", "", "00/00/0000"]),
    st.sampled_from(["1", "2", "", "3"]),
    st.sampled_from(["1.234,56", "0,50", "001", "", "x", "12"]),
)
ROW = st.tuples(*CELLS)
PLAIN = st.tuples(
    st.sampled_from(["1405", "0001"]),
    st.sampled_from(["Ani", "Siti A", "Ñandú", "€ ‰"]),
    st.sampled_from(["17/03/1990", ""]),
    st.sampled_from(["1", "2", ""]),
    st.sampled_from(["1.234,56", "0,50", ""]),
)
RAW = st.sampled_from(
    ["", " ", "\t", ";;;;", "||||", '"', '"1405', "1405;x", "\0", "\ufeff", "\u2028", "\x1e", "TOTAL"]
)
"""What stands in a line of its own."""
TRAILERS = ("TOTAL", "total ", "Jumlah é", "ß", "(*)", "\u212a", "1", "TO.AL|")
PORTIONS = (1, 2, 3, 7, 16, 29, 64, 150, 1 << 22)
GOOD = "1405;Ani;17/03/1990;1;1.234,56\n"
STRAY = f"{';'.join(HEADER)}\n{GOOD}{GOOD}1405;Ani;17/03/1990\r;1;1.234,56\n{GOOD}"
"""A CR that ends a cell, and with it a line."""

Line = Sequence[str] | str


@st.composite
def files(draw: Any, most: int = 9) -> tuple[str, Dialect, str | None]:
    """Draw a file's text, its dialect and what its last row begins with."""
    dialect = draw(st.sampled_from([Dialect(delimiter=sign, quote=q) for sign in ";|\t," for q in "\"'"]))
    always = draw(st.sets(st.sampled_from(HEADER)) | st.just(set(HEADER)) | st.just(set()))
    kinds = draw(st.lists(st.sampled_from([PLAIN] * 6 + [ROW, ROW, st.just(HEADER), RAW]), max_size=most))
    body: list[Line] = [*map(draw, kinds)]
    trailer = draw(st.none() | st.sampled_from(TRAILERS))
    closing: list[Line] = [[f"{trailer} 7", *[""] * 4]] if trailer and draw(st.integers(0, 3)) else []
    after = draw(st.just([]) | st.lists(st.sampled_from(["", " ", "1405"]), max_size=1))
    endings = draw(st.sampled_from([["\n"], ["\r\n"], ["\r"], ["\n", "\n", "\r\n"], ["\n", "\r\n", "\r"]]))
    text = ""
    for line in (HEADER, *body, *closing, *after):
        text += _written(line, dialect, always) + (endings[0] if len(endings) == 1 else draw(st.sampled_from(endings)))
    if draw(st.booleans()):
        text = text.rstrip("\r\n")
    for place, sign in draw(st.just([]) | st.lists(st.tuples(st.integers(0, 500), SPOILT), max_size=1)):
        at = min(24 + place, len(text))
        text = text[:at] + sign + text[at:]
    return text, dialect, trailer


SPOILT = st.sampled_from(["\0", "\r", "\n", "\r\n", '"', "'", ";", "\n\n", "é", "\x85", "\xa0"])


def _written(line: Line, dialect: Dialect, always: set[str]) -> str:
    if isinstance(line, str):
        return line
    return dialect.delimiter.join(
        _cell(cell, dialect, always=name in always) for name, cell in zip(HEADER, line, strict=True)
    )


def _cell(cell: str, dialect: Dialect, *, always: bool) -> str:
    quote = dialect.quote
    if always or any(sign in cell for sign in (dialect.delimiter, quote, "\r", "\n")):
        return quote + cell.replace(quote, quote * 2) + quote
    return cell


@cache
def of_lines(form: LineForm) -> ReadLines | None:
    return FEED.read.of_lines(FEED.keeping.paths, form)  # type: ignore[attr-defined, no-any-return]


@cache
def of_frames(form: LineForm) -> ReadLines | None:
    return FEED.read.of_frames(FEED.keeping.paths, form)  # type: ignore[attr-defined, no-any-return]


WAYS = (of_lines, of_frames)


def come(
    content: bytes, dialect: Dialect, plain: Callable[[LineForm], ReadLines | None] | None, **more: Any
) -> tuple[Any, ...]:
    return taken(content, FEED, reading(dialect, plain, **more))


def encoded(text: str, encoding: str) -> bytes:
    return BOMS.get(encoding, b"") + text.encode(encoding, errors="replace")


@settings(max_examples=80 * LONGER, deadline=None)
@example(file=(STRAY, Dialect(), None), encoding="utf-8", ahead=1 << 22, after=0)
@given(files(), st.sampled_from(ENCODINGS), st.sampled_from(PORTIONS), st.sampled_from([0, 0, 2, 5]))
def test_a_file_comes_to_the_same_in_any_encoding_and_in_portions_of_any_size(
    file: tuple[str, Dialect, str | None], encoding: str, ahead: int, after: int
) -> None:
    text, dialect, trailer = file
    content = encoded(text, encoding)
    expected = come(content, dialect, None, trailer=trailer, after=after)
    for way in WAYS:
        assert come(content, dialect, way, trailer=trailer, after=after, ahead=ahead) == expected


@settings(max_examples=25 * LONGER, deadline=None)
@given(files(most=6), st.sampled_from(ENCODINGS), st.sampled_from(PORTIONS))
def test_what_is_read_on_anywhere_is_the_rest_of_the_whole(
    file: tuple[str, Dialect, str | None], encoding: str, ahead: int
) -> None:
    text, dialect, trailer = file
    content = encoded(text, encoding)
    whole = come(content, dialect, None, trailer=trailer)
    done = whole[3] if len(whole) > 1 else 9
    for way in (None, *WAYS):
        for after in range(done + 2):
            rest = come(content, dialect, way, trailer=trailer, after=after, ahead=ahead)
            assert rest[:1] + rest[2:] == tail(whole, after)


def tail(whole: tuple[Any, ...], after: int) -> tuple[Any, ...]:
    """Return what comes of a file after so many records."""
    if len(whole) == 1:
        return whole
    rows, _, rejects, done, _ = whole
    rows, rejects = [row for row in rows if row[0] > after], [reject for reject in rejects if reject.number > after]
    return rows, rejects, max(done, after), max(done - after, 0) - len(rows) - len(rejects)
