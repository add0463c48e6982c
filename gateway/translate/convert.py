"""Converts one value between their form and ours, both ways; knows no documents and no TOML."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from gateway.errors import FieldError
from gateway.masking import mask_value
from gateway.translate.patterns import of_one_length
from gateway.translate.rules import MISSING

LONGEST_NUMBER = 40
"""Digits before or after the point beyond which no agency means a number."""
LONGEST_SEEN = 64
"""Characters of a text that is remembered: what is longer seldom comes again, and would fill the memory."""

_AROUND = " \t\r\n\u00a0\u200b\ufeff'\"\u2018\u2019"
"""What people and spreadsheets leave around digits, so that they stay text."""
_ROUNDED = re.compile(r"[0-9]+([.,][0-9]+)?[Ee]\+?[0-9]+")
_DIGITS = re.compile(rf"-?[0-9]{{1,{LONGEST_NUMBER}}}")
_JSON_READ = msgspec.json.Decoder(float_hook=Decimal)
_JSON_WRITE = msgspec.json.Encoder(decimal_format="number")


class Bad(Exception):
    """A value does not fit its rule."""

    def __init__(self, rule: str, value: object = MISSING, /, **params: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.value = value
        self.params = params


class Seen(dict[Any, Any]):
    """A step as a mapping, which remembers texts: in a file, or in a day's traffic, most have been seen before."""

    __slots__ = ("_most", "_run")

    def __init__(self, run: Callable[[Any], Any], most: int) -> None:
        super().__init__()
        self._run = run
        self._most = most

    def __missing__(self, value: Any) -> Any:
        """Do the step; what it raises is not remembered, nor long texts, nor numbers, as 1 is true in a mapping."""
        made = self._run(value)
        if value.__class__ is str and len(value) <= LONGEST_SEEN:
            if len(self) >= self._most:
                self.clear()
            self[value] = made
        return made


@dataclass(frozen=True, slots=True)
class Words:
    """A Python expression on `{v}`, which is known to be text, with the values it names `{0}`, `{1}`.

    What it `cuts` is a part of that text.
    """

    code: str
    values: tuple[object, ...]
    cuts: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """Texts that match all of `shape`, a regular expression: `json` is written of one; where that is empty, it stays.

    Beside digits it may hold `signs`.
    """

    shape: str
    signs: str = ""
    json: tuple[str | Words, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing done to a value: `run` raises Bad; `quick` says what compiled code may do instead of calling it.

    A type: nothing, if the value is exactly of it. A mapping: look the value up. Of a text, `fits` tells whether it
    stays as it is, and `makes` what it becomes (if that breaks, `run` says why); `plain` are texts that surely fit.
    Where that is all there is to it, `longest`, `pattern` and `day` are the rule itself, for whoever writes no Python.
    """

    run: Callable[[Any], Any]
    quick: type | Mapping[Any, Any] | None = None
    fits: Words | None = None
    makes: Words | None = None
    plain: Plain | None = None
    longest: int | None = None
    pattern: str | None = None
    day: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a canonical value looks like: a kind of JSON value and its limits."""

    kind: str = "text"
    digits: int | None = None
    pattern: str | None = None
    max: int | None = None
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A converter: `read` makes ours of theirs, `write` theirs of ours (None where that can't be undone).

    `exact` when every canonical value that fits `form` can be written.
    """

    read: Step | None
    write: Step | None
    form: Form
    exact: bool = True
    blanks: frozenset[str] = field(default_factory=frozenset)


def refuse_type(value: object, expected: str, **params: str) -> Bad:
    """Return the error of a value of the wrong kind; `expected` is in the words of wording.py.

    A cell that can't be read is its own error.
    """
    if isinstance(value, FieldError):
        return Bad(value.rule, **value.params)
    return Bad("null") if value is None else Bad("type", value, expected=expected, **params)


def picture(bad: Bad, *, personal: bool) -> str | None:
    """Return the masked value of an error, None if it has none to show."""
    if bad.value is MISSING:
        return None
    try:
        return mask_value(bad.value, personal=personal)
    except ValueError:  # an int too long to be written out
        return "a number of thousands of digits"


def need_text(value: object) -> str:
    """Return the text, unchanged."""
    if isinstance(value, str):
        return value
    raise refuse_type(value, "text")


def need_boolean(value: object) -> bool:
    """Return the boolean, unchanged."""
    if isinstance(value, bool):
        return value
    raise refuse_type(value, "true or false")


def read_integer(value: object) -> int:
    """Return a whole number from a JSON number or from digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and plain(value) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, str | Decimal):
        raise Bad("integer", value)
    raise refuse_type(value, "integer")


def need_number(value: object) -> Decimal | int:
    """Return a JSON number, its digits kept."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Decimal) and plain(value):
        return value
    raise refuse_type(value, "number")


def plain(value: Decimal) -> bool:
    """Return whether a decimal is finite and of a length that can be written out."""
    return value.is_finite() and -LONGEST_NUMBER <= value.adjusted() <= LONGEST_NUMBER


def need_binary(value: object) -> str:
    """Return base64 text, unchanged."""
    text = need_text(value)
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Bad("type", text, expected="base64") from error
    return text


def write_digits(value: object) -> str:
    """Return a whole number as text."""
    return str(read_integer(value))


def same(run: Callable[[Any], Any], form: Form, quick: type | None = None) -> Pair:
    """Return the converter of a value that is alike on both sides."""
    step = Step(run=run, quick=quick)
    return Pair(read=step, write=step, form=form)


TEXT = same(need_text, Form(), str)
ANY = Pair(read=None, write=None, form=Form(kind="any"))
NATIVE: Mapping[str, Pair] = {
    "text": TEXT,
    "integer": same(read_integer, Form(kind="integer"), int),
    "number": same(need_number, Form(kind="number"), Decimal),
    "boolean": same(need_boolean, Form(kind="boolean"), bool),
    "binary": same(need_binary, Form(kind="binary")),
    "object": ANY,
    "any": ANY,
}


def integer(*, text: bool) -> Pair:
    """Return the converter of whole numbers; `text` when they write digits rather than a JSON number."""
    write = Step(run=write_digits) if text else Step(run=read_integer, quick=int)
    return Pair(read=Step(run=read_integer, quick=int), write=write, form=Form(kind="integer"))


def flags(true: str | bool | int, false: str | bool | int) -> Pair:
    """Return the converter of their two values for true and false."""
    kind = type(true)
    ours = {true: True, false: False}
    theirs = {True: true, False: false}
    allowed = f"{true}, {false}"

    def read(value: object) -> bool:
        if value.__class__ is kind and value in ours:
            return ours[value]
        if value is None or value.__class__ is not kind:
            raise refuse_type(value, {str: "text", bool: "true or false", int: "integer"}[kind])
        raise Bad("bool", value, allowed=allowed)

    def write(value: object) -> str | bool | int:
        return theirs[need_boolean(value)]

    quick = ours if kind is str else None
    return Pair(read=Step(run=read, quick=quick), write=Step(run=write), form=Form(kind="boolean"))


def codes(words: Mapping[str, str], *, number: bool = False) -> Pair:
    """Return the converter of a code table (their code -> our word); `number` when their code is a JSON number.

    Writing takes the first code of a word; whether that is allowed is the caller's question.
    """
    ours: dict[Any, str] = {int(code): word for code, word in words.items()} if number else dict(words)
    theirs: dict[str, Any] = {}
    for code, word in ours.items():
        theirs.setdefault(word, code)
    known, allowed = ", ".join(words), ", ".join(theirs)

    def read(value: object) -> str:
        key = need_number(value) if number else need_text(value)
        if key not in ours:
            raise Bad("codes", value, allowed=known)
        return ours[key]

    def write(value: object) -> object:
        if need_text(value) not in theirs:
            raise Bad("enum", value, allowed=allowed)
        return theirs[str(value)]

    return Pair(
        read=Step(run=read, quick=None if number else ours),
        write=Step(run=write, quick=theirs),
        form=Form(words=tuple(theirs)),
    )


def json_of(value: object) -> str:
    """Return a value as JSON."""
    return _JSON_WRITE.encode(value).decode()


def open_json(value: object) -> object:
    """Return what a text says in JSON."""
    text = need_text(value)
    try:
        return _JSON_READ.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Bad("json", text) from error


def close_json(value: object) -> str:
    """Return a value as JSON in a text."""
    try:
        return _JSON_WRITE.encode(value).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Bad("json", value) from error


JSON = Pair(read=Step(run=open_json), write=Step(run=close_json), form=Form(kind="any"), exact=False)


def pure(read: Callable[..., Any] | None, write: Callable[..., Any] | None) -> Pair:
    """Return the converter made of somebody's own functions; whatever they raise means that the value does not fit."""
    return Pair(
        read=Step(run=_guard(read)) if read else None,
        write=Step(run=_guard(write)) if write else None,
        form=Form(kind="any"),
        exact=False,
    )


def _guard(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        if isinstance(value, FieldError):
            need_text(value)
        try:
            return function(*value) if isinstance(value, tuple) else function(value)
        except Exception as error:  # it is not our code, and a record must not stop the gateway
            raise Bad("using", value) from error

    return run


def check_digits(count: int) -> Step:
    """Return the check for exactly so many ASCII digits; a number that a spreadsheet rounded is named as such."""
    match = re.compile(f"[0-9]{{{count}}}").fullmatch

    def run(value: object) -> str:
        text = need_text(value)
        if match(text):
            return text
        if _ROUNDED.fullmatch(text):
            raise Bad("rounded-number", text)
        bare = text.strip(_AROUND)
        raise Bad("digits-around" if match(bare) else "digits", text, digits=str(count))

    fits = Words("len({v}) == {0} and {v}.isascii() and {v}.isdigit()", (count,))
    return Step(run=run, fits=fits, plain=Plain(f"[0-9]{{{count}}}"))


def check_pattern(pattern: str) -> Step:
    """Return the check that the whole text matches."""
    match = re.compile(pattern, re.ASCII).fullmatch

    def run(value: object) -> str:
        text = need_text(value)
        if match(text) is None:
            raise Bad("pattern", text, pattern=pattern)
        return text

    return Step(run=run, fits=Words("{0}({v}) is not None", (match,)), plain=_plain_code(pattern), pattern=pattern)


def _plain_code(pattern: str) -> Plain | None:
    """Return what a code of one length looks like, None for other patterns."""
    stretches = of_one_length(pattern)
    signs = "".join(dict.fromkeys(sign for each, _ in stretches for sign in each))
    # What JSON writes in another way is not plain.
    if not stretches or not signs.isprintable() or {*signs} & {*'"\\'}:
        return None
    return Plain("".join(f"[{re.escape(each)}]{{{times}}}" for each, times in stretches), signs)


def check_max(longest: int) -> Step:
    """Return the check for at most so many characters."""

    def run(value: object) -> str:
        text = need_text(value)
        if len(text) > longest:
            raise Bad("max", text, max=str(longest))
        return text

    return Step(run=run, fits=Words("len({v}) <= {0}", (longest,)), longest=longest)


def take_part(separator: str, part: int) -> Step:
    """Return the step from a text to one of its parts, counted from 1."""

    def run(value: object) -> str:
        parts = need_text(value).split(separator)
        if len(parts) < part:
            raise Bad("split", value, part=str(part), split=separator)
        return parts[part - 1]

    return Step(run=run, makes=Words("{v}.split({0})[{1}]", (separator, part - 1), cuts=True))


def undo_join(separator: str, part: int, count: int, *, fewer: bool) -> Step:
    """Return the step from a joined text back to one of its `count` sources; MISSING if `fewer` may be there."""

    def run(value: object) -> object:
        parts = need_text(value).split(separator)
        if len(parts) > count or (len(parts) < count and not fewer):
            raise Bad("split", value, part=str(count), split=separator)
        return parts[part - 1] if part <= len(parts) else MISSING

    return Step(run=run)
