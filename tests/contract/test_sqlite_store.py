"""What only the embedded ledger has: its file, its disk, its key, its copy."""

import asyncio
import os
import resource
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import ConfigError, LedgerUnavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.place import connect
from gateway.ledger.sqlite import SqliteLedger
from gateway.ledger.sqlite_reads import search
from gateway.ledger.writer import Writer
from gateway.records import Delivered, Filter, State
from tests.contract.ledger import BODY, LANE, Stage, an_entry
from tests.fakes import FakeClock


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    ledger = await opened(tmp_path)
    yield ledger
    await ledger.close()


async def opened(folder: Path, *, lost: bool = False) -> SqliteLedger:
    source = KeySource(path=folder / "ledger.key", lost=lost)
    return await SqliteLedger.open(folder / "ledger.db", source, FakeClock(autojump=False))


def staged(ledger: SqliteLedger) -> Stage:
    async def another() -> SqliteLedger:
        return ledger

    async def pass_time(_: float) -> None: ...

    return Stage(ledger, another, pass_time)


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file of this process may grow beyond so many bytes: to SQLite that is a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_said_and_reads_go_on_and_writes_too_when_there_is_room(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    (kept,) = await ledger.put(an_entry())
    lost = an_entry(body={"isi": "x" * 1_000_000})
    with full_disk((tmp_path / "ledger.db-wal").stat().st_size + 4096):
        with pytest.raises(LedgerUnavailable):
            await ledger.put(lost)
        assert (await staged(ledger).record(kept.id)).body == BODY
    assert await ledger.get(lost.message.id) is None
    assert (await ledger.put(lost))[0].fresh


async def test_a_file_that_can_not_be_reached_is_said_and_the_writer_lives_on(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "later" / "ledger.db", FakeClock(autojump=False))
    with pytest.raises(LedgerUnavailable):
        await writer.do(lambda tx: tx.now)
    (tmp_path / "later").mkdir()
    assert await writer.do(lambda tx: tx.now)
    writer.close()


async def test_a_search_reads_no_body(ledger: SqliteLedger, tmp_path: Path) -> None:
    (kept,) = await ledger.put(an_entry())
    db = connect(tmp_path / "ledger.db", reads=True)
    read: set[str | None] = set()

    def note(_: int, table: str | None, column: str | None, *__: str | None) -> int:
        read.add(f"{table}.{column}")
        return sqlite3.SQLITE_OK

    db.set_authorizer(note)
    for wanted in (Filter(), Filter(states=frozenset(State)), Filter(lane=LANE)):
        rows, _ = search(db, wanted, None, None, 10)
        assert [row["id"] for row in rows] == [kept.id]
    db.close()
    assert "message.text" in read
    assert read.isdisjoint({"message.body", "message.answer", "message.native"})


async def test_a_closed_ledger_takes_nothing(tmp_path: Path) -> None:
    ledger = await opened(tmp_path)
    await ledger.close()
    with pytest.raises(LedgerUnavailable):
        await ledger.put(an_entry())
    with pytest.raises(LedgerUnavailable):
        await ledger.search(Filter())


async def test_one_jobs_mistake_is_its_own(tmp_path: Path) -> None:
    ledger = await opened(tmp_path)
    await ledger.close()
    writer = Writer(tmp_path / "ledger.db", FakeClock(autojump=False))

    def keep(value: str) -> Awaitable[int]:
        return writer.do(lambda tx: tx.db.execute("INSERT INTO setting VALUES (?, 'x')", (value,)).rowcount)

    results = await asyncio.gather(
        *(keep(value) for value in ("a", "b", "a", "c")),
        writer.do(lambda _: 1 // 0),
        keep("d"),
        return_exceptions=True,
    )
    kept = await writer.do(lambda tx: tx.db.execute("SELECT name FROM setting WHERE value = 'x'").fetchall())
    writer.close()
    assert [type(result) for result in results] == [int, int, sqlite3.IntegrityError, int, ZeroDivisionError, int]
    assert [row["name"] for row in kept] == ["a", "b", "c", "d"]


async def test_what_was_asked_is_done_even_if_the_asker_leaves(ledger: SqliteLedger) -> None:
    entry = an_entry()
    asking = asyncio.create_task(ledger.put(entry))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await ledger.put(an_entry())
    assert await ledger.get(entry.message.id) is not None


async def test_many_puts_at_once_share_commits_and_each_gets_its_own_receipt(ledger: SqliteLedger) -> None:
    entries = [an_entry() for _ in range(600)]
    receipts = await asyncio.gather(*(ledger.put(entry) for entry in entries))
    assert [receipt.id for (receipt,) in receipts] == [entry.message.id for entry in entries]


async def test_rule_11_19_a_wrong_key_refuses_to_start_and_changes_nothing(tmp_path: Path) -> None:
    ledger = await opened(tmp_path)
    (receipt,) = await ledger.put(an_entry())
    await ledger.close()
    source = KeySource(value="00" * 32)
    with pytest.raises(ConfigError, match="not the key of this ledger"):
        await SqliteLedger.open(tmp_path / "ledger.db", source, FakeClock())
    ledger = await opened(tmp_path)
    assert (await staged(ledger).record(receipt.id)).body == BODY
    await ledger.close()


async def test_rule_11_19_after_a_lost_key_rows_stay_and_are_said_to_be_unreadable(tmp_path: Path) -> None:
    ledger = await opened(tmp_path)
    stage = staged(ledger)
    delivered, waiting = await stage.put(), await stage.put()
    await stage.end(delivered, Delivered())
    await ledger.close()
    (tmp_path / "ledger.key").unlink()
    ledger = await opened(tmp_path, lost=True)
    stage = staged(ledger)
    record = await stage.record(delivered)
    assert (record.readable, record.body, record.summary.state) == (False, None, State.DELIVERED)
    assert await stage.claim() == ()
    buried = await stage.record(waiting)
    assert (buried.summary.state, buried.summary.reason) == (State.BURIED, "unreadable")
    await ledger.close()


async def test_rule_11_5_nothing_personal_is_in_the_file(ledger: SqliteLedger, tmp_path: Path) -> None:
    nik = "1405029001180001"
    message = (await ledger.put(an_entry(subject=nik, order_key=nik, key=nik)))[0].id
    await staged(ledger).end(message, Delivered())
    found = b"".join((tmp_path / name).read_bytes() for name in ("ledger.db", "ledger.db-wal"))
    assert nik.encode() not in found


async def test_a_backup_is_complete_and_opens_with_the_same_key(ledger: SqliteLedger, tmp_path: Path) -> None:
    (receipt,) = await ledger.put(an_entry(order_key="ani"))
    copy = tmp_path / "copy"
    copy.mkdir()
    await ledger.backup(copy / "ledger.db")
    await ledger.put(an_entry())
    assert (copy / "ledger.db").stat().st_mode & 0o777 == 0o600
    os.link(tmp_path / "ledger.key", copy / "ledger.key")
    restored = await opened(copy)
    assert [row.id for row in (await restored.search(Filter())).rows] == [receipt.id]
    assert [claim.message.body for claim in await restored.claim(LANE, 5, lease=5.0)] == [BODY]
    await restored.close()


async def test_a_copy_for_which_there_is_no_room_is_told_as_such(ledger: SqliteLedger, tmp_path: Path) -> None:
    with full_disk(50_000), pytest.raises(OSError, match="disk"):
        await ledger.backup(tmp_path / "copy.db")


async def test_a_backup_never_overwrites(ledger: SqliteLedger, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("x", "utf-8")
    with pytest.raises(FileExistsError):
        await ledger.backup(tmp_path / "there")
