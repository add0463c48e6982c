"""Facets hold in both directions, by value where values are meant and by text where texts are."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.soap.facets import Beyond, Facets, restricted
from adapters.soap.pattern import Unreadable


@pytest.mark.parametrize(
    ("name", "facets", "good", "bad", "rule"),
    [
        ("string", Facets(min_length=2, max_length=4), ["ab", "abcd", "é😀"], ["abcde"], "max"),
        ("string", Facets(min_length=2), ["ab"], ["a", ""], "native"),
        ("string", Facets(allowed=("ok", "")), ["ok", ""], ["OK", " ok"], "enum"),
        ("token", Facets(allowed=("a b",)), ["a b", "  a \t b\n"], ["ab"], "enum"),
        ("string", Facets(patterns=(("[0-9]+", "-"), ("..",))), ["12"], ["-", "1", "123"], "pattern"),
        ("int", Facets(allowed=("1", "02")), ["1", "01", "+2"], ["3"], "enum"),
        ("int", Facets(low="5", high="7"), ["5", "7"], ["4", "8"], "native"),
        ("decimal", Facets(above="0", below="1"), ["0.5"], ["0", "1", "1.00"], "native"),
        ("decimal", Facets(total_digits=4), ["1234", "0012.34", "0.1230"], ["12345", "0.12345"], "native"),
        ("decimal", Facets(fraction_digits=2), ["1.25", "1.250"], ["1.255"], "native"),
        ("decimal", Facets(allowed=("1.0",)), ["1", "1.00"], ["2"], "enum"),
        ("date", Facets(low="2020-01-01"), ["2020-01-01", "2026-03-14"], ["2019-12-31"], "native"),
        ("date", Facets(high="2020-01-01"), ["2019-12-31", "2030-01-01+07:00"], ["2020-01-02"], "native"),
        ("dateTime", Facets(low="2026-01-01T00:00:00Z"),
         ["2026-01-01T07:00:00+07:00"], ["2026-01-01T06:59:59+07:00"], "native"),
        ("time", Facets(low="07:30:00", high="16:00:00"), ["07:30:00"], ["16:00:01"], "native"),
        ("base64Binary", Facets(max_length=3), ["YWJj"], ["YWJjZA=="], "native"),
        ("hexBinary", Facets(min_length=2, max_length=2), ["00ff"], ["00", "00ff00"], "native"),
        ("NMTOKENS", Facets(max_length=2), ["a b"], ["a b c"], "native"),
        ("string", Facets(white_space="collapse", max_length=3), [" abc  "], ["a b c"], "max"),
    ],
)  # fmt: skip
def test_what_a_facet_takes_and_what_not(name: str, facets: Facets, good: list[str], bad: list[str], rule: str) -> None:
    made = restricted(name, facets)

    for text in good:
        made.read(text)
    for text in bad:
        with pytest.raises(Beyond) as caught:
            made.read(text)
        assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("name", "facets", "good", "bad"),
    [
        ("string", Facets(max_length=3), "abc", "abcd"),
        ("string", Facets(patterns=(("[0-9]{2}",),)), "12", "1"),
        ("int", Facets(allowed=("1",)), 1, 2),
        ("int", Facets(high="7"), 7, 8),
        ("decimal", Facets(fraction_digits=2), Decimal("1.50"), Decimal("1.505")),
        ("date", Facets(low="2020-01-01"), "2020-01-01", "2019-01-01"),
        ("base64Binary", Facets(max_length=3), "YWJj", "YWJjZA=="),
    ],
)
def test_a_value_is_held_to_its_facets_before_it_is_sent(name: str, facets: Facets, good: Any, bad: Any) -> None:
    made = restricted(name, facets)

    made.write(good)
    with pytest.raises(Beyond):
        made.write(bad)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("string", " a\t b ", " a\t b "),
        ("normalizedString", " a\tb\n", " a b "),
        ("token", " a \t b\n", "a b"),
        ("anyURI", " urn:x ", "urn:x"),
        ("token", "a\u00a0 b", "a\u00a0 b"),
    ],
)
def test_blanks_are_kept_replaced_or_collapsed_as_the_type_says(name: str, text: str, value: str) -> None:
    assert restricted(name, Facets()).read(text) == value


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("language", ["id", "en-GB"], ["bahasa_indonesia", ""]),
        ("NCName", ["a-1.b"], ["a:b", "1a", "a b"]),
        ("Name", ["a:b"], ["-a"]),
        ("NMTOKEN", ["-1a"], ["a b"]),
        ("NMTOKENS", ["a  b"], ["", "a,b"]),
        ("QName", ["x:a", "a"], ["x:", ":a", "x:y:z"]),
        ("duration", ["P1Y2M3DT4H5M6.7S", "-P1D", "PT0S"], ["P", "P1DT", "1D", "P1H"]),
        ("gYear", ["2026", "2026+07:00"], ["26"]),
        ("gYearMonth", ["2026-03"], ["2026-13"]),
        ("gMonth", ["--03"], ["03"]),
        ("gMonthDay", ["--12-31"], ["--12-32"]),
        ("gDay", ["---31"], ["31"]),
        ("double", ["1e300"], ["1e999999999", "1,5"]),
        ("decimal", ["1.5"], ["\u00a01.5"]),
    ],
)
def test_every_type_has_its_lexical_form(name: str, good: list[str], bad: list[str]) -> None:
    made = restricted(name, Facets())

    for text in good:
        made.read(text)
        assert made.write(text)
    for text in bad:
        with pytest.raises(ValueError, match=r".*"):
            made.read(text)


def test_a_types_facets_are_joined_with_its_bases() -> None:
    base = Facets(max_length=5, patterns=(("a.*",),), low="1", white_space="collapse")
    own = Facets(min_length=2, max_length=4, patterns=((".*b",),), above="3")

    assert own.joined(base) == Facets(
        min_length=2, max_length=4, patterns=((".*b",), ("a.*",)), above="3", white_space="collapse"
    )


@pytest.mark.parametrize(
    ("name", "facets", "said"),
    [
        ("string", Facets(patterns=(("(?=a)",),)), "a pattern can't be read"),
        ("int", Facets(allowed=("satu",)), "an enumeration has a value"),
        ("int", Facets(low="nol"), "a bound is no value"),
    ],
)
def test_a_facet_that_can_not_be_understood_is_told(name: str, facets: Facets, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        restricted(name, facets)
