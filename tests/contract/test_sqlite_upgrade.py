"""An embedded ledger that an earlier gateway made."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ledger.keys import KeySource
from gateway.ledger.migrations import migrations
from gateway.ledger.place import connect
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import MessageId
from tests.contract.ledger_upgrade import UpgradeContract, old  # noqa: F401 - a fixture
from tests.contract.test_sqlite_processes import killed, worker
from tests.fakes import FakeClock


class Past:
    """A file, and what has it open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "ledger.db"
        self._clock = FakeClock(autojump=False)
        self._opened: list[SqliteLedger] = []

    async def open(self) -> SqliteLedger:
        source = KeySource(path=self._folder / "ledger.key")
        ledger = await SqliteLedger.open(self._path, source, self._clock)
        self._opened.append(ledger)
        return ledger

    async def close(self) -> None:
        while self._opened:
            await self._opened.pop().close()

    async def age(self) -> None:
        await self.close()
        later = self._path.rename(self._folder / "later.db")
        first = migrations("sqlite")[0]
        with closing(connect(self._path)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(f"CREATE TABLE migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL); {first.sql}")
            db.execute("INSERT INTO migration VALUES (?, ?)", (first.number, first.name))
            db.execute("ATTACH ? AS later", (str(later),))
            for (table,) in db.execute("SELECT name FROM main.sqlite_schema WHERE type = 'table'").fetchall():
                if table != "migration":
                    columns = ", ".join(row["name"] for row in db.execute(f"PRAGMA main.table_info({table})"))
                    db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM later.{table}")

    async def waiting(self) -> set[str]:
        with closing(connect(self._path, reads=True)) as db:
            return {row["id"] for row in db.execute("SELECT id FROM message WHERE waits = 1")}

    async def end_as_before(self, message: MessageId) -> None:
        with closing(connect(self._path)) as db:
            settled = "state = 'delivered', holds = 0, leased_until = NULL, token = token + 1"
            db.execute(f"UPDATE message SET {settled} WHERE id = ?", (message,))


@pytest.fixture
async def past(tmp_path: Path) -> AsyncIterator[Past]:
    past = Past(tmp_path)
    yield past
    await past.close()


class TestUpgrade(UpgradeContract): ...


@pytest.mark.usefixtures("old")
async def test_two_processes_that_start_at_once_bring_it_up_to_date_once(past: Past, tmp_path: Path) -> None:
    with closing(connect(tmp_path / "ledger.db", reads=True)) as db, pytest.raises(sqlite3.OperationalError):
        db.execute("SELECT waits FROM message")
    workers = await asyncio.gather(*(worker("put", tmp_path) for _ in range(2)))
    for process in workers:
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"put ")
    await asyncio.gather(*(killed(process, 0.0) for process in workers))
    await past.open()
    with closing(connect(tmp_path / "ledger.db", reads=True)) as db:
        assert [row["number"] for row in db.execute("SELECT number FROM migration")] == [1, 2, 4, 5]
