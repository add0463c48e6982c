"""From a message's plan to the JSON Schema of its documents; each type once, so that it may contain itself."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from adapters.soap.plan import VARIANT, Field, MessagePlan, Shape
from adapters.soap.quick import BOUNDS
from gateway import Document

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TYPES: Mapping[str, Mapping[str, Any]] = {
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string"},  # with a zone, which JSON Schema's own "date" does not have
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "any": {},
}
_XSD_ONLY = re.compile(r"\\[icwICWpP]|-\[|[$^]|\(\?")
"""What means something else to JSON Schema: name characters, blocks, subtraction, signs that are no anchors here."""
_BOUNDED = frozenset({"long", "int", "short", "unsignedInt"})


def json_schema(plan: MessagePlan) -> Document:
    """Return the schema of what is under the payload; whatever goes through zeep's tree may be anything."""
    if plan.payload is None or plan.odd:
        return {"$schema": _DRAFT, "type": "object"}
    schemas = _Schemas()
    root = schemas.value(plan.payload)
    return {"$schema": _DRAFT, **root, "$defs": schemas.definitions}


class _Schemas:
    """One message's types by name, numbered where two types have one."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._names: dict[tuple[int, str], str] = {}

    def value(self, field: Field) -> Mapping[str, Any]:
        """Return the schema of one value of a field."""
        if field.listed:
            return {"type": "array", "items": self.value(field.value), **_counted(field)}
        if field.members:
            return {"anyOf": [self.value(member) for member in field.members]}
        if field.shape is None:
            return _simple(field)
        variants = [self._object(one.shape, one.name) for one in field.variants.values() if one.shape is not None]
        own = [] if field.abstract else [self._object(field.shape)]
        return own[0] if own and not variants else {"anyOf": [*own, *variants]}

    def _field(self, field: Field) -> Mapping[str, Any]:
        one = self.value(field)
        if field.nillable:
            one = {"anyOf": [one, {"type": "null"}]}
        if not field.many:
            return one
        most = {} if field.most is None else {"maxItems": field.most}
        return {"type": "array", "items": one, "minItems": field.least, **most}

    def _object(self, shape: Shape, variant: str = "") -> Mapping[str, Any]:
        key = id(shape), variant
        if key not in self._names:
            name = variant or shape.name or "object"
            taken = set(self._names.values())
            names = (name if number == 1 else f"{name}{number}" for number in range(1, len(taken) + 2))
            self._names[key] = next(one for one in names if one not in taken)
            content = self._content(shape)
            if variant:
                content["properties"] = {VARIANT: {"const": variant}, **content["properties"]}
                content["required"] = [VARIANT, *content["required"]]
            self.definitions[self._names[key]] = content
        return {"$ref": f"#/$defs/{self._names[key]}"}

    def _content(self, shape: Shape) -> dict[str, Any]:
        """Of alternatives a schema says only that they may be there; the codec says which."""
        return {
            "type": "object",
            "properties": {found.name: self._field(found) for found in shape.everything},
            "required": [found.name for found in shape.everything if found.least],
            "additionalProperties": shape.open or shape.loose or bool(shape.odd),
        }


def _counted(field: Field) -> Mapping[str, Any]:
    most = {} if field.whole.max_length is None else {"maxItems": field.whole.max_length}
    return {"minItems": field.whole.min_length, **most} if field.whole.min_length else most


def _simple(field: Field) -> Mapping[str, Any]:
    schema: dict[str, Any] = {**_TYPES.get(field.kind, {"type": "string"})}
    if field.type in _BOUNDED:
        schema["minimum"], schema["maximum"] = BOUNDS[field.type]
    if field.allowed and field.kind == "text":
        schema["enum"] = list(field.allowed)
    if field.min_length:
        schema["minLength"] = field.min_length
    if field.max_length is not None:
        schema["maxLength"] = field.max_length
    if field.kind in {"integer", "number"}:
        schema |= _bounds(field)
    patterns = [{"pattern": one} for one in _expressions(field)]
    return schema | (patterns[0] if len(patterns) == 1 else {"allOf": patterns} if patterns else {})


def _bounds(field: Field) -> Mapping[str, Any]:
    """Return a number's bounds; those of a facet are within those of its type."""
    facets = field.facets
    named = (
        ("minimum", facets.low),
        ("exclusiveMinimum", facets.above),
        ("maximum", facets.high),
        ("exclusiveMaximum", facets.below),
    )
    return {name: _number(text) for name, text in named if text}


def _number(text: str) -> int | float:
    value = Decimal(text.strip())
    return int(value) if value == value.to_integral_value() else float(value)


def _expressions(field: Field) -> Iterator[str]:
    """Yield XSD's patterns, which match the whole text, but for those that only XSD can say or says otherwise."""
    for alternatives in field.facets.patterns if field.kind == "text" else ():
        if not any(_XSD_ONLY.search(one) for one in alternatives):
            yield f"^(?:{'|'.join(alternatives)})$"
