from decimal import Decimal

import pytest

from adapters.csv.settings import Dialect
from adapters.csv.write import row_file
from gateway import TranslationError


def test_text_and_numbers_are_written_quoted_under_their_header() -> None:
    document = {"nik": "0405029001180001", "berat": Decimal("3.20"), "ke": 2, "hadir": True, "catatan": None}
    assert row_file(document, tuple(document), Dialect()) == (
        b'"nik";"berat";"ke";"hadir";"catatan"\r\n"0405029001180001";"3.20";"2";"true";""\r\n'
    )


def test_columns_stand_in_the_given_order_and_a_missing_field_is_empty() -> None:
    assert row_file({"b": "2"}, ("a", "b"), Dialect(delimiter=",")) == b'"a","b"\r\n"","2"\r\n'


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("x")', "+62811", "-cmd|calc", "@SUM(A1)", "\tx", "\r=1", "-1+1", "-", "="]
)
def test_a_formula_is_disarmed(text: str) -> None:
    row = row_file({"a": text}, ("a",), Dialect()).decode().split("\r\n", 1)[1]
    assert row.startswith("\"'")


@pytest.mark.parametrize("value", ["-5", "-1.250,50", Decimal(-5), -5, "a=b", "1-2"])
def test_what_is_no_formula_stays_as_it_is(value: object) -> None:
    assert row_file({"a": value}, ("a",), Dialect()).decode() == f'"a"\r\n"{value}"\r\n'


def test_separators_quotes_and_line_breaks_are_kept() -> None:
    assert row_file({"a": 'x;"y"\nz'}, ("a",), Dialect()) == b'"a"\r\n"x;""y""\nz"\r\n'


def test_the_first_declared_encoding_is_written() -> None:
    assert row_file({"a": "é"}, ("a",), Dialect(encoding="cp1252")).endswith(b'"\xe9"\r\n')
    assert row_file({"a": "é"}, ("a",), Dialect(encoding="utf-8-sig")).startswith(b"\xef\xbb\xbf")


def test_everything_that_does_not_fit_is_named_at_once() -> None:
    document = {"a": "日", "b": ["x"], "c": "nul\0", "d": {"e": 1}, "z": "?"}
    with pytest.raises(TranslationError) as raised:
        row_file(document, ("a", "b", "c", "d"), Dialect(encoding="cp1252"))
    assert raised.value.side == "request"
    assert [(error.pointer, error.rule) for error in raised.value.errors] == [
        ("z", "unknown"),
        ("a", "encoding"),
        ("b", "native"),
        ("c", "control-character"),
        ("d", "native"),
    ]
