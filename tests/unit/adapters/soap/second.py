"""zeep's own codec as the second opinion: our documents as zeep takes them, and what it reads compared with them."""

import base64
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree
from zeep import xsd
from zeep.helpers import serialize_object
from zeep.xsd.elements.indicators import Indicator

from adapters.soap.plan import ANY, TEXT, VARIANT, Field, MessagePlan, Shape
from adapters.soap.planning import element_of
from adapters.soap.wsdl import load

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
TUPLES: Mapping[str, Any] = {
    "gYear": (2026, None),
    "gYearMonth": (2026, 11, None),
    "gMonth": (11, None),
    "gMonthDay": (11, 24, None),
    "gDay": (24, None),
    "duration": timedelta(days=1),
}


class Unasked(Exception):
    """Why zeep has no opinion on a document."""


class Second:
    """One WSDL in zeep's hands."""

    def __init__(self, path: Path) -> None:
        self._loaded = load(path)
        self._binding: Any = self._loaded.port.binding
        self._schema: Any = self._loaded.schema

    def write(self, operation: str, direction: str, plan: MessagePlan, document: dict[str, Any]) -> etree._Element:
        """Return the payload that zeep makes of a document."""
        element = element_of(self._loaded, operation, direction)
        if element is None or plan.payload is None:
            raise Unasked("an rpc message without parts: zeep has no wrapper for it")
        parts = [one.qname.text for one in element.type._element or ()] if plan.rpc else []
        if plan.rpc and plan.payload.shape is not None and not {*parts} <= plan.payload.shape.by_tag.keys():
            raise Unasked("an rpc message of which the Body has some parts only: zeep puts all into it")
        for reason in unasked(plan.payload, document):
            raise Unasked(reason)
        root = etree.Element("root")
        given = self._value(element.type, plan.payload, document)
        element.render(root, element(**given) if isinstance(given, dict) else given)
        return root[0]

    def read(self, operation: str, direction: str, payload: etree._Element) -> Any:
        """Return what zeep reads."""
        element = element_of(self._loaded, operation, direction)
        return serialize_object(element.parse(payload, self._schema), dict)

    def expected(self, operation: str, direction: str, plan: MessagePlan, document: dict[str, Any]) -> Any:
        """Return what zeep should read."""
        element = element_of(self._loaded, operation, direction)
        assert plan.payload is not None
        return serialize_object(self._value(element.type, plan.payload, document), dict)

    def _value(self, type_: Any, field: Field, value: Any) -> Any:
        if isinstance(value, list) and not field.listed:
            return [self._value(type_, field, one) for one in value]
        if value is None:
            return xsd.Nil if field.nillable else None
        if isinstance(value, dict) and VARIANT in value:
            (name, variant) = next(one for one in field.variants.items() if one[1].name == value[VARIANT])
            theirs = self._schema.get_type(f"{{{name[0]}}}{name[1]}")
            assert variant.shape is not None
            return theirs(**self._object(theirs, variant.shape, value))
        if isinstance(value, dict):
            assert field.shape is not None
            return self._object(type_, field.shape, value)
        return simple(field, value)

    def _object(self, type_: Any, shape: Shape, document: Mapping[str, Any]) -> Any:
        if shape.item is not None:
            (item,) = shape.fields
            declared = type_._array_type.array_type or type_._element[0].type
            return [self._value(declared, item, one) for one in document[item.name]]
        taken: dict[str, Any] = {}
        if any(name.startswith("attr__") for name, _ in type_.attributes):
            raise Unasked("an attribute and an element of one name: zeep takes one for the other")
        for name, attribute in type_.attributes:
            if attribute.name and f"@{attribute.name}" in document:
                field = next(one for one in shape.attributes if one.tag == attribute.qname.text)
                taken[name] = simple(field, document[field.name])
        if TEXT in document:
            assert shape.text is not None
            return taken | {"_value_1": simple(shape.text, document[TEXT])}
        for name, particle in type_.elements_nested:
            taken |= self._particle(name, particle, shape, document)
        return taken

    def _particle(self, name: str | None, particle: Any, shape: Shape, document: Mapping[str, Any]) -> dict[str, Any]:
        if isinstance(particle, xsd.Element):
            field = shape.by_tag.get(particle.qname.text)
            if field is None:
                raise Unasked("a substitution group: zeep knows none")
            if field.name not in document:
                return {}
            return {name or "": self._value(particle.type, field, document[field.name])}
        if isinstance(particle, xsd.Group):
            return self._particle(name, particle.child, shape, document)
        if isinstance(particle, Indicator):
            if particle.accepts_multiple:
                return {name or "": list(self._turns(particle, shape, document))}
            inner = {}
            for inner_name, one in particle.elements_nested:
                inner |= self._particle(inner_name, one, shape, document)
            return inner
        if not isinstance(particle, xsd.Any):
            raise Unasked("a schema within a message: zeep takes objects of its own only")
        given = [etree.fromstring(text) for text in document.get(ANY, [])]
        return {name or "": given if particle.accepts_multiple else given[0]} if given else {}

    def _turns(self, particle: Any, shape: Shape, document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        names = {element.qname.text for _, element in particle.elements if isinstance(element, xsd.Element)}
        group = next(
            (one for one in shape.fields if not one.tag and one.shape and names & one.shape.by_tag.keys()), None
        )
        if group is not None and group.shape is not None:
            for turn in document.get(group.name, []):
                yield self._turn(particle, group.shape, turn)
            return
        for field in shape.fields:
            if field.tag in names:
                for one in document.get(field.name, []):
                    yield self._turn(particle, shape, {field.name: [one] if field.many else one}, single=True)

    def _turn(self, particle: Any, shape: Shape, turn: Mapping[str, Any], *, single: bool = False) -> dict[str, Any]:
        taken: dict[str, Any] = {}
        for name, one in particle.elements_nested:
            taken |= self._particle(name, one, shape, turn)
        return {name: one[0] if single and isinstance(one, list) else one for name, one in taken.items()}


def unasked(field: Field, value: Any) -> Iterator[str]:
    """Yield why zeep would write something else: what it can't do, or does wrong."""
    if isinstance(value, list):
        if None in value:
            yield "a null among the items of a list: zeep writes an object of nulls, or fails"
        for one in value:
            yield from unasked(field, one)
    if value is None and field.shape is not None and field.shape.item is not None:
        yield "an encoded array that is null: zeep fails"
    if not isinstance(value, Mapping):
        return
    variant = next((one for one in field.variants.values() if one.name == value.get(VARIANT)), field)
    if variant.shape is None:
        return
    yield from _unasked_array(variant.shape, value)
    yield from _unasked_choice(variant.shape, value)
    for one in variant.shape.everything:
        if one.name in value:
            yield from unasked(one, value[one.name])


def _unasked_array(shape: Shape, value: Mapping[str, Any]) -> Iterator[str]:
    if shape.item is None:
        return
    (item,) = shape.fields
    if not value[item.name]:
        yield "an encoded array of nothing: zeep fails where its items have a type"
    if item.kind == "any":
        yield "an encoded array of anyType: zeep takes no values for its items"
    if item.kind == "binary":
        yield "an encoded array of binaries: zeep takes no bytes for its items"
    if item.shape is not None and item.shape.item is not None:
        yield "an encoded array of arrays: zeep takes no lists for its items"


def _unasked_choice(shape: Shape, value: Mapping[str, Any]) -> Iterator[str]:
    for choice in shape.choices:
        if len(choice.names) < sum(len(option.names) for option in choice.options):
            yield "a choice whose alternatives have a field in common: zeep takes the first of them"
        if len(choice.options) == 1 and not any(name in value for name in choice.names):
            yield "an optional sequence that is not there: zeep demands what is in it"
        if any(name in value and not value[name] for name in choice.names):
            yield "a choice of an empty text, 0 or false: zeep takes it for not made, and writes nothing"


def simple(field: Field, value: Any) -> Any:
    """Return a simple value as zeep takes it."""
    if isinstance(value, list):
        return [simple(field.value, one) for one in value]
    if field.members:
        return simple(field.members[0], value)
    if field.type in TUPLES:
        return TUPLES[field.type]
    return base64.b64decode(value) if field.kind == "binary" else value


def differ(ours: etree._Element, theirs: etree._Element, *, encoded: bool) -> str:
    """Return where two elements differ; what only the encoding says is left out, and how array items are called."""
    name = str(ours.tag)
    if _attributes(ours, encoded) != _attributes(theirs, encoded):
        return f"attributes of {name}"
    if not len(ours) and not len(theirs):
        return "" if (ours.text or "") == (theirs.text or "") else f"text of {name}"
    tags = [[child.tag for child in one] for one in (ours, theirs)]
    # The names of array items mean nothing, and the array's own attribute is left out where the message is literal.
    is_array = any("}arrayType" in one or "}itemType" in one for one in ours.attrib) or {*tags[0]} == {"item"}
    if len(tags[0]) != len(tags[1]) or (tags[0] != tags[1] and not is_array):
        return f"children of {name}"
    found = (differ(one, other, encoded=encoded) for one, other in zip(ours, theirs, strict=True))
    return next((where for where in found if where), "")


def _attributes(element: etree._Element, encoded: bool) -> dict[str, str]:
    attributes = {
        str(name): str(text) for name, text in element.attrib.items() if "/soap/" not in name and "/soap-en" not in name
    }
    said = attributes.pop(f"{XSI}type", None)
    if said and not encoded:
        prefix, _, local = said.rpartition(":")
        attributes["type"] = f"{{{element.nsmap.get(prefix or None)}}}{local}"
    return attributes


def same(given: Any, read: Any) -> bool:
    """Tell whether zeep read what it was given; it has one nothing for missing, nil, "" and an empty list."""
    if is_nothing(given) or is_nothing(read):
        return is_nothing(given) and is_nothing(read)
    if isinstance(given, Mapping) and isinstance(read, Mapping):
        return all(same(given.get(name), read.get(name)) for name in {*given, *read})
    if isinstance(given, list) and isinstance(read, list):
        # zeep leaves empty values of a list out.
        given, read = ([one for one in each if not is_nothing(one)] for each in (given, read))
        return len(given) == len(read) and all(map(same, given, read))
    if isinstance(given, etree._Element) and isinstance(read, etree._Element):
        return not differ(given, read, encoded=False)
    return same_value(given, read)


def is_nothing(value: Any) -> bool:
    """Tell whether a value is what zeep makes None of, or might as well."""
    if isinstance(value, Mapping):
        return all(is_nothing(one) for one in value.values())
    if isinstance(value, list):
        return all(is_nothing(one) for one in value)
    return value is None or value is xsd.Nil or value in ("", b"")


def same_value(given: Any, read: Any) -> bool:
    """Compare one value in the type that zeep gave it."""
    if isinstance(read, datetime):
        return datetime.fromisoformat(str(given)) == read
    if isinstance(read, date | time):
        return str(given)[: len(read.isoformat())] == read.isoformat()
    if isinstance(read, float):
        return float(given) == read
    if isinstance(read, str) and isinstance(given, bool | int | Decimal):
        # Of a union zeep reads the text.
        return str(given).lower() == read
    if isinstance(given, Decimal | int) and not isinstance(given, bool):
        return Decimal(str(read)) == given
    return bool(given == read)
