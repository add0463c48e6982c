"""A plan as people read it: one object for each field, and each type told once."""

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.soap.plan import Field, MessagePlan, OperationPlan, Shape
from adapters.soap.schema import json_schema
from gateway import Document

COMPILED = "compiled"


def show(operation: OperationPlan) -> Document:
    """Return an operation's plan as plain data."""
    reply = operation.reply
    return {
        "operation": operation.name,
        "action": operation.action,
        "request": _message(operation.request),
        "reply": None if reply is None else _message(reply),
        "faults": list(operation.faults),
    }


def detour(operation: OperationPlan) -> str:
    """Return which messages go through zeep's tree and why, "" where all are compiled."""
    messages = (("request", operation.request), ("reply", operation.reply))
    odd = (
        f"its {what} goes through zeep's tree: {plan.odd}" for what, plan in messages if plan is not None and plan.odd
    )
    return "; ".join(odd)


def _message(plan: MessagePlan) -> Document:
    style = f"{'rpc' if plan.rpc else 'document'}/{'encoded' if plan.encoded else 'literal'}"
    told: set[int] = set()
    return {
        "soap": plan.soap,
        "style": style,
        "path": f"zeep's tree: {plan.odd}" if plan.odd else COMPILED,
        "body": None if plan.payload is None else _field(plan.payload, told),
        "headers": {name: _field(block, told) for name, block in plan.headers.items()},
        "schema": json_schema(plan),
    }


def _field(field: Field, known: set[int]) -> dict[str, Any]:
    most = "*" if field.most is None else str(field.most)
    told: dict[str, Any] = {
        "element": field.tag,
        "kind": f"xsd:{field.type}" if field.type and not field.members else field.kind,
        "occurs": f"{field.least}..{most}",
        **dict(_more(field)),
    }
    if field.shape is not None and id(field.shape) in known:
        told["as above"] = field.shape.name
    elif field.shape is not None:
        known.add(id(field.shape))
        told |= _shape(field.shape, known)
    return told


def _more(field: Field) -> Iterator[tuple[str, Any]]:
    """Yield what is not as usual."""
    yield from ((name, True) for name in ("nillable", "listed", "abstract") if getattr(field, name))
    if field.allowed:
        yield "allowed", list(field.allowed)
    if field.whole.allowed:
        yield "allowed", list(field.whole.allowed)
    if field.whole.min_length or field.whole.max_length is not None:
        yield "values", f"{field.whole.min_length}..{'*' if field.whole.max_length is None else field.whole.max_length}"
    if field.min_length or field.max_length is not None:
        yield "length", f"{field.min_length}..{'*' if field.max_length is None else field.max_length}"
    if field.members:
        yield "one of", [f"xsd:{member.type}" for member in field.members]
    if field.variants:
        yield "variants", [variant.name for variant in field.variants.values()]


def _shape(shape: Shape, known: set[int]) -> Mapping[str, Any]:
    told: dict[str, Any] = {"type": shape.name} if shape.name else {}
    if shape.odd:
        told["odd"] = shape.odd
    if shape.choices:
        told["choices"] = [[sorted(option.names) for option in choice.options] for choice in shape.choices]
    return told | {"fields": {found.name: _field(found, known) for found in shape.everything}}
