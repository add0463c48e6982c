"""Schemas of what the gateway's own operations take and tell; knows no mapping."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.errors import FieldError
from gateway.message import Document

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A flat object of texts, lists of texts and enumerations, by name."""

    required: Mapping[str, Json] = field(default_factory=dict)
    optional: Mapping[str, Json] = field(default_factory=dict)

    @property
    def fields(self) -> frozenset[str]:
        """Return the names."""
        return frozenset(self.required.keys() | self.optional.keys())

    @property
    def json(self) -> Json:
        """Return the JSON Schema."""
        properties = {**self.required, **self.optional}
        return {
            "type": "object",
            "properties": properties,
            "required": list(self.required),
            "additionalProperties": False,
        }

    def check(self, body: object, /) -> tuple[FieldError, ...]:
        """Return every error of what a query gave."""
        given = body if isinstance(body, Mapping) else {}
        errors = [FieldError(pointer=f"/{name}", rule="required") for name in self.required if name not in given]
        for name, value in given.items():
            declared = self.required.get(name) or self.optional.get(name)
            if declared is None:
                errors.append(FieldError(pointer=f"/{name}", rule="unknown"))
            else:
                errors += _misfits(f"/{name}", value, declared)
        return tuple(errors)

    def from_query(self, pairs: Sequence[tuple[str, str]], /) -> Document:
        """Read a query; a name that is no list and comes twice stays a list, for `check` to report."""
        body: dict[str, object] = {}
        for name, value in pairs:
            before = body.get(name)
            if isinstance(before, list):
                before.append(value)
            elif before is not None:
                body[name] = [before, value]
            else:
                body[name] = [value] if self.optional.get(name, {}).get("type") == "array" else value
        return body


def _misfits(pointer: str, value: object, declared: Json) -> list[FieldError]:
    items = declared.get("items")
    if declared.get("type") == "array" and isinstance(items, Mapping):
        values = value if isinstance(value, list) else [value]
        return [error for one in values for error in _misfits(pointer, one, items)]
    if not isinstance(value, str):
        return [FieldError(pointer=pointer, rule="type", params={"expected": "text"})]
    allowed = declared.get("enum")
    if isinstance(allowed, list) and value not in allowed:
        return [FieldError(pointer=pointer, rule="enum", params={"allowed": ", ".join(allowed)})]
    return []
