"""The OpenAPI document, checked by its own rules."""

import re
from collections.abc import Mapping

import pytest

from gateway.edge.openapi import document, example

TYPES = {"string", "integer", "number", "boolean", "array", "object", "null"}


@pytest.fixture
def api(operation, schema):
    return document(
        [
            operation("dpmptsp/status", "GET /v1/izin/status", about="Status terakhir."),
            operation("dpmptsp/ajukan", "POST /v1/izin"),
            operation("dinkes/ubah", "PUT /v1/faskes/{nomor}", request=schema(required=("nomor", "nama"))),
            operation("dinkes/satu", "GET /v1/faskes/{nomor}"),
        ],
        "Kabupaten Pelalawan",
        "0.1.0",
    )


def operations(api):
    return [(path, method, one) for path, item in api["paths"].items() for method, one in item.items()]


def schemas(value):
    if isinstance(value, Mapping):
        if isinstance(value.get("schema"), Mapping):
            yield value["schema"]
        for inner in value.values():
            yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


def test_it_has_what_openapi_3_1_demands(api):
    assert api["openapi"] == "3.1.0"
    assert set(api["info"]) >= {"title", "version"}
    tags = {tag["name"] for tag in api["tags"]}
    for path, method, one in operations(api):
        assert path.startswith("/")
        assert method in {"get", "put", "post", "delete", "patch"}
        assert set(one["tags"]) <= tags
        assert all("description" in answer for answer in one["responses"].values())
        assert all(re.fullmatch("[1-5][0-9]{2}", status) for status in one["responses"])


def test_operation_ids_are_unique_and_ours(api):
    ids = [one["operationId"] for _, _, one in operations(api)]
    assert sorted(ids) == ["dinkes/satu", "dinkes/ubah", "dpmptsp/ajukan", "dpmptsp/status"]


def test_each_template_has_its_required_path_parameter(api):
    for path, _, one in operations(api):
        declared = {p["name"] for p in one["parameters"] if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(.*?)\}", path))
        assert all(p["required"] for p in one["parameters"] if p["in"] == "path")
        assert len({(p["name"], p["in"]) for p in one["parameters"]}) == len(one["parameters"])


def test_every_reference_leads_somewhere_and_every_type_exists(api):
    for one in schemas(api):
        if "$ref" in one:
            kind, name = one["$ref"].removeprefix("#/components/").split("/")
            assert name in api["components"][kind]
        else:
            assert one["type"] in TYPES
    for requirement in api["security"]:
        assert set(requirement) <= set(api["components"]["securitySchemes"])


def test_a_get_has_its_fields_as_query_parameters(api):
    get = api["paths"]["/v1/izin/status"]["get"]
    assert "requestBody" not in get
    assert [(p["name"], p["in"], p["required"]) for p in get["parameters"][:2]] == [
        ("nomor", "query", True),
        ("biaya", "query", False),
    ]
    assert get["description"] == "Status terakhir."


def test_what_the_path_gives_is_not_in_the_body(api):
    put = api["paths"]["/v1/faskes/{nomor}"]["put"]
    body = put["requestBody"]["content"]["application/json"]
    assert set(body["schema"]["properties"]) == {"nama"}
    assert body["schema"]["required"] == ["nama"]
    assert body["example"] == {"nama": "nama-1"}


def test_only_a_write_may_end_unknown_and_only_a_body_can_be_too_large(api):
    get = api["paths"]["/v1/izin/status"]["get"]["responses"]
    post = api["paths"]["/v1/izin"]["post"]["responses"]
    assert "outcome-unknown" in post["504"]["description"]
    assert "outcome-unknown" not in get["504"]["description"]
    assert {"413", "415"} <= set(post)
    assert not {"413", "415"} & set(get)


def test_nested_fields_of_a_get_are_named_with_dots(operation):
    class Nested:
        json = {  # noqa: RUF012
            "type": "object",
            "required": ["pemohon"],
            "properties": {
                "pemohon": {
                    "type": "object",
                    "required": ["nik"],
                    "properties": {"nik": {"type": "string"}, "nama": {"type": "string"}},
                }
            },
        }

    api = document([operation("a/b", "GET /v1/b", request=Nested())], "x", "1")
    found = {p["name"]: p["required"] for p in api["paths"]["/v1/b"]["get"]["parameters"] if p["in"] == "query"}
    assert found == {"pemohon.nik": True, "pemohon.nama": False}


def test_a_body_to_try_leaves_out_optional_fields_of_which_no_example_is_known():
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string", "examples": ["x"]}},
    }
    assert example(schema, sparse=True) == {"a": "...", "c": "x"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string", "examples": ["161/IMB"]}, "161/IMB"),
        ({"type": "string", "enum": ["terbit"]}, "terbit"),
        ({"type": ["string", "null"], "format": "date"}, "2026-01-31"),
        ({"type": "array", "items": {"type": "integer"}}, [1]),
        ({"type": "object", "properties": {"a": {"type": "boolean"}}}, {"a": True}),
        ({"type": "string", "pattern": "^[0-9]{5}$"}, "00000"),
        ({}, "..."),
    ],
)
def test_examples_fit_their_schema(schema, expected):
    assert example(schema) == expected
