"""A gateway's edge on real ports, in front of made-up operations."""

import asyncio
import hashlib
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from gateway.clock import SystemClock
from gateway.edge.accesslog import LineLog
from gateway.edge.auth import Admission, KeyHash
from gateway.edge.current import Current, Routes, routes
from gateway.edge.health import Figures, Standing, nothing_recorded
from gateway.edge.ingress import Edge
from gateway.edge.requests import Requests
from gateway.edge.server import serve
from gateway.edge.site import site
from gateway.errors import FieldError
from gateway.message import Document, Message, OperationId, Reply
from gateway.ports import Handler

KEY = "kunci-uji"


@dataclass(frozen=True)
class FakeSchema:
    """Text fields, some required; `biaya` is a number."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.required + self.optional)

    @property
    def json(self) -> Mapping[str, object]:
        return {
            "type": "object",
            "properties": {
                name: {
                    "type": "number" if name == "biaya" else "string",
                    "title": name.title(),
                    "examples": [f"{name}-1"],
                }
                for name in self.required + self.optional
            },
            "required": list(self.required),
            "additionalProperties": False,
        }

    def check(self, body: object) -> tuple[FieldError, ...]:
        assert isinstance(body, dict)
        errors = [FieldError(pointer=f"/{name}", rule="required") for name in self.required if name not in body]
        errors += [FieldError(pointer=f"/{name}", rule="unknown") for name in body if name not in self.fields]
        for name, value in body.items():
            kind = (Decimal, int) if name == "biaya" else str
            if name in self.fields and not isinstance(value, kind):
                errors.append(FieldError(pointer=f"/{name}", rule="type", params={"expected": "teks"}))
        return tuple(errors)

    def from_query(self, pairs: Sequence[tuple[str, str]]) -> Document:
        return dict(pairs)


async def echo(message: Message) -> Reply:
    return Reply(body=message.body)


@dataclass(frozen=True, kw_only=True)
class FakeOperation:
    id: OperationId
    method: str | None
    path: str | None
    title: str = "Status permohonan izin"
    about: str = ""
    agency: str = "dpmptsp"
    agency_title: str = "DPMPTSP (SIPOLAN)"
    safe: bool = True
    deadline: float = 20.0
    stored: bool = False
    targets: tuple[OperationId, ...] = ()
    request: FakeSchema = FakeSchema(required=("nomor",), optional=("biaya",))
    reply: FakeSchema = FakeSchema(required=("nomor",), optional=("biaya",))
    handler: Handler = echo


@dataclass
class FakeBucket:
    left: int = 1000

    def take(self, _now: float) -> float:
        self.left -= 1
        return 0.0 if self.left >= 0 else 2.5


@dataclass
class Counted:
    """Observations of every operation, as they came."""

    rows: list[tuple[object, ...]] = field(default_factory=list)

    def observe(self, operation: FakeOperation | None) -> "_Bound":
        return _Bound(self.rows, operation.id if operation else None)


@dataclass(frozen=True)
class _Bound:
    rows: list[tuple[object, ...]]
    operation: str | None

    def done(self, *facts: object) -> None:
        self.rows.append((self.operation, *facts))


@dataclass
class Stand:
    """A running edge; `http` shows the key of a client that may ask everything."""

    url: str
    metrics: str
    http: httpx.AsyncClient
    edge: Edge
    current: Current
    counted: Counted
    stop: asyncio.Event
    hurry: asyncio.Event
    done: asyncio.Task[None]
    stream: io.BytesIO
    log: LineLog

    async def raw(self, data: bytes, *, until: bytes | None = None) -> bytes:
        """Send bytes on a connection of their own; return what came until the end, or until some text."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            got = await asyncio.wait_for(reader.readuntil(until) if until else reader.read(), 30)
        except asyncio.IncompleteReadError as error:
            got = error.partial
        writer.close()
        return got

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, _, port = self.url.removeprefix("http://").partition(":")
        return await asyncio.open_connection(host, int(port))

    def lines(self) -> list[dict[str, object]]:
        """Return the log so far; ends the log."""
        self.log.close()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


def admissions(bucket: FakeBucket | None = None) -> list[Admission]:
    def keyed(name: str, key: str, *allow: str, until: date | None = None) -> Admission:
        return Admission(
            name=name,
            keys=(KeyHash(sha256=hashlib.sha256(key.encode()).hexdigest(), until=until),),
            allow=allow,
            bucket=bucket,
        )

    return [
        keyed("warga", KEY, "*"),
        keyed("dinkes-saja", "kunci-dinkes", "dinkes/*"),
        keyed("loket", "kunci-loket", "dpmptsp/*", "gateway/*"),
        keyed("lama", "kunci-lama", "*", until=date(2020, 1, 1)),
    ]


@asynccontextmanager
async def _stand(  # noqa: PLR0913 -- what a test may want otherwise
    operations: Iterable[FakeOperation],
    *,
    bucket: FakeBucket | None = None,
    docs: str = "public",
    origins: tuple[str, ...] = (),
    grace: float = 5.0,
    drain: float = 0.0,
    requests: Callable[[Callable[[], Routes]], Requests] | None = None,
    standing: Standing = nothing_recorded,
) -> AsyncIterator[Stand]:
    clock, counted, stream = SystemClock(), Counted(), io.BytesIO()
    registry = CollectorRegistry()
    Counter("gateway_asked", "Asked.", registry=registry).inc()
    recorded = requests(lambda: current.routes) if requests else None
    own = recorded.operations if recorded else ()
    current = Current(routes(operations, admissions(bucket), counted.observe, own=own))
    log = LineLog(stream, clock)
    edge = Edge(
        current,
        site(
            current,
            clock,
            name="Kabupaten Pelalawan",
            version="0.1.0",
            docs=docs,
            states=lambda: {"dpmptsp": "up"},
            ledger=standing,
        ),
        clock=clock,
        log=log,
        origins=origins,
        show=recorded.show if recorded else None,
    )
    stop, hurry = asyncio.Event(), asyncio.Event()
    where: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
    done = asyncio.create_task(
        serve(
            edge,
            Figures(registry, clock),
            listen="127.0.0.1:0",
            metrics="127.0.0.1:0",
            stop=stop,
            hurry=hurry,
            grace=lambda: grace,
            drain=drain,
            started=lambda api, metrics: where.set_result((api, metrics)),
        )
    )
    listen, metrics = await asyncio.wait_for(where, 30)
    url = f"http://{listen}"
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {KEY}"}, timeout=10) as http:
        yield Stand(url, f"http://{metrics}", http, edge, current, counted, stop, hurry, done, stream, log)
    stop.set()
    hurry.set()
    await asyncio.wait_for(done, 30)
    log.close()


@pytest.fixture(scope="module")
def anyio_backend():
    """One loop for a module, so that its tests can share a running edge."""
    return "asyncio"


@pytest.fixture(scope="module")
def stand():
    """Start an edge: `async with stand([operation(...)]) as s`."""
    return _stand


@pytest.fixture(scope="module")
def operation():
    """Make an operation: `operation("dpmptsp/x", "GET /v1/x", handler)`."""

    def make(name: str, expose: str, handler: Handler = echo, **more: object) -> FakeOperation:
        method, path = expose.split(" ")
        more.setdefault("safe", method == "GET")
        return FakeOperation(id=OperationId(name), method=method, path=path, handler=handler, **more)

    return make


@pytest.fixture(scope="module")
def schema():
    return FakeSchema


@pytest.fixture(scope="module")
def bucket():
    return FakeBucket


@pytest.fixture(scope="module")
def admitted():
    return admissions()
