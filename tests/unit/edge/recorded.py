"""An edge in front of a real ledger: one operation that is stored, one direct write, a read, and a route."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx

from gateway.clock import SystemClock
from gateway.deliver import Deliverable, Deliverer, Lane
from gateway.edge.current import routes
from gateway.edge.requests import Requests
from gateway.errors import LedgerUnavailable
from gateway.hours import Calendar
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import Message, MessageId, OperationId, Reply
from gateway.ports import Outbox
from gateway.recorder import Recorder, Recording
from gateway.records import Entry, Record
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting
from tests.unit.edge.conftest import FakeOperation, Stand, admissions

LANE = "dpmptsp"
FILE_PERMIT = OperationId("dpmptsp/ajukan-izin")
CHANGE_PERMIT = OperationId("dpmptsp/ubah-izin")
LOCKET = {"authorization": "Bearer kunci-loket"}
HEALTH_OFFICE = {"authorization": "Bearer kunci-dinkes"}


class Agency:
    """An agency at the end of a pipeline: `ends` are what it answers in turn, the last one again and again.

    While `held` is set it lets nobody go.
    """

    def __init__(self, *ends: Reply | Exception) -> None:
        self.ends = ends or (Reply(body={"nomor": "7"}),)
        self.asked: list[Message] = []
        self.let_go = asyncio.Event()
        self.let_go.set()
        self.reached = asyncio.Event()

    async def __call__(self, message: Message) -> Reply:
        self.asked.append(message)
        self.reached.set()
        end = self.ends[min(len(self.asked), len(self.ends)) - 1]
        await self.let_go.wait()
        if isinstance(end, Exception):
            raise end
        return end


class Faltering:
    """An outbox whose `put`, `begin` or `wait` can't reach the store."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.failing: set[str] = set()

    def __getattr__(self, name: str) -> object:
        if name in self.failing:
            return self._fail
        return getattr(self._outbox, name)

    async def _fail(self, *_: object, **__: object) -> None:
        raise LedgerUnavailable("the disk is full")


@dataclass(kw_only=True)
class Stage:
    """What the tests of recorded requests look at."""

    edge: Stand
    ledger: Ledger
    waiting: Waiting
    outbox: Faltering
    agency: Agency
    operations: list[FakeOperation]
    rooms: Rooms
    calendars: dict[str, Calendar] = field(default_factory=dict)

    async def post(self, body: Mapping[str, object] | None = None, **headers: str) -> httpx.Response:
        """File a permit, which is stored."""
        return await self._send("POST", "/v1/izin", body, headers)

    async def put(self, body: Mapping[str, object] | None = None, **headers: str) -> httpx.Response:
        """Change a permit, which is answered directly."""
        return await self._send("PUT", "/v1/izin", body, headers)

    async def see(self, response: httpx.Response, **headers: str) -> dict[str, object]:
        """Return the resource at a response's Location."""
        got = await self.edge.http.get(response.headers["location"], headers=_named(headers))
        assert got.status_code == 200, got.text
        return got.json()

    async def record(self, response: httpx.Response) -> Record:
        record = await self.ledger.get(MessageId(response.headers["location"].rpartition("/")[2]))
        assert record is not None
        return record

    def entry(self, message: Message) -> Entry:
        return Entry(message=message, lane=LANE)

    def revoke(self, *allow: str) -> None:
        """Leave the client these rights only."""
        current = self.edge.current
        given = [replace(one, allow=allow) if one.name == "warga" else one for one in admissions()]
        current.routes = routes(self.operations, given, self.edge.counted.observe, own=current.routes.own)

    async def _send(
        self, method: str, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str]
    ) -> httpx.Response:
        return await self.edge.http.request(method, path, json=body or {"nomor": "1"}, headers=_named(headers))


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def staged(  # noqa: PLR0913 -- what a test may want otherwise
    stand: object,
    folder: Path,
    agency: Agency,
    *,
    deliver: bool = False,
    wait: float = 0.0,
    deadline: float = 20.0,
    recording: Recording | None = None,
) -> AsyncIterator[Stage]:
    """Run an edge over a ledger in `folder`; with `deliver` its lane is delivered too."""
    clock = SystemClock()
    ledger = await SqliteLedger.open(folder / "ledger.db", KeySource(path=folder / "ledger.key"), clock)
    outbox, settler, rooms = Faltering(ledger), Settler(ledger, clock), Rooms(lanes=ledger, clock=clock)
    recorder = Recorder(outbox=outbox, settler=settler, clock=clock, room=rooms.of)
    stored = recording or Recording(lane=LANE, stored=True, wait=wait, order_by=("biaya",))
    filing = recorder.handler(stored, agency)
    changing = recorder.handler(Recording(lane=LANE), agency)
    operations = [
        _operation(FILE_PERMIT, "POST", "/v1/izin", filing, stored=True, deadline=deadline),
        _operation(CHANGE_PERMIT, "PUT", "/v1/izin", changing, deadline=deadline),
        _operation("dpmptsp/status-izin", "GET", "/v1/izin", agency, safe=True),
        _operation("dpupr/lapor", None, None, filing, stored=True),
        _operation("gateway/aduan", "POST", "/v1/aduan", _as("dpupr/lapor", filing), targets=("dpupr/lapor",)),
    ]
    calendars: dict[str, Calendar] = {}
    waiting = Waiting(lanes=ledger, clock=clock, calendars=calendars)
    requests = partial(Requests, ledger, waiting, clock)
    delivering = _deliverer(ledger, settler, clock, agency, waiting)
    task = asyncio.create_task(delivering.run()) if deliver else None
    async with stand(operations, requests=requests) as edge:  # type: ignore[operator]
        yield Stage(
            edge=edge,
            ledger=ledger,
            waiting=waiting,
            outbox=outbox,
            agency=agency,
            operations=operations,
            rooms=rooms,
            calendars=calendars,
        )
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await delivering.drain()
    await settler.close()
    await ledger.close()


def _as(target: str, handler: object) -> object:
    async def pass_on(message: Message) -> Reply:
        return await handler(message.but(operation=OperationId(target)))  # type: ignore[operator]

    return pass_on


def _operation(name: str, method: str | None, path: str | None, handler: object, **more: object) -> FakeOperation:
    more = {"safe": False, **more}
    return FakeOperation(id=OperationId(name), method=method, path=path, handler=handler, **more)  # type: ignore[arg-type]


def _deliverer(ledger: Ledger, settler: Settler, clock: SystemClock, agency: Agency, waiting: Waiting) -> Deliverer:
    deliverable = Deliverable(pipeline=agency, check=lambda _body: (), deadline=20.0)
    names = (FILE_PERMIT, OperationId("dpupr/lapor"))
    lane = Lane(name=LANE, operations=dict.fromkeys(names, deliverable), concurrency=4, news=waiting.outage)
    return Deliverer(lane=lane, outbox=ledger, lanes=ledger, settler=settler, clock=clock)
