"""PostgreSQL killed with all its children under load: nothing that was acknowledged is lost, all goes on by itself."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

import asyncpg
import pytest

from gateway.clock import SystemClock
from gateway.errors import LedgerUnavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from gateway.message import MessageId, Outcome
from gateway.records import Claim, Delivered, Settlement, State
from tests.contract.ledger import LANE, an_entry, tried
from tests.postgres import Cluster, a_cluster, binaries, until

KILLS = 5
CLIENTS = 8
LEASE = 5.0
PATIENT = 60.0


@pytest.fixture
def cluster(postgres: Cluster) -> Iterator[Cluster]:
    """A server of this test's own; the shared one says whether there can be any."""
    assert binaries() is not None
    with a_cluster("fsync=off") as cluster:
        yield cluster


class Load:
    """Clients that put until told, and deliverers of two replicas; what was acknowledged and what arrived."""

    def __init__(self, *ledgers: PostgresLedger) -> None:
        self.ledgers = ledgers
        self.acknowledged: set[MessageId] = set()
        self.arrived: Counter[MessageId] = Counter()
        self.settled: set[MessageId] = set()
        self.refusals = 0
        self.full = False

    async def client(self, number: int) -> None:
        while not self.full:
            entry = an_entry(order_key=f"{number}-{random.randrange(5)}")
            while not self.full:
                try:
                    (receipt,) = await self.ledgers[number % 2].put(entry)
                except LedgerUnavailable:
                    self.refusals += 1
                    await asyncio.sleep(0.05)
                else:
                    self.acknowledged.add(receipt.id)
                    break

    async def deliverer(self, ledger: PostgresLedger) -> None:
        while True:
            try:
                claims = await ledger.claim(LANE, 20, lease=LEASE)
            except LedgerUnavailable:
                claims = ()
            await asyncio.gather(*(self.deliver(ledger, claim) for claim in claims))
            if not claims:
                await ledger.nudged(LANE, 1.0)

    async def deliver(self, ledger: PostgresLedger, claim: Claim) -> None:
        self.arrived[claim.ticket.id] += 1
        await asyncio.sleep(0.005)
        settlement = Settlement(ticket=claim.ticket, verdict=Delivered(), tried=tried(Outcome.OK))
        while True:
            try:
                (good,) = await ledger.settle(settlement)
            except LedgerUnavailable:
                continue
            if good:
                self.settled.add(claim.ticket.id)
            return


async def test_nothing_is_lost_when_postgresql_is_killed_under_load(cluster: Cluster, tmp_path: Path) -> None:
    url, source = cluster.database(), KeySource(path=tmp_path / "ledger.key")
    ledgers = [await PostgresLedger.open(url, source, SystemClock()) for _ in range(2)]
    load = Load(*ledgers)
    deliverers = [asyncio.create_task(load.deliverer(ledger)) for ledger in ledgers]
    clients = [asyncio.create_task(load.client(number)) for number in range(CLIENTS)]
    for _ in range(KILLS):
        acknowledged = len(load.acknowledged)
        await until(lambda: len(load.acknowledged) >= acknowledged + 100)  # noqa: B023 # called in this turn only
        await asyncio.to_thread(cluster.kill)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(cluster.start)
    load.full = True
    await asyncio.gather(*clients)
    async with asyncio.timeout(PATIENT):
        await until(lambda: load.acknowledged <= load.settled)
    for task in deliverers:
        assert not task.done()
        task.cancel()
    await asyncio.gather(*deliverers, return_exceptions=True)
    await said_by_the_tables(url, load)
    for ledger in ledgers:
        await ledger.close()


class Cutting:
    """Stands between a ledger and its server; once armed, it lets the next commit through and loses its answer."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.armed = False
        self.cut = 0

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, out = await asyncio.open_unix_connection(str(self.socket))
        answering = asyncio.create_task(self.pump(back, writer))
        while data := await reader.read(65536):
            if self.armed and b"COMMIT" in data:
                self.armed = False
                self.cut += 1
                answering.cancel()
                await asyncio.wait([answering])
                out.write(data)
                await back.read(1)  # it is committed: the server answers
                break
            out.write(data)
        for end in (writer, out):
            end.close()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


@asynccontextmanager
async def behind_a_cut(postgres: Cluster, key: Path) -> AsyncIterator[tuple[PostgresLedger, Cutting]]:
    name = postgres.database().partition("@/")[2].partition("?")[0]
    async with Cutting(postgres.socket) as between:
        through = f"postgresql://postgres@127.0.0.1:{between.port}/{name}?sslmode=disable"
        ledger = await PostgresLedger.open(through, KeySource(path=key), SystemClock())
        yield ledger, between
        await ledger.close()


async def test_a_claim_whose_commit_was_not_heard_of_is_given_back(postgres: Cluster, tmp_path: Path) -> None:
    async with behind_a_cut(postgres, tmp_path / "ledger.key") as (ledger, between):
        (receipt,) = await ledger.put(an_entry(repeat="never"))
        between.armed = True
        with pytest.raises(LedgerUnavailable):
            await ledger.claim(LANE, 1, lease=LEASE)
        assert between.cut == 1
        (claim,) = await ledger.claim(LANE, 1, lease=LEASE)
        assert (claim.ticket.id, claim.attempts, claim.uncertain) == (receipt.id, 0, False)


async def test_a_settlement_whose_commit_was_not_heard_of_is_known_when_it_comes_again(
    postgres: Cluster, tmp_path: Path
) -> None:
    async with behind_a_cut(postgres, tmp_path / "ledger.key") as (ledger, between):
        (receipt,) = await ledger.put(an_entry())
        (claim,) = await ledger.claim(LANE, 1, lease=LEASE)
        settlement = Settlement(ticket=claim.ticket, verdict=Delivered(), tried=tried(Outcome.OK))
        between.armed = True
        assert await ledger.settle(settlement) == (True,)
        assert between.cut == 1
        record = await ledger.get(receipt.id)
        assert record is not None
        assert (record.summary.state, len(record.attempts)) == (State.DELIVERED, 1)
        assert await ledger.settle(settlement) == (False,)


async def said_by_the_tables(url: str, load: Load) -> None:
    hand = await asyncpg.connect(url)
    rows = await hand.fetch("SELECT id, state FROM message")
    await hand.close()
    states = {row["id"]: row["state"] for row in rows}
    assert load.refusals > 0
    assert all(states[message] == State.DELIVERED for message in load.acknowledged)
    # A message that arrived twice was in flight at a kill for longer than its lease.
    repeated = [message for message, times in load.arrived.items() if times > 1]
    assert set(load.arrived) <= set(states)
    assert len(repeated) <= KILLS * 2 * 20
