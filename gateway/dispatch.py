"""Message router, at load: which handler answers an operation, an agency's pipeline or a composite of several."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from gateway import compose
from gateway.config.locate import suggest
from gateway.config.models import GATEWAY, Composite, Config
from gateway.errors import ConfigError, Finding
from gateway.message import OperationId
from gateway.paths import section_of
from gateway.ports import Handler, Schema
from gateway.recorder import Final, Recorder
from gateway.registry import Agency, Operation, Registry
from gateway.translate.schema import CanonicalSchema, agree, merge
from gateway.translate.shape import Leaf

Where = Callable[..., str]

REQUESTS = "/v1/requests"
"""Where an app sees how its recorded requests stand."""


def table(agencies: Sequence[Agency], config: Config, where: Where, recorder: Recorder | None = None) -> Registry:
    """Return the table of everything that can be asked; raises ConfigError with every finding about it.

    With a recorder the ledger stands before what writes.
    """
    operations = {op.id: _recorded(op, recorder) for agency in agencies for op in agency.operations.values()}
    findings: list[Finding] = []
    composites: dict[OperationId, Operation] = {}
    for name, composite in config.operation.items():
        try:
            made = _composite(name, composite, operations, config, where)
            composites[made.id] = made
        except ConfigError as error:
            findings += error.findings
    everything = {**operations, **composites}
    findings += _clashes(everything.values(), where)
    findings += _taken(everything.values(), where)
    findings += (finding for operation in operations.values() for finding in _unasked(operation, operations, where))
    findings += _unknown_rights(config, everything, where)
    if findings:
        raise ConfigError(*findings)
    return Registry(agencies={agency.name: agency for agency in agencies}, operations=everything)


def _recorded(operation: Operation, recorder: Recorder | None) -> Operation:
    if recorder is None or operation.recording is None:
        return operation
    handler = recorder.handler(operation.recording, operation.handler)
    return replace(operation, handler=handler)


def _composite(
    name: str, composite: Composite, operations: Mapping[OperationId, Operation], config: Config, where: Where
) -> Operation:
    kind = "route" if composite.route is not None else "gather"
    targets = _targets(name, kind, composite, operations, where)
    safe = all(target.safe for target in targets.values())
    if kind == "route" and composite.safe and not safe:
        unsafe = ", ".join(target.id for target in targets.values() if not target.safe)
        what = f"operation.{name}: safe = true, but {unsafe} writes"
        raise ConfigError(Finding(where=where("operation", name, "safe"), what=what, remedy="leave out safe"))
    deadline = composite.deadline or max(target.deadline for target in targets.values())
    method, path = composite.expose.split(" ", 1)
    if kind == "gather":
        handler, request, reply = _gather(name, targets, where)
    else:
        handler, request, reply = _route(name, composite, targets, where)
    return Operation(
        id=OperationId(f"{GATEWAY}/{name}"),
        title=composite.title,
        about=composite.about,
        agency=GATEWAY,
        agency_title=config.gateway.name,
        safe=safe,
        method=method,
        path=path,
        deadline=deadline,
        request=request,
        reply=reply,
        handler=handler,
        stored=any(target.stored for target in targets.values()),
        targets=tuple(target.id for target in targets.values()),
    )


def _targets(
    name: str, kind: str, composite: Composite, operations: Mapping[OperationId, Operation], where: Where
) -> dict[str, Operation]:
    wanted = {key: target for key, target in (composite.route or composite.gather or {}).items() if key != "by"}
    findings = [
        Finding(
            where=where("operation", name, kind, key),
            what=f'operation.{name}.{kind}.{key}: there is no operation "{target}"',
            remedy=suggest(target, operations),
        )
        for key, target in wanted.items()
        if target not in operations
    ]
    if findings:
        raise ConfigError(*findings)
    return {key: operations[OperationId(target)] for key, target in wanted.items()}


def _route(
    name: str, composite: Composite, targets: Mapping[str, Operation], where: Where
) -> tuple[Handler, CanonicalSchema, Schema]:
    by = (composite.route or {})["by"]
    first, *others = targets.values()
    findings = [
        Finding(where=where("operation", name, "route"), what=f"operation.{name}.route: {first.id} and {o.id}: {text}")
        for o in others
        for text in _differences(first, o)
    ]
    if by not in first.request.fields:
        findings.append(
            Finding(
                where=where("operation", name, "route", "by"),
                what=f'operation.{name}.route.by: the targets have no field "{by}"',
                remedy=f"they have: {', '.join(sorted(first.request.fields))}",
            )
        )
    findings += _never_said(name, by, targets, where)
    if findings:
        raise ConfigError(*findings)
    return compose.route(by, targets), first.request, first.reply


def _never_said(name: str, by: str, targets: Mapping[str, Operation], where: Where) -> Iterator[Finding]:
    """Find what no request can match: a field that may be any text, or a word that it never has."""
    field = next(iter(targets.values())).request.shape.fields.get(by)
    words = field.form.words if isinstance(field, Leaf) else ()
    if field is not None and not words:
        yield Finding(
            where=where("operation", name, "route", "by"),
            what=f'operation.{name}.route.by: "{by}" may be any text, so a misspelt one would go to the wrong agency',
            remedy=f'give {by} a code table (codes = "...") in the mappings of the targets',
        )
    for word in targets:
        if words and word not in {*words, compose.ANY}:
            yield Finding(
                where=where("operation", name, "route", word),
                what=f'operation.{name}.route.{word}: "{by}" is never "{word}"',
                remedy=suggest(word, words),
            )


def _differences(one: Operation, other: Operation) -> Iterator[str]:
    if one.stored != other.stored:
        yield "one is stored and forwarded, the other answers directly (deliver)"
    yield from (f"request field {text}" for text in agree(one.request, other.request))
    if isinstance(one.reply, CanonicalSchema) and isinstance(other.reply, CanonicalSchema):
        yield from (f"reply field {text}" for text in agree(one.reply, other.reply))


def _gather(name: str, targets: Mapping[str, Operation], where: Where) -> tuple[Handler, CanonicalSchema, Schema]:
    findings = [
        Finding(
            where=where("operation", name, "gather", part),
            what=f"operation.{name}.gather.{part}: {target.id} is not safe, and a gather only reads",
            remedy="gather reads only, or write safe = true on the operation if it reads",
        )
        for part, target in targets.items()
        if not target.safe
    ]
    if findings:
        raise ConfigError(*findings)
    request = merge([target.request for target in targets.values()], where("operation", name, "gather"))
    return compose.gather(targets), request, compose.Parts({name: target.reply for name, target in targets.items()})


def _clashes(operations: Iterable[Operation], where: Where) -> Iterator[Finding]:
    taken: dict[tuple[str, str], OperationId] = {}
    for operation in operations:
        if operation.path is None or operation.method is None:
            continue
        shape = "/".join("{}" if step.startswith("{") else step for step in operation.path.split("/"))
        other = taken.setdefault((operation.method, shape), operation.id)
        if other != operation.id:
            yield Finding(
                where=where(*section_of(operation.id), "expose"),
                what=f'{operation.id}: "{operation.method} {operation.path}" is exposed by {other} already',
                remedy="give one of them another path",
            )


def _taken(operations: Iterable[Operation], where: Where) -> Iterator[Finding]:
    """Refuse what would stand where the gateway tells how recorded requests are doing."""
    for operation in operations:
        if operation.path is not None and f"{operation.path}/".startswith(f"{REQUESTS}/"):
            yield Finding(
                where=where(*section_of(operation.id), "expose"),
                what=f'{operation.id}: "{operation.path}" is the gateway\'s own: apps look up their requests there',
                remedy="give it another path",
            )


def _unasked(operation: Operation, operations: Mapping[OperationId, Operation], where: Where) -> Iterator[Finding]:
    """Find why a question about a message can't be put or answered: it would write, or the field is not there."""
    question = operation.recording.ask if operation.recording is not None else None
    asked = operations.get(question.operation) if question is not None else None
    if question is None or asked is None:
        return
    key = (*section_of(operation.id), "ask")
    if not asked.safe:
        what = f"{operation.id}: ask: {asked.id} writes, and a question must do nothing"
        yield Finding(where=where(*key, "operation"), what=what, remedy="write safe = true on it if it only reads")
    yield from _unanswered(operation.id, asked, question.done, where, (*key, "done"))
    if question.final is not None:
        yield from _unanswered(operation.id, asked, question.final.field, where, (*key, "final", "field"))
        yield from _never_final(operation.id, asked, question.final, where(*key, "final", "is"))


def _unanswered(
    name: OperationId, asked: Operation, path: Sequence[str], where: Where, key: Sequence[str]
) -> Iterator[Finding]:
    if path[0] not in asked.reply.fields:
        what = f'{name}: {asked.id} answers no field "{path[0]}"'
        yield Finding(where=where(*key), what=what, remedy=suggest(path[0], asked.reply.fields))


def _never_final(name: OperationId, asked: Operation, final: Final, where: str) -> Iterator[Finding]:
    schema, path = asked.reply, final.field
    field = schema.shape.fields.get(path[0]) if isinstance(schema, CanonicalSchema) and len(path) == 1 else None
    words = field.form.words if isinstance(field, Leaf) else ()
    for word in sorted(final.words):
        if words and word not in words:
            what = f'{name}: "{path[0]}" of {asked.id} is never "{word}"'
            yield Finding(where=where, what=what, remedy=suggest(word, words))


def _unknown_rights(config: Config, operations: Mapping[OperationId, Operation], where: Where) -> Iterator[Finding]:
    for name, client in config.client.items():
        for index, pattern in enumerate(client.allow):
            agency, _, rest = pattern.partition("/")
            known = pattern == "*" or (rest == "*" and agency in {GATEWAY, *config.agency}) or pattern in operations
            if not known:
                yield Finding(
                    where=where("client", name, "allow", str(index)),
                    what=f'client.{name}.allow: "{pattern}" is no operation and no "agency/*"',
                    remedy=suggest(pattern, [*operations, *(f"{a}/*" for a in (GATEWAY, *config.agency))]),
                )
