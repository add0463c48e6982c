"""The usual forms of simple values, judged in a fraction of the time; whatever is unusual lexical.py judges.

Each function answers exactly as its type's Lexical does.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from adapters.soap.lexical import TYPES, with_zone
from adapters.soap.plan import Field

BOUNDS: Mapping[str, tuple[int, int]] = {
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "integer": (-(10**18), 10**18),
    "unsignedInt": (0, 2**32 - 1),
    "nonNegativeInteger": (0, 10**18),
    "positiveInteger": (1, 10**18),
}
"""Integers that are right at once, by the local name of their type; larger ones are not wrong for that."""
_DIGITS = 17
_LONG = 100
_SIGNS = frozenset({"--T::+:", "--T::-:"})


def is_plain(field: Field) -> bool:
    """Tell whether all that is said of a field's values is what is judged here: one value of one type, and no more."""
    known = Field(
        name=field.name,
        tag=field.tag,
        kind=field.kind,
        type=field.type,
        least=field.least,
        most=field.most,
        nillable=field.nillable,
        xsi=field.xsi,
        facets=field.facets,
    )
    return known == field


def reader(type_: str) -> Callable[[str], Any]:
    """Return what reads a type's texts; it raises ValueError as the Lexical does, and for a dateTime without a zone."""
    read = TYPES[type_].read
    if type_ in BOUNDS:
        return _integer(read, *BOUNDS[type_])
    return {"decimal": _number, "boolean": _boolean, "date": _date, "dateTime": _moment}.get(type_, _same)(read)


def _same(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return read


def _integer(read: Callable[[str], Any], low: int, high: int) -> Callable[[str], Any]:
    def quick(text: str) -> Any:
        if text.isdigit() and text.isascii() and len(text) < _DIGITS:
            value = int(text)
            if low <= value <= high:
                return value
        return read(text)

    return quick


def _number(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def quick(text: str) -> Any:
        if len(text) < _LONG and text.replace(".", "", 1).isdigit() and text.isascii():
            return Decimal(text)
        return read(text)

    return quick


def _boolean(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def quick(text: str) -> Any:
        return True if text == "true" else False if text == "false" else read(text)

    return quick


def _date(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def quick(text: str) -> Any:
        if len(text) == 10 and text[4] == "-" == text[7] and text.isascii():  # noqa: PLR2004 -- YYYY-MM-DD
            date.fromisoformat(text)
            return text
        return read(text)

    return quick


def _moment(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def quick(text: str) -> Any:
        # YYYY-MM-DDTHH:MM:SS+HH:MM has a sign at every third place.
        if len(text) == 25 and text[4:23:3] in _SIGNS and text[20:22] < "15" and text.isascii():  # noqa: PLR2004
            datetime.fromisoformat(text)
            return text
        return with_zone(read(text), None)

    return quick
