"""CPU of telling what happened: `python -m bench.telling`: a request's log line, and tracing, off and on.

Prints microseconds, the best of several rounds. "Off" is what a request pays for tracing that nobody has switched on.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import MISSING, fields, make_dataclass
from datetime import UTC, datetime
from typing import Any

import uvloop

from bench.edge import operations
from gateway import traced
from gateway.clock import SystemClock
from gateway.edge.accesslog import LineLog
from gateway.edge.auth import Client, Clients
from gateway.edge.current import Bound, Current, Routes
from gateway.edge.ingress import Edge
from gateway.edge.spans import RequestSpans
from gateway.edge.table import Table
from gateway.edge.visit import Visit
from gateway.message import Call, Message, MessageId, OperationId, Reply
from gateway.tracing import Export
from gateway.trail import Record, Trail

CALLS = 20_000
ROUNDS = 9
NOW = datetime.now(UTC)
NOWHERE = "http://127.0.0.1:9/v1/traces"
"""Where nothing listens (port 9 is discard): what exporting costs a request when the collector is down."""

MESSAGE: dict[str, Any] = {
    "id": MessageId("018f"),
    "operation": OperationId("dinkes/faskes"),
    "body": {},
    "client": "bench",
    "correlation_id": "0af7651916cd43dd8448eb211c80319c",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    "accepted_at": NOW,
    "deadline": 1.0,
}
CALL: dict[str, Any] = {
    "target": "GET /faskes",
    "document": {},
    "timeout": 1.0,
    "message_id": MessageId("018f"),
    "correlation_id": "0af7651916cd43dd8448eb211c80319c",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
}
SCOPE = {
    "type": "http",
    "method": "GET",
    "raw_path": b"/v1/faskes",
    "query_string": b"",
    "http_version": "1.1",
    "headers": [(b"host", b"127.0.0.1"), (b"x-api-key", b"x"), (b"accept", b"application/json")],
}


class Nothing:
    """Figures that are not kept."""

    def done(self, *_: object) -> None:
        """Keep nothing."""


async def answer(_: Message) -> Reply:
    """Answer at once."""
    return Reply(body={})


async def receive() -> dict[str, Any]:
    """Receive nothing."""
    return {}


async def site(*_: object) -> None:
    """Serve nothing."""


def without(kind: type, *left_out: str) -> type:
    """Return a dataclass as it would be without these fields."""
    kept = [
        (one.name, one.type, one)
        for one in fields(kind)
        if one.name not in left_out and (one.default is not MISSING or one.default_factory is not MISSING or one.init)
    ]
    return make_dataclass(kind.__name__, kept, frozen=True, slots=True, kw_only=True)


OPERATION = operations(10)[0]
CLIENT = Client("klik-pelalawan", frozenset(), None)


def a_visit() -> Visit:
    """Return a request that was answered."""
    visit = Visit(SCOPE, receive, started=time.monotonic(), now=NOW)
    visit.status, visit.code, visit.client, visit.bound = 200, "ok", CLIENT, Bound(OPERATION, Nothing())
    visit.effort.attempts, visit.effort.seconds = 1, 0.01
    return visit


def edge_of(log: LineLog) -> Edge:
    """Return an edge without operations."""
    nothing = Routes((), (), {}, {}, Table(()), Clients((), ()), Nothing())
    return Edge(Current(nothing), site, clock=SystemClock(), log=log)


async def each(call: Callable[[], object]) -> float:
    """Return the CPU microseconds of one call, in the best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            call()
        best = min(best, time.process_time() - started)
        await asyncio.sleep(0)
    return best / CALLS * 1e6


async def each_awaited(call: Callable[[], Awaitable[object]]) -> float:
    """Return the same for something that is awaited."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(CALLS):
            await call()
        best = min(best, time.process_time() - started)
    return best / CALLS * 1e6


async def line() -> float:
    """Return what a request's log line costs, written to /dev/null by the log's thread."""
    with open(os.devnull, "wb") as nowhere:  # noqa: ASYNC230, PTH123 - opened before anything is measured
        log = LineLog(nowhere, SystemClock())
        edge, visit = edge_of(log), a_visit()
        best = float("inf")
        for _ in range(ROUNDS):
            started = time.process_time()
            for _ in range(CALLS // 100):
                for _ in range(100):
                    edge._write(visit, 0.012)  # noqa: SLF001 - that is what is measured
                await asyncio.sleep(0)  # the log's timer
            best = min(best, time.process_time() - started)
        log.close()
    return best / CALLS * 1e6


async def off() -> float:
    """Return what is paid for tracing that is off: fields that stay empty, and questions that are answered no."""
    visit, spans = a_visit(), None
    message = Message(**MESSAGE)

    def questions() -> None:
        if b"tracestate" in visit.headers:
            raise AssertionError
        visit.tracestate, visit.span = "", None
        if spans is not None:
            raise AssertionError
        _ = visit.span.trail if visit.span is not None else None
        if spans is not None or message.tracestate:
            raise AssertionError

    bare_message, bare_call = without(Message, "tracestate", "trail"), without(Call, "tracestate")
    grown = await each(lambda: Message(**MESSAGE, tracestate="", trail=None)) - await each(
        lambda: bare_message(**MESSAGE)
    )
    grown += await each(lambda: Call(**CALL, tracestate="")) - await each(lambda: bare_call(**CALL))
    return grown + await each(questions) - await each(lambda: None)


async def on(record: Record) -> float:
    """Return what a traced request costs: its own span and that of one attempt."""
    spans, send = RequestSpans(record, SystemClock(), 1.0), traced.attempt(answer)

    async def request() -> None:
        visit = a_visit()
        spans.begin(visit)
        trail: Trail | None = visit.span.trail if visit.span is not None else None
        await send(Message(**MESSAGE, trail=trail))
        spans.end(visit)

    async def plain() -> None:
        a_visit()
        await answer(Message(**MESSAGE))

    return await each_awaited(request) - await each_awaited(plain)


def rows(export: Export) -> Iterator[tuple[str, Callable[[], Awaitable[float]]]]:
    """Yield what is measured, by name."""
    yield "a request's log line (aim 3)", line
    yield "tracing off (aim 1)", off
    yield "tracing on, two spans, kept nowhere", lambda: on(lambda _span: None)
    yield "tracing on, two spans, collector down", lambda: on(export.record)


async def main() -> None:
    """Measure and print."""
    export = Export(NOWHERE)
    for name, measure in rows(export):
        print(f"{name:42}{await measure():7.2f}")
    export.close()


if __name__ == "__main__":
    uvloop.run(main())
