"""What a feed or an out looks like to a mapping: typed fields, so that a wrong name is found before anybody asks."""

from collections.abc import Iterator, Mapping, Sequence

from gateway import Contract, NativeField

_FORMATS: Mapping[object, NativeField] = {
    "date": NativeField(kind="date"),
    "date-time": NativeField(kind="datetime"),
}
_TYPES: Mapping[object, NativeField] = {
    "string": NativeField(kind="text"),
    "integer": NativeField(kind="integer"),
    "number": NativeField(kind="number"),
    "boolean": NativeField(kind="boolean"),
    "object": NativeField(kind="object"),
}
_ANY = NativeField(kind="any")
STARTS = ".starts"
"""Behind a text field's name: rows in which it begins so."""
AFTER, LIMIT = "after", "limit"
"""Where a page begins, as `further` said before, and how many rows it has; unless fields are called so."""


def feed_contract(row: Mapping[str, object]) -> Contract:
    """Return how a feed is asked, given its row's JSON Schema: by single fields or beginnings, page by page."""
    fields = dict(_fields(row, ""))
    lists = tuple(f"{path}." for path, field in fields.items() if field.many)
    single = {path: field for path, field in fields.items() if not field.many and not path.startswith(lists)}
    paging = {AFTER: NativeField(), LIMIT: NativeField(kind="integer")}
    return Contract(
        request={
            **{path: _like(field) for path, field in single.items()},
            **{f"{path}{STARTS}": NativeField() for path, field in single.items() if field.kind == "text"},
            **{name: field for name, field in paging.items() if name not in fields},
        },
        reply={
            "rows": NativeField(kind="object", required=True, many=True),
            **{f"rows.{path}": field for path, field in fields.items()},
            "count": NativeField(kind="integer", required=True),
            "as_of": NativeField(kind="datetime", required=True),
            "further": NativeField(),
        },
    )


def out_contract(columns: Sequence[str]) -> Contract:
    """Return how a row file is asked for: its columns are text, as everything in CSV is."""
    return Contract(
        request={name: NativeField() for name in columns},
        reply={"file": NativeField(required=True), "written": NativeField(kind="datetime", required=True)},
    )


def _fields(schema: Mapping[str, object], above: str) -> Iterator[tuple[str, NativeField]]:
    properties, required = schema.get("properties"), schema.get("required")
    for name, child in properties.items() if isinstance(properties, Mapping) else ():
        many = "items" in child
        one = child["items"] if many else child
        wanted = isinstance(required, Sequence) and name in required
        yield above + name, _like(_native(one), required=wanted, many=many, allowed=_words(one))
        yield from _fields(one, f"{above}{name}.")


def _native(schema: Mapping[str, object]) -> NativeField:
    kinds = schema.get("type")
    kind = next((each for each in kinds if each != "null"), None) if isinstance(kinds, list) else kinds
    return _FORMATS.get(schema.get("format")) or _TYPES.get(kind) or _ANY


def _words(schema: Mapping[str, object]) -> tuple[str, ...]:
    words = schema.get("enum")
    return tuple(word for word in words if isinstance(word, str)) if isinstance(words, list) else ()


def _like(
    field: NativeField, *, required: bool = False, many: bool = False, allowed: tuple[str, ...] | None = None
) -> NativeField:
    return NativeField(
        kind=field.kind, required=required, many=many, allowed=field.allowed if allowed is None else allowed
    )
