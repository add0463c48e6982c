"""The canonical schema of a table: JSON Schema for people and OpenAPI, checks for bodies, reading of queries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from gateway.errors import ConfigError, FieldError, Finding
from gateway.message import Document
from gateway.ports import Schema
from gateway.translate.convert import Bad, plain, read_integer
from gateway.translate.examine import Fits, examine, fits
from gateway.translate.rules import MISSING
from gateway.translate.shape import Clash, Leaf, Record, Series, Shape, merged

MOST_ERRORS = 100
"""A body with more errors than that is not read by anybody to the end."""

Trial = Callable[[object], tuple[FieldError, ...]]

_KINDS: Final[Mapping[str, Mapping[str, object]]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"},
    "binary": {"type": "string", "contentEncoding": "base64"},
    "any": {},
}
_ORDERED = frozenset({"integer", "number", "date", "datetime", "time"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalSchema:
    """What a canonical body must look like; `trials` are translations that may still refuse a body that fits."""

    shape: Record
    json: Mapping[str, object]
    fits: Fits
    trials: tuple[Trial, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        """The names at the top level."""
        return frozenset(self.shape.fields)

    @property
    def paths(self) -> frozenset[str]:
        """The dotted paths of every value that is not in a list."""
        return frozenset(name for name, _ in _flat(self.shape) if "[]" not in name)

    @property
    def ordered(self) -> frozenset[str]:
        """The dotted paths of values of which the greater can be told: numbers, times, and texts of so many digits."""
        found = ((path, leaf.form) for path, leaf in _leaves(self.shape))
        return frozenset(path for path, form in found if form.kind in _ORDERED or (form.kind == "text" and form.digits))

    @property
    def personal(self) -> frozenset[str]:
        """The fields that hold personal data (`mask = true`), by dotted path; lists add no step."""
        return frozenset(path for path, leaf in _leaves(self.shape) if leaf.mask)

    def has(self, name: str) -> bool:
        """Return whether there is a single value at a dotted path."""
        return isinstance(_find(self.shape, name), Leaf)

    def check(self, body: object, /) -> tuple[FieldError, ...]:
        """Return every error (at most 100), unknown fields among them; empty when the body fits."""
        if not self.fits(body) and (errors := tuple(islice(examine(self.shape, body), MOST_ERRORS))):
            return errors
        return tuple(error for trial in self.trials for error in trial(body))[:MOST_ERRORS]

    def from_query(self, pairs: Sequence[tuple[str, str]], /) -> Document:
        """Read a query: repeated names are lists, dots nest; what does not fit stays text, for `check` to report."""
        given: dict[str, list[str]] = {}
        for name, text in pairs:
            given.setdefault(name, []).append(text)
        body: dict[str, Any] = {}
        for name, texts in given.items():
            _place(body, name, _read(_find(self.shape, name), texts))
        return body


def schema(shape: Record, *trials: Trial, nulls: bool = True) -> CanonicalSchema:
    """Return the schema of a shape; `nulls` False keeps quiet about null, which requests may say for "left out"."""
    return CanonicalSchema(shape=shape, json=json_schema(shape, nulls=nulls), fits=_later(shape), trials=trials)


def _later(shape: Record) -> Fits:
    """Return the quick test of a shape, compiled when it is first used: replies are described, but seldom checked."""
    made: list[Fits] = []

    def test(body: object) -> bool:
        if not made:
            made.append(fits(shape))
        return made[0](body)

    return test


def merge(schemas: Sequence[Schema], where: str = "gateway.toml") -> CanonicalSchema:
    """Return one schema with the fields of all; raises ConfigError at `where` if a field means two things."""
    requests = [_own(one) for one in schemas]
    try:
        shape = merged(one.shape for one in requests)
    except Clash as clash:
        remedy = "the operations put together must agree on it"
        raise ConfigError(Finding(where=where, what=str(clash), remedy=remedy)) from clash
    return schema(shape, *(_only(trial, one) for one in requests for trial in one.trials), nulls=False)


def agree(one: Schema, other: Schema) -> tuple[str, ...]:
    """Return how two schemas differ in what they take, as texts; empty if they are alike."""
    mine, theirs = dict(_flat(_own(one).shape)), dict(_flat(_own(other).shape))
    return tuple(
        f"{name}: {mine.get(name, 'not there')} and {theirs.get(name, 'not there')}"
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    )


def _own(schema: Schema) -> CanonicalSchema:
    if not isinstance(schema, CanonicalSchema):
        raise TypeError(f"only schemas made of mappings can be compared, not {type(schema).__name__}")
    return schema


def json_schema(shape: Shape, *, nulls: bool = True) -> dict[str, object]:
    """Return the JSON Schema (2020-12) of a shape."""
    found: dict[str, object]
    match shape:
        case Record():
            found = {
                "type": "object",
                "properties": {name: json_schema(child, nulls=nulls) for name, child in shape.fields.items()},
                "required": [name for name, child in shape.fields.items() if child.required],
                "additionalProperties": False,
            }
        case Series():
            found = {"type": "array", "items": json_schema(shape.item, nulls=nulls)}
        case Leaf():
            found = _leaf(shape)
    if nulls and shape.null and not shape.required and "type" in found:
        found["type"] = [found["type"], "null"]
        if isinstance(found.get("enum"), list):
            found["enum"] = [*_list(found["enum"]), None]
    return found


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _leaf(leaf: Leaf) -> dict[str, object]:
    form = leaf.form
    limits: dict[str, object] = {
        "pattern": f"^[0-9]{{{form.digits}}}$" if form.digits else f"^(?:{form.pattern})$" if form.pattern else None,
        "maxLength": form.max,
        "enum": list(form.words) or None,
        "title": leaf.title or None,
        "description": leaf.about or None,
    }
    found = {**_KINDS[form.kind], **{name: value for name, value in limits.items() if value is not None}}
    example = MISSING if leaf.example is MISSING else [leaf.example]
    said = {"const": leaf.const, "default": leaf.default, "examples": example}
    return {**found, **{name: value for name, value in said.items() if value is not MISSING}}


def _flat(shape: Shape, path: str = "") -> Iterator[tuple[str, str]]:
    match shape:
        case Record():
            for name, child in shape.fields.items():
                yield from _flat(child, f"{path}.{name}".lstrip("."))
        case Series():
            yield f"{path}[]", "a list, required" if shape.required else "a list"
            yield from _flat(shape.item, f"{path}[]")
        case Leaf():
            yield path, _described(shape)


def _leaves(shape: Shape, path: str = "") -> Iterator[tuple[str, Leaf]]:
    match shape:
        case Record():
            for name, child in shape.fields.items():
                yield from _leaves(child, f"{path}.{name}".lstrip("."))
        case Series():
            yield from _leaves(shape.item, path)
        case Leaf():
            yield path, shape


def _described(leaf: Leaf) -> str:
    form = leaf.form
    limits = [
        f"{name} {value}"
        for name, value in (("digits", form.digits), ("pattern", form.pattern), ("max", form.max))
        if value
    ]
    words = [f"one of {', '.join(sorted(form.words))}"] if form.words else []
    return ", ".join([form.kind, *limits, *words, *(["required"] if leaf.required else [])])


def _only(trial: Trial, owner: CanonicalSchema) -> Trial:
    """Return the trial on that part of a merged body that its own schema knows."""
    names = owner.fields

    def run(body: object) -> tuple[FieldError, ...]:
        return trial({name: value for name, value in body.items() if name in names} if isinstance(body, dict) else body)

    return run


def _find(shape: Shape, name: str) -> Shape | None:
    for step in name.split("."):
        if not isinstance(shape, Record) or step not in shape.fields:
            return None
        shape = shape.fields[step]
    return shape


def _read(shape: Shape | None, texts: Sequence[str]) -> object:
    if isinstance(shape, Series):
        return [_value(shape.item, text) for text in texts]
    return _value(shape, texts[0]) if len(texts) == 1 else list(texts)


def _value(shape: Shape | None, text: str) -> object:
    if not isinstance(shape, Leaf):
        return text
    match shape.form.kind:
        case "integer":
            return _integer(text)
        case "number":
            return _number(text)
        case "boolean":
            return {"true": True, "false": False}.get(text, text)
        case _:
            return text


def _integer(text: str) -> int | str:
    try:
        return read_integer(text)
    except Bad:
        return text


def _number(text: str) -> Decimal | str:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    return number if text.isascii() and plain(number) else text


def _place(body: dict[str, Any], name: str, value: object) -> None:
    *above, last = name.split(".")
    inside: Any = body
    for step in above:
        inside = inside.setdefault(step, {}) if isinstance(inside, dict) else inside
    if isinstance(inside, dict) and last not in inside:
        inside[last] = value
    else:
        body[name] = [body[name], value] if name in body else value
