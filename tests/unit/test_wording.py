"""Every sentence is in one language."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import FieldError
from gateway.translate.convert import Bad, check_digits
from gateway.verdict import reason_words
from gateway.wording import EXPECTED, say

ROOT = Path(__file__).parent.parent.parent
NO_LANGUAGE = {"base64", "JSON"}
# What an answer should have been is told in the log only, which is English.
ANSWERED = {"gateway/wording.py"} | {f"adapters/soap/{name}.py" for name in ("decode", "said", "spoken_read", "values")}
FILES = [
    path
    for folder in ("gateway", "adapters")
    for path in (ROOT / folder).rglob("*.py")
    if path.relative_to(ROOT).as_posix() not in ANSWERED
]


@pytest.mark.parametrize(
    ("params", "indonesian", "english"),
    [
        ({"expected": "text"}, "harus berupa teks", "must be text"),
        (
            {"expected": "number {form}", "form": '"1.234,56"'},
            'harus berupa angka "1.234,56"',
            'must be number "1.234,56"',
        ),
        ({"expected": "at least {count}", "count": "1"}, "harus berupa paling sedikit 1", "must be at least 1"),
        ({"expected": "at least {count}"}, "harus berupa paling sedikit ?", "must be at least ?"),
        ({"expected": "xsd:{date}"}, "harus berupa xsd:{date}", "must be xsd:{date}"),
    ],
)
def test_what_was_expected_is_said_in_the_readers_language(params, indonesian, english):
    error = FieldError(pointer="/x", rule="type", params=params)
    assert (say(error, "id"), say(error, "en")) == (indonesian, english)


def expectations(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        pairs = []
        match node:
            case ast.keyword(arg="expected", value=value):
                pairs = [value]
            case ast.Dict(keys=keys, values=values):
                pairs = [
                    v
                    for k, v in zip(keys, values, strict=True)
                    if isinstance(k, ast.Constant) and k.value == "expected"
                ]
            case ast.Call(func=ast.Name(id="refuse_type"), args=[_, value]):
                pairs = [value]
        yield from (value.value for value in pairs if isinstance(value, ast.Constant))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_whatever_is_expected_has_words_in_both_languages(path):
    found = set(expectations(ast.parse(path.read_text("utf-8"))))
    assert found <= EXPECTED.keys() | NO_LANGUAGE


def test_a_clerk_reads_no_pattern_and_it_staff_do() -> None:
    reason = FieldError(pointer="/nomor", rule="pattern", params={"pattern": "[0-9]{4}/[A-Z]+"})
    assert reason_words(reason).startswith("nomor bentuknya lain dari yang diminta")
    assert "[0-9]{4}/[A-Z]+" in say(reason, "id")


@pytest.mark.parametrize("text", [" 0001", "'0001", "0001\u00a0", '"0001"'])
def test_what_stands_around_digits_is_named(text: str) -> None:
    with pytest.raises(Bad) as refused:
        check_digits(4).run(text)
    assert (refused.value.rule, refused.value.params) == ("digits-around", {"digits": "4"})


@pytest.mark.parametrize("text", ["00 01", " 001", "'", ""])
def test_what_is_no_better_without_it_has_the_wrong_digits(text: str) -> None:
    with pytest.raises(Bad) as refused:
        check_digits(4).run(text)
    assert refused.value.rule == "digits"
