"""A PostgreSQL ledger that an earlier gateway made."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from gateway.clock import SystemClock
from gateway.ledger.keys import KeySource
from gateway.ledger.migrations import migrations
from gateway.ledger.postgres import PostgresLedger
from gateway.ledger.postgres.store import Connection
from gateway.message import MessageId
from tests.contract.ledger import ACCEPTED
from tests.contract.ledger_feeds import KEYED, ROWS, chunk, held, reject, rows_of, taken, turn
from tests.contract.ledger_upgrade import UpgradeContract, old  # noqa: F401 - a fixture
from tests.postgres import Cluster

_AGE = "ALTER SCHEMA public RENAME TO later; CREATE SCHEMA public"
_KNOWN = "CREATE TABLE migration (number integer PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL)"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migration'"
_COLUMNS = """
SELECT string_agg(quote_ident(column_name), ', ') FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = $1
"""
_GO_ON = """
SELECT setval('ticket', (SELECT last_value FROM later.ticket)),
    setval(pg_get_serial_sequence('message', 'seq'), (SELECT max(seq) FROM message)),
    setval(pg_get_serial_sequence('deed', 'number'), (SELECT max(number) FROM deed));
DROP SCHEMA later CASCADE
"""


class Past:
    """A database, and what has it open."""

    def __init__(self, url: str, key: Path, looks: Connection) -> None:
        self._url = url
        self._key = key
        self.looks = looks
        self._opened: list[PostgresLedger] = []

    async def open(self) -> PostgresLedger:
        ledger = await PostgresLedger.open(self._url, KeySource(path=self._key), SystemClock())
        self._opened.append(ledger)
        return ledger

    async def close(self) -> None:
        while self._opened:
            await self._opened.pop().close()

    async def age(self) -> None:
        await self.close()
        first = migrations("postgres")[0]
        await self.looks.execute(f"{_AGE}; {_KNOWN}; {first.sql}")
        await self.looks.execute("INSERT INTO migration VALUES ($1, $2, now())", first.number, first.name)
        for (table,) in await self.looks.fetch(_TABLES):
            columns = await self.looks.fetchval(_COLUMNS, table)
            await self.looks.execute(
                f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM later.{table}"
            )
        await self.looks.execute(_GO_ON)

    async def waiting(self) -> set[str]:
        return {row["id"] for row in await self.looks.fetch("SELECT id FROM message WHERE waits")}

    async def end_as_before(self, message: MessageId) -> None:
        query = "UPDATE message SET state = 'delivered', holds = false, leased_until = NULL, token = NULL WHERE id = $1"
        await self.looks.execute(query, message)


@pytest.fixture
async def past(postgres: Cluster, tmp_path: Path) -> AsyncIterator[Past]:
    url = postgres.database()
    looks = await asyncpg.connect(url)
    past = Past(url, tmp_path / "ledger.key", looks)
    yield past
    await past.close()
    await looks.close()


class TestUpgrade(UpgradeContract): ...


_SET_BACK = """
SELECT ledger_reading(0, t, t + interval '10 seconds', t - interval '1 hour')
FROM (SELECT $1::timestamptz AS t) AS since
"""


@pytest.mark.usefixtures("old")
async def test_rule_11_15_an_old_ledger_keeps_its_open_time_too_when_its_clock_is_set_back(
    past: Past,
) -> None:
    assert await past.looks.fetchval(_SET_BACK, ACCEPTED) == 0.0
    await past.open()
    assert await past.looks.fetchval(_SET_BACK, ACCEPTED) == 10.0


_KNOWS_NO_MENDS = """
ALTER TABLE snapshot_{0} DROP COLUMN mends;
UPDATE receipt SET fields = replace(fields, ',"mends":true', '') WHERE number = {0}
"""


async def test_a_snapshot_that_knows_no_mends_is_added_to_and_a_build_that_knows_none_is_begun_anew(past: Past) -> None:
    ledger = await past.open()
    first = await taken(ledger, ROWS[0], rejects=(reject(2), reject(3)))
    await past.looks.execute(_KNOWS_NO_MENDS.format(first.number))
    file, mine = held("m.csv", repairs=first.reference), await turn(ledger)
    receipt = await ledger.take_up(mine, file, KEYED)
    await ledger.add_rows(mine, receipt.number, KEYED, chunk(ROWS[1], last=False))
    await past.looks.execute(_KNOWS_NO_MENDS.format(receipt.number))
    again = await ledger.take_up(mine, file, KEYED)
    assert (again.number, again.tally.position, again.tally.kept) == (receipt.number, 0, 1)
    mends = replace(chunk(ROWS[1], {**ROWS[0], "nama": "Anni"}), mends={1: "r-1:5", 2: "r-1:6"})
    await ledger.add_rows(mine, receipt.number, KEYED, mends)
    await ledger.publish(mine, receipt.number, KEYED)
    assert await rows_of(ledger) == ROWS[:2]
