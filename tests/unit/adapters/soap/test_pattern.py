"""XML Schema's patterns: what they mean, what none of them is, and that none of them takes long."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.soap.pattern import Pattern, Unreadable, pattern


@pytest.mark.parametrize(
    ("text", "matching", "others"),
    [
        ("[0-9]{16}", ["1405029001180001"], ["140502900118000", "14050290011800011", "140502900118000a"]),
        (r"\d{2}-\d{3,}", ["12-345", "12-3456", "١٢-٣٤٥"], ["12-34", "1-345", "12_345"]),
        ("IMB|SIUP|", ["IMB", "SIUP", ""], ["IM", "IMBSIUP"]),
        ("(ab)*c?", ["", "abab", "ababc", "c"], ["aba", "cc"]),
        ("([A-Z]{2}){1,2}", ["AB", "ABCD"], ["A", "ABC", "ABCDEF"]),
        ("[a-z-[aeiou]]+", ["bcd"], ["bad", ""]),
        ("[^0-9]+", ["abc", "\n"], ["a1"]),
        (r"[\w.\-]+@[\w\-]+", ["siti.r@opd-x"], ["siti", "si ti@opd"]),
        (r"\i\c*", ["a:b-1.x", "_", "é"], ["1a", "-"]),
        (r"\p{Lu}\p{L}*", ["Ébc", "A"], ["abc", "A1"]),
        (r"\P{L}+", ["12!"], ["1a"]),
        (r"\p{IsBasicLatin}*", ["abc~"], ["é"]),
        (r"[\d\s]+", ["1 2\t3"], ["1\u00a02"]),
        (r".", ["a", "é", "😀"], ["\n", "\r", "", "ab"]),
        (r"a\.b\\c\|\n", ["a.b\\c|\n"], ["axb\\c|\n"]),
        ("[-a]+[b-]", ["-ab", "a-"], ["ac"]),
        (r"[\]\[]", ["]", "["], ["a"]),
        ("^[0-9]+$", ["12"], ["^12$", "a"]),
        (r"\$", ["$"], [""]),
        (r"Rp [0-9]{1,3}(\.[0-9]{3})*(,[0-9]{2})?", ["Rp 1.250.000,50", "Rp 0"], ["Rp 1250", "Rp 1,5"]),
        (".{0,4000}", ["x" * 4000], ["x" * 4001]),
    ],
)
def test_a_pattern_holds_for_the_whole_text(text: str, matching: list[str], others: list[str]) -> None:
    made = Pattern(text)

    assert [one for one in matching if not made.matches(one)] == []
    assert [one for one in others if made.matches(one)] == []


@pytest.mark.parametrize(
    "text",
    [
        "(", ")", "[a", "]", "}", "{", "a{", "a{x}", "a{2,1}", "*", "a**", "a*?", "(?=a)", r"\1", r"\bkode\b", "a\\",
        r"\p{Foo}", r"\pL", r"\p{IsKlingon}", "[z-a]", "[a[b]]", "[a-z-[aeiou]x]",
        "a{20000}", "(a{200}){200}", "(" * 60 + ")" * 60,
    ],
)  # fmt: skip
def test_what_is_no_pattern_of_xml_schemas_or_too_large_is_refused(text: str) -> None:
    with pytest.raises(Unreadable):
        Pattern(text)


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("(a*)*b", "a" * 50_000),
        ("(a|aa)+x", "a" * 50_000),
        ("(.*)*(.*)*(.*)*x", "a" * 50_000),
        ("(a?){60}a{60}", "a" * 60),
        (r"(\w+\s?)*!", "kata " * 10_000),
        (r"([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*@x", "a" * 50_000),
    ],
)
def test_a_pattern_that_is_catastrophic_elsewhere_takes_time_by_the_texts_length(text: str, against: str) -> None:
    made = Pattern(text)
    started = time.thread_time()

    made.matches(against)

    assert time.thread_time() - started < 0.25


@given(st.text(alphabet="ab01-", max_size=12))
def test_it_agrees_with_pythons_own_where_both_know_a_pattern(text: str) -> None:
    for both in ("[ab]+[01]*", "(a|b0)*-?", "a{2,4}b?", "([ab][01])+|-*", "(a|ab)(0|b0)?"):
        assert pattern(both).matches(text) == bool(re.fullmatch(both, text)), both


@pytest.mark.parametrize("text", ["[0-9]{16}", r"\d{2}-\d{3}", "IMB|SIUP", "(ab)+c?", r"\p{Lu}+", "[^0-9]{3}", ""])
def test_an_example_is_one_that_matches(text: str) -> None:
    made = Pattern(text)

    assert made.matches(made.example())


def test_what_is_remembered_of_texts_has_an_end() -> None:
    made = Pattern(".*")
    for number in range(30_000):
        made.matches(chr(0x4E00 + number % 20_000) + chr(0x1000 + number))

    assert made.matches("a")
