"""However a file's lines are read, at once where they are plain or record by record, the same rows and reasons come."""

import csv
import io
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.csv import lines
from adapters.csv.layout import Layout
from adapters.csv.read import Reading, read
from adapters.csv.settings import Dialect
from gateway.columns import LineForm, ReadLines, Row
from gateway.errors import TranslationError
from gateway.feeds import Keeping, Reject
from gateway.ledger.rows import encode
from gateway.ledger.snapshot_rows import packed, rows_of
from gateway.registry import Feed
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping
from gateway.verdict import translated
from tests.laws.longer import LONGER
from tests.laws.test_row_laws import COLUMNS, FITTING, GOOD, MAPPING, ROW

CORPUS = os.environ.get("GATEWAY_CORPUS")
ROWS = compile_row(parse_mapping(MAPPING, "mappings/penduduk.toml"), "penduduk").read
LOOSE = compile_row(
    parse_mapping(
        r"""
[codes.kelamin]
"1" = "laki-laki"
"2" = "perempuan"
[f.row]
alamat.rt  = { from = "RT", optional = true }
alamat.di.kota = { from = "LAIN", optional = true, max = 3 }
nik        = { from = "NIK", digits = 16, optional = true }
sisa       = { from = "SISA", optional = true }
kelamin    = { from = "JK", codes = "kelamin", optional = true }
uang       = { from = "UANG", number = "1.234,56", optional = true }
cacah      = { from = "NO", number = "1234", default = 0 }
hari       = { from = "TGL", date = "dd/mm/yyyy", optional = true }
""",
        "mappings/f.toml",
    ),
    "f",
).read
KEEPINGS = (
    Keeping(key=("nik",), indexes=(("kelamin", "uang"), ("alamat.rt",))),
    Keeping(key=("nik", "uang")),
    Keeping(),
)
FEEDS = [Feed(read=read, keeping=keeping, max_reject=1.0) for read in (ROWS, LOOSE) for keeping in KEEPINGS]
WANTED = ("NIK", "NAMA")


def taken(content: bytes, feed: Feed, reading: Reading) -> tuple[object, ...]:
    """Return all that comes of a file: rows as they are kept, rejects with their reasons, counts."""
    rows: list[Row] = []
    rejects: list[Reject] = []
    after = skipped = 0
    for batch in read(io.BytesIO(content), reading):
        chunk = translated(feed, batch, after)
        assert (*(row[0] for row in rows_of(chunk, feed.keeping)),) == (
            *sorted(row[0] for row in rows_of(chunk, feed.keeping)),
        )
        rows += rows_of(chunk, feed.keeping)
        rejects += chunk.rejects
        after, skipped = batch.done, skipped + batch.skipped
    refused = [reject for reject in rejects if reject.number == 0]
    if refused:
        return (refused,)
    rejects.sort(key=lambda reject: reject.number)
    return ([(*row[:2], *map(_typed, row[2:])) for row in rows], packed(rows, feed.keeping), rejects, after, skipped)


def _typed(value: object) -> tuple[str, str]:
    return type(value).__name__, str(value)


def reading(dialect: Dialect, plain: Callable[[LineForm], ReadLines | None] | None, **more: Any) -> Reading:
    wanted = more.pop("wanted", ())
    return Reading(name="x.csv", layout=Layout(dialect=dialect), wanted=wanted, size=7, plain=plain, **more)


def both(content: bytes, feed: Feed, dialect: Dialect, **more: Any) -> tuple[tuple[object, ...], tuple[object, ...]]:
    plain = partial(feed.read.of_lines, feed.keeping.paths)  # type: ignore[attr-defined]
    return (
        taken(content, feed, reading(dialect, plain, **more)),
        taken(content, feed, reading(dialect, None, **more)),
    )


def written(rows: Sequence[Sequence[str]], dialect: Dialect, quoting: int, ending: str) -> str:
    """Write rows as csv, but those that it can't write as they are."""
    text = io.StringIO(newline="")
    writer = csv.writer(
        text, delimiter=dialect.delimiter, quotechar=dialect.quote, quoting=quoting, lineterminator=ending
    )
    writer.writerows(rows)
    return text.getvalue()


SPOILT = st.sampled_from(
    ['"', "\r", "\n", ";", ",", ",5", "\x00", "\\", "'", " ;", "TOTAL;\r\n", "NIK;", '";"', "\x85", "\xa0"]
)
PLAIN = st.tuples(*(st.sampled_from(FITTING[name][:2]) for name in COLUMNS))
FILE = st.tuples(
    st.permutations(COLUMNS),
    st.lists(PLAIN, max_size=9) | st.lists(PLAIN | GOOD | ROW, max_size=9),
    st.sampled_from([Dialect(), Dialect(delimiter=",", quote="'"), Dialect(delimiter="\t"), Dialect(delimiter="|")]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["\n", "\r\n"]),
    st.just([]) | st.lists(st.tuples(st.integers(0, 2000), SPOILT), max_size=2),
)


@settings(max_examples=100 * LONGER, deadline=None)  # tables are compiled anew each time
@given(FILE, st.sampled_from(FEEDS), st.sampled_from([None, "TOTAL", "t"]), st.sampled_from([0, 0, 0, 3, 11]))
def test_a_file_comes_to_the_same_read_at_once_or_record_by_record(
    file: tuple[Any, ...], feed: Feed, trailer: str | None, after: int
) -> None:
    order, rows, dialect, quoting, ending, spoilt = file
    ordered = [[dict(zip(COLUMNS, row, strict=True))[name] for name in order] for row in rows]
    text = written([order, *ordered], dialect, quoting, ending)
    for place, sign in spoilt:
        at = len(order) + place % len(text)
        text = text[:at] + sign + text[at:]
    if trailer and len(rows) % 2:
        text += f"TOTAL{dialect.delimiter}{len(rows)}{ending}"
    quick, slow = both(text.encode(errors="replace"), feed, dialect, trailer=trailer, after=after)
    assert quick == slow


@settings(max_examples=100 * LONGER, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["1;Ani", '"1";"Ani"', " ;", ";", "", '"1;A', '1;"A\nb"', "NIK;NAMA", "2;B\rc", "TOTAL;1", "1;2;3"]
        ),
        max_size=40,
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([None, "total"]),
)
@example(lines_=["1;Ani"] * 30 + ["", '"1;A'] + ["1;Ani"] * 40, ending="\n", closed=False, trailer=None)
def test_lines_of_all_kinds_come_to_the_same(lines_: list[str], ending: str, closed: bool, trailer: str | None) -> None:
    feed = Feed(
        read=compile_row(parse_mapping('[f.row]\nnik = "NIK"\nnama = "NAMA"', "mappings/f.toml"), "f").read,
        keeping=Keeping(key=("nik",)),
        max_reject=1.0,
    )
    text = ending.join(["NIK;NAMA", *lines_]) + (ending if closed else "")
    quick, slow = both(text.encode(), feed, Dialect(), trailer=trailer)
    assert quick == slow


def test_a_sign_that_ends_a_cell_is_no_part_of_a_number_or_a_day() -> None:
    table = """
[f.row]
uang = { from = "UANG", number = "1.234,56" }
hari = { from = "HARI", date = "dd,mm,yyyy", optional = true }
b = { from = "B", optional = true }
"""
    feed = Feed(read=compile_row(parse_mapping(table, "mappings/f.toml"), "f").read, keeping=Keeping(), max_reject=1.0)
    for line in ("1,5,x", "1,5,17,03,1990,x", "1,17,03,1990,x", '"1,5","17,03,1990",x', "1,,x"):
        quick, slow = both(f"UANG,HARI,B\n{line}\n".encode(), feed, Dialect(delimiter=","))
        assert quick == slow, line


@pytest.mark.parametrize("form", ["dd/mm/yyyy", "yyyy-mm-dd", "ddmmyyyy", "mm.dd.yyyy"])
def test_every_day_is_read_at_once_but_leap_days_and_those_that_there_are_not(form: str) -> None:
    table = compile_row(parse_mapping(f'[f.row]\nhari = {{ from = "H", date = "{form}" }}', "mappings/f.toml"), "f")
    run = table.read.of_lines((), LineForm(columns=("H",), delimiter=";", quote='"'))
    assert run is not None
    for year in (0, 1, 1900, 2023, 2024, 9999):
        for month in range(14):
            for day in range(33):
                spelt = form.replace("yyyy", f"{year:04d}").replace("mm", f"{month:02d}").replace("dd", f"{day:02d}")
                try:
                    expected = encode(table.read({"H": spelt}))
                except TranslationError:
                    expected = b""
                found = [row[1] for row in run(spelt + "\n", 1)[1]]
                assert found == [expected] * bool(expected and (month, day) != (2, 29)), spelt


def test_nearly_all_lines_of_a_usual_file_are_read_at_once() -> None:
    good = {name: fitting[0] for name, fitting in FITTING.items()}
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        text = written([COLUMNS, *[[good[name] for name in COLUMNS]] * 100], Dialect(), quoting, "\r\n")
        plain = partial(LOOSE.of_lines, ("nik",))
        batches = list(read(io.BytesIO(text.encode()), reading(Dialect(), plain)))
        assert sum(len(batch.written) for batch in batches) == 100
        document, nik = batches[0].written[0][1:]
        assert nik == good["NIK"]
        assert document == encode(LOOSE(good))


def test_a_table_far_down_in_its_file_is_read_at_once_too() -> None:
    table = compile_row(parse_mapping("\n" * 500 + '[f.row]\nnik = "NIK"\nnama = "NAMA"', "mappings/f.toml"), "f")
    run = table.read.of_lines(("nik",), LineForm(columns=("NIK", "NAMA"), delimiter=";", quote='"'))
    assert run is not None
    assert run("1;Ani\n", 5) == (1, [(5, b'{"nik":"1","nama":"Ani"}', "1")], [])


def test_a_file_longer_than_a_portion_comes_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    good = [fitting[0] for fitting in FITTING.values()]
    rows = [[*good[:1], name, *good[2:]] for name in ("Ani", "B;c", "D\ne", "", "F") for _ in range(50)]
    text = written([COLUMNS, *rows], Dialect(), csv.QUOTE_MINIMAL, "\n")
    for size in (1, 3, 100, 777, 5000):
        monkeypatch.setattr(lines, "LARGE_PORTION", size)
        quick, slow = both(text.encode(), FEEDS[0], Dialect())
        assert quick == slow
        assert len(quick[0]) == 200  # type: ignore[arg-type]


@pytest.mark.skipif(not CORPUS, reason="GATEWAY_CORPUS names no folder of public files")
def test_public_files_come_to_the_same() -> None:
    for path in public_files():
        for sign in (",", ";", "\t"):
            dialect = Dialect(delimiter=sign)
            quick, slow = both(path.read_bytes(), feed_of(path, sign), dialect)
            assert quick == slow, path


def public_files() -> Sequence[Path]:
    return [path for path in Path(CORPUS or "", "csv").rglob("*") if path.is_file() and path.stat().st_size < 1 << 20]


def feed_of(path: Path, sign: str, *rules: str) -> Feed:
    """Return a feed that takes the columns of a file, by these rules in turn."""
    found = next(read(path.open("rb"), reading(Dialect(delimiter=sign), None)))
    names = [name for name in dict.fromkeys(found.columns) if name.isprintable() and name and "@" not in name][:12]
    more = [f", {rule}" for rule in rules] or [""]
    fields = "\n".join(
        f"f{place} = {{ from = {_toml(name)}, optional = true{more[place % len(more)]} }}"
        for place, name in enumerate(names)
        if "." not in name
    )
    table = compile_row(parse_mapping(f'[f.row]\nsumber = {{ const = "x" }}\n{fields}', "mappings/f.toml"), "f")
    return Feed(read=table.read, keeping=Keeping(), max_reject=1.0)


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
