"""From an operation's plan to its contract: native fields by dotted path, as mappings are checked against."""

from collections.abc import Iterator, Mapping

from adapters.soap.plan import TEXT, Field, MessagePlan, OperationPlan, Shape, paths
from gateway import Contract, NativeField


def contract_of(operation: OperationPlan) -> Contract:
    """Return the native fields of an operation: request, reply and header blocks."""
    headers = {
        path: native
        for name, block in operation.request.headers.items()
        for path, native in ((name, _native(block)), *_natives(block.shape, f"{name}."))
    }
    return Contract(
        request=dict(_payload(operation.request)),
        reply={} if operation.reply is None else dict(_payload(operation.reply)),
        headers=headers,
    )


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
    return NativeField(
        kind=found.kind,
        required=found.least > 0,
        many=found.many,
        allowed=found.allowed,
        null=found.nillable,
        max=found.max_length,
    )
