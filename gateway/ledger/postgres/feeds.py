"""Receipts and snapshots in PostgreSQL, the same for all replicas: what files became."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg

from gateway.errors import FieldError, NoSnapshot
from gateway.feeds import (
    Chunk,
    FileReceipt,
    FileState,
    Held,
    Keeping,
    Overtaken,
    Reject,
    Standing,
    Tally,
    Turn,
)
from gateway.ledger.clashes import may_replace
from gateway.ledger.forward_rows import foreseen, packed_forward
from gateway.ledger.keys import Keys
from gateway.ledger.postgres import builds, forward, receipts
from gateway.ledger.postgres.ears import Ears
from gateway.ledger.postgres.store import Store
from gateway.ledger.receipt_rows import FORWARD, receipt_of
from gateway.ledger.snapshot_rows import (
    columns_of,
    conditions,
    gathered,
    read_columns,
    read_reasons,
    read_tally,
    written_columns,
)
from gateway.lookup import Cells, Found, Mark, page_gone, written_mark
from gateway.message import Document
from gateway.portion import Forwarded, Portion
from gateway.records import State

_ASKED = """
SELECT r.number, r.as_of, r.fields FROM feed AS f JOIN receipt AS r
ON r.number = coalesce($2, f.live) AND r.number IN (f.live, f.previous)
WHERE f.name = $1 AND r.mode <> 'forward'
"""
_REJECTS = "SELECT number, reasons FROM reject WHERE receipt = $1 AND number > $2 ORDER BY number LIMIT $3"


class PostgresFeeds:
    """The Protocols Receipts and Forwards; a part of PostgresLedger, which gives it its connections."""

    _store: Store
    _keys: Keys
    _ears: Ears
    _when: Callable[[datetime], datetime]

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
        async with self._store.transaction() as connection:
            row: Any
            row, again = await receipts.take_up(
                connection, turn, held, keeping, confirmed=confirmed, afresh=afresh, anew=anew
            )
            receipt = receipt_of(row, self._when)
            if receipt.state is not FileState.TAKING:
                return receipt
            for other in await receipts.give_up_others(connection, turn, receipt.number):
                await builds.drop(connection, other)
            if keeping.mode == FORWARD:
                return receipt
            if not again and row["fields"] == written_columns(columns_of(keeping)):
                return receipt
            return replace(receipt, tally=await builds.begin(connection, receipt.number, keeping, receipt.base))

    async def add_rows(self, turn: Turn, number: int, keeping: Keeping, chunk: Chunk, /) -> Tally:
        """Keep a chunk with its position."""
        async with self._store.transaction() as connection:
            if keeping.mode == FORWARD:
                return await forward.check(connection, turn, number, chunk)
            row = await receipts.taking(connection, turn, number)
            before = read_tally(row["tally"])
            if before.position != chunk.after:
                raise Overtaken(f"receipt {number} is at {before.position}, not at {chunk.after}")
            return await builds.add(connection, number, keeping, before, chunk, replaces=may_replace(keeping))

    async def forward(self, turn: Turn, number: int, portion: Portion, /) -> Tally:
        """Put messages with the position."""
        rows = await asyncio.to_thread(packed_forward, portion.rows, turn.feed, self._keys)
        async with self._store.transaction() as connection:
            tally = await forward.forward(connection, turn, number, portion, rows)
        self._ears.tell(lanes={row.packed.lane for row in rows}, messages=[])
        return tally

    async def forwarded(self, number: int, /) -> Mapping[State, int]:
        """Return where a file's messages stand."""
        async with self._store.connection() as connection:
            return await forward.states(connection, number)

    async def sent_as(self, feed: str, sha256: str, mapping: str, /) -> int | None:
        """Return the first receipt by which a file was forwarded."""
        async with self._store.connection() as connection:
            return await receipts.sent_as(connection, feed, sha256, mapping)

    async def were_accepted(self, feed: str, references: Collection[str], /) -> Collection[str]:
        """Return which of these references are of files that were forwarded."""
        async with self._store.connection() as connection:
            return {one for one in references if await receipts.was_accepted(connection, feed, one)}

    async def foresee(self, feed: str, rows: Sequence[Forwarded], seen: dict[bytes, bytes], /) -> int:
        """Return how many of these rows would be put."""
        made = await asyncio.to_thread(packed_forward, rows, feed, self._keys)
        async with self._store.connection() as connection:
            return foreseen(made, await forward.known(connection, made), seen)

    async def publish(self, turn: Turn, number: int, keeping: Keeping, /) -> FileReceipt:
        """Make what was taken the live snapshot."""
        if keeping.mode != FORWARD:
            async with self._store.connection() as connection:
                await builds.finish(connection, number, keeping)
        async with self._store.transaction() as connection:
            for gone in await receipts.publish(connection, turn, number):
                await builds.drop(connection, gone)
            return receipt_of(await receipts.one(connection, number), self._when)

    async def refuse(self, turn: Turn, number: int, tally: Tally, reason: FieldError, /) -> FileReceipt:
        """Refuse a file whole."""
        async with self._store.transaction() as connection:
            await receipts.refuse(connection, turn, number, tally, reason)
            return receipt_of(await receipts.one(connection, number), self._when)

    async def filed(self, turn: Turn, number: int, place: str, /) -> None:
        """Say where the file lies, and throw away what was built of it, unless it is live or can be gone back to."""
        async with self._store.transaction() as connection:
            if not await receipts.filed(connection, turn, number, place):
                await builds.drop(connection, number)

    async def rejects(self, number: int, /, *, after: int = 0, limit: int = 1000) -> Sequence[Reject]:
        """Return rejects in order."""
        async with self._store.connection() as connection:
            rows = await connection.fetch(_REJECTS, number, after, limit)
        return [Reject(number=row["number"], reasons=read_reasons(row["reasons"])) for row in rows]

    async def unfiled(self, feed: str, /) -> Sequence[FileReceipt]:
        """Return receipts that have ended and whose files are not put away."""
        return await self._several("feed = $1 AND state <> 'taking' AND NOT settled ORDER BY number", feed)

    async def wanted_again(self, feed: str, /) -> Sequence[FileReceipt]:
        """Return receipts whose files somebody wants to have tried again."""
        return await self._several("feed = $1 AND again <> '' ORDER BY number", feed)

    async def want_again(self, number: int, /, *, by: str, shrink: bool = False) -> bool:
        """Ask for a file to be tried again."""
        async with self._store.connection() as connection:
            return await receipts.want_again(connection, number, by, shrink=shrink)

    async def no_more_wanted(self, number: int, /) -> None:
        """Take back what was asked for."""
        async with self._store.connection() as connection:
            await connection.execute("UPDATE receipt SET again = '', shrink = false WHERE number = $1", number)

    async def receipt(self, number: int, /) -> FileReceipt | None:
        """Return a receipt."""
        return next(iter(await self._several("number = $1", number)), None)

    async def receipts(self, feed: str, /, *, file: str = "", limit: int = 20) -> Sequence[FileReceipt]:
        """Return a feed's receipts, or those of one name, the newest first."""
        return await self._several("feed = $1 AND $2 IN ('', file) ORDER BY number DESC LIMIT $3", feed, file, limit)

    async def standing(self, feed: str, /) -> Standing:
        """Return which snapshots a feed has."""
        async with self._store.connection() as connection:
            row = await connection.fetchrow("SELECT * FROM feed WHERE name = $1", feed)
        if row is None:
            return Standing(feed=feed, live=None, previous=None, changed_by="")
        live, previous = [
            await self.receipt(number) if (number := row[name]) is not None else None for name in ("live", "previous")
        ]
        return Standing(feed=feed, live=live, previous=previous, changed_by=row["changed_by"])

    async def is_there(self, number: int, /) -> bool:
        """Tell whether a snapshot can be looked up in."""
        async with self._store.connection() as connection:
            return await connection.fetchval("SELECT to_regclass($1)", f"snapshot_{number}") is not None

    async def roll_back(self, feed: str, /, *, by: str) -> Standing | None:
        """Make the previous snapshot live again."""
        async with self._store.connection() as connection:
            done = await receipts.roll_back(connection, feed, by)
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
        """Return rows of the live snapshot, or of the one that a page goes on in, while it is kept.

        The one before the live one is kept, so the live one does not go away under a question.
        """
        begun, mark = starts or {}, Mark.read(after)
        async with self._store.connection() as connection:
            one = await connection.fetchrow(_ASKED, feed, mark and mark.snapshot)
            if one is None:
                raise page_gone() if mark else NoSnapshot(f"{feed}: no file has been taken in yet", maybe_done=False)
            asked = conditions(read_columns(one["fields"]), where, begun)

            async def rows(last: int, size: int) -> Sequence[tuple[int, bytes]]:
                return await builds.page(connection, one["number"], asked, last, size)

            try:
                found, further = await gathered(rows, where, begun, limit=limit, after=mark.row if mark else 0)
            except asyncpg.UndefinedTableError as error:
                if mark is None:
                    raise
                raise page_gone() from error
        as_of = self._when(one["as_of"])
        return Found(rows=tuple(found), as_of=as_of, further=written_mark(one["number"], further))

    async def _several(self, which: str, *values: object) -> Sequence[FileReceipt]:
        async with self._store.connection() as connection:
            rows = await connection.fetch(f"SELECT * FROM receipt WHERE {which}", *values)  # noqa: S608 - our own words
        return tuple(receipt_of(row, self._when) for row in rows)
