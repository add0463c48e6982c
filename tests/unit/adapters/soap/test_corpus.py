"""Public WSDLs and samples that nobody here wrote; zeep's own writer is the second opinion on what we send."""

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.facets import Facets
from adapters.soap.plan import TEXT, Field, MessagePlan, Shape
from adapters.soap.planning import Plans, read_plans
from adapters.soap.sample import takes, value_of
from adapters.soap.wsdl import load
from gateway import ConfigError

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
LEFT_OUT = {f"{XSI}type", "{http://schemas.xmlsoap.org/soap/envelope/}encodingStyle"}
VALUES: dict[str, Any] = {
    "text": "a <&> é",
    "integer": 7,
    "number": Decimal("12.50"),
    "boolean": True,
    "date": "2026-03-14",
    "datetime": "2026-03-14T09:26:53+07:00",
    "time": "09:26:53",
    "binary": "aGFsbw==",
}
THEIR_OWN = {"list", "gYear", "gYearMonth", "gMonthDay", "gDay", "gMonth", "duration"}
NAMES = {"language", "Name", "NCName", "NMTOKEN", "ID", "IDREF", "NMTOKENS", "IDREFS", "ENTITY", "ENTITIES"}
SPECIAL = {
    "negativeInteger": -7,
    "nonPositiveInteger": -7,
    "hexBinary": "00ff",
    "QName": "a",
}


def plans(corpus: Path) -> Iterator[tuple[Path, Plans]]:
    for path in sorted((corpus / "wsdl").rglob("*.wsdl")):
        try:
            yield path, read_plans(path)
        except ConfigError as error:
            (finding,) = error.findings
            assert finding.where
            assert finding.remedy


def test_every_public_wsdl_loads_or_is_one_finding(corpus: Path) -> None:
    loaded = dict(plans(corpus))

    assert len(loaded) >= 130
    assert sum(len(found.operations) for found in loaded.values()) >= 390
    assert sum(len(found.refused) for found in loaded.values()) <= 60


class Unsampled(Exception):
    """A plan with something zeep's writer takes in a form of its own."""


def sample(shape: Shape) -> dict[str, Any]:
    """Return a document with every field once, of a choice the first alternative."""
    if shape.item is not None or shape.open:
        raise Unsampled
    left = {name for choice in shape.choices for option in choice.options[1:] for name in option.names}
    document = {found.name: value(found) for found in (*shape.attributes, *shape.fields) if found.name not in left}
    return document | ({TEXT: value(shape.text)} if shape.text else {})


def value(field: Field) -> Any:
    if field.kind == "any" or field.most == 0 or field.type in THEIR_OWN:
        raise Unsampled
    one = sample(field.shape) if field.shape is not None else simple(field)
    return [one] * max(field.least, 1) if field.many else one


def simple(field: Field) -> Any:
    if field.allowed:
        return field.allowed[0]
    if field.facets != Facets() or field.type in NAMES:
        found = value_of(field, lambda _: None)
        if not takes(field, found):
            raise Unsampled
        return found
    return SPECIAL.get(field.type, VALUES[field.kind])


def for_zeep(document: dict[str, Any], shape: Shape) -> dict[str, Any]:
    fields = {found.name: found for found in (*shape.fields, *shape.attributes)}
    elements = {found.name for found in shape.fields}
    taken: dict[str, Any] = {}
    for name, given in document.items():
        field = shape.text if name == TEXT else fields[name]
        assert field is not None
        plain = name.removeprefix("@")
        theirs = "_value_1" if name == TEXT else f"attr__{plain}" if plain != name and plain in elements else plain
        taken[theirs] = [typed(one, field) for one in given] if isinstance(given, list) else typed(given, field)
    return taken


def typed(given: Any, field: Field) -> Any:
    if isinstance(given, dict):
        assert field.shape is not None
        return for_zeep(given, field.shape)
    if field.kind == "binary":
        return base64.b64decode(given)
    return int(given) if field.kind == "integer" else given


def canonical(element: Any) -> Any:
    attributes = {name: text for name, text in element.attrib.items() if name not in LEFT_OUT}
    return element.tag, sorted(attributes.items()), (element.text or "").strip(), [canonical(c) for c in element]


def test_what_we_send_is_what_zeep_would_send(corpus: Path) -> None:
    compared = 0
    for path, found in plans(corpus):
        binding: Any = load(path).port.binding
        for name, operation in found.operations.items():
            plan: MessagePlan = operation.request
            shape = None if plan.payload is None else plan.payload.shape
            try:
                document = sample(shape) if shape is not None else {}
            except Unsampled:
                continue
            if shape is None:
                continue
            ours = etree.fromstring(encode(plan, document)).find("{*}Body")
            theirs = binding.get(name).create(**for_zeep(document, shape)).content.find("{*}Body")
            assert canonical(ours) == canonical(theirs), (path.name, name)
            compared += 1
    assert compared >= 300


# Of node-soap's samples, those whose documents hold to their own WSDL and don't show node-soap's own notation.
REQUESTS = (
    "Dummy__should_deserialize_basic_types",
    "Dummy__should_handle_datetime_transformation",
    "OneWay__should_handle_one_way_operation",
)
RESPONSES = (
    "GET_DATA__should_work_with_more_deeply_nested_XML_messages_and_without_security",
    "execFile__add_default_namespace_prefix",
    "getMessage__force_use_schema_xmlns",
)


def read_sample(corpus: Path, name: str) -> tuple[Path, Any]:
    folder = corpus / "wsdl/vpulim_node-soap/request-response-samples" / name
    return folder, read_plans(folder / "soap.wsdl").operations[name.partition("__")[0]]


@pytest.mark.parametrize("name", REQUESTS)
def test_node_soaps_request_is_ours(corpus: Path, name: str) -> None:
    folder, operation = read_sample(corpus, name)
    document = json.loads((folder / "request.json").read_text(), parse_float=Decimal)

    ours = etree.fromstring(encode(operation.request, document)).find("{*}Body")

    assert canonical(ours) == canonical(etree.fromstring((folder / "request.xml").read_bytes()).find("{*}Body"))


@pytest.mark.parametrize("name", RESPONSES)
def test_node_soaps_response_is_ours(corpus: Path, name: str) -> None:
    folder, operation = read_sample(corpus, name)

    document = decode(operation.reply, (folder / "response.xml").read_bytes())

    assert document == json.loads((folder / "response.json").read_text(), parse_float=Decimal)
