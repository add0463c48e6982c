"""Receipts in the ledger's file and snapshots in files beside it: what files became, over SQLite."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from gateway.errors import FieldError, LedgerUnavailable, NoSnapshot
from gateway.feeds import (
    Cells,
    Chunk,
    FileReceipt,
    FileState,
    Found,
    Held,
    Keeping,
    Reject,
    Standing,
    Tally,
    Turn,
)
from gateway.ledger import sqlite_clock, sqlite_receipts
from gateway.ledger.opening import beside
from gateway.ledger.receipt_rows import receipt_of
from gateway.ledger.snapshot_rows import conditions, gathered
from gateway.ledger.sqlite_builds import Builds, complete, held_columns, page
from gateway.ledger.transaction import Transaction
from gateway.ledger.writer import Readers, Writer, unavailable
from gateway.message import Document
from gateway.ports import Clock

P = ParamSpec("P")
T = TypeVar("T")

_LIVE = "SELECT receipt.number, receipt.as_of FROM feed JOIN receipt ON receipt.number = feed.live WHERE feed.name = ?"


class SqliteFeeds:
    """The Protocol Receipts; a part of SqliteLedger, which gives it its file's threads."""

    _path: Path
    _writer: Writer
    _readers: Readers
    _clock: Clock
    _when: Callable[[float], datetime]

    def __init__(self) -> None:
        self._builds = Builds(beside(self._path))
        self._shelf = _Shelf(self._builds.place)

    async def take_up(
        self, turn: Turn, held: Held, keeping: Keeping, /, *, confirmed: str = "", afresh: bool = False
    ) -> FileReceipt:
        """Claim a file by its content, or go on with it."""
        row, anew = await self._writer.do(
            lambda tx: sqlite_receipts.take_up(
                sqlite_clock.followed(tx, self._clock), turn, held, keeping, confirmed=confirmed, afresh=afresh
            )
        )
        receipt = receipt_of(row, self._when)
        if receipt.state is not FileState.TAKING:
            return receipt
        for other in await self._writer.do(lambda tx: sqlite_receipts.give_up_others(tx, turn, receipt.number)):
            await _apart(self._builds.drop, other)
        tally = await _apart(self._builds.begin, receipt.number, turn.token, keeping, receipt.base, anew=anew)
        return _with(receipt, tally)

    async def add_rows(self, turn: Turn, number: int, keeping: Keeping, chunk: Chunk, /) -> Tally:
        """Keep a chunk with its position."""
        replaces = keeping.mode != "append"
        return await _apart(self._builds.add, number, turn.token, keeping, chunk, replaces=replaces)

    async def publish(self, turn: Turn, number: int, keeping: Keeping, /) -> FileReceipt:
        """Make what was taken the live snapshot."""
        tally = await _apart(self._builds.finish, number, keeping)

        def work(tx: Transaction) -> tuple[int | None, sqlite3.Row]:
            tx = sqlite_clock.followed(tx, self._clock)
            gone = sqlite_receipts.publish(tx, turn, number, tally)
            return gone, sqlite_receipts.one(tx, number)

        gone, row = await self._writer.do(work)
        if gone is not None:
            await _apart(self._builds.drop, gone)
        return receipt_of(row, self._when)

    async def refuse(self, turn: Turn, number: int, tally: Tally, reason: FieldError, /) -> FileReceipt:
        """Refuse a file whole."""

        def work(tx: Transaction) -> sqlite3.Row:
            sqlite_receipts.refuse(sqlite_clock.followed(tx, self._clock), turn, number, tally, reason)
            return sqlite_receipts.one(tx, number)

        row = await self._writer.do(work)
        return receipt_of(row, self._when)

    async def filed(self, turn: Turn, number: int, place: str, /) -> None:
        """Say where the file lies, and throw away what was built of a file that was refused."""
        row = await self._writer.do(
            lambda tx: sqlite_receipts.filed(sqlite_clock.followed(tx, self._clock), turn, number, place)
        )
        if row["state"] != FileState.ACCEPTED:
            await _apart(self._builds.drop, number)

    async def rejects(self, number: int, /, *, after: int = 0, limit: int = 1000) -> Sequence[Reject]:
        """Return rejects in order."""
        return await _apart(self._builds.rejects, number, after, limit)

    async def unfiled(self, feed: str, /) -> Sequence[FileReceipt]:
        """Return receipts that have ended and whose files are not put away."""
        return await self._several("feed = ? AND state <> 'taking' AND settled = 0 ORDER BY number", feed)

    async def wanted_again(self, feed: str, /) -> Sequence[FileReceipt]:
        """Return receipts whose files somebody wants to have tried again."""
        return await self._several("feed = ? AND again <> '' ORDER BY number", feed)

    async def want_again(self, number: int, /, *, by: str, shrink: bool = False) -> bool:
        """Ask for a file to be tried again."""
        return await self._writer.do(lambda tx: sqlite_receipts.want_again(tx, number, by, shrink=shrink))

    async def no_more_wanted(self, number: int, /) -> None:
        """Take back what was asked for."""
        query = "UPDATE receipt SET again = '', shrink = 0 WHERE number = ?"
        await self._writer.do(lambda tx: tx.db.execute(query, (number,)))

    async def receipt(self, number: int, /) -> FileReceipt | None:
        """Return a receipt."""
        return next(iter(await self._several("number = ?", number)), None)

    async def receipts(self, feed: str, /, *, limit: int = 20) -> Sequence[FileReceipt]:
        """Return a feed's receipts, the newest first."""
        return await self._several("feed = ? ORDER BY number DESC LIMIT ?", feed, limit)

    async def standing(self, feed: str, /) -> Standing:
        """Return which snapshots a feed has; one whose file is gone is none."""
        look = "SELECT * FROM feed WHERE name = ?"
        row = await self._readers.do(lambda tx: tx.db.execute(look, (feed,)).fetchone())
        if row is None:
            return Standing(feed=feed, live=None, previous=None, changed_by="")
        live, previous = [
            await self.receipt(number) if (number := row[name]) is not None else None for name in ("live", "previous")
        ]
        return Standing(feed=feed, live=live, previous=previous, changed_by=row["changed_by"])

    async def is_there(self, number: int, /) -> bool:
        """Tell whether a snapshot can be looked up in: a ledger that was put back from a backup may lack it."""
        return await _apart(self._builds.place(number).exists)

    async def roll_back(self, feed: str, /, *, by: str) -> Standing | None:
        """Make the previous snapshot live again."""
        done = await self._writer.do(lambda tx: sqlite_receipts.roll_back(tx, feed, by))
        return await self.standing(feed) if done else None

    async def look_up(
        self,
        feed: str,
        where: Document,
        /,
        *,
        limit: int,
        starts: Cells | None = None,
        after: str | None = None,
    ) -> Found:
        """Return rows of the live snapshot."""
        begun, pinned = starts or {}, list[tuple[int, float]]()

        def look(tx: Transaction, last: int, size: int) -> Sequence[tuple[int, bytes]]:
            if not pinned:
                row = tx.db.execute(_LIVE, (feed,)).fetchone()
                if row is None:
                    raise NoSnapshot(f"{feed}: no file has been taken in yet", maybe_done=False)
                pinned.append((row["number"], row["as_of"]))
            mine = self._shelf.get(feed, pinned[0][0])
            return page(mine.db, conditions(mine.columns, where, begun), last, size)

        async def rows(last: int, size: int) -> Sequence[tuple[int, bytes]]:
            return await self._readers.do(lambda tx: look(tx, last, size))

        found, further = await gathered(rows, where, begun, limit=limit, after=int(after or 0))
        as_of = self._when(pinned[0][1])
        return Found(rows=tuple(found), as_of=as_of, further=None if further is None else str(further))

    async def _copy_feeds(self, copy: Path) -> None:
        """Put the snapshots that a copy of the ledger needs beside it."""
        await _apart(self._builds.copy, copy)

    def _close_feeds(self) -> None:
        self._builds.close()
        self._shelf.close()

    async def _several(self, which: str, *values: object) -> Sequence[FileReceipt]:
        query = f"SELECT * FROM receipt WHERE {which}"  # noqa: S608 - our own words
        rows = await self._readers.do(lambda tx: tx.db.execute(query, values).fetchall())
        return tuple(receipt_of(row, self._when) for row in rows)


class _Snapshot:
    """A snapshot opened by one thread."""

    __slots__ = ("columns", "db", "number")

    def __init__(self, number: int, db: sqlite3.Connection) -> None:
        self.number = number
        self.db = db
        self.columns = held_columns(db)


class _Shelf:
    """The live snapshot of each feed, opened once by each thread that reads; they never change."""

    def __init__(self, place: Callable[[int], Path]) -> None:
        self._place = place
        self._own = threading.local()
        self._open: set[sqlite3.Connection] = set()

    def get(self, feed: str, number: int) -> _Snapshot:
        """Return a feed's snapshot; raises NoSnapshot when its file is not there."""
        mine: dict[str, _Snapshot] = self._own.__dict__.setdefault("snapshots", {})
        there = mine.get(feed)
        if there is not None and there.number == number:
            return there
        try:
            made = _Snapshot(number, self._connect(number))
        except sqlite3.OperationalError as error:
            raise NoSnapshot(f"{feed}: its snapshot is not there; its file is read again", maybe_done=False) from error
        if there is not None:
            self._open.discard(there.db)
            there.db.close()
        mine[feed] = made
        return made

    def close(self) -> None:
        """Close what is open; nobody reads any more."""
        for db in self._open:
            db.close()

    def _connect(self, number: int) -> sqlite3.Connection:
        db = complete(self._place(number))
        self._open.add(db)
        return db


def _with(receipt: FileReceipt, tally: Tally) -> FileReceipt:
    return replace(receipt, tally=tally)


async def _apart(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what blocks in a thread; a cancelled asker leaves it to its end, as a transaction does."""
    try:
        return await asyncio.to_thread(partial(work, *args, **kwargs))
    except sqlite3.Error as error:
        raise unavailable(error) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise LedgerUnavailable(f"the snapshots beside the ledger can't be used now: {why}") from error
