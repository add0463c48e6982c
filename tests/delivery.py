"""A lane under test: the real deliverer over a real ledger, an agency that does as it is told, time that jumps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.ask import Ask
from gateway.attempt import Deliverable
from gateway.deliver import Deliverer, Lane
from gateway.errors import NotFound, Unreachable
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import Document, Message, MessageId, OperationId, Reply, new_message_id
from gateway.records import Entry, Record, State
from gateway.settle import Settler
from tests.fakes import FakeClock
from tests.postgres import StandingClock

LANE = "dpmptsp"
FILE = OperationId("dpmptsp/ajukan-izin")
FIND = OperationId("dpmptsp/cari-permohonan")


def refused_connection() -> Unreachable:
    return Unreachable("connection refused", maybe_done=False)


def once(error: Exception) -> Any:
    """Answer with an error first, then as it should be."""
    seen: set[str] = set()

    def answer(message: Message) -> Reply | Exception:
        if message.id in seen:
            return Reply(body={"nomor": "1"})
        seen.add(message.id)
        return error

    return answer


class _Counted:
    """A ledger's threads, with those who wait for them counted, so that the clock doesn't jump past them."""

    def __init__(self, inner: Any, clock: FakeClock) -> None:
        self._inner = inner
        self._clock = clock

    async def do(self, work: Callable[..., Any]) -> Any:
        self._clock.elsewhere += 1
        try:
            return await self._inner.do(work)
        finally:
            self._clock.elsewhere -= 1

    def close(self) -> None:
        self._inner.close()


async def open_ledger(folder: Path, clock: FakeClock) -> SqliteLedger:
    ledger = await SqliteLedger.open(folder / "ledger.db", KeySource(path=folder / "ledger.key"), clock)
    count_threads(ledger, clock)
    return ledger


def count_threads(ledger: SqliteLedger, clock: FakeClock) -> None:
    """Let a clock wait for what a ledger's threads are asked."""
    ledger._writer = _Counted(ledger._writer, clock)  # type: ignore[assignment]
    ledger._readers = _Counted(ledger._readers, clock)  # type: ignore[assignment]


class Agency:
    """What a lane delivers to: `answers` says how, as a reply or an error; `seconds` is how long it takes.

    `arrived` is what reached it, in order; while `down` nothing does. `has` is what it has done: asking finds that.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.answers: Callable[[Message], Reply | Exception] = lambda _message: Reply(body={"nomor": "1"})
        self.seconds = 0.0
        self.down = False
        self.knocks = 0
        self.arrived: list[Message] = []
        self.times: list[float] = []
        self.asked: list[Message] = []
        self.asking: Exception | None = None
        self.number: object = "1"
        self.status = "diajukan"
        self.has: dict[str, str] = {}
        self.inside = 0
        self.most_inside = 0

    async def file(self, message: Message) -> Reply:
        if self.down:
            self.knocks += 1
            raise refused_connection()
        self.arrived.append(message)
        self.times.append(self.clock.monotonic())
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            if self.seconds:
                await self.clock.sleep(self.seconds)
        finally:
            self.inside -= 1
        end = self.answers(message)
        if isinstance(end, Exception):
            raise end
        self.has[message.id] = message.id
        return end

    async def find(self, message: Message) -> Reply:
        if self.down:
            raise refused_connection()
        self.asked.append(message)
        if self.asking is not None:
            raise self.asking
        if message.body["ref"] not in self.has:
            raise NotFound("tidak ada", maybe_done=False)
        return Reply(body={"nomor": self.number, "status": self.status})

    async def probe(self) -> None:
        self.knocks += 1
        if self.down:
            raise refused_connection()

    def numbers(self) -> list[int]:
        """Which messages reached it, by the number in their body, in order."""
        return [message.body["n"] for message in self.arrived]


class Probing:
    """The agency's probe, where it has one."""

    def __init__(self, agency: Agency) -> None:
        self.probe = agency.probe


@dataclass(slots=True)
class Rig:
    """Everything about the lane; change `lane` before `delivering`."""

    clock: FakeClock
    ledger: SqliteLedger
    agency: Agency
    lane: Lane
    news: list[bool] = field(default_factory=list)
    bugs: list[Exception] = field(default_factory=list)
    jitter: Callable[[float, float], float] = lambda _least, most: most
    outbox: Any = None

    def having(self, **changes: object) -> None:
        """Change the lane."""
        self.lane = replace(self.lane, **changes)

    def delivering_by(self, **changes: object) -> None:
        """Change how the lane's operation is delivered."""
        made = replace(self.lane.operations[FILE], **changes)
        self.having(operations={FILE: made})

    async def put(self, *numbers: int, key: str | None = None, body: Document | None = None, **more: Any) -> list[str]:
        entries = [self.entry(n, key=key, body=body, **more) for n in numbers or (1,)]
        return [receipt.id for receipt in await self.ledger.put(*entries)]

    def entry(self, n: int, *, key: str | None = None, body: Document | None = None, **more: Any) -> Entry:
        message = Message(
            id=new_message_id(),
            operation=FILE,
            body={"n": n, **(body or {})},
            client="klik",
            correlation_id=f"c-{n}",
            traceparent="",
            accepted_at=self.clock.now(),
            deadline=0.0,
        )
        return Entry(message=message, lane=LANE, order_key=key, **{"repeat": "harmless", **more})

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[Deliverer]:
        settler = Settler(self.outbox or self.ledger, self.clock)
        deliverer = Deliverer(
            lane=self.lane,
            outbox=self.outbox or self.ledger,
            lanes=self.outbox or self.ledger,
            settler=settler,
            clock=self.clock,
            jitter=self.jitter,
        )
        task = asyncio.create_task(deliverer.run())
        try:
            yield deliverer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await deliverer.drain()
            await settler.close()

    async def end_leases(self) -> None:
        """End the leases of all that is under way."""
        await self.ledger._writer.do(lambda tx: tx.db.execute("UPDATE message SET leased_until = 0"))

    async def until(self, state: State, *messages: str, within: float = 3600.0) -> None:
        """Let time pass until these messages are in this state."""
        await self.comes(lambda: self._all(state, messages), within=within)

    async def _all(self, state: State, messages: Sequence[str]) -> bool:
        return all([(await self.state(message)) is state for message in messages])

    async def comes(self, look: Callable[[], Awaitable[bool]], *, within: float = 3600.0) -> None:
        start = self.clock.monotonic()
        while not await look():
            passed = self.clock.monotonic() - start
            assert passed < within, "it did not come"
            await self.clock.sleep(max(0.25, passed / 100))

    async def record(self, message: str) -> Record:
        found = await self.ledger.get(MessageId(message))
        assert found is not None
        return found

    async def state(self, message: str) -> State:
        return (await self.record(message)).summary.state

    async def depth(self, state: State) -> int:
        return sum(stats.depth.get(state, 0) for stats in await self.ledger.stats())

    def asking(self) -> Ask:
        """How the agency is asked whether it has a message."""
        return Ask(
            operation=FIND,
            handler=self.agency.find,
            fields={"ref": "@id"},
            done=("nomor",),
            deadline=20.0,
            reply_fields=frozenset({"nomor"}),
        )


def rigged(clock: FakeClock, ledger: Any) -> Rig:
    """Put a lane on a ledger."""
    agency = Agency(clock)
    made = Deliverable(pipeline=agency.file, check=lambda _body: (), deadline=20.0, harmless=True)
    lane = Lane(name=LANE, operations={FILE: made}, concurrency=4, probe=Probing(agency))
    rig = Rig(clock, ledger, agency, lane)
    rig.having(news=lambda _lane, down: rig.news.append(down), bug=lambda _lane, error: rig.bugs.append(error))
    return rig


@asynccontextmanager
async def a_rig(folder: Path) -> AsyncIterator[Rig]:
    clock = FakeClock()
    ledger = await open_ledger(folder, clock)
    yield rigged(clock, ledger)
    await ledger.close()


class _InStep:
    """A ledger on PostgreSQL whose own clock is set by the test's before each call, and the test's waits meanwhile."""

    def __init__(self, inner: PostgresLedger, clock: FakeClock, standing: StandingClock) -> None:
        self._inner = inner
        self._clock = clock
        self._standing = standing
        self._passed = 0.0
        self._start = clock.monotonic()
        self._turn = asyncio.Lock()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name in {"nudged", "wait", "close"}:  # they wait by the test's clock themselves
            return method

        async def asked(*arguments: object, **more: object) -> object:
            self._clock.elsewhere += 1
            try:
                await self._set()
                return await method(*arguments, **more)
            finally:
                self._clock.elsewhere -= 1

        return asked

    async def _set(self) -> None:
        async with self._turn:
            now = self._clock.monotonic() - self._start
            if now > self._passed:
                await self._standing.advance(now - self._passed)
                self._passed = now


@asynccontextmanager
async def a_rig_on_postgres(folder: Path, url: str) -> AsyncIterator[Rig]:
    clock = FakeClock()
    ledger = await PostgresLedger.open(url, KeySource(path=folder / "ledger.key"), clock)
    standing = await StandingClock.put_into(url)
    yield rigged(clock, _InStep(ledger, clock, standing))
    await ledger.close()
    await standing.close()


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with a_rig(tmp_path) as made:
        yield made
