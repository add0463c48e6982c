from collections.abc import Sequence
from decimal import Decimal

import pytest

from adapters.csv.settings import Dialect, Out
from adapters.csv.write import row, row_file
from gateway import Document, TranslationError


def written(document: Document, columns: Sequence[str], dialect: Dialect | None = None, **settings: object) -> bytes:
    out = Out.model_validate({"folder": "masuk", "file": "a_{id}.csv", "dialect": dialect or Dialect(), **settings})
    return row_file([row(document, columns, out)], columns, out)


def test_text_and_numbers_are_written_quoted_under_their_header() -> None:
    document = {"nik": "0405029001180001", "berat": Decimal("3.20"), "ke": 2, "hadir": True, "catatan": None}
    assert written(document, tuple(document)) == (
        b'"nik";"berat";"ke";"hadir";"catatan"\r\n"0405029001180001";"3.20";"2";"true";""\r\n'
    )


def test_columns_stand_in_the_given_order_and_a_missing_field_is_empty() -> None:
    assert written({"b": "2"}, ("a", "b"), Dialect(delimiter=",")) == b'"a","b"\r\n"","2"\r\n'


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("x")', "+62811", "-cmd|calc", "@SUM(A1)", "\tx", "\r=1", "-1+1", "-", "="]
)
def test_a_formula_is_disarmed(text: str) -> None:
    line = written({"a": text}, ("a",)).decode().split("\r\n", 1)[1]
    assert line.startswith("\"'")


@pytest.mark.parametrize("value", ["-5", "-1.250,50", Decimal(-5), -5, "a=b", "1-2"])
def test_what_is_no_formula_stays_as_it_is(value: object) -> None:
    assert written({"a": value}, ("a",)).decode() == f'"a"\r\n"{value}"\r\n'


def test_separators_quotes_and_line_breaks_are_kept() -> None:
    assert written({"a": 'x;"y"\nz'}, ("a",)) == b'"a"\r\n"x;""y""\nz"\r\n'


def test_the_first_declared_encoding_is_written() -> None:
    assert written({"a": "é"}, ("a",), Dialect(encoding="cp1252")).endswith(b'"\xe9"\r\n')
    assert written({"a": "é"}, ("a",), Dialect(encoding="utf-8-sig")).startswith(b"\xef\xbb\xbf")


def test_everything_that_does_not_fit_is_named_at_once() -> None:
    document = {"a": "日", "b": ["x"], "c": "nul\0", "d": {"e": 1}, "z": "?"}
    with pytest.raises(TranslationError) as raised:
        written(document, ("a", "b", "c", "d"), Dialect(encoding="cp1252"))
    assert raised.value.side == "request"
    assert [(error.pointer, error.rule) for error in raised.value.errors] == [
        ("z", "unknown"),
        ("a", "encoding"),
        ("b", "native"),
        ("c", "control-character"),
        ("d", "native"),
    ]


def test_a_program_reads_what_stands_there() -> None:
    assert written({"a": "=1+1"}, ("a",), formula_guard=False) == b'"a"\r\n"=1+1"\r\n'


@pytest.mark.parametrize(
    ("encoding", "excel", "begin"),
    [
        ("utf-8", True, b"\xef\xbb\xbf"),
        ("utf-16-le", True, b"\xff\xfe"),
        ("utf-8-sig", True, b"\xef\xbb\xbf"),
        ("cp1252", True, b"sep=;\r\n"),
        ("utf-8", "sep", b"sep=;\r\n"),
        ("utf-8", False, b""),
    ],
)
def test_excel_is_told_how_to_read_it(encoding: str, excel: object, begin: bytes) -> None:
    content = written({"a": "x"}, ("a",), Dialect(encoding=encoding), excel=excel)
    assert content == begin + '"a"\r\n"x"\r\n'.encode(encoding.removesuffix("-sig"))


def test_many_rows_stand_under_one_header() -> None:
    out = Out.model_validate({"folder": "masuk", "file": "a_{id}.csv"})
    content = row_file([row({"a": str(n)}, ("a",), out) for n in range(3)], ("a",), out)
    assert content == b'"a"\r\n"0"\r\n"1"\r\n"2"\r\n'
