"""What only the PostgreSQL ledger has: its tables, as whoever may read the database sees them, and its lost key."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from gateway.clock import SystemClock
from gateway.errors import ConfigError, LedgerSilent, LedgerUnavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from gateway.ledger.postgres.builds import query_of
from gateway.ledger.postgres.census import of_database
from gateway.ledger.postgres.store import opened
from gateway.ledger.snapshot_rows import columns_of, conditions
from gateway.message import Document, Reply
from gateway.records import Buried, Delivered, State, Unknown
from tests.contract.ledger import BODY, Stage, an_entry, tried
from tests.contract.ledger_feeds import KEYED, taken
from tests.postgres import Cluster, binaries

NIK, NAME = "1405029001180001", "Siti Rahmawati"
SECRET = {**BODY, "nama": NAME}
Opening = Callable[..., Awaitable[Stage]]


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.database()


@pytest.fixture
async def opening(url: str, tmp_path: Path) -> AsyncIterator[Opening]:
    ledgers: list[PostgresLedger] = []

    async def open_(*, lost: bool = False) -> Stage:
        source = KeySource(path=tmp_path / "ledger.key", lost=lost)
        ledgers.append(await PostgresLedger.open(url, source, SystemClock()))

        async def another() -> PostgresLedger:
            return ledgers[-1]

        async def pass_time(_: float) -> None: ...

        return Stage(ledgers[-1], another, pass_time)

    yield open_
    for ledger in ledgers:
        await ledger.close()


async def test_rule_11_5_nothing_personal_is_in_the_database(url: str, opening: Opening) -> None:
    stage = await opening()
    entries = [an_entry(subject=NIK, order_key=f"{NIK}-{n}", key=f"{NIK}-{n}", body=SECRET) for n in range(3)]
    one, other, buried = [await stage.put(entry) for entry in entries]
    await stage.end(one, Delivered(reply=Reply(body={"nama": NAME, "nik": NIK})))
    await stage.end(other, Unknown(text=f"NIK {NIK} tidak terbaca", native=f"{NIK} {NAME}".encode()))
    (claim,) = await stage.claim()
    assert await stage.settle(claim.ticket, Buried(reason="misfit", text=NIK), tried(error=f"HTTP 500 untuk {NIK}"))
    assert await stage.ledger.edit(buried, {"nik": NIK, "nama": NAME, "jenis": "SIUP"}, by="sri")
    programs = binaries()
    assert programs is not None
    command = [programs / "pg_dump", "--inserts", url]
    dump = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True, timeout=60)
    text = dump.stdout.decode()
    assert one in text
    for secret in (NIK, NAME, "Siti", "SIUP"):
        assert secret not in text
        assert secret.encode().hex() not in text


async def test_rule_11_19_after_a_lost_key_rows_stay_and_are_said_to_be_unreadable(
    opening: Opening, tmp_path: Path
) -> None:
    stage = await opening()
    delivered, waiting = await stage.put(), await stage.put()
    await stage.end(delivered, Delivered())
    (tmp_path / "ledger.key").unlink()
    stage = await opening(lost=True)
    record = await stage.record(delivered)
    assert (record.readable, record.body, record.summary.state) == (False, None, State.DELIVERED)
    assert await stage.claim() == ()
    buried = await stage.record(waiting)
    assert (buried.summary.state, buried.summary.reason) == (State.BURIED, "unreadable")


async def test_rule_11_18_only_an_answer_that_was_lost_leaves_open_whether_it_was_recorded(url: str) -> None:
    store = await opened(url)
    with pytest.raises(LedgerUnavailable) as refused:
        async with store.connection() as connection:
            await connection.execute("SELECT * FROM nothing")
    with pytest.raises(LedgerSilent):
        async with store.connection() as connection:
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    await store.close()
    with pytest.raises(LedgerUnavailable) as away:
        async with store.connection():
            """Never lent."""
    assert not isinstance(refused.value, LedgerSilent)
    assert not isinstance(away.value, LedgerSilent)


async def test_a_ledger_that_a_newer_gateway_changed_is_refused_and_left_as_it_is(url: str, opening: Opening) -> None:
    await opening()
    hand = await asyncpg.connect(url)
    await hand.execute("INSERT INTO migration VALUES (7, 'later', now()); DELETE FROM migration WHERE number < 7")
    for refusal in (opening(), of_database(url)):
        with pytest.raises(ConfigError) as refused:
            await refusal
        (finding,) = refused.value.findings
        assert finding.where == "gateway.ledger"
        assert finding.what.startswith("a newer gateway has changed this ledger (step 7)")
    assert await hand.fetchval("SELECT array_agg(number) FROM migration") == [7]
    await hand.close()


BY_INDEX: list[tuple[Document, dict[str, str]]] = [
    ({"nik": "1"}, {}),
    ({"jenis": "BCG"}, {}),
    ({"jenis": "BCG", "nik": "1"}, {}),
    ({"nama": None}, {}),
    ({}, {"nama": "A"}),
    ({}, {"nik": "9"}),
    ({"jenis": "BCG"}, {"nik": "9"}),
]


@pytest.mark.parametrize("kept", ["force_generic_plan", "force_custom_plan"])
async def test_what_is_asked_by_value_or_beginning_is_found_by_an_index_on_every_page(
    url: str, opening: Opening, kept: str
) -> None:
    keeping = replace(KEYED, key=("nik",))
    rows = [{"nik": f"1{n:06d}", "jenis": f"{n % 3}", "nama": f"{n % 40}"} for n in range(3000)]
    done = await taken((await opening()).ledger, *rows, keeping=keeping)
    hand = await asyncpg.connect(url, server_settings={"enable_seqscan": "off", "plan_cache_mode": kept})
    for number, (where, starts) in enumerate(BY_INDEX):
        for after in (0, 1500):
            query, values = query_of(done.number, conditions(columns_of(keeping), where, starts), after, 101)
            name, kinds = f"q_{number}_{after}", ["bytea" if isinstance(value, bytes) else "bigint" for value in values]
            written = [f"'\\x{value.hex()}'" if isinstance(value, bytes) else str(value) for value in values]
            await hand.execute(f"PREPARE {name} ({', '.join(kinds)}) AS {query}")
            plan = [row[0] for row in await hand.fetch(f"EXPLAIN EXECUTE {name} ({', '.join(written)})")]
            assert not [line for line in plan if "Seq Scan" in line], plan
            (found,) = [line for line in plan if "Index Cond" in line and "(n = " not in line]
            assert "id " in found or "c0 " in found or "c1 " in found, plan
    await hand.close()
