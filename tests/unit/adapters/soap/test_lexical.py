from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from adapters.soap.lexical import TYPES, derives, with_zone


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("int", " 12 ", 12),
        ("int", "+7", 7),
        ("long", "-9223372036854775808", -(2**63)),
        ("integer", "123456789012345678901234567890", 123456789012345678901234567890),
        ("decimal", "1250000.50", Decimal("1250000.50")),
        ("decimal", ".5", Decimal("0.5")),
        ("double", "1.25E6", Decimal("1.25E6")),
        ("boolean", "1", True),
        ("boolean", "false", False),
        ("date", "2026-03-14", "2026-03-14"),
        ("date", "2026-03-14+07:00", "2026-03-14+07:00"),
        ("dateTime", "2026-03-14T09:26:53.1234567+07:00", "2026-03-14T09:26:53.1234567+07:00"),
        ("time", "09:26:53", "09:26:53"),
        ("base64Binary", "aGFs\n bw==", "aGFsbw=="),
        ("hexBinary", "00fF", "00fF"),
    ],
)
def test_a_lexical_form_is_read_as_its_value(name: str, text: str, value: object) -> None:
    read = TYPES[name].read(text)

    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("int", "abc"),
        ("int", "12.0"),
        ("int", ""),
        ("int", "99999999999"),
        ("int", "1_000"),
        ("int", "١٢"),
        ("integer", "9" * 5000),
        ("short", "32768"),
        ("unsignedByte", "-1"),
        ("positiveInteger", "0"),
        ("decimal", "1,5"),
        ("decimal", "1e3"),
        ("decimal", "NaN"),
        ("decimal", "1.250.000,50"),
        ("double", "INF"),
        ("boolean", "True"),
        ("boolean", "TRUE"),
        ("boolean", "ya"),
        ("boolean", ""),
        ("date", "0000-00-00"),
        ("date", "14/03/2026"),
        ("date", "2026-02-30"),
        ("date", "2026-3-4"),
        ("date", "2026-03-14T00:00:00"),
        ("dateTime", "2026-03-14 09:26:53"),
        ("dateTime", "2026-03-14T25:00:00"),
        ("dateTime", "2026-03-14T09:26:53+15:00"),
        ("time", "9:26"),
        ("base64Binary", "a"),
        ("base64Binary", "é==="),
        ("hexBinary", "0"),
    ],
)
def test_a_wrong_form_is_an_error_and_never_none(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        TYPES[name].read(text)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("int", 7, "7"),
        ("int", "007", "7"),
        ("decimal", Decimal("1E+3"), "1000"),
        ("decimal", Decimal("1250000.50"), "1250000.50"),
        ("decimal", 3, "3"),
        ("decimal", "12.50", "12.50"),
        ("boolean", True, "true"),
        ("date", "2026-12-31", "2026-12-31"),
    ],
)
def test_a_value_is_written_in_its_lexical_form(name: str, value: object, text: str) -> None:
    assert TYPES[name].write(value) == text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("int", "abc"),
        ("int", 1.9),
        ("int", 2**40),
        ("int", True),
        ("decimal", "1.250.000,50"),
        ("decimal", 1e20),
        ("decimal", Decimal("NaN")),
        ("decimal", Decimal("1E+999999")),
        ("boolean", "ya"),
        ("boolean", 1),
        ("date", "31-12-2026"),
        ("date", 20261231),
        ("base64Binary", b"bytes"),
    ],
)
def test_a_value_of_another_type_is_never_written(name: str, value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        TYPES[name].write(value)


def test_a_naive_date_time_gets_the_given_zone_at_that_moment() -> None:
    assert with_zone("2026-03-14T09:26:53.5", ZoneInfo("Asia/Jakarta")) == "2026-03-14T09:26:53.5+07:00"
    assert with_zone("2026-07-01T00:00:00", ZoneInfo("Europe/Amsterdam")) == "2026-07-01T00:00:00+02:00"
    assert with_zone("2026-03-14T09:26:53Z", ZoneInfo("Asia/Jakarta")) == "2026-03-14T09:26:53Z"


def test_a_naive_date_time_without_a_zone_to_give_it_is_an_error() -> None:
    with pytest.raises(ValueError, match="zone"):
        with_zone("2026-03-14T09:26:53", None)


def test_a_restriction_derives_from_its_bases_only() -> None:
    assert derives("byte", "integer")
    assert derives("token", "string")
    assert not derives("int", "string")
    assert not derives("string", "token")
