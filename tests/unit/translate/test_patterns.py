import pytest

from gateway.translate.patterns import problem


@pytest.mark.parametrize(
    "pattern", [r"\d{6}", "[A-Z]{2,3}-?[0-9]+", "(baru|lama)", "a?b*c+", r"(?:ab){2}", r"\d+/[A-Z]+/[IVX]+/\d{4}"]
)
def test_plain_patterns_are_taken(pattern: str) -> None:
    assert problem(pattern) == ""


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+", "(ab|a)*", "(a*b?)*", r"(a)\1", "(?=a)b", "^a$", r"\bkata", "[", "(?i)a", "a*a*a*a*", r"(\w{1,99})+"],
)
def test_slow_or_unportable_patterns_are_refused(pattern: str) -> None:
    assert problem(pattern) != ""
