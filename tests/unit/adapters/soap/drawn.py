"""Random documents that fit a plan; what is drawn is any object with the methods of random.Random."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from itertools import chain
from random import Random
from typing import Any

from adapters.soap.facets import NO_FACETS
from adapters.soap.lexical import TYPES
from adapters.soap.pattern import pattern
from adapters.soap.plan import ANY, TEXT, VARIANT, Choice, Field, MessagePlan, Shape
from adapters.soap.tolerate import Leniency
from adapters.soap.values import Values

TEXTS = ("", "a <&> é", "Pelalawan", ' "kutip" ', "dua\nbaris", "]]>", "0", "😀")
WORDS = ("a", "Pelalawan", "é", "0")
INTEGERS = {
    "integer": (-(10**20), 10**20),
    "long": (-(2**63), 2**63 - 1),
    "int": (-(2**31), 2**31 - 1),
    "short": (-(2**15), 2**15 - 1),
    "byte": (-(2**7), 2**7 - 1),
    "nonNegativeInteger": (0, 10**20),
    "positiveInteger": (1, 10**20),
    "nonPositiveInteger": (-(10**20), 0),
    "negativeInteger": (-(10**20), -1),
    "unsignedLong": (0, 2**64 - 1),
    "unsignedInt": (0, 2**32 - 1),
    "unsignedShort": (0, 2**16 - 1),
    "unsignedByte": (0, 255),
}
FORMS = {
    "date": ("2026-03-14", "1999-12-31"),
    "dateTime": ("2026-03-14T09:26:53+07:00", "2026-03-14T09:26:53.250000Z"),
    "time": ("09:26:53", "23:59:59"),
    "hexBinary": ("", "00ff", "CAFE"),
    "anyURI": ("https://opd.example/a?b=1&c=2", "urn:x"),
    "QName": ("a",),
    "Name": ("a", "b.c"),
    "NCName": ("a", "b-c"),
    "NMTOKEN": ("a", "0-1"),
    "ID": ("a",),
    "IDREF": ("a",),
    "ENTITY": ("a",),
    "language": ("id", "en-GB"),
    "duration": ("P1D",),
    "gYear": ("2026",),
    "gYearMonth": ("2026-11",),
    "gMonth": ("--11",),
    "gMonthDay": ("--11-24",),
    "gDay": ("---24",),
    "NMTOKENS": ("a b",),
    "IDREFS": ("a b",),
    "ENTITIES": ("a b",),
    "token": WORDS,
    "normalizedString": ("a b", "é"),
}


class Drawn:
    """One document under way; `deep` ends what contains itself."""

    def __init__(self, random: Random, *, deep: int = 3) -> None:
        self._random = random
        self._deep = deep

    def message(self, plan: MessagePlan) -> dict[str, Any]:
        """Return a document of a message."""
        if plan.payload is None:
            return {}
        if plan.payload.shape is None:
            return {TEXT: self.simple(plan.payload)}
        return self.object(plan.payload.shape, 0)

    def object(self, shape: Shape, depth: int) -> dict[str, Any]:
        """Return an object with some of its optional fields, and of each choice one alternative at most."""
        there = {found.name for found in shape.everything if self._is_there(found, depth)}
        for choice in shape.choices:
            self._choose(choice, there)
        document = {found.name: self._field(found, depth) for found in shape.everything if found.name in there}
        for found in shape.fields:
            if found.many and found.name not in document:
                document[found.name] = []
        return document

    def _is_there(self, field: Field, depth: int) -> bool:
        if field.least or field.many:
            return field.most != 0
        return field.most != 0 and (field.shape is None or depth < self._deep) and self._random.random() < 0.6

    def _choose(self, choice: Choice, there: set[str]) -> None:
        known = [option for option in choice.options if not option.names.isdisjoint(there)]
        kept = self._random.choice(known) if known else self._random.choice(choice.options) if choice.least else None
        there.difference_update(set(choice.names) - (kept.names if kept else frozenset()))
        if kept is not None:
            there.update(kept.needed)

    def _field(self, field: Field, depth: int) -> Any:
        if not field.many:
            return self._one(field, depth)
        most = field.least + 2 if field.most is None else min(field.most, field.least + 2)
        few = field.least if depth >= self._deep and field.shape is not None else most
        return [self._one(field, depth) for _ in range(self._random.randint(field.least, few))]

    def _one(self, field: Field, depth: int) -> Any:
        if field.name == ANY:
            return f'<lain xmlns="urn:lain"><isi>{self._random.randint(1, 9)}</isi></lain>'
        if field.nillable and self._random.random() < 0.2:
            return None
        if field.variants and depth < self._deep and (field.abstract or self._random.random() < 0.3):
            variant = self._random.choice(list(field.variants.values()))
            if variant.shape is not None and not variant.shape.odd:
                return {VARIANT: variant.name, **self.object(variant.shape, depth + 1)}
        if field.kind == "any" and not field.members:
            return self._random.choice(WORDS)
        return self.simple(field) if field.shape is None else self.object(field.shape, depth + 1)

    def simple(self, field: Field) -> Any:
        """Return a value of a simple type."""
        if field.whole.allowed:
            texts = self._random.choice(field.whole.allowed)
            return Values(UTC, Leniency()).simple(replace(field, whole=NO_FACETS), texts, "")
        if field.whole.patterns:
            raise Undrawable(field.name)
        if field.listed:
            least, most = field.whole.min_length, field.whole.max_length
            number = self._random.randint(least, least + 3 if most is None else min(most, least + 3))
            return [self._word(field.value) for _ in range(number)]
        if field.members:
            # A value of the first member is read back as it was, whatever the others take.
            return self.simple(field.members[0])
        if field.kind == "any":
            return self._random.choice(WORDS)
        return self._fitting(field)

    def _word(self, field: Field) -> Any:
        if field.kind == "text" and not field.allowed and field.type not in FORMS:
            return self._random.choice(WORDS)
        return self.simple(field)

    def _typed(self, field: Field) -> Any:
        if field.allowed:
            text = self._random.choice(field.allowed)
            return TYPES[field.type].read(text) if field.type in TYPES else text
        if field.type in INTEGERS:
            return self._random.randint(*INTEGERS[field.type])
        if field.type in FORMS:
            return self._random.choice(FORMS[field.type])
        made = {
            "number": lambda: Decimal(self._random.randint(-(10**6), 10**6)).scaleb(-2),
            "boolean": lambda: self._random.random() < 0.5,
            "binary": lambda: base64.b64encode(b"halo"[: self._random.randint(0, 4)]).decode(),
        }
        return made.get(field.kind, lambda: self._random.choice(TEXTS))()

    def _fitting(self, field: Field) -> Any:
        """Return a value that the type's facets allow, in the form in which it is read again."""
        drawn = (self._sized(field, self._typed(field)) for _ in range(20))
        for value in chain(drawn, _candidates(field)):
            with suppress(TypeError, ValueError):
                return field.lexical.read(field.lexical.write(value))
        raise Undrawable(field.name)

    def _sized(self, field: Field, value: Any) -> Any:
        if isinstance(value, str) and not field.allowed and (field.min_length or field.max_length is not None):
            return value[: field.max_length].ljust(field.min_length, "x")
        return value


class Undrawable(Exception):
    """A type whose facets nothing that is drawn here fits: mostly patterns."""


def _candidates(field: Field) -> Iterator[Any]:
    facets = field.facets
    for alternatives in facets.patterns:
        yield from (pattern(one).example() for one in alternatives)
    for text in (facets.low, facets.high, facets.above, facets.below):
        if text and field.kind in {"integer", "number"}:
            yield from (Decimal(text), Decimal(text) + 1, Decimal(text) - 1)
            yield from (int(Decimal(text)) + step for step in (-1, 0, 1))
    yield from (0, 1, Decimal("0.5"))


def plans_of(plans: Any) -> Iterator[tuple[str, str, MessagePlan]]:
    """Yield every message: operation, direction, plan."""
    for name, operation in plans.operations.items():
        yield name, "input", operation.request
        if operation.reply is not None:
            yield name, "output", operation.reply
