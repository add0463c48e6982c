"""What is different between two versions of a WSDL, in plain words; compares plans and knows no XML."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from adapters.soap.facets import Facets
from adapters.soap.plan import Field, MessagePlan, OperationPlan, Shape, paths
from adapters.soap.planning import Plans

_MOST = 5_000
Fields = Mapping[str, Field]


def difference(old: Plans, new: Plans) -> tuple[str, ...]:
    """Return one line for each difference that a caller could notice; empty when there is none."""
    return tuple(_differences(old, new))


def _differences(old: Plans, new: Plans) -> Iterator[str]:
    yield from _said("the address", old.address, new.address)
    yield from _said("the SOAP version", old.soap, new.soap)
    before, after = {*old.operations, *old.refused}, {*new.operations, *new.refused}
    for name in sorted(after - before):
        yield f"operation {name} is new" + (f"; {_reason(new, name)}" if name in new.refused else "")
    for name in sorted(before - after):
        yield f"operation {name} is gone"
    for name in sorted(before & after):
        if name in old.operations and name in new.operations:
            yield from _operation(name, old.operations[name], new.operations[name])
        elif name in new.operations:
            yield f"operation {name} can be called now"
        elif name in old.operations:
            yield f"operation {name} can't be called any more; {_reason(new, name)}"


def _reason(plans: Plans, name: str) -> str:
    return f"it can't be taken in: {plans.refused[name].what}"


def _operation(name: str, old: OperationPlan, new: OperationPlan) -> Iterator[str]:
    yield from _said(f"{name}: the SOAPAction", old.action, new.action)
    yield from _message(f"{name}: request", old.request, new.request, asked=True)
    if (old.reply is None) != (new.reply is None):
        yield f"{name}: is {'answered' if new.reply else 'not answered'} now"
    elif old.reply is not None and new.reply is not None:
        yield from _message(f"{name}: reply", old.reply, new.reply, asked=False)
        for tag, detail in old.reply.details.items():
            if tag in new.reply.details:
                was, now = (replace(one, payload=one.details[tag], headers={}) for one in (old.reply, new.reply))
                yield from _message(f"{name}: fault {detail.name}", was, now, asked=False)
    for fault in sorted({*new.faults} - {*old.faults}):
        yield f"{name}: fault {fault} is new"
    for fault in sorted({*old.faults} - {*new.faults}):
        yield f"{name}: fault {fault} is gone"


def _message(where: str, old: MessagePlan, new: MessagePlan, *, asked: bool) -> Iterator[str]:
    if (old.rpc, old.encoded) != (new.rpc, new.encoded):
        yield f"{where} is written as {_style(new)} now, not as {_style(old)}"
    yield from _said(f"{where}'s element", _tag(old), _tag(new))
    before, after = _fields(old), _fields(new)
    for path in (path for path in after if path not in before):
        must = ", and it must be sent" if asked and after[path].least else ""
        yield f"{where}: field {path} is new ({_kind(after[path])}){must}"
    for path in (path for path in before if path not in after):
        yield f"{where}: field {path} is gone"
    for path, was in before.items():
        if path in after:
            yield from _field(f"{where}: field {path}", was, after[path])
    if before.keys() == after.keys() and list(before) != list(after):
        yield f"{where}: the fields come in another order"


def _fields(plan: MessagePlan) -> dict[str, Field]:
    payload = plan.payload
    found: dict[str, Field] = {}
    roots: list[tuple[str, Shape | None]] = [("", None if payload is None else payload.shape)]
    roots += [(f"header {name}.", block.shape) for name, block in plan.headers.items()]
    found.update((f"header {name}", block) for name, block in plan.headers.items())
    for before, shape in roots:
        for number, (path, field) in enumerate(paths(shape, before)):
            if number >= _MOST:
                break
            found[path] = field
    return found


def _field(where: str, old: Field, new: Field) -> Iterator[str]:
    yield from _said(where, _kind(old), _kind(new))
    yield from _said(f"{where}'s element", old.tag, new.tag)
    if bool(old.least) != bool(new.least):
        yield f"{where} is {'required' if new.least else 'optional'} now"
    if old.many != new.many:
        yield f"{where} {'may repeat' if new.many else 'does not repeat'} now"
    if old.nillable != new.nillable:
        yield f"{where} {'may' if new.nillable else 'may not'} be nil now"
    if old.allowed != new.allowed:
        yield from _allowed(where, old.allowed, new.allowed)
    if (old.min_length, old.max_length) != (new.min_length, new.max_length):
        yield f"{where} takes {_length(new)} now, not {_length(old)}"
    if (_others(old), old.whole) != (_others(new), new.whole):
        yield f"{where} has another pattern, range or number of digits or values now"


def _allowed(where: str, old: tuple[str, ...], new: tuple[str, ...]) -> Iterator[str]:
    if not old or not new:
        yield f"{where} takes {'only ' + ', '.join(new) if new else 'any value'} now"
        return
    if more := [value for value in new if value not in old]:
        yield f"{where} takes {', '.join(more)} as well now"
    if fewer := [value for value in old if value not in new]:
        yield f"{where} does not take {', '.join(fewer)} any more"


def _others(field: Field) -> Facets:
    return replace(field.facets, allowed=(), min_length=0, max_length=None)


def _said(what: str, old: str, new: str) -> Iterator[str]:
    if old != new:
        yield f"{what} is {new or 'none'} now, not {old or 'none'}"


def _kind(field: Field) -> str:
    kind = f"xsd:{field.type}" if field.type else {"object": "an object"}.get(field.kind, field.kind)
    if field.members:
        kind = f"one of {', '.join(f'xsd:{member.type}' for member in field.members)}"
    return f"a list of {kind}" if field.listed else kind


def _length(field: Field) -> str:
    if field.min_length == field.max_length:
        return f"exactly {field.max_length} characters"
    least = f"at least {field.min_length} " if field.min_length else ""
    most = "any number of" if field.max_length is None else f"at most {field.max_length}"
    return f"{least}{'and ' if least else ''}{most} characters"


def _style(plan: MessagePlan) -> str:
    return f"{'rpc' if plan.rpc else 'document'}/{'encoded' if plan.encoded else 'literal'}"


def _tag(plan: MessagePlan) -> str:
    return "" if plan.payload is None else plan.payload.tag
