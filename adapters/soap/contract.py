"""From an operation's plan to its contract: native fields by dotted path, as mappings are checked against."""

from collections.abc import Iterable, Iterator, Mapping

from adapters.soap.plan import TEXT, Field, MessagePlan, OperationPlan, Shape, paths
from adapters.soap.show import detour
from gateway import Contract, NativeField

_NESTED = 2  # lists of lists are taken as they are


def contract_of(operation: OperationPlan) -> Contract:
    """Return the native fields of an operation: request, reply, header blocks and details of faults."""
    return Contract(
        request=dict(_payload(operation.request)),
        reply={} if operation.reply is None else dict(_payload(operation.reply)),
        headers=dict(_blocks(operation.request.headers.values())),
        faults={} if operation.reply is None else dict(_blocks(operation.reply.details.values())),
        detour=detour(operation),
    )


def _blocks(fields: Iterable[Field]) -> Iterator[tuple[str, NativeField]]:
    for block in fields:
        yield block.name, _native(block)
        yield from _natives(block.shape, f"{block.name}.")


def _payload(plan: MessagePlan) -> Mapping[str, NativeField]:
    attached = {found.name: _native(found) for found in plan.attached}
    if plan.payload is None:
        return attached
    if plan.payload.shape is None:
        return {TEXT: _native(plan.payload), **attached}
    return {**dict(_natives(plan.payload.shape)), **attached}


def _natives(shape: Shape | None, before: str = "") -> Iterator[tuple[str, NativeField]]:
    return ((path, _native(found)) for path, found in paths(shape, before))


def _native(found: Field) -> NativeField:
    lists = found.many + found.listed
    return NativeField(
        kind=found.kind if lists < _NESTED else "any",
        required=found.least > 0,
        many=lists > 0,
        allowed=found.allowed,
        null=found.nillable,
        max=found.max_length,
    )
