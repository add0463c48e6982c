"""Receipts in the ledger's file and snapshots in files beside it: what files became, over SQLite."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from gateway.errors import FieldError, LedgerUnavailable, NoSnapshot
from gateway.feeds import Chunk, FileReceipt, FileState, Held, Keeping, Reject, Standing, Tally, Turn
from gateway.ledger import sqlite_clock, sqlite_forward, sqlite_receipts
from gateway.ledger.clashes import may_replace
from gateway.ledger.forward_rows import foreseen, packed_forward
from gateway.ledger.keys import Keys
from gateway.ledger.news import News
from gateway.ledger.opening import beside
from gateway.ledger.receipt_rows import FORWARD, receipt_of
from gateway.ledger.snapshot_rows import conditions, gathered
from gateway.ledger.sqlite_builds import Builds, complete, held_columns
from gateway.ledger.sqlite_pages import page
from gateway.ledger.transaction import Transaction
from gateway.ledger.writer import Readers, Writer, unavailable
from gateway.lookup import Cells, Found, Mark, page_gone, written_mark
from gateway.message import Document
from gateway.portion import Forwarded, Portion
from gateway.ports import Clock
from gateway.records import State

P = ParamSpec("P")
T = TypeVar("T")

_ASKED = """
SELECT receipt.number, receipt.as_of, feed.live, feed.previous FROM feed JOIN receipt
ON receipt.number = coalesce(:mark, feed.live) AND receipt.number IN (feed.live, feed.previous)
WHERE feed.name = :feed AND receipt.mode <> 'forward'
"""


class SqliteFeeds:
    """The Protocols Receipts and Forwards; a part of SqliteLedger, which gives it its file's threads."""

    _path: Path
    _writer: Writer
    _readers: Readers
    _clock: Clock
    _keys: Keys
    _news: News
    _when: Callable[[float], datetime]

    def __init__(self) -> None:
        self._builds = Builds(beside(self._path))
        self._shelf = _Shelf(self._builds.place)

    async def take_up(  # noqa: PLR0913 - what a file is claimed by
        self,
        turn: Turn,
        held: Held,
        keeping: Keeping,
        /,
        *,
        confirmed: str = "",
        afresh: bool = False,
        anew: int | None = None,
    ) -> FileReceipt:
        """Claim a file by its content, or go on with it."""

        def claim(tx: Transaction) -> tuple[sqlite3.Row, bool]:
            tx = sqlite_clock.followed(tx, self._clock)
            return sqlite_receipts.take_up(tx, turn, held, keeping, confirmed=confirmed, afresh=afresh, anew=anew)

        row, again = await self._writer.do(claim)
        receipt = receipt_of(row, self._when)
        if receipt.state is not FileState.TAKING:
            return receipt
        for other in await self._writer.do(lambda tx: sqlite_receipts.give_up_others(tx, turn, receipt.number)):
            await self._forget(other)
        if keeping.mode == FORWARD:
            return receipt
        tally = await _apart(self._builds.begin, receipt.number, turn.token, keeping, receipt.base, anew=again)
        return _with(receipt, tally)

    async def add_rows(self, turn: Turn, number: int, keeping: Keeping, chunk: Chunk, /) -> Tally:
        """Keep a chunk with its position."""
        if keeping.mode == FORWARD:
            return await self._writer.do(lambda tx: sqlite_forward.check(self._at(tx), turn, number, chunk))
        return await _apart(self._builds.add, number, turn.token, keeping, chunk, replaces=may_replace(keeping))

    async def forward(self, turn: Turn, number: int, portion: Portion, /) -> Tally:
        """Put messages with the position."""
        rows = await asyncio.to_thread(packed_forward, portion.rows, turn.feed, self._keys)
        tally = await self._writer.do(lambda tx: sqlite_forward.forward(self._at(tx), turn, number, portion, rows))
        for lane in {row.packed.lane for row in rows}:
            self._news.tell_lane(lane)
        return tally

    async def forwarded(self, number: int, /) -> Mapping[State, int]:
        """Return where a file's messages stand."""
        return await self._readers.do(lambda tx: sqlite_forward.states(tx, number))

    async def sent_as(self, feed: str, sha256: str, mapping: str, /) -> int | None:
        """Return the first receipt by which a file was forwarded."""
        return await self._readers.do(lambda tx: sqlite_receipts.sent_as(tx, feed, sha256, mapping))

    async def were_accepted(self, feed: str, references: Collection[str], /) -> Collection[str]:
        """Return which of these references are of files that were forwarded."""

        def look(tx: Transaction) -> set[str]:
            return {one for one in references if sqlite_receipts.was_accepted(tx, feed, one)}

        return await self._readers.do(look)

    async def foresee(self, feed: str, rows: Sequence[Forwarded], seen: dict[bytes, bytes], /) -> int:
        """Return how many of these rows would be put."""
        made = await asyncio.to_thread(packed_forward, rows, feed, self._keys)
        return foreseen(made, await self._readers.do(lambda tx: sqlite_forward.known(tx, made)), seen)

    async def publish(self, turn: Turn, number: int, keeping: Keeping, /) -> FileReceipt:
        """Make what was taken the live snapshot."""
        tally = await _apart(self._builds.finish, number, keeping) if keeping.mode != FORWARD else None

        def work(tx: Transaction) -> tuple[list[int], sqlite3.Row]:
            gone = sqlite_receipts.publish(self._at(tx), turn, number, tally)
            return gone, sqlite_receipts.one(tx, number)

        gone, row = await self._writer.do(work)
        for other in gone:
            await self._forget(other)
        return receipt_of(row, self._when)

    async def refuse(self, turn: Turn, number: int, tally: Tally, reason: FieldError, /) -> FileReceipt:
        """Refuse a file whole."""

        def work(tx: Transaction) -> sqlite3.Row:
            sqlite_receipts.refuse(sqlite_clock.followed(tx, self._clock), turn, number, tally, reason)
            return sqlite_receipts.one(tx, number)

        row = await self._writer.do(work)
        return receipt_of(row, self._when)

    async def filed(self, turn: Turn, number: int, place: str, /) -> None:
        """Say where the file lies, and throw away what was built of it, unless it is live or can be gone back to."""
        if not await self._writer.do(lambda tx: sqlite_receipts.filed(self._at(tx), turn, number, place)):
            await self._forget(number)

    async def rejects(self, number: int, /, *, after: int = 0, limit: int = 1000) -> Sequence[Reject]:
        """Return rejects in order."""
        kept = await self._readers.do(lambda tx: sqlite_forward.rejects(tx, number, after, limit))
        return kept or await _apart(self._builds.rejects, number, after, limit)

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

    async def receipts(self, feed: str, /, *, file: str = "", limit: int = 20) -> Sequence[FileReceipt]:
        """Return a feed's receipts, or those of one name, the newest first."""
        return await self._several(
            "feed = ? AND (file = ? OR ? = '') ORDER BY number DESC LIMIT ?", feed, file, file, limit
        )

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
        """Return rows of the live snapshot, or of the one that a page goes on in, while it is kept."""
        begun, mark, pinned = starts or {}, Mark.read(after), list[sqlite3.Row]()

        def look(tx: Transaction, last: int, size: int) -> Sequence[tuple[int, bytes]]:
            if not pinned:
                pinned.append(_asked(tx, feed, mark))
            mine = self._shelf.get(feed, pinned[0])
            return page(mine.db, conditions(mine.columns, where, begun), last, size)

        async def rows(last: int, size: int) -> Sequence[tuple[int, bytes]]:
            return await self._readers.do(lambda tx: look(tx, last, size))

        found, further = await gathered(rows, where, begun, limit=limit, after=mark.row if mark else 0)
        number, as_of = pinned[0]["number"], self._when(pinned[0]["as_of"])
        return Found(rows=tuple(found), as_of=as_of, further=written_mark(number, further))

    async def _copy_feeds(self, copy: Path) -> None:
        """Put the snapshots that a copy of the ledger needs beside it."""
        await _apart(self._builds.copy, copy)

    async def _forget(self, number: int) -> None:
        await _apart(self._builds.drop, number)
        await self._writer.do(lambda tx: sqlite_forward.forget(tx, number))

    def _at(self, tx: Transaction) -> Transaction:
        return sqlite_clock.followed(tx, self._clock)

    def _close_feeds(self) -> None:
        self._builds.close()
        self._shelf.close()

    async def _several(self, which: str, *values: object) -> Sequence[FileReceipt]:
        query = f"SELECT * FROM receipt WHERE {which}"  # noqa: S608 - our own words
        rows = await self._readers.do(lambda tx: tx.db.execute(query, values).fetchall())
        return tuple(receipt_of(row, self._when) for row in rows)


def _asked(tx: Transaction, feed: str, mark: Mark | None) -> sqlite3.Row:
    """Return which snapshot is asked, the live one or that of a mark, and which are kept."""
    row: sqlite3.Row | None = tx.db.execute(_ASKED, {"feed": feed, "mark": mark and mark.snapshot}).fetchone()
    if row is None:
        raise page_gone() if mark else NoSnapshot(f"{feed}: no file has been taken in yet", maybe_done=False)
    return row


class _Snapshot:
    """A snapshot opened by one thread."""

    __slots__ = ("columns", "db")

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self.columns = held_columns(db)


class _Shelf:
    """The snapshots of each feed that are kept, opened once by each thread that reads; they never change."""

    def __init__(self, place: Callable[[int], Path]) -> None:
        self._place = place
        self._own = threading.local()
        self._open: set[sqlite3.Connection] = set()

    def get(self, feed: str, asked: sqlite3.Row) -> _Snapshot:
        """Return the snapshot that is asked, closing those that are not kept; raises when its file is gone."""
        mine: dict[int, _Snapshot] = self._own.__dict__.setdefault(feed, {})
        number: int = asked["number"]
        if number not in mine:
            for gone in mine.keys() - {asked["live"], asked["previous"]}:
                self._close(mine.pop(gone))
            try:
                mine[number] = _Snapshot(self._connect(number))
            except sqlite3.OperationalError as error:
                if number != asked["live"]:
                    raise page_gone() from error
                what = f"{feed}: its snapshot is not there; its file is read again"
                raise NoSnapshot(what, maybe_done=False) from error
        return mine[number]

    def close(self) -> None:
        """Close what is open; nobody reads any more."""
        for db in self._open:
            db.close()

    def _connect(self, number: int) -> sqlite3.Connection:
        db = complete(self._place(number))
        self._open.add(db)
        return db

    def _close(self, snapshot: _Snapshot) -> None:
        self._open.discard(snapshot.db)
        snapshot.db.close()


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
