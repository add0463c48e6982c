"""A row's cells survive exactly, whatever is in them."""

import csv
import io

import pytest

from adapters.csv import lines
from adapters.csv.layout import Layout
from adapters.csv.read import Reading, TextRecords, read
from adapters.csv.settings import Dialect
from gateway import Batch

ODD = {
    "quotes": 'kata "kutip", dan "" dua',
    "line breaks": "satu\r\ndua\ntiga\rempat\n",
    "separators": ";,\t|;;",
    "NUL": "a\0b\0",
    "a BOM": "\ufeffnama\ufeff",
    "spaces": "  depan dan belakang \u00a0",
    "an apostrophe": "'=1+1",
    "a formula": '=HYPERLINK("http://x")',
    "other planes": "𝄞 é ñ 漢字 \u200b",
    "one megabyte": "x" * (1 << 20),
    "a megabyte of quotes": '"' * (1 << 20),
}


def written(*rows: list[str], encoding: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL).writerows(rows)
    return text.getvalue().encode(encoding)


def read_all(content: bytes, wanted: tuple[str, ...] = (), **more: object) -> Batch:
    reading = Reading(name="a.csv", layout=Layout(dialect=Dialect()), wanted=wanted, size=3, **more)
    parts = list(read(io.BytesIO(content), reading))
    return Batch(
        rows=[row for part in parts for row in part.natives],
        rejects=[reject for part in parts for reject in part.rejects],
        skipped=sum(part.skipped for part in parts),
        done=parts[-1].done,
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("cell", ODD.values(), ids=ODD.keys())
def test_a_cell_survives_exactly(cell: str, encoding: str) -> None:
    found = read_all(written(["a", "b", "c"], ["1", cell, "2"], ["3", "x", cell], encoding=encoding))
    assert not found.rejects
    assert found.rows == [(1, {"a": "1", "b": cell, "c": "2"}), (2, {"a": "3", "b": "x", "c": cell})]


def test_ten_thousand_columns_survive() -> None:
    header = [f"k{number}" for number in range(10_000)]
    cells = [f'"{number};\n' if number % 1000 == 0 else str(number) for number in range(10_000)]
    found = read_all(written(header, cells, cells, encoding="utf-8"))
    assert [list(row.values()) for _, row in found.rows] == [cells, cells]


def test_a_line_that_is_too_long_is_one_rejected_row_and_handed_back_by_its_beginning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for portion, longest in ((7, 16), (16, 16), (1, 10)):
        monkeypatch.setattr(lines, "PORTION", portion)
        monkeypatch.setattr(lines, "LONGEST_LINE", longest)
        for end in ("\n", "\r\n", "\r"):
            content = end.join(["a;b", "1;ab", f"2;{'x' * 90}", "3;cd", f"4;{'y' * (longest - 2)}", ""]).encode()
            found = read_all(content)
            assert [number for number, _ in found.rows] == [1, 3, 4]
            assert [(one.number, one.reasons[0].rule) for one in found.rejects] == [(2, "quote")]
            records = TextRecords(io.BytesIO(content), Dialect())
            assert next(records) == ["a", "b"]
            assert records.after(1) is None
            assert records.raw == f"2;{'x' * (longest - 2)} ..."
            assert records.after(0) == ["3", "cd"]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n\r\n", b";;\n", b"\xff\xfe"])
def test_an_empty_file_is_refused_as_such(content: bytes) -> None:
    (reject,) = read_all(content).rejects
    assert (reject.number, reject.reasons[0].rule) == (0, "empty-file")


@pytest.mark.parametrize("content", [b"a;b", b"a;b\n", b"\xef\xbb\xbfa;b\r\n\r\n"])
def test_a_header_only_file_has_no_rows_and_is_read_whole(content: bytes) -> None:
    found = read_all(content, wanted=("a", "b"))
    assert (found.rows, found.rejects, found.done) == ([], [], 0)


def test_rows_over_lines_blank_lines_a_repeated_header_and_a_trailer_are_told_apart() -> None:
    content = b'a;b\n1;"dua\nbaris"\n\n;\n a ; b\n2;x\nTOTAL;2\n'
    found = read_all(content, wanted=("a", "b"), trailer="total")
    assert found.rows == [(1, {"a": "1", "b": "dua\nbaris"}), (3, {"a": "2", "b": "x"})]
    assert (found.done, found.skipped) == (4, 2)
