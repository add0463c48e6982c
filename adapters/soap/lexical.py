"""XML Schema's simple types: strict reading and writing of one value; knows no elements and no documents."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Literal

Kind = Literal["text", "integer", "number", "boolean", "date", "datetime", "time", "binary", "object", "any"]
BLANKS = " \t\n\r"
"""XML's; Python's own strip() and split() know many more, which are text to XML."""
Value = str | int | Decimal | bool

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]+)?")
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])?"
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})" + _ZONE)
_TIME = re.compile(r"([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?" + _ZONE)
_DATETIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?" + _ZONE)
_START = (
    ":A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_CHAR = _START + "\\-.0-9\xb7\u0300-\u036f\u203f\u2040"
_NC_NAME = f"(?!:)[{_START}](?:(?!:)[{_CHAR}])*"
_NAMES: Mapping[str, str] = {
    "Name": f"[{_START}][{_CHAR}]*",
    "NCName": _NC_NAME,
    "NMTOKEN": f"[{_CHAR}]+",
    "QName": f"(?:{_NC_NAME}:)?{_NC_NAME}",
    "language": "[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*",
    "duration": (
        r"-?P(?=.)(?:[0-9]+Y)?(?:[0-9]+M)?(?:[0-9]+D)?"
        r"(?:T(?=.)(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+(?:\.[0-9]+)?S)?)?"
    ),
    "gYear": "-?[0-9]{4,}" + _ZONE,
    "gYearMonth": "-?[0-9]{4,}-(?:0[1-9]|1[0-2])" + _ZONE,
    "gMonth": "--(?:0[1-9]|1[0-2])" + _ZONE,
    "gMonthDay": "--(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])" + _ZONE,
    "gDay": "---(?:0[1-9]|[12][0-9]|3[01])" + _ZONE,
}
_LISTS = {"NMTOKENS": "NMTOKEN", "IDREFS": "NCName", "ENTITIES": "NCName"}
_NO_BLANKS = str.maketrans("", "", BLANKS)
_HEX = re.compile(r"([0-9A-Fa-f]{2})*")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_DIGITS = 1000  # Python refuses to convert more than 4,300 at once; no agency counts that far


@dataclass(frozen=True, slots=True)
class Lexical:
    """A type's two directions: `read` raises ValueError, `write` ValueError or TypeError."""

    kind: Kind
    read: Callable[[str], Value]
    write: Callable[[object], str]


def is_naive(text: str) -> bool:
    """Tell whether a dateTime bears no zone."""
    found = _DATETIME.fullmatch(text)
    return found is not None and not found[2]


def with_zone(text: str, zone: tzinfo | None) -> str:
    """Return a dateTime that bears a zone: its own, else the given one's at that moment; ValueError without either."""
    found = _DATETIME.fullmatch(text)
    if found is None or found[2]:
        return text
    if zone is None:
        raise ValueError("no zone")
    if zone is UTC:
        return f"{text}Z"
    offset = datetime.fromisoformat(found[1]).replace(tzinfo=zone).strftime("%z")
    return f"{text}{offset[:3]}:{offset[3:5]}"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value


def _read_text(text: str) -> str:
    return text


def _integer(low: int | None, high: int | None) -> Lexical:
    def read(text: str) -> int:
        text = text.strip(BLANKS)
        if len(text) > _DIGITS or not _INTEGER.fullmatch(text):
            raise ValueError(text)
        value = int(text)
        if (low is not None and value < low) or (high is not None and value > high):
            raise ValueError(text)
        return value

    def write(value: object) -> str:
        if isinstance(value, str):
            return str(read(value))
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError("whole number")
        return str(read(str(value)))

    return Lexical("integer", read, write)


def _number(pattern: re.Pattern[str]) -> Lexical:
    def read(text: str) -> Decimal:
        text = text.strip(BLANKS)
        if len(text) > _DIGITS or not pattern.fullmatch(text):
            raise ValueError(text)
        value = Decimal(text)
        if abs(value.adjusted()) > _DIGITS:
            raise ValueError(text)
        return value

    def write(value: object) -> str:
        if isinstance(value, str):
            read(value)
            return value.strip(BLANKS)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise TypeError("number")
        if not Decimal(value).is_finite() or abs(Decimal(value).adjusted()) > _DIGITS:
            raise ValueError("number")
        return format(value, "f") if isinstance(value, Decimal) else str(value)

    return Lexical("number", read, write)


def _read_boolean(text: str) -> bool:
    text = text.strip(BLANKS)
    if text not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text]


def _write_boolean(value: object) -> str:
    if not isinstance(value, bool):
        raise TypeError("true or false")
    return "true" if value else "false"


def _moment(kind: Kind, pattern: re.Pattern[str], exists: Callable[[str], object]) -> Lexical:
    """A date or time stays text, as it was given: nothing of its zone or fraction is lost."""

    def read(text: str) -> str:
        text = text.strip(BLANKS)
        found = pattern.fullmatch(text)
        if found is None:
            raise ValueError(text)
        exists(found[1])
        return text

    return Lexical(kind, read, lambda value: read(_text(value)))


def _read_base64(text: str) -> str:
    text = text.translate(_NO_BLANKS)
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("base64") from error
    return text


def _read_hex(text: str) -> str:
    text = text.strip(BLANKS)
    if not _HEX.fullmatch(text):
        raise ValueError(text)
    return text


def _named(form: str, *, many: bool = False) -> Lexical:
    """A text of a certain form; of many, with blanks between them."""
    pattern = re.compile(rf"{form}(?:[ \t\n\r]+{form})*" if many else form)

    def read(text: str) -> str:
        text = text.strip(BLANKS)
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return Lexical("text", read, lambda value: read(_text(value)))


TEXT = Lexical("text", _read_text, _text)
_FLOATING = _number(_FLOAT)

TYPES: Mapping[str, Lexical] = {
    "boolean": Lexical("boolean", _read_boolean, _write_boolean),
    "decimal": _number(_DECIMAL),
    "float": _FLOATING,
    "double": _FLOATING,
    "integer": _integer(None, None),
    "nonPositiveInteger": _integer(None, 0),
    "negativeInteger": _integer(None, -1),
    "nonNegativeInteger": _integer(0, None),
    "positiveInteger": _integer(1, None),
    "long": _integer(-(2**63), 2**63 - 1),
    "int": _integer(-(2**31), 2**31 - 1),
    "short": _integer(-(2**15), 2**15 - 1),
    "byte": _integer(-(2**7), 2**7 - 1),
    "unsignedLong": _integer(0, 2**64 - 1),
    "unsignedInt": _integer(0, 2**32 - 1),
    "unsignedShort": _integer(0, 2**16 - 1),
    "unsignedByte": _integer(0, 2**8 - 1),
    "date": _moment("date", _DATE, date.fromisoformat),
    "time": _moment("time", _TIME, time.fromisoformat),
    "dateTime": _moment("datetime", _DATETIME, datetime.fromisoformat),
    "base64Binary": Lexical("binary", _read_base64, lambda value: _read_base64(_text(value))),
    "hexBinary": Lexical("text", _read_hex, lambda value: _read_hex(_text(value))),
    **{name: _named(form) for name, form in _NAMES.items()},
    **{name: _named(_NAMES["NCName"]) for name in ("ID", "IDREF", "ENTITY")},
    **{name: _named(_NAMES[item], many=True) for name, item in _LISTS.items()},
}
"""By the local name of the built-in type; one that isn't here is text."""

_BASES: Mapping[str, str] = {
    "nonPositiveInteger": "integer",
    "negativeInteger": "nonPositiveInteger",
    "nonNegativeInteger": "integer",
    "positiveInteger": "nonNegativeInteger",
    "long": "integer",
    "int": "long",
    "short": "int",
    "byte": "short",
    "unsignedLong": "nonNegativeInteger",
    "unsignedInt": "unsignedLong",
    "unsignedShort": "unsignedInt",
    "unsignedByte": "unsignedShort",
    "integer": "decimal",
    "normalizedString": "string",
    "token": "normalizedString",
    "language": "token",
    "Name": "token",
    "NMTOKEN": "token",
    "NCName": "Name",
    "ID": "NCName",
    "IDREF": "NCName",
    "ENTITY": "NCName",
}


def derives(name: str, base: str) -> bool:
    """Tell whether one built-in type is the other or a restriction of it."""
    while name != base:
        if name not in _BASES:
            return False
        name = _BASES[name]
    return True
