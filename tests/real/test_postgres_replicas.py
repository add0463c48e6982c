"""Several replicas over one PostgreSQL: what the conformance suite, which is one process, can't show."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from gateway.clock import SystemClock
from gateway.errors import ConfigError, LedgerUnavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from gateway.records import Delivered, Settlement, State
from tests.contract.ledger import LANE, an_entry
from tests.postgres import Cluster, until

REPLICA = [sys.executable, "-m", "tests.real.replica"]
ROOT = Path(__file__).parent.parent.parent
PROCESSES = 5
SHORT = 1.0
SOON = 5.0

Opening = Callable[[], Awaitable[PostgresLedger]]


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.database()


@pytest.fixture
async def replica(url: str, tmp_path: Path) -> AsyncIterator[Opening]:
    opened: list[PostgresLedger] = []

    async def another() -> PostgresLedger:
        opened.append(await PostgresLedger.open(url, KeySource(path=tmp_path / "ledger.key"), SystemClock()))
        return opened[-1]

    yield another
    for ledger in opened:
        await ledger.close()


@asynccontextmanager
async def a_process(url: str, key: Path, *, lease: float = 60.0) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [*REPLICA, url, str(key), LANE, str(lease)]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    return int(await process.stdout.readline())


async def test_processes_that_start_at_once_make_the_tables_once_and_share_a_key(url: str, tmp_path: Path) -> None:
    key = tmp_path / "ledger.key"

    async def start() -> int:
        async with a_process(url, key) as process:
            return await said(process)

    assert await asyncio.gather(*(start() for _ in range(PROCESSES))) == [0] * PROCESSES
    hand = await asyncpg.connect(url)
    assert await hand.fetchval("SELECT array_agg(number ORDER BY number) FROM migration") == [1, 2, 3, 4, 5, 6]
    assert await hand.fetchval("SELECT count(*) FROM setting WHERE name = 'key-check'") == 1
    await hand.close()


async def test_the_work_of_a_killed_replica_is_taken_up_when_its_lease_ends(
    url: str, tmp_path: Path, replica: Opening
) -> None:
    ledger = await replica()
    ids = {receipt.id for receipt in await ledger.put(*(an_entry() for _ in range(3)))}
    async with a_process(url, tmp_path / "ledger.key", lease=SHORT) as process:
        assert await said(process) == len(ids)
    assert await ledger.claim(LANE, 10, lease=60.0) == ()
    while not (claims := await ledger.claim(LANE, 10, lease=60.0)):
        # What was put lies before the look, so at most one nudge is old news; the end of the lease is another.
        assert await ledger.nudged(LANE, SOON)
    assert {claim.ticket.id for claim in claims} == ids
    assert all(claim.uncertain for claim in claims)


async def test_replicas_that_claim_at_once_never_get_the_same_message(replica: Opening) -> None:
    ledgers = [await replica() for _ in range(4)]
    ids = [receipt.id for receipt in await ledgers[0].put(*(an_entry(order_key=str(n % 50)) for n in range(200)))]

    async def take(ledger: PostgresLedger) -> list[str]:
        taken: list[str] = []
        while claims := await ledger.claim(LANE, 7, lease=60.0):
            taken += [claim.ticket.id for claim in claims]
            assert all(await ledger.settle(*(Settlement(ticket=one.ticket, verdict=Delivered()) for one in claims)))
        return taken

    taken = [one for each in await asyncio.gather(*map(take, ledgers)) for one in each]
    rest = await take(ledgers[0])  # a replica may leave while another holds the key of what is left
    assert sorted(taken + rest) == sorted(ids)


async def test_a_put_wakes_the_deliverer_of_another_replica(replica: Opening) -> None:
    one, other = await replica(), await replica()
    waiting = asyncio.create_task(other.nudged(LANE, 60.0))
    started = time.monotonic()
    await one.put(an_entry())
    assert await waiting
    assert time.monotonic() - started < SOON


async def test_a_settlement_wakes_who_waits_at_another_replica(replica: Opening) -> None:
    one, other = await replica(), await replica()
    (receipt,) = await one.put(an_entry())
    waiting = asyncio.create_task(other.wait(receipt.id, 60.0))
    (claim,) = await one.claim(LANE, 1, lease=60.0)
    started = time.monotonic()
    await one.settle(Settlement(ticket=claim.ticket, verdict=Delivered()))
    record = await waiting
    assert record is not None
    assert record.summary.state is State.DELIVERED
    assert time.monotonic() - started < SOON


async def test_a_new_encryption_key_reaches_the_other_replicas(replica: Opening) -> None:
    one, other = await replica(), await replica()
    await one.renew_key()
    async with asyncio.timeout(SOON):
        await until(lambda: other._keys.current > 1)
    assert other._keys.current == one._keys.current == 2


async def test_a_message_that_becomes_due_wakes_its_deliverer(replica: Opening) -> None:
    ledger = await replica()
    await ledger.put(an_entry())
    (claim,) = await ledger.claim(LANE, 1, lease=0.3)
    assert claim
    while await ledger.claim(LANE, 1, lease=60.0) == ():
        assert await ledger.nudged(LANE, SOON)


async def test_keys_that_cross_between_replicas_fail_nobody(replica: Opening) -> None:
    one, other = await replica(), await replica()
    for round_ in range(10):
        keys = [f"{round_}-{number}" for number in range(40)]
        forth, back = await asyncio.gather(
            one.put(*(an_entry(key=key) for key in keys)), other.put(*(an_entry(key=key) for key in reversed(keys)))
        )
        assert [receipt.id for receipt in forth] == [receipt.id for receipt in reversed(back)]


async def test_rule_11_19_another_master_key_is_refused_with_what_to_do(
    url: str, tmp_path: Path, replica: Opening
) -> None:
    await replica()
    with pytest.raises(ConfigError, match="not the key of this ledger") as refused:
        await PostgresLedger.open(url, KeySource(value="ab" * 32), SystemClock())
    assert "use the key that it was made with" in str(refused.value)


async def test_a_server_that_is_not_there_is_said_without_its_address(tmp_path: Path) -> None:
    with pytest.raises(LedgerUnavailable) as away:
        await PostgresLedger.open(
            f"postgresql://gateway:rahasia@/ledger?host={tmp_path}", KeySource(path=tmp_path / "key"), SystemClock()
        )
    assert "rahasia" not in str(away.value)
    assert str(tmp_path) not in str(away.value)


async def test_two_ledgers_share_a_database_by_schemas(url: str, tmp_path: Path) -> None:
    hand = await asyncpg.connect(url)
    await hand.execute("CREATE SCHEMA satu; CREATE SCHEMA dua")
    await hand.close()
    ledgers = [
        await PostgresLedger.open(f"{url}&search_path={schema}", KeySource(path=tmp_path / schema), SystemClock())
        for schema in ("satu", "dua")
    ]
    (receipt,) = await ledgers[0].put(an_entry())
    assert await ledgers[1].claim(LANE, 1, lease=60.0) == ()
    assert [claim.ticket.id for claim in await ledgers[0].claim(LANE, 1, lease=60.0)] == [receipt.id]
    for ledger in ledgers:
        await ledger.close()
