"""CPU of the edge alone: one process, no server, a handler that does nothing; 10 operations beside 500."""

import asyncio
import hashlib
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import SystemClock
from gateway.edge.accesslog import LineLog
from gateway.edge.asgi import Event, Scope
from gateway.edge.auth import Admission, KeyHash
from gateway.edge.current import Current, routes
from gateway.edge.ingress import Edge
from gateway.edge.needs import Exposed
from gateway.errors import FieldError
from gateway.message import Document, Message, OperationId, Reply
from gateway.policies.bucket import TokenBucket
from gateway.ports import Handler

REQUESTS, ROUNDS = 5_000, 7
KEY = "kunci-uji"
BODY = b'{"nama":"Siti Aminah","nik":"1405020101809001","jenis":"imb","luas":120,"biaya":1250000.50,"rt":"003"}'


@dataclass(frozen=True)
class Anything:
    """A schema that takes everything at no cost."""

    json: Mapping[str, object]
    fields: frozenset[str] = frozenset()

    def check(self, _body: object, /) -> tuple[FieldError, ...]:
        """Take anything."""
        return ()

    def from_query(self, pairs: Sequence[tuple[str, str]], /) -> Document:
        """Take anything."""
        return dict(pairs)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """An operation whose handler does nothing."""

    id: OperationId
    title: str = ""
    about: str = ""
    agency: str = "a"
    agency_title: str = "A"
    safe: bool
    method: str
    path: str
    deadline: float = 20.0
    stored: bool = False
    targets: tuple[OperationId, ...] = ()
    request: Anything = Anything({})
    reply: Anything = Anything({})
    handler: Handler


async def answer(message: Message) -> Reply:
    """Give back what came."""
    return Reply(body=message.body)


class Nothing:
    """Figures that go nowhere."""

    def done(self, *_facts: object) -> None:
        """Count nothing."""


def operations(count: int) -> list[Operation]:
    """Return so many operations, a fifth each of five kinds of path."""
    made: list[Operation] = []
    for n in range(count // 5):
        for method, path in (
            ("GET", f"/v1/a{n}/status"),
            ("POST", f"/v1/a{n}"),
            ("GET", f"/v1/a{n}/x/{{id}}"),
            ("GET", f"/v1/a{n}/x/{{id}}/y/{{no}}"),
            ("PUT", f"/v1/a{n}/x/{{id}}"),
        ):
            name = OperationId(f"a/{len(made)}")
            made.append(Operation(id=name, safe=method == "GET", method=method, path=path, handler=answer))
    return made


def scope(method: str, path: bytes, query: bytes = b"") -> Scope:
    """Return a request as uvicorn gives it."""
    headers = [
        (b"host", b"127.0.0.1:8080"),
        (b"user-agent", b"klik-pelalawan/1.0"),
        (b"accept", b"*/*"),
        (b"authorization", b"Bearer " + KEY.encode()),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(BODY)),
    ]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "raw_path": path,
        "query_string": query,
        "headers": headers if method == "POST" else headers[:4],
    }


async def receive() -> Event:
    """Give the whole body at once."""
    return {"type": "http.request", "body": BODY, "more_body": False}


async def send(event: Event) -> None:
    """Take the answer."""
    if event["type"] == "http.response.start":
        assert event["status"] in (200, 401, 404), event


async def site(_scope: Scope, _receive: object, _send: object) -> None:
    """Serve nothing: no request here goes to the site."""
    raise NotImplementedError


async def measure(edge: Edge, asked: Scope) -> float:
    """Return the CPU microseconds of one request, the loop's own taken off, best of the rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REQUESTS):
            await edge(asked, receive, send)
            await asyncio.sleep(0)
        best = min(best, time.process_time() - began)
        await asyncio.sleep(0.1)
    idle = time.process_time()
    for _ in range(REQUESTS):
        await asyncio.sleep(0)
    return (best - (time.process_time() - idle)) / REQUESTS * 1e6


async def main() -> None:
    """Measure every case with few and with many operations, and print the table."""
    clock = SystemClock()
    cases = {
        "GET exact path, one query field": scope("GET", b"/v1/a1/status", b"nomor=161%2FIMB%2FIV%2F2021"),
        "GET template, two parameters": scope("GET", b"/v1/a1/x/7/y/8"),
        "POST, 6 fields": scope("POST", b"/v1/a1"),
        "404, no such path": scope("GET", b"/v1/tidak-ada"),
    }
    print(f"{'CPU us per request':34}{'10 ops':>9}{'500 ops':>9}")
    figures: dict[str, list[float]] = {name: [] for name in cases}
    with Path("/dev/null").open("wb") as nowhere:  # noqa: ASYNC230 - before anything is measured
        for count in (10, 500):
            log = LineLog(nowhere, clock)
            known: list[Exposed] = [*operations(count)]
            admission = Admission(
                name="app",
                keys=(KeyHash(sha256=hashlib.sha256(KEY.encode()).hexdigest()),),
                allow=("*",),
                bucket=TokenBucket(1e9, burst=1e9),
            )
            edge = Edge(Current(routes(known, [admission], lambda _: Nothing())), site, clock=clock, log=log)
            for name, asked in cases.items():
                figures[name].append(await measure(edge, asked))
            log.close()
    for name, (few, many) in figures.items():
        print(f"{name:34}{few:9.1f}{many:9.1f}")


if __name__ == "__main__":
    if sys.platform == "win32":
        asyncio.run(main())
    else:
        import uvloop

        uvloop.run(main())
