"""The embedded ledger: one SQLite file on a local disk, safe for several processes; knows no agency and no HTTP."""

import asyncio
import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from pathlib import Path

from gateway.acknowledged import Heard, Word
from gateway.census import Unsettled
from gateway.ledger import (
    sqlite_clock,
    sqlite_deadlines,
    sqlite_hearing,
    sqlite_people,
    sqlite_queue,
    sqlite_reads,
    sqlite_turns,
    sqlite_upkeep,
)
from gateway.ledger.keys import Keys, KeySource, Unreadable
from gateway.ledger.news import News
from gateway.ledger.place import connect, prepare
from gateway.ledger.rows import Reader, pack, sought
from gateway.ledger.sqlite_arrivals import SqliteArrivals
from gateway.ledger.sqlite_feeds import SqliteFeeds
from gateway.ledger.sqlite_queue import Found, Told
from gateway.ledger.transaction import Transaction
from gateway.ledger.writer import Readers, Writer
from gateway.message import Document, Message, MessageId, OperationId
from gateway.ports import Clock, Progress
from gateway.records import (
    ANY,
    UNSETTLED,
    Backlog,
    Buried,
    Claim,
    Delivered,
    Entry,
    Filter,
    LaneStats,
    Page,
    Pause,
    PauseReason,
    Receipt,
    Record,
    Refused,
    Retention,
    Settlement,
    Shed,
    State,
    Terms,
    Ticket,
)

LOOK_AGAIN = 1.0
"""Seconds after which a waiter looks for what another process may have settled; its own process tells it at once."""


class SqliteLedger(SqliteFeeds, SqliteArrivals):
    """Every Protocol of the ledger over one file; made by `open`."""

    def __init__(self, path: Path, keys: Keys, clock: Clock) -> None:
        self._path = path
        self._keys = keys
        self._clock = clock
        self._zone = clock.now().tzinfo
        self._reader = Reader(keys, self._when)
        self._news = News(clock)
        self._writer = Writer(path, clock)
        self._readers = Readers(path, clock)
        super().__init__()

    @classmethod
    async def open(cls, path: Path, keys: KeySource, clock: Clock) -> "SqliteLedger":
        """Make or open the ledger at this path; raises ConfigError when the place or the key can't be used."""
        return cls(path, await asyncio.to_thread(_unlocked, path, keys, clock), clock)

    async def put(self, *entries: Entry) -> tuple[Receipt, ...]:
        """Record messages to be delivered."""
        packed = [pack(entry, self._keys) for entry in entries]
        found = await self._writer.do(lambda tx: sqlite_queue.put(self._followed(tx), packed))
        for lane in {entry.lane for entry in entries}:
            self._news.tell_lane(lane)
        return tuple(self._receipt(one, direct=False) for one in found)

    async def find(self, entry: Entry, /) -> Receipt | None:
        """Return the receipt of what was put before."""
        packed = pack(entry, self._keys)
        found = await self._readers.do(lambda tx: sqlite_queue.find(tx.db, packed))
        return None if found is None else self._receipt(found, direct=False)

    async def begin(self, entry: Entry, /, *, lease: float) -> Receipt:
        """Record a direct write's intent."""
        packed = pack(entry, self._keys)
        found = await self._writer.do(lambda tx: sqlite_queue.begin(self._followed(tx), packed, lease))
        return self._receipt(found, direct=True)

    async def claim(self, lane: str, limit: int, /, *, lease: float, terms: Terms = ANY) -> tuple[Claim, ...]:
        """Take messages that are due."""
        rows, told = await self._writer.do(lambda tx: sqlite_queue.claim(self._followed(tx), lane, limit, lease, terms))
        self._tell_messages(told)
        claims = []
        for row in rows:
            try:
                claims.append(self._claim(row))
            except Unreadable as error:
                await self.settle(Settlement(ticket=_ticket(row), verdict=Buried(reason="unreadable", text=str(error))))
        return tuple(claims)

    async def extend(self, *tickets: Ticket, lease: float) -> frozenset[MessageId]:
        """Hold messages longer."""
        return await self._writer.do(lambda tx: sqlite_queue.extend(self._followed(tx), tickets, lease))

    async def settle(self, *settlements: Settlement) -> tuple[bool, ...]:
        """Record how messages ended."""
        done, told = await self._writer.do(lambda tx: sqlite_queue.settle(tx, settlements, self._keys))
        self._tell(told)
        return done

    async def wait(self, message: MessageId, seconds: float, /) -> Record | None:
        """Return the record once it is settled or the time is up."""
        until = self._clock.monotonic() + seconds
        with self._news.watch(message) as watch:
            while await self._readers.do(lambda tx: sqlite_reads.state(tx.db, message)) in UNSETTLED:
                remaining = until - self._clock.monotonic()
                if not await watch.news(min(LOOK_AGAIN, remaining)) and remaining <= LOOK_AGAIN:
                    break
        return await self.get(message)

    async def pause(self, lane: str, reason: PauseReason, /, *, by: str, until: datetime | None = None) -> None:
        """Claim nothing from the lane."""
        end = None if until is None else until.timestamp()
        await self._writer.do(lambda tx: sqlite_people.pause(tx, lane, reason, by, end))

    async def resume(self, lane: str, reason: PauseReason | None = None, /, *, by: str) -> bool:
        """End a pause."""
        ended = await self._writer.do(lambda tx: sqlite_people.resume(tx, lane, reason, by))
        self._news.tell_lane(lane)
        return ended

    async def idle(self, lane: str, /) -> None:
        """Stop the clock of open time until the next claim."""
        await self._writer.do(lambda tx: sqlite_queue.shut(tx, lane))

    async def list(self) -> tuple[Pause, ...]:
        """Return every pause that holds."""
        return tuple(map(self._pause, await self._readers.do(sqlite_reads.pauses)))

    async def stats(self) -> tuple[LaneStats, ...]:
        """Return how each lane stands."""
        standings = await self._readers.do(sqlite_reads.standings)
        return tuple(
            LaneStats(
                lane=name,
                depth=standing.depth,
                held=standing.held,
                oldest=None if standing.oldest is None else self._when(standing.oldest),
                pauses=tuple(map(self._pause, standing.pauses)),
                open_seconds=standing.open_seconds,
                overdue=standing.overdue,
                **self._reader.clocks(standing.clocks),
            )
            for name, standing in standings.items()
        )

    async def backlog(self, lane: str, terms: Terms = ANY, /) -> Backlog:
        """Return how far a lane is behind."""
        waited, ended, since = await self._readers.do(lambda tx: sqlite_reads.backlog(tx, lane, terms))
        return Backlog(waited=waited, ended=ended, since=None if since is None else self._when(since))

    async def nudged(self, lane: str, seconds: float, /) -> bool:
        """Return when something may have become claimable."""
        return await self._news.of_lane(lane, seconds)

    async def get(self, message: MessageId, /, *, unmasked_by: str | None = None) -> Record | None:
        """Return everything about a message."""
        if unmasked_by is not None:
            await self._writer.do(lambda tx: sqlite_people.look(tx, message, unmasked_by))
        found = await self._readers.do(lambda tx: sqlite_reads.everything(tx.db, message))
        return None if found is None else self._reader.record(*found)

    async def search(self, wanted: Filter, /, *, cursor: str | None = None, limit: int = 50) -> Page:
        """Return a page of messages."""
        subject = sought(self._keys, wanted)
        rows, further = await self._readers.do(lambda tx: sqlite_reads.search(tx.db, wanted, subject, cursor, limit))
        return Page(rows=tuple(map(self._reader.summary, rows)), cursor=further)

    async def unsettled(self) -> Unsettled:
        """Count what somebody must still deliver or look at."""
        return await self._readers.do(lambda tx: sqlite_reads.unsettled(tx.db))

    async def replicas(self, _me: str, _seconds: float, /) -> int:
        """Return 1: replicas share a PostgreSQL."""
        return 1

    async def stirred(self, seconds: float, /) -> bool:
        """Wait: nobody comes or goes."""
        await self._clock.sleep(seconds)
        return False

    async def replay(self, ids: Sequence[MessageId], /, *, by: str, unknown: bool = False) -> tuple[MessageId, ...]:
        """Make messages pending again."""
        done, told = await self._writer.do(lambda tx: sqlite_people.replay(tx, ids, by, unknown=unknown))
        self._tell(told)
        return done

    async def resolve(self, message: MessageId, verdict: Delivered | Refused, /, *, by: str) -> bool:
        """Say how an unknown message ended."""
        keys = self._keys
        return self._tell(await self._writer.do(lambda tx: sqlite_people.resolve(tx, message, verdict, by, keys)))

    async def cancel(self, message: MessageId, /, *, by: str) -> bool:
        """Give up a message."""
        return self._tell(await self._writer.do(lambda tx: sqlite_people.cancel(tx, message, by, self._keys)))

    async def edit(self, message: MessageId, body: Document, /, *, by: str, sure: bool = False) -> bool:
        """Replace a buried message's body and make it pending."""
        keys = self._keys
        return self._tell(await self._writer.do(lambda tx: sqlite_people.edit(tx, message, body, by, keys, sure=sure)))

    async def to_ask(self, lane: str, operations: Collection[OperationId], /, *, again: float) -> Message | None:
        """Return the delivered message to be asked about next."""
        row = await self._writer.do(lambda tx: sqlite_deadlines.to_ask(tx, lane, operations, again))
        return None if row is None else self._reader.readable(row)

    async def answered(self, message: MessageId, /, *, by: str) -> bool:
        """Stop a message's clock."""
        return await self._writer.do(lambda tx: sqlite_deadlines.answered(tx, message, by))

    async def acknowledge(
        self, operations: Collection[OperationId], words: Sequence[Word], /, *, by: str
    ) -> tuple[Heard, ...]:
        """Settle what an agency says it has, or has not, done."""
        keys = self._keys
        results, told = await self._writer.do(lambda tx: sqlite_hearing.acknowledge(tx, operations, words, by, keys))
        self._tell(told)
        return results

    async def sweep(self) -> int:
        """Take up the leases that ended; learn of a new encryption key."""
        told = Told()

        def work(tx: Transaction) -> tuple[int, str | None]:
            return sqlite_queue.take_up(self._followed(tx), told), sqlite_upkeep.setting(
                tx.db, sqlite_upkeep.KEY_NUMBER
            )

        ended, number = await self._writer.do(work)
        self._keys.current = int(number or self._keys.current)
        self._tell(told)
        return ended

    async def shed(self, lane: str, retention: Retention, /, *, limit: int = 500) -> Shed:
        """Take one batch of what need not be kept."""
        return await self._writer.do(lambda tx: sqlite_upkeep.shed(tx, lane, retention, limit))

    async def hold(self, name: str, /, *, by: str, seconds: float) -> int | None:
        """Take or renew a named lease."""
        return await self._writer.do(lambda tx: sqlite_upkeep.hold(self._followed(tx), name, by, seconds))

    async def renew_key(self) -> None:
        """Seal from now on with the next encryption key."""

        def work(tx: Transaction) -> int:
            number = int(sqlite_upkeep.setting(tx.db, sqlite_upkeep.KEY_NUMBER) or self._keys.current) + 1
            sqlite_upkeep.keep(tx.db, sqlite_upkeep.KEY_NUMBER, str(number))
            return number

        self._keys.current = await self._writer.do(work)

    async def reseal(self, *, batch: int = 500) -> AsyncIterator[Progress]:
        """Seal again what older keys sealed."""
        keys = self._keys
        total = await self._readers.do(lambda tx: sqlite_upkeep.to_reseal(tx.db, keys.current))
        done, place = 0, 0
        while done < total:
            from_here = place
            count, place = await self._writer.do(lambda tx: sqlite_upkeep.reseal(tx.db, keys, from_here, batch))  # noqa: B023
            if not count:
                break
            done += count
            yield Progress(done=done, total=max(done, total))

    async def backup(self, path: Path) -> None:
        """Write a complete copy, readable by this user only, while work goes on; raises OSError when it can't."""
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        await asyncio.to_thread(_copy, self._path, path)
        await self._copy_feeds(path)

    async def close(self) -> None:
        """Finish what was asked and close the file."""
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self._readers.close)
        await asyncio.to_thread(self._close_feeds)

    def _followed(self, tx: Transaction) -> Transaction:
        return sqlite_clock.followed(tx, self._clock)

    def _when(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, self._zone)

    def _receipt(self, found: Found, *, direct: bool) -> Receipt:
        message = MessageId(found.id)
        return Receipt(
            id=message,
            state=State(found.state),
            accepted_at=self._when(found.accepted_at),
            fresh=found.fresh,
            ticket=Ticket(id=message, token=found.token or 0) if direct and found.fresh else None,
        )

    def _claim(self, row: sqlite3.Row) -> Claim:
        return Claim(
            ticket=_ticket(row),
            message=self._reader.message(row),
            lane=row["lane"],
            repeat=row["repeat"],
            attempts=row["attempts"],
            failures=row["failures"],
            uncertain=bool(row["uncertain"]),
            answer_by=None if row["answer_by"] is None else self._when(row["answer_by"]),
        )

    def _pause(self, row: sqlite3.Row) -> Pause:
        until = None if row["until"] is None else self._when(row["until"])
        return Pause(lane=row["lane"], reason=row["reason"], by=row["by"], since=self._when(row["since"]), until=until)

    def _tell(self, told: Told | None) -> bool:
        if told is None:
            return False
        for lane in told.lanes:
            self._news.tell_lane(lane)
        self._tell_messages(told)
        return True

    def _tell_messages(self, told: Told) -> None:
        for message in told.messages:
            self._news.tell_message(message)


def _ticket(row: sqlite3.Row) -> Ticket:
    return Ticket(id=MessageId(row["id"]), token=row["token"] + 1)


def _unlocked(path: Path, source: KeySource, clock: Clock) -> Keys:
    """Prepare the file, and match the master key with what the ledger remembers of it."""
    prepare(path)
    db = connect(path)
    try:
        db.execute("BEGIN IMMEDIATE")
        check = sqlite_upkeep.setting(db, sqlite_upkeep.KEY_CHECK)
        keys = source.load(check)
        if keys.check != check:
            sqlite_upkeep.keep(db, sqlite_upkeep.KEY_CHECK, keys.check)
        keys.current = int(sqlite_upkeep.setting(db, sqlite_upkeep.KEY_NUMBER) or keys.current)
        tx = Transaction(db, clock.now().timestamp())
        sqlite_clock.begun(tx, clock)
        sqlite_turns.find_lost(tx)
        db.execute("COMMIT")
    finally:
        db.close()
    return keys


def _copy(path: Path, copy: Path) -> None:
    db = connect(path)
    try:
        db.execute("VACUUM INTO ?", (str(copy),))
    except sqlite3.Error as error:
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        raise OSError(errno.ENOSPC if full else errno.EIO, str(error), str(copy)) from error
    finally:
        db.close()
