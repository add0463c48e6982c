"""The JSON Schema of a message says what the codec takes: every drawn document is valid by it."""

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.soap.planning import read_plans
from adapters.soap.schema import json_schema
from tests.unit.adapters.soap.drawn import Drawn, plans_of
from tests.unit.adapters.soap.test_planning import Plan, plan, plans

__all__ = ["plan", "plans"]

TYPES: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | Decimal,
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
}


def valid(value: Any, schema: Any, root: Any) -> bool:
    """Tell whether a value is valid, by those words of JSON Schema that are used."""
    if "$ref" in schema:
        return valid(value, root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root)
    if "anyOf" in schema:
        return any(valid(value, one, root) for one in schema["anyOf"])
    typed = "type" not in schema or isinstance(value, TYPES[schema["type"]])
    return typed and schema.get("const", value) == value and valid_inside(value, schema, root)


def valid_inside(value: Any, schema: Any, root: Any) -> bool:
    if isinstance(value, dict) and "properties" in schema:
        return valid_object(value, schema, root)
    if isinstance(value, list) and "items" in schema:
        counted = schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value))
        return counted and all(valid(one, schema["items"], root) for one in value)
    if isinstance(value, str):
        sized = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        fits = all(re.search(one["pattern"], value) for one in [schema, *schema.get("allOf", [])] if "pattern" in one)
        return sized and fits and value in schema.get("enum", [value])
    return not isinstance(value, int | Decimal) or is_within(value, schema)


def is_within(value: int | Decimal, schema: Any) -> bool:
    above = "exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"]
    below = "exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"]
    return above and below and schema.get("minimum", value) <= value <= schema.get("maximum", value)


def valid_object(value: dict[str, Any], schema: Any, root: Any) -> bool:
    known = schema["properties"]
    closed = schema["additionalProperties"] or value.keys() <= known.keys()
    there = all(name in value for name in schema["required"])
    return closed and there and all(valid(one, known[name], root) for name, one in value.items() if name in known)


@pytest.mark.parametrize("name", ["izin.wsdl", "sipolan.wsdl", "ragam.wsdl"])
def test_every_document_is_valid_by_the_schema(wsdls: Path, name: str) -> None:
    for operation, direction, message in plans_of(read_plans(wsdls / name)):
        schema = json_schema(message)
        for number in range(20):
            document = Drawn(Random(f"{operation} {direction} {number}")).message(message)
            if message.payload is not None and not message.odd:
                assert valid(document, schema, schema), (operation, document)
                assert not valid({**document, "tidak-ada": 1}, schema, schema) or "#any" in document


def test_a_type_that_contains_itself_is_said_once(wsdls: Path) -> None:
    schema = json_schema(read_plans(wsdls / "ragam.wsdl").operations["Ragam"].request)

    daerah = schema["$defs"]["Daerah"]["properties"]
    assert daerah["induk"] == {"$ref": "#/$defs/Daerah"}
    assert daerah["bawahan"] == {"type": "array", "items": {"$ref": "#/$defs/Daerah"}, "minItems": 0}


FACETS = """<x:simpleType name="Nik"><x:restriction base="x:string"><x:pattern value="1[0-9]{15}"/></x:restriction>
  </x:simpleType><x:simpleType name="Baru"><x:restriction base="t:Nik"><x:pattern value="14.*"/>
  <x:pattern value="15.*"/></x:restriction></x:simpleType>
  <x:simpleType name="Nama"><x:restriction base="x:string"><x:pattern value="\\i\\c*"/>
  </x:restriction></x:simpleType><x:simpleType name="Umur"><x:restriction base="x:int"><x:minInclusive value="0"/>
  <x:maxExclusive value="150"/></x:restriction></x:simpleType>"""


def test_patterns_and_bounds_are_said_where_json_schema_can_say_them(plan: Plan) -> None:
    types = {"nik": "Nik", "baru": "Baru", "nama": "Nama", "umur": "Umur"}
    content = "".join(f'<x:element name="{name}" type="t:{type_}"/>' for name, type_ in types.items())
    schema = json_schema(plan(f"<x:sequence>{content}</x:sequence>", FACETS))
    right = {"nik": "1405023112990001", "baru": "1405023112990001", "nama": "Budi", "umur": 149}

    assert valid(right, schema, schema)
    for wrong in (
        {"nik": "2405023112990001"},
        {"nik": "x1405023112990001"},
        {"baru": "1305023112990001"},
        {"umur": 150},
    ):
        assert not valid({**right, **wrong}, schema, schema)
    assert schema["$defs"][schema["$ref"].rpartition("/")[2]]["properties"]["nama"] == {"type": "string"}
