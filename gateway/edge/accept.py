"""From a request that may be asked to a validated Message; knows nothing of how it will be answered."""

import re
from collections.abc import Container

from gateway.edge import prefer
from gateway.edge.auth import Client
from gateway.edge.body import read
from gateway.edge.current import Bound
from gateway.edge.needs import Exposed
from gateway.edge.table import Hit, Table, decode
from gateway.edge.visit import Visit
from gateway.errors import FieldError, InvalidRequest, UnknownOperation
from gateway.message import Document, Message, new_message_id
from gateway.ports import Clock

_QUERY_METHODS = frozenset({"GET", "HEAD", "DELETE"})
_QUERY_FIELDS = 1000
_KEY = re.compile(rb"[!-~]{1,255}")


def find(table: Table[Bound], client: Client, method: str, raw_path: bytes) -> Hit[Bound]:
    """Return what this client may ask by this method at this path.

    To a client, what it has no right to does not exist: UnknownOperation, with `allow` only when there is another
    method there that it may use.
    """
    hit = table.find(method, raw_path)
    if hit is not None and hit.value.operation.id in client.allowed:
        return hit
    raise UnknownOperation(allow=methods(table, client, raw_path))


def methods(table: Table[Bound], client: Client, raw_path: bytes) -> tuple[str, ...]:
    """Return the methods at a path that a client may use, as `Allow` lists them; none where it may use nothing."""
    usable = [name for name, bound in table.methods(raw_path).items() if bound.operation.id in client.allowed]
    return (*sorted(usable), "OPTIONS") if usable else ()


async def message(visit: Visit, client: Client, hit: Hit[Bound], clock: Clock) -> Message:
    """Read, validate and build the message; its deadline counts from when the whole body is here.

    Raises InvalidRequest with every error, TooLarge, UnsupportedMedia, ClientGone.
    """
    operation = hit.value.operation
    key = None if operation.safe else _idempotency_key(visit)
    body = await _body(visit, operation, hit.params)
    if errors := _check(operation, body):
        raise InvalidRequest(errors=errors)
    return Message(
        id=new_message_id(),
        operation=operation.id,
        body=body,
        client=client.name,
        correlation_id=visit.correlation_id,
        traceparent=visit.traceparent,
        tracestate=visit.tracestate,
        trail=visit.span.trail if visit.span is not None else None,
        accepted_at=visit.now,
        deadline=clock.monotonic() + operation.deadline,
        idempotency_key=key,
        wait=_wait(visit, operation),
    )


def _idempotency_key(visit: Visit) -> str | None:
    """Return the key under which the client may ask the same again; it is never cut or mended."""
    if b"idempotency-key" not in visit.headers:
        return None
    keys = [value for name, value in visit.scope["headers"] if name == b"idempotency-key"]
    if len(keys) > 1 or _KEY.fullmatch(keys[0]) is None:
        error = FieldError(pointer="", rule="idempotency-key")
        raise InvalidRequest("Idempotency-Key", errors=[error], malformed=True)
    return str(keys[0], "ascii")


def _wait(visit: Visit, operation: Exposed) -> float | None:
    """Return how long the client wants to wait; only where an answer may come later is that a question."""
    if not operation.stored or b"prefer" not in visit.headers:
        return None
    preferred = prefer.wait(visit.scope["headers"], longest=operation.deadline)
    if preferred is None:
        return None
    seconds, visit.applied = preferred
    return seconds


async def _body(visit: Visit, operation: Exposed, params: tuple[tuple[str, bytes], ...]) -> Document:
    query: bytes = visit.scope["query_string"]
    try:
        in_path = [(name, decode(raw)) for name, raw in params]
        pairs = _query(query) if query else []
    except ValueError as error:
        raise InvalidRequest("address", errors=[FieldError(pointer="", rule="address")], malformed=True) from error
    if visit.method in _QUERY_METHODS:
        _refuse(in_path, {name for name, _ in pairs}, "in-path")
        return operation.request.from_query(in_path + pairs)
    _refuse(pairs, {name for name, _ in pairs}, "unknown")
    body, visit.request_bytes = await read(visit.headers, visit.receive)
    if not in_path:
        return body
    _refuse(in_path, body.keys(), "in-path")
    return {**body, **operation.request.from_query(in_path)}


def _query(query: bytes) -> list[tuple[str, str]]:
    """Read a query as HTML forms write it; a fifth of what urllib's parse_qsl costs.

    Raises ValueError when it is not UTF-8 or has too many fields.
    """
    fields = query.split(b"&")
    if len(fields) > _QUERY_FIELDS:
        raise ValueError("too many fields")
    return [
        (decode(name.replace(b"+", b" ")), decode(value.replace(b"+", b" ")))
        for name, _, value in (field.partition(b"=") for field in fields if field)
    ]


def _refuse(names: list[tuple[str, str]], taken: Container[str], rule: str) -> None:
    """Refuse names that are taken: a value given twice, or where it is not read, must not be ignored silently."""
    errors = [FieldError(pointer=f"/{_escape(name)}", rule=rule) for name, _ in names if name in taken]
    if errors:
        raise InvalidRequest(errors=errors)


def _escape(name: str) -> str:
    """Escape a name for a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _check(operation: Exposed, body: Document) -> tuple[FieldError, ...]:
    try:
        return operation.request.check(body)
    except RecursionError as error:
        raise InvalidRequest("malformed", errors=[FieldError(pointer="", rule="malformed")], malformed=True) from error
