"""The operations as an OpenAPI 3.1 document; a pure function of them, knows no HTTP server."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from gateway.edge.needs import Described
from gateway.edge.problems import MALFORMED, STATUS, WRONG_METHOD
from gateway.edge.resource import RESOURCE
from gateway.wording import PROBLEMS

Json = dict[str, object]

_TEMPLATE = re.compile(r"\{([^{}]+)\}")
_DIGITS = re.compile(r"\^?(?:\[0-9\]|\\d)\{(\d{1,2})\}\$?")
_IN_QUERY = frozenset({"GET", "HEAD", "DELETE"})
_DEEPEST = 8
_LANGUAGES = {"name": "Accept-Language", "in": "header", "schema": {"type": "string", "enum": ["id", "en"]}}
_ALWAYS = (
    "invalid-request",
    "unauthorized",
    "unknown-operation",
    "uri-too-long",
    "headers-too-large",
    "rate-limited",
    "overloaded",
    "stopping",
    "not-found",
    "refused",
    "agency-unavailable",
    "parts-unavailable",
    "no-data-yet",
    "breaker-open",
    "agency-timeout",
    "agency-invalid-answer",
    "agency-login",
    "internal",
)
_WITH_BODY = ("too-large", "unsupported-media")
_WITH_WRITE = ("outcome-unknown", "agency-closed", "in-progress", "idempotency-mismatch", "ledger-unavailable")
_OF_OWN = (
    "invalid-request",
    "unauthorized",
    "unknown-operation",
    "uri-too-long",
    "headers-too-large",
    "rate-limited",
    "stopping",
    "unknown-message",
    "gone",
    "ledger-unavailable",
    "internal",
)
_OF_CANCEL = ("in-progress",)
_IDEMPOTENCY_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": (
        "Kunci yang sama dengan isi yang sama tidak pernah diproses dua kali; jawabannya diberikan lagi / "
        "the same key with the same body is never processed twice; its answer is given again"
    ),
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
}
_PREFER: Json = {
    "name": "Prefer",
    "in": "header",
    "description": (
        "`respond-async`: jangan menunggu instansi; `wait=N`: tunggu paling lama N detik (RFC 7240) / "
        "`respond-async`: don't wait for the agency; `wait=N`: wait for N seconds at most (RFC 7240)"
    ),
    "schema": {"type": "string"},
    "example": "respond-async",
}
_LOCATION: Json = {"schema": {"type": "string"}, "description": "Keadaan permintaan ini / how this request stands"}

_ACCEPTED: Json = {
    "description": (
        "Sudah tercatat dan akan dikirim ke instansi; lihat keadaannya di Location / "
        "recorded and to be delivered to the agency; see at Location how it stands"
    ),
    "headers": {
        "Location": _LOCATION,
        "Preference-Applied": {"schema": {"type": "string"}},
        "Retry-After": {"schema": {"type": "integer"}},
    },
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
}
_SEEN_TO: Json = {
    "description": (
        "Hanya untuk Idempotency-Key yang berulang: permintaannya sudah ditangani petugas; lihat state dan answer / "
        "only for a repeated Idempotency-Key: a person has seen to its request; see its state and answer"
    ),
    "headers": {"Location": _LOCATION},
    "content": _ACCEPTED["content"],
}
_PROBLEM: Json = {
    "type": "object",
    "description": "Kesalahan menurut RFC 9457 / an error as RFC 9457 has it",
    "required": ["type", "title", "status", "detail", "correlation_id"],
    "properties": {
        "type": {"type": "string", "enum": list(STATUS), "description": "Kode yang tetap / a stable code"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "Apa yang terjadi dan apa yang harus dilakukan"},
        "correlation_id": {"type": "string", "description": "Sebutkan ini kepada operator gateway"},
        "agency": {"type": "string"},
        "operation": {"type": "string"},
        "maybe_done": {
            "type": "boolean",
            "description": "true: instansi mungkin sudah memprosesnya / the agency may have done it",
        },
        "agency_message": {"type": "string", "maxLength": 300, "description": "Kata-kata instansi sendiri"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "rule", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "JSON Pointer (RFC 6901)"},
                    "rule": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
        "errors_left_off": {"type": "integer"},
    },
}


def document(operations: Iterable[Described], name: str, version: str, *, own: Iterable[Described] = ()) -> Json:
    """Return the document; `name` is the gateway's title, `version` its version, `own` are its own operations."""
    exposed = [operation for operation in operations if operation.method and operation.path]
    paths: dict[str, Json] = {}
    for operation in exposed:
        described = _operation(operation)
        _writing(described, operation)
        paths.setdefault(operation.path or "", {})[(operation.method or "").lower()] = described
    agencies = {operation.agency: operation.agency_title or operation.agency for operation in exposed}
    for operation in own:
        described = _operation(operation) | {"responses": _own_answers(operation)}
        paths.setdefault(operation.path or "", {})[(operation.method or "").lower()] = described
        agencies.setdefault(operation.agency, operation.agency_title)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {"title": name, "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": agency, "description": title} for agency, title in agencies.items()],
        "security": [{"bearer": []}, {"key": []}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, "Request": dict(RESOURCE.json)},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


_ABOUT = (
    "Satu API untuk layanan instansi. Kirim kunci pada `Authorization: Bearer` atau `X-API-Key`; kesalahan berbahasa "
    "Indonesia, atau Inggris dengan `Accept-Language: en`.\n\n"
    "One API for the agencies' services. Send your key as `Authorization: Bearer` or `X-API-Key`; errors are in "
    "Indonesian, or in English with `Accept-Language: en`."
)


def _operation(operation: Described) -> Json:
    method, path = operation.method or "", operation.path or ""
    described: Json = {
        "operationId": operation.id,
        "summary": operation.title,
        "tags": [operation.agency],
        "parameters": [*_parameters(operation, method, path), _LANGUAGES],
        "responses": {"200": _answer(operation), **_problems(operation, method)},
        "x-safe": operation.safe,
        "x-deadline-seconds": operation.deadline,
    }
    if operation.about:
        described["description"] = operation.about
    if method not in _IN_QUERY:
        described["requestBody"] = {"required": True, "content": {"application/json": _body(operation, path)}}
    return described


def _writing(described: Json, operation: Described) -> None:
    """Add what an operation that changes something takes and answers beyond a read."""
    if operation.safe:
        return
    described["parameters"] = [*_list(described["parameters"]), _IDEMPOTENCY_KEY]
    if operation.stored:
        described["parameters"] = [*_list(described["parameters"]), _PREFER]
    accepted = _ACCEPTED if operation.stored else _SEEN_TO
    described["responses"] = {**_mapping(described["responses"]), "202": accepted}


def _own_answers(operation: Described) -> Json:
    codes = (*_OF_OWN, *(() if operation.safe else _OF_CANCEL))
    return {"200": _answer(operation), **_by_status(codes)}


def _body(operation: Described, path: str) -> Json:
    names = set(_TEMPLATE.findall(path))
    schema = dict(operation.request.json)
    fields = _mapping(schema.get("properties"))
    schema["properties"] = {name: field for name, field in fields.items() if name not in names}
    if required := [name for name in _names(schema.get("required")) if name not in names]:
        schema["required"] = required
    else:
        schema.pop("required", None)
    return {"schema": schema, "example": example(schema, sparse=True)}


def _answer(operation: Described) -> Json:
    schema = operation.reply.json
    return {
        "description": "Jawaban instansi / the agency's answer",
        "headers": {
            "X-Correlation-ID": {"schema": {"type": "string"}},
            "Age": {"schema": {"type": "integer"}, "description": "Detik sejak data ini berlaku, bila bukan yang baru"},
            "Location": _LOCATION,
        },
        "content": {"application/json": {"schema": dict(schema), "example": example(schema)}},
    }


def _parameters(operation: Described, method: str, path: str) -> Iterator[Json]:
    in_path = _TEMPLATE.findall(path)
    fields = dict(_flat(operation.request.json))
    for name in in_path:
        field, _ = fields.get(name, ({"type": "string"}, True))
        yield _parameter(name, field, "path", required=True)
    if method in _IN_QUERY:
        for name, (field, required) in fields.items():
            if name not in in_path:
                yield _parameter(name, field, "query", required=required)


def _parameter(name: str, field: Mapping[str, object], place: Literal["path", "query"], *, required: bool) -> Json:
    described: Json = {"name": name, "in": place, "required": required, "schema": dict(field)}
    text = [str(field[key]) for key in ("title", "description") if field.get(key)]
    if text:
        described["description"] = ": ".join(text)
    examples = field.get("examples")
    if isinstance(examples, list) and examples:
        described["example"] = examples[0]
    return described


def _flat(
    schema: Mapping[str, object], prefix: str = "", *, needed: bool = True, depth: int = 0
) -> Iterator[tuple[str, tuple[Mapping[str, object], bool]]]:
    """Yield the leaves of an object by dotted name, as a query spells them, with whether each is required."""
    required = set(_names(schema.get("required")))
    for name, field in _mapping(schema.get("properties")).items():
        inner = _mapping(field)
        here = needed and name in required
        if "properties" in inner and depth < _DEEPEST:
            yield from _flat(inner, f"{prefix}{name}.", needed=here, depth=depth + 1)
        else:
            yield f"{prefix}{name}", (inner, here)


def _problems(operation: Described, method: str) -> Json:
    codes = list(_ALWAYS)
    codes += () if method in _IN_QUERY else _WITH_BODY
    codes += () if operation.safe else _WITH_WRITE
    return _by_status(codes)


def _by_status(codes: Iterable[str]) -> Json:
    by_status: dict[int, list[str]] = {MALFORMED: ["invalid-request"], WRONG_METHOD: ["unknown-operation"]}
    for code in codes:
        by_status.setdefault(STATUS[code], []).append(code)
    return {str(status): _problem(by_status[status]) for status in sorted(by_status)}


def _problem(codes: list[str]) -> Json:
    words = dict.fromkeys(f"`{code}`: {PROBLEMS[code][0]} / {PROBLEMS[code][2]}" for code in codes)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": "; ".join(words), "content": content}


def example(schema: Mapping[str, object], depth: int = 0, *, sparse: bool = False) -> object:
    """Return a value that fits a schema, from its examples where it has some.

    A sparse one leaves out optional fields of which nothing better than a placeholder is known: it is there to be sent.
    """
    for key in ("examples", "enum"):
        values = schema.get(key)
        if isinstance(values, list | tuple) and values:
            return values[0]
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if (kind == "object" or "properties" in schema) and depth < _DEEPEST:
        fields = _mapping(schema.get("properties"))
        required = _names(schema.get("required"))
        return {
            name: example(_mapping(field), depth + 1, sparse=sparse)
            for name, field in fields.items()
            if not sparse or name in required or _known(_mapping(field))
        }
    if kind == "array":
        return [example(_mapping(schema.get("items")), depth + 1, sparse=sparse)]
    return _plain(kind, schema)


def _known(field: Mapping[str, object]) -> bool:
    return bool(field.get("examples") or field.get("enum") or field.get("properties"))


_BY_FORMAT: Mapping[object, str] = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T08:00:00+07:00",
    "time": "08:00:00",
}


def _plain(kind: object, schema: Mapping[str, object]) -> object:
    by_kind: Mapping[object, object] = {"integer": 1, "number": 1, "boolean": True, "null": None}
    if kind in by_kind:
        return by_kind[kind]
    if (digits := _DIGITS.fullmatch(str(schema.get("pattern")))) is not None:
        return "0" * int(digits[1])
    return _BY_FORMAT.get(schema.get("format"), "...")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list | tuple) else []
