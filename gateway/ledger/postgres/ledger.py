"""Every Protocol of the ledger over one PostgreSQL, by the database's clock; knows no agency and no HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import suppress
from datetime import datetime

from gateway.acknowledged import Heard, Word
from gateway.census import Unsettled
from gateway.errors import GatewayError, LedgerUnavailable
from gateway.ledger.keys import Keys, KeySource, Unreadable
from gateway.ledger.news import News
from gateway.ledger.postgres import deadlines, hearing, people, putting, reading, settling, taking, upkeep
from gateway.ledger.postgres.arrivals import PostgresArrivals
from gateway.ledger.postgres.ears import Ears
from gateway.ledger.postgres.feeds import PostgresFeeds
from gateway.ledger.postgres.group import Group
from gateway.ledger.postgres.prepare import prepared
from gateway.ledger.postgres.putting import Put
from gateway.ledger.postgres.settling import Settle
from gateway.ledger.postgres.store import Store, opened
from gateway.ledger.postgres.taking import Told
from gateway.ledger.rows import Reader, Row, pack, sought
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
    Postponed,
    Receipt,
    Record,
    Refused,
    Retention,
    Settlement,
    Shed,
    Terms,
    Ticket,
)

PATIENCE = 5.0
"""Seconds for which a settlement is tried again by itself while PostgreSQL is away; a restart takes less."""
_PAUSE = 0.5
_REPLICAS = " replicas"
"""Where news of them are told; no lane is called so."""


class PostgresLedger(PostgresFeeds, PostgresArrivals):
    """Made by `open`. A settlement that raised LedgerUnavailable may be asked for again with the same ticket."""

    def __init__(self, store: Store, keys: Keys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._zone = clock.now().tzinfo
        self._reader = Reader(keys, self._when)
        self._ears = Ears(store, News(clock), keys)
        self._puts: Group[Put, tuple[Receipt, ...]] = Group(self._write_puts)
        self._settles: Group[Settle, tuple[bool, ...]] = Group(self._write_settles)
        self._unsure: set[Ticket] = set()
        self._living: int | None = None
        self._unheard: list[Ticket] = []

    @classmethod
    async def open(cls, url: str, keys: KeySource, clock: Clock) -> "PostgresLedger":
        """Connect and bring the tables up to date; raises LedgerUnavailable, ConfigError as `prepared`."""
        store = await opened(url)
        try:
            ledger = cls(store, await prepared(store, keys), clock)
            await ledger._ears.ready()
        except BaseException:
            await store.close()
            raise
        return ledger

    # The queue

    async def put(self, *entries: Entry) -> tuple[Receipt, ...]:
        """Record messages to be delivered."""
        if not entries:
            return ()
        receipts = await self._puts(Put(packed=tuple(pack(entry, self._keys) for entry in entries)))
        self._ears.tell(lanes={entry.lane for entry in entries}, messages=[])
        return receipts

    async def find(self, entry: Entry, /) -> Receipt | None:
        """Return the receipt of what was put before."""
        async with self._store.connection() as connection:
            return await putting.find(connection, pack(entry, self._keys))

    async def begin(self, entry: Entry, /, *, lease: float) -> Receipt:
        """Record a direct write's intent."""
        (receipt,) = await self._puts(Put(packed=(pack(entry, self._keys),), lease=lease))
        return receipt

    async def claim(self, lane: str, limit: int, /, *, lease: float, terms: Terms = ANY) -> tuple[Claim, ...]:
        """Take messages that are due."""
        await self._give_back()
        told = Told()
        rows: list[Row] = []
        try:
            async with self._store.transaction() as connection:
                rows = await taking.claim(connection, lane, limit, lease=lease, terms=terms, told=told)
        except (LedgerUnavailable, asyncio.CancelledError):
            self._unheard += map(_ticket, rows)
            raise
        self._tell(told)
        claims = []
        for row in rows:
            try:
                claims.append(self._claim(row))
            except Unreadable as error:
                await self.settle(Settlement(ticket=_ticket(row), verdict=Buried(reason="unreadable", text=str(error))))
        return tuple(claims)

    async def extend(self, *tickets: Ticket, lease: float) -> frozenset[MessageId]:
        """Hold messages longer."""
        async with self._store.connection() as connection:
            return await taking.extend(connection, tickets, lease)

    async def settle(self, *settlements: Settlement) -> tuple[bool, ...]:
        """Record how messages ended; tried again for PATIENCE seconds before LedgerUnavailable is raised."""
        if not settlements:
            return ()
        tickets = {one.ticket for one in settlements}
        until = self._clock.monotonic() + PATIENCE
        while True:
            again = not self._unsure.isdisjoint(tickets)
            try:
                done = await self._settles(Settle(settlements=settlements, again=again))
            except LedgerUnavailable:
                # The commit may have been lost or only the word of it, and then these tickets are spent.
                self._unsure |= tickets
                if self._clock.monotonic() >= until:
                    raise
                await self._clock.sleep(random.uniform(0, _PAUSE))  # noqa: S311 # spreads replicas
            else:
                self._unsure -= tickets
                return done

    async def wait(self, message: MessageId, seconds: float, /) -> Record | None:
        """Return the record once it is settled or the time is up."""
        until = self._clock.monotonic() + seconds
        with self._ears.watch(message) as watch:
            while await self._state(message) in UNSETTLED:
                if not await watch.news(until - self._clock.monotonic()):
                    break
        return await self.get(message)

    # The lanes

    async def pause(self, lane: str, reason: PauseReason, /, *, by: str, until: datetime | None = None) -> None:
        """Claim nothing from the lane."""
        async with self._store.transaction() as connection:
            await people.pause(connection, lane, reason, by, until)

    async def resume(self, lane: str, reason: PauseReason | None = None, /, *, by: str) -> bool:
        """End a pause."""
        async with self._store.connection() as connection:
            ended = await people.resume(connection, lane, reason, by)
        self._tell(Told(lanes={lane}))
        return ended

    async def idle(self, lane: str, /) -> None:
        """Stop the clock of open time until the next claim."""
        async with self._store.transaction() as connection:
            await taking.shut(connection, lane)

    async def list(self) -> tuple[Pause, ...]:
        """Return every pause that holds."""
        async with self._store.connection() as connection:
            return tuple(map(self._pause, await reading.pauses(connection)))

    async def stats(self) -> tuple[LaneStats, ...]:
        """Return how each lane stands."""
        async with self._store.connection() as connection:
            standings = await reading.standings(connection)
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
        async with self._store.connection() as connection:
            waited, ended, since = await reading.backlog(connection, lane, terms)
        return Backlog(waited=waited, ended=ended, since=None if since is None else self._when(since))

    async def nudged(self, lane: str, seconds: float, /) -> bool:
        """Return when something may have become claimable, by what was told or by time alone."""
        soon = await self._soon(lane)
        if soon is not None and soon < seconds:
            return await self._ears.of_lane(lane, soon) or True
        return await self._ears.of_lane(lane, seconds)

    # The archive

    async def get(self, message: MessageId, /, *, unmasked_by: str | None = None) -> Record | None:
        """Return everything about a message."""
        async with self._store.connection() as connection:
            if unmasked_by is not None:
                await people.look(connection, message, unmasked_by)
            found = await reading.everything(connection, message)
        return None if found is None else self._reader.record(*found)

    async def search(self, wanted: Filter, /, *, cursor: str | None = None, limit: int = 50) -> Page:
        """Return a page of messages."""
        subject = sought(self._keys, wanted)
        async with self._store.connection() as connection:
            rows, further = await reading.search(connection, wanted, subject, cursor, limit)
        return Page(rows=tuple(map(self._reader.summary, rows)), cursor=further)

    async def unsettled(self) -> Unsettled:
        """Count what somebody must still deliver or look at."""
        async with self._store.connection() as connection:
            return await reading.unsettled(connection)

    async def replicas(self, me: str, seconds: float, /) -> int:
        """Say that this process lives, and count those that do; others hear at once when it comes or goes."""
        async with self._store.connection() as connection:
            token, living = await upkeep.replicas(connection, me, seconds)
        if token != self._living or not seconds:
            self._ears.tell(lanes={_REPLICAS}, messages=[])
        self._living = token
        return living

    async def stirred(self, seconds: float, /) -> bool:
        """Return when a replica came or went."""
        return await self._ears.of_lane(_REPLICAS, seconds)

    async def replay(self, ids: Sequence[MessageId], /, *, by: str, unknown: bool = False) -> tuple[MessageId, ...]:
        """Make messages pending again."""
        async with self._store.transaction() as connection:
            done, told = await people.replay(connection, ids, by, unknown=unknown)
        self._tell(told)
        return done

    async def resolve(self, message: MessageId, verdict: Delivered | Refused, /, *, by: str) -> bool:
        """Say how an unknown message ended."""
        async with self._store.transaction() as connection:
            told = await people.resolve(connection, self._keys, message, verdict, by)
        return self._tell(told)

    async def cancel(self, message: MessageId, /, *, by: str) -> bool:
        """Give up a message."""
        async with self._store.transaction() as connection:
            told = await people.cancel(connection, self._keys, message, by)
        return self._tell(told)

    async def edit(self, message: MessageId, body: Document, /, *, by: str, sure: bool = False) -> bool:
        """Replace a buried message's body and make it pending."""
        async with self._store.transaction() as connection:
            told = await people.edit(connection, self._keys, message, body, by, sure=sure)
        return self._tell(told)

    # The deadlines

    async def to_ask(self, lane: str, operations: Collection[OperationId], /, *, again: float) -> Message | None:
        """Return the delivered message to be asked about next."""
        async with self._store.connection() as connection:
            row = await deadlines.to_ask(connection, lane, operations, again)
        return None if row is None else self._reader.readable(row)

    async def answered(self, message: MessageId, /, *, by: str) -> bool:
        """Stop a message's clock."""
        async with self._store.connection() as connection:
            return await deadlines.answered(connection, message, by)

    async def acknowledge(
        self, operations: Collection[OperationId], words: Sequence[Word], /, *, by: str
    ) -> tuple[Heard, ...]:
        """Settle what an agency says it has, or has not, done."""
        async with self._store.transaction() as connection:
            results, told = await hearing.acknowledge(connection, operations, words, by, self._keys)
        self._tell(told)
        return results

    async def sweep(self) -> int:
        """Take up the leases that ended."""
        async with self._store.transaction() as connection:
            ended, told = await taking.take_up_all(connection)
        self._tell(told)
        return ended

    async def shed(self, lane: str, retention: Retention, /, *, limit: int = 500) -> Shed:
        """Take one batch of what need not be kept."""
        async with self._store.transaction() as connection:
            return await upkeep.shed(connection, lane, retention, limit)

    async def hold(self, name: str, /, *, by: str, seconds: float) -> int | None:
        """Take or renew a named lease."""
        async with self._store.connection() as connection:
            return await upkeep.hold(connection, name, by, seconds)

    async def renew_key(self) -> None:
        """Seal from now on with the next encryption key; other replicas follow within a second or two."""
        async with self._store.transaction() as connection:
            number = await upkeep.renew_key(connection, self._keys)
        self._keys.current = number

    async def reseal(self, *, batch: int = 500) -> AsyncIterator[Progress]:
        """Seal again what older keys sealed."""
        async with self._store.connection() as connection:
            total = await upkeep.to_reseal(connection, self._keys.current)
        done, place = 0, 0
        while done < total:
            async with self._store.transaction() as connection:
                count, place = await upkeep.reseal(connection, self._keys, place, batch)
            if not count:
                break
            done += count
            yield Progress(done=done, total=max(done, total))

    async def close(self) -> None:
        """Finish what was asked and let go of the connections."""
        with suppress(LedgerUnavailable):
            await self._give_back()
        await self._puts.finish()
        await self._settles.finish()
        await self._ears.close()
        await self._store.close()

    async def _give_back(self) -> None:
        """Let go of claims whose commit was not heard of: what was not sent need not wait for its lease's end."""
        if not self._unheard:
            return
        tickets, self._unheard = self._unheard, []
        try:
            back = tuple(Settlement(ticket=ticket, verdict=Postponed(seconds=0.0)) for ticket in tickets)
            await self._settles(Settle(settlements=back))
        except LedgerUnavailable:
            self._unheard += tickets
            raise

    async def _write_puts(self, calls: Sequence[Put]) -> Sequence[tuple[Receipt, ...] | GatewayError]:
        return await putting.put(self._store, calls)

    async def _write_settles(self, calls: Sequence[Settle]) -> Sequence[tuple[bool, ...] | GatewayError]:
        good, told = await settling.settle(self._store, self._keys, calls)
        self._tell(told)
        return good

    async def _soon(self, lane: str) -> float | None:
        try:
            async with self._store.connection() as connection:
                return await reading.soon(connection, lane)
        except LedgerUnavailable:
            return None  # the ears are the first to know when it is back

    async def _state(self, message: MessageId) -> object:
        async with self._store.connection() as connection:
            return await reading.state(connection, message)

    def _when(self, time: datetime) -> datetime:
        return time.astimezone(self._zone)

    def _claim(self, row: Row) -> Claim:
        return Claim(
            ticket=_ticket(row),
            message=self._reader.message(row),
            lane=row["lane"],
            repeat=row["repeat"],
            attempts=row["attempts"],
            failures=row["failures"],
            uncertain=row["uncertain"],
            answer_by=None if row["answer_by"] is None else self._when(row["answer_by"]),
        )

    def _pause(self, row: Row) -> Pause:
        until = None if row["until"] is None else self._when(row["until"])
        return Pause(lane=row["lane"], reason=row["reason"], by=row["by"], since=self._when(row["since"]), until=until)

    def _tell(self, told: Told | None) -> bool:
        if told is None:
            return False
        self._ears.tell(lanes=told.lanes, messages=told.messages)
        return True


def _ticket(row: Row) -> Ticket:
    return Ticket(id=MessageId(row["id"]), token=row["token"])
