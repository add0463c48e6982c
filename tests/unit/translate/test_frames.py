import tracemalloc
from collections.abc import Callable

import polars as pl
import pytest

from gateway.columns import LineForm, ReadLines
from gateway.translate import compile_row
from gateway.translate.load import parse_mapping

TABLE = r"""
[codes.jenis]
"1" = "satu"
[f.row]
nik   = "NIK"
jenis = { from = "JENIS", split = "/", part = 1, codes = "jenis" }
lain  = { from = "LAIN", pattern = '\S+', optional = true }
"""
"""Polars has no expression for that pattern."""
FORM = LineForm(columns=("NIK", "JENIS", "LAIN"), delimiter=";", quote='"')
MANY, LONG = 40, 100_000
WAYS = pytest.mark.parametrize("way", ["of_lines", "of_frames"])


def made(way: str) -> ReadLines:
    program = compile_row(parse_mapping(TABLE, "mappings/f.toml"), "f").read
    run: ReadLines | None = getattr(program, way)((), FORM)
    assert run is not None
    return run


def panic(*_: object, **__: object) -> None:
    """Let polars want more memory than there is."""
    pl.Series([1]).extend_constant(1, 1 << 62)


@pytest.mark.parametrize("broken", [panic, lambda *_, **__: pl.select(pl.col("gone"))])
def test_where_polars_breaks_lines_are_left_to_those_who_read_them_cell_by_cell(
    monkeypatch: pytest.MonkeyPatch, broken: Callable[..., object]
) -> None:
    run = made("of_frames")
    monkeypatch.setattr(pl, "read_csv", broken)
    assert run("1405;1/a;\n1406;1/b;\n", 7) == (2, [], [(7, "1405;1/a;\n"), (8, "1406;1/b;\n")])


@WAYS
def test_long_texts_are_not_remembered(way: str) -> None:
    run = made(way)
    run("1405;1/a;b\n", 1)
    tracemalloc.start()
    for number in range(MANY):
        count, rows, odd = run(f"1405;1/{number}{'x' * LONG};{number}{'y' * LONG}\n", number)
        assert (count, len(rows), len(odd)) == (1, 0, 1)  # no pattern takes what is so long
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 6 * LONG  # the last line
