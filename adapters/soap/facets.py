"""What a simple type allows of the built-in one that it restricts, checked both ways; knows no documents."""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from adapters.soap.lexical import TEXT, TYPES, Lexical, Value
from adapters.soap.pattern import Pattern, Unreadable, pattern

WhiteSpace = Literal["preserve", "replace", "collapse"]
_REPLACED = str.maketrans("\t\n\r", "   ")
_OWN_SPACE: Mapping[str, WhiteSpace] = {"string": "preserve", "": "preserve", "normalizedString": "replace"}
_MOMENTS: Mapping[str, Callable[[str], Any]] = {
    "date": lambda text: datetime.combine(date.fromisoformat(text[:10]), time.fromisoformat("00:00:00" + text[10:])),
    "dateTime": datetime.fromisoformat,
    "time": lambda text: datetime.combine(date.min, time.fromisoformat(text)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """Limits on a simple type, as the WSDL writes them.

    `allowed` are its enumeration (none listed: any). Of each of `patterns` one alternative must match. `low` and
    `high` are bounds, which a value may not be itself where they are `above` and `below`. Where they are `unreadable`,
    which then says why, no value is right.
    """

    allowed: tuple[str, ...] = ()
    min_length: int = 0
    max_length: int | None = None
    patterns: tuple[tuple[str, ...], ...] = ()
    low: str = ""
    above: str = ""
    high: str = ""
    below: str = ""
    total_digits: int | None = None
    fraction_digits: int | None = None
    white_space: WhiteSpace | None = None
    unreadable: str = ""

    def joined(self, base: "Facets") -> "Facets":
        """Return these with what the type's base says and they don't; patterns add up."""
        bounded_low, bounded_high = self.low or self.above, self.high or self.below
        return Facets(
            allowed=self.allowed or base.allowed,
            min_length=self.min_length or base.min_length,
            max_length=base.max_length if self.max_length is None else self.max_length,
            patterns=(*self.patterns, *base.patterns),
            low=self.low if bounded_low else base.low,
            above=self.above if bounded_low else base.above,
            high=self.high if bounded_high else base.high,
            below=self.below if bounded_high else base.below,
            total_digits=base.total_digits if self.total_digits is None else self.total_digits,
            fraction_digits=base.fraction_digits if self.fraction_digits is None else self.fraction_digits,
            white_space=self.white_space or base.white_space,
        )


NO_FACETS = Facets()


class Beyond(ValueError):
    """A value of the right type that its facets don't allow: the rule it breaks, and the value all the same."""

    def __init__(self, value: Value, text: str, rule: str, **params: str) -> None:
        super().__init__(rule)
        self.value = value
        self.text = text
        self.rule = rule
        self.params = params


_Check = Callable[[str, Any], bool]
_Checks = tuple[tuple[_Check, str, Mapping[str, str]], ...]


@lru_cache(maxsize=10_000)
def restricted(name: str, facets: Facets) -> Lexical:
    """Return a built-in type's two directions, which raise Beyond (a ValueError) outside these facets.

    Raises Unreadable for a facet that can't be understood.
    """
    base = TYPES.get(name, TEXT)
    if facets.unreadable:
        return Lexical(base.kind, _refuse, _refuse)
    space = facets.white_space or _OWN_SPACE.get(name, "collapse")
    checks = tuple(_checks(name, base, facets, space))
    is_text = base.kind == "text" and space != "preserve"
    if not checks and not is_text:
        return base

    def read(text: str) -> Value:
        literal = _normal(text, space)
        value = base.read(literal if is_text else text)
        for holds, rule, params in checks:
            if not holds(literal, value):
                raise Beyond(value, text, rule, **params)
        return value

    def write(value: object) -> str:
        text = base.write(value)
        literal = _normal(text, space)
        known = base.read(literal) if checks else None
        for holds, rule, params in checks:
            if not holds(literal, known):
                raise Beyond(text, text, rule, **params)
        return text

    return Lexical(base.kind, read, write)


def broken(
    facets: Facets, text: str, value: Any, read: Callable[[str], Any]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the rules that a list or a union as a whole breaks; `read` makes values of an enumeration's texts."""
    literal = _normal(text, "collapse")
    if facets.allowed and value not in [read(one) for one in facets.allowed]:
        yield "enum", {"allowed": ", ".join(facets.allowed)}
    for alternatives in facets.patterns:
        if not _matching(alternatives)(literal, value):
            yield "pattern", {"pattern": " | ".join(alternatives)}
    if isinstance(value, list) and len(value) < facets.min_length:
        yield "native", _expected("at least {count} values", facets.min_length)
    if isinstance(value, list) and facets.max_length is not None and len(value) > facets.max_length:
        yield "native", _expected("at most {count} values", facets.max_length)


def _refuse(value: object) -> str:
    raise ValueError(value)


def _normal(text: str, space: WhiteSpace) -> str:
    if space == "preserve":
        return text
    text = text.translate(_REPLACED)
    # Only these four characters are blanks to XML; str.split() alone knows more.
    return " ".join(part for part in text.split(" ") if part) if space == "collapse" else text


def _checks(
    name: str, base: Lexical, facets: Facets, space: WhiteSpace
) -> Iterator[tuple[_Check, str, dict[str, str]]]:
    if facets.allowed:
        yield _allowed(base, facets.allowed, space), "enum", {"allowed": ", ".join(facets.allowed)}
    for alternatives in facets.patterns:
        yield _matching(alternatives), "pattern", {"pattern": " | ".join(alternatives)}
    yield from _lengths(name, facets)
    if base.kind in {"number", "integer"}:
        yield from _digits(facets)
    yield from _bounds(name, base, facets)


def _allowed(base: Lexical, allowed: tuple[str, ...], space: WhiteSpace) -> _Check:
    """Compare by value: 1 and 01 are the same number."""
    try:
        known = frozenset(base.read(_normal(one, space)) for one in allowed)
    except ValueError as error:
        raise Unreadable(f"an enumeration has a value that its type can't be: {', '.join(allowed)[:80]}") from error
    return lambda _text, value: value in known


def _matching(alternatives: tuple[str, ...]) -> _Check:
    def made(text: str) -> Pattern:
        try:
            return pattern(text)
        except Unreadable as error:
            raise Unreadable(f"a pattern can't be read: {text[:80]} has {error}") from error

    known = tuple(map(made, alternatives))
    return lambda text, _value: any(one.matches(text) for one in known)


def _lengths(name: str, facets: Facets) -> Iterator[tuple[_Check, str, dict[str, str]]]:
    measure, unit = _MEASURES.get(name, (len, "characters"))
    least, most = facets.min_length, facets.max_length
    if name == "QName" or TYPES.get(name, TEXT).kind not in {"text", "binary"}:
        return
    if least:
        yield (lambda text, _: measure(text) >= least), "native", _expected(f"at least {{count}} {unit}", least)
    if most is not None:
        too_long = {"max": str(most)} if unit == "characters" else _expected(f"at most {{count}} {unit}", most)
        yield (lambda text, _: measure(text) <= most), "max" if unit == "characters" else "native", too_long


def _octets(text: str) -> int:
    return len(base64.b64decode(text))


_MEASURES: Mapping[str, tuple[Callable[[str], int], str]] = {
    "base64Binary": (_octets, "bytes"),
    "hexBinary": (lambda text: len(text) // 2, "bytes"),
    "NMTOKENS": (lambda text: len(text.split()), "values"),
    "IDREFS": (lambda text: len(text.split()), "values"),
    "ENTITIES": (lambda text: len(text.split()), "values"),
}


def _digits(facets: Facets) -> Iterator[tuple[_Check, str, dict[str, str]]]:
    total, fraction = facets.total_digits, facets.fraction_digits
    if total is not None:
        yield (lambda _, value: _counted(value)[0] <= total), "native", _expected("at most {count} digits", total)
    if fraction is not None:
        words = _expected("at most {count} digits after the point", fraction)
        yield (lambda _, value: _counted(value)[1] <= fraction), "native", words


def _counted(value: int | Decimal) -> tuple[int, int]:
    """Return a number's digits in all and after its point, without zeros that say nothing."""
    _, digits, exponent = Decimal(value).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 -- values are finite
    behind = max(0, -exponent)
    return max(len(digits) + max(0, exponent), behind), behind


def _bounds(name: str, base: Lexical, facets: Facets) -> Iterator[tuple[_Check, str, dict[str, str]]]:
    order = _order(name, base)
    if order is None:
        return
    for bound, holds, words in (
        (facets.low, lambda value, limit: value >= limit, "at least {count}"),
        (facets.above, lambda value, limit: value > limit, "more than {count}"),
        (facets.high, lambda value, limit: value <= limit, "at most {count}"),
        (facets.below, lambda value, limit: value < limit, "less than {count}"),
    ):
        if bound:
            yield _within(order, _bound(base, order, bound), holds), "native", _expected(words, bound)


def _order(name: str, base: Lexical) -> Callable[[Any], Any] | None:
    """Return what makes values of a type comparable, None for types whose bounds are not read."""
    return (lambda value: value) if base.kind in {"number", "integer"} else _MOMENTS.get(name)


def _bound(base: Lexical, order: Callable[[Any], Any], text: str) -> Any:
    try:
        return order(base.read(text))
    except ValueError as error:
        raise Unreadable(f"a bound is no value of its type: {text[:80]}") from error


def _within(order: Callable[[Any], Any], limit: Any, holds: Callable[[Any, Any], bool]) -> _Check:
    def check(_text: str, value: Any) -> bool:
        ordered = order(value)
        # Of two moments one of which has no zone, nobody can tell which is earlier.
        zones = [one.tzinfo is None for one in (ordered, limit) if isinstance(one, datetime)]
        return len(set(zones)) > 1 or holds(ordered, limit)

    return check


def _expected(words: str, count: object) -> dict[str, str]:
    return {"expected": words, "count": str(count)}
