"""Hides personal data in what people read: logs, errors, terminals; knows nothing of where the text goes."""

import re
from collections.abc import Mapping

NIK_DIGITS, LONG = 16, 9
"""Digits of a NIK, and from how many on a number may be somebody's."""
_DASH = r".\-\u2010-\u2015"
_BETWEEN = rf"[ \t\u00a0{_DASH}]"
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:19|20)\d\d"
_DATE = rf"(?:{_YEAR}[-.]{_MONTH}[-.]{_DAY}|{_DAY}[-.]{_MONTH}[-.]{_YEAR})"
_TIME = r"(?:[01]?\d|2[0-3])\.[0-5]\d(?:\.[0-5]\d)?"
# A date, with its time or not, that stands by itself: within more groups of digits it is a part of their number.
_MOMENT = rf"(?<!\d)(?<!\d[{_DASH}]){_DATE}(?:[ ]{_TIME})?(?![{_DASH}]?\d)"
# A message's id, a version 7 UUID: every sixth has digits enough in a row to be taken for a number.
_ID = r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![\w-])"
_NUMBER = re.compile(rf"(?P<open>{_MOMENT}|{_ID})|\d+(?:{_BETWEEN}(?!{_MOMENT}|{_ID})\d+)*")
# The look-behind keeps it linear: without it, a long word that is no address is tried again from every letter.
_CONTACT = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")
_SHOWN = 40

Shown = str | bool | dict[str, "Shown"] | list["Shown"] | None
"""What is left of a document that is masked: its shape."""


def mask_digits(digits: str) -> str:
    """Return an identifier with its middle hidden: `1405029001180001` becomes `140502******0001`."""
    if len(digits) < NIK_DIGITS:
        return digits[:2] + "*" * (len(digits) - 4) + digits[-2:]
    return digits[:6] + "*" * (len(digits) - 10) + digits[-4:]


def mask_text(text: str) -> str:
    """Return text with every long number, in groups or not, and every e-mail address hidden; dates and ids are left."""
    return _CONTACT.sub("***@***", _NUMBER.sub(_hidden, text))


def _hidden(found: re.Match[str]) -> str:
    digits = "" if found["open"] else _digits(found.group())
    return mask_digits(digits) if len(digits) >= LONG else found.group()


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def _identifier(text: str) -> str | None:
    """Return the digits of a text that is one long number and nothing else."""
    found = _NUMBER.fullmatch(text)
    digits = _digits(text)
    return digits if found and not found["open"] and len(digits) >= LONG else None


def mask_value(value: object, *, personal: bool = False) -> str:
    """Return a short, masked picture of a value for an error; a personal one shows only its kind and length."""
    if isinstance(value, str):
        if personal and _identifier(value) is None:
            return f"{value[:1]}*** ({len(value)} characters)"
        shown = mask_text(value)
        return shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict | list | tuple):
        return f"{type(value).__name__} of {len(value)}"
    return mask_text(str(value))[:_SHOWN]


def mask_document(value: object) -> Shown:
    """Return a document's shape: every name, and of each value no more than its kind, its length or a masked number."""
    if isinstance(value, Mapping):
        return {mask_text(str(name)): mask_document(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask_document(inner) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    if digits := _identifier(text):
        return mask_digits(digits)
    return f"*** ({len(text)} characters)" if isinstance(value, str) else "*** (number)"
