"""Simple values of one answer: typed, tolerated by name, or an error; knows no elements."""

import re
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from adapters.soap.facets import NO_FACETS, Beyond, broken
from adapters.soap.lexical import BLANKS, is_naive, with_zone
from adapters.soap.plan import Field
from adapters.soap.tolerate import Leniency
from gateway import FieldError, mask_value

_ENOUGH = 50
_BLANKS = str.maketrans("\t\n\r", "   ")
_LOOKED_AT = 200  # of a value that is wrong; masking a megabyte takes longer than reading it
_ZERO = re.compile(r"0000-00-00(?:[T ]00:00:00(?:\.0+)?Z?)?")
_BLANK = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:.*")


class Values:
    """What is read, and what is wrong with it, up to a number of errors that still helps."""

    def __init__(self, zone: tzinfo | None, leniency: Leniency) -> None:
        self.errors: list[FieldError] = []
        self._zone = zone
        self._leniency = leniency

    def wrong(self, path: str, rule: str, value: str | None = None, **params: str) -> None:
        """Remember what is wrong with a field."""
        if len(self.errors) < _ENOUGH:
            shown = None if value is None else mask_value(value[:_LOOKED_AT].strip())
            self.errors.append(FieldError(pointer=path, rule=rule, params=params, value=shown))

    def is_right(self, since: int) -> bool:
        """Tell whether nothing was wrong since there were so many errors, and forget what was."""
        right = len(self.errors) == since < _ENOUGH
        del self.errors[since:]
        return right

    def simple(self, field: Field, text: str, path: str) -> Any:
        """Return a text as its field's type; None with an error where it is none."""
        if field.listed or field.members:
            return self._compound(field, text, path)
        try:
            value = field.lexical.read(text or field.fixed)
        except Beyond as beyond:
            if not self._leniency.allows("beyond-facets"):
                return self.wrong(path, beyond.rule, text, **beyond.params)
            value = beyond.value
        except ValueError:
            return self._unwritten(field, text, path)
        return self._moment(str(value), path) if field.kind == "datetime" else value

    def _unwritten(self, field: Field, text: str, path: str) -> Any:
        """What is in no form of its type: what the agency's section tolerates of it, else an error."""
        plain = text.strip(BLANKS)
        if not plain and field.kind not in {"text", "binary"} and self._leniency.allows("empty-values"):
            return None
        if field.kind in {"date", "datetime"} and _ZERO.fullmatch(plain) and self._leniency.allows("zero-dates"):
            return None
        if field.kind == "datetime" and _BLANK.fullmatch(plain) and self._leniency.allows("blank-in-datetime"):
            return self.simple(field, plain.replace(" ", "T", 1), path)
        return self.wrong(path, "native", text, expected=f"xsd:{field.type}")

    def _moment(self, text: str, path: str) -> Any:
        zone = self._zone
        if is_naive(text) and self._leniency.allows("naive-utc"):
            zone = UTC
        try:
            return with_zone(text, zone)
        except ValueError:
            return self.wrong(path, "native", text, expected="a dateTime with its zone; else set `timezone`")

    def _compound(self, field: Field, text: str, path: str) -> Any:
        """Read a list or a union, and hold it as a whole to its facets."""
        before = len(self.errors)
        if field.listed:
            value: Any = [self.simple(field.value, one, path) for one in text.translate(_BLANKS).split(" ") if one]
        else:
            value = self._union(field, text, path)
        if field.whole == NO_FACETS or len(self.errors) > before:
            return value
        strict, plain = Values(UTC, Leniency()), replace(field, whole=NO_FACETS)
        for rule, params in broken(field.whole, text, value, lambda one: strict.simple(plain, one, "")):
            if not self._leniency.allows("beyond-facets"):
                return self.wrong(path, rule, text, **params)
        return value

    def _union(self, field: Field, text: str, path: str) -> Any:
        """Read by the first member that takes the text, and only where none does by one with what is tolerated."""
        lenient, missed = self._leniency, set(self._leniency.missed)
        strict = replace(lenient, named=lenient.named & {"naive-utc"}, used=set(), missed=set())
        for leniency, member in ((each, member) for each in (strict, lenient) for member in field.members):
            before, used = len(self.errors), set(leniency.used)
            self._leniency = leniency
            value = self.simple(member, text, path)
            self._leniency = lenient
            if self.is_right(before):
                lenient.used |= leniency.used
                lenient.missed = missed
                return value
            leniency.used = used
        names = ", ".join(f"xsd:{member.type}" for member in field.members)
        return self.wrong(path, "native", text, expected=f"one of: {names}")
