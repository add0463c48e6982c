"""Hides personal data in what people read: logs, errors, terminals; knows nothing of where the text goes."""

import re
from collections.abc import Mapping

NIK_DIGITS = 16
_LONG_DIGITS = re.compile(r"\d{9,}")
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
    """Return text with every long run of digits and every e-mail address hidden."""
    hidden = _LONG_DIGITS.sub(lambda found: mask_digits(found.group()), text)
    return _CONTACT.sub("***@***", hidden)


def mask_value(value: object, *, personal: bool = False) -> str:
    """Return a short, masked picture of a value for an error; a personal one shows only its kind and length."""
    if isinstance(value, str):
        if personal and not _LONG_DIGITS.search(value):
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
    if _LONG_DIGITS.fullmatch(text):
        return mask_digits(text)
    return f"*** ({len(text)} characters)" if isinstance(value, str) else "*** (number)"
