"""The JSON Schema of a message says what the codec takes: every drawn document is valid by it."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.soap.planning import read_plans
from adapters.soap.schema import json_schema
from tests.unit.adapters.soap.drawn import Drawn, plans_of

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
        return sized and value in schema.get("enum", [value])
    return not isinstance(value, int) or schema.get("minimum", value) <= value <= schema.get("maximum", value)


def valid_object(value: dict[str, Any], schema: Any, root: Any) -> bool:
    known = schema["properties"]
    closed = schema["additionalProperties"] or value.keys() <= known.keys()
    there = all(name in value for name in schema["required"])
    return closed and there and all(valid(one, known[name], root) for name, one in value.items() if name in known)


@pytest.mark.parametrize("name", ["izin.wsdl", "sipolan.wsdl", "ragam.wsdl"])
def test_every_document_is_valid_by_the_schema(wsdls: Path, name: str) -> None:
    for operation, direction, plan in plans_of(read_plans(wsdls / name)):
        schema = json_schema(plan)
        for number in range(20):
            document = Drawn(Random(f"{operation} {direction} {number}")).message(plan)
            if plan.payload is not None and not plan.odd:
                assert valid(document, schema, schema), (operation, document)
                assert not valid({**document, "tidak-ada": 1}, schema, schema) or "#any" in document


def test_a_type_that_contains_itself_is_said_once(wsdls: Path) -> None:
    schema = json_schema(read_plans(wsdls / "ragam.wsdl").operations["Ragam"].request)

    daerah = schema["$defs"]["Daerah"]["properties"]
    assert daerah["induk"] == {"$ref": "#/$defs/Daerah"}
    assert daerah["bawahan"] == {"type": "array", "items": {"$ref": "#/$defs/Daerah"}, "minItems": 0}
