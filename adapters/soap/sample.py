"""An example document of a message, made of its plan: every field once, of a choice the first alternative."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any

from adapters.soap.facets import NO_FACETS
from adapters.soap.lexical import TYPES
from adapters.soap.pattern import pattern
from adapters.soap.plan import ANY, TEXT, VARIANT, Field, MessagePlan, Shape
from adapters.soap.tolerate import Leniency
from adapters.soap.values import Values
from gateway import Document

Made = Callable[[str], str | None]
"""Returns a made-up text for a field by its name, None where it knows none."""

_VALUES: dict[str, Any] = {
    "text": "contoh",
    "integer": 1,
    "number": Decimal("1250000.50"),
    "boolean": True,
    "date": "2026-11-24",
    "datetime": "2026-11-24T10:15:00+07:00",
    "time": "10:15:00",
    "binary": "aGFsbw==",
    "any": "contoh",
}
_SPECIAL: dict[str, Any] = {
    "negativeInteger": -1,
    "nonPositiveInteger": 0,
    "hexBinary": "00ff",
    "anyURI": "https://opd.example/",
    "language": "id",
    "duration": "P1D",
    "gYear": "2026",
    "gYearMonth": "2026-11",
    "gMonth": "--11",
    "gMonthDay": "--11-24",
    "gDay": "---24",
    "Name": "contoh",
    "NCName": "contoh",
    "NMTOKEN": "contoh",
    "ID": "contoh",
    "IDREF": "contoh",
    "QName": "contoh",
    "NMTOKENS": "contoh",
    "IDREFS": "contoh",
    "ENTITY": "contoh",
    "ENTITIES": "contoh",
}


def sample(plan: MessagePlan, made: Made, *, full: bool = True) -> Document:
    """Return an example of a message; without `full`, of what must be there only."""
    if plan.payload is None:
        return {}
    if plan.payload.shape is None:
        return {TEXT: value_of(plan.payload, made)}
    return _object(plan.payload.shape, made, full=full)


def _object(shape: Shape, made: Made, *, full: bool, above: tuple[Shape, ...] = ()) -> dict[str, Any]:
    """Return an object; a type that contains itself ends where it would begin again."""
    above = (*above, shape)
    left_out = {name for choice in shape.choices for option in choice.options[1:] for name in option.names}
    wanted = {name for choice in shape.choices for option in choice.options[:1] for name in option.needed}
    left_out -= {name for choice in shape.choices for option in choice.options[:1] for name in option.names}
    wanted |= {next(iter(choice.options[0].names)) for choice in shape.choices if choice.least and not wanted}
    document = {
        found.name: _value(found, made, full=full, above=above)
        for found in (*shape.fields, *shape.attributes)
        if found.least or found.name in wanted or (full and found.name not in left_out and found.most != 0)
        if found.many or found.shape not in above
    }
    return document | ({TEXT: value_of(shape.text, made)} if shape.text is not None else {})


def _value(field: Field, made: Made, *, full: bool, above: tuple[Shape, ...]) -> Any:
    if field.many and field.shape in above:
        return []
    if field.name == ANY:
        return ["<contoh/>"] * field.least
    one = _one(field, made, full=full, above=above)
    return [one] * max(field.least, 1) if field.many else one


def _one(field: Field, made: Made, *, full: bool, above: tuple[Shape, ...]) -> Any:
    if field.abstract:
        variant = next((one for one in field.variants.values() if one.shape is not None), field)
        shape = variant.shape or Shape()
        return {VARIANT: variant.name, **_object(shape, made, full=full, above=above)}
    return value_of(field, made) if field.shape is None else _object(field.shape, made, full=full, above=above)


def value_of(field: Field, made: Made) -> Any:
    """Return the first value that comes to mind and that the type takes; where none does, one that it does not."""
    if field.whole.allowed:
        return Values(UTC, Leniency()).simple(replace(field, whole=NO_FACETS), field.whole.allowed[0], "")
    if field.listed:
        return [value_of(field.value, made)] * (0 if field.whole.max_length == 0 else max(1, field.whole.min_length))
    if field.members:
        return value_of(field.members[0], made)
    candidates = [*_candidates(field, made)]
    return next((one for one in candidates if takes(field, one)), candidates[0])


def takes(field: Field, value: Any) -> bool:
    """Tell whether a value could be written."""
    try:
        field.lexical.write(value)
    except (ValueError, TypeError):
        return False
    return True


def _candidates(field: Field, made: Made) -> Iterator[Any]:
    facets = field.facets
    usual = _SPECIAL.get(field.type, _VALUES[field.kind])
    if facets.allowed:
        yield TYPES[field.type].read(facets.allowed[0]) if field.type in TYPES else facets.allowed[0]
    if field.kind == "text" and field.type not in _SPECIAL:
        text = made(field.name) or usual
        yield text[: facets.max_length].ljust(facets.min_length, "0") if facets.max_length != 0 else ""
    yield usual
    for alternatives in facets.patterns:
        for text in (pattern(one).example() for one in alternatives):
            yield text
            yield text.ljust(facets.min_length, text[-1:] or "0")
    for bound, step in ((facets.low, 0), (facets.high, 0), (facets.above, 1), (facets.below, -1)):
        if bound and field.kind in {"integer", "number"}:
            yield int(Decimal(bound)) + step if field.kind == "integer" else Decimal(bound) + step
        elif bound:
            yield bound
    if field.kind in {"integer", "number"}:
        yield from (1, 0, -1, Decimal("0.5"))
