"""Rows that were read and fit become messages of another operation, in their order, while its lane has room."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

import msgspec

from gateway.errors import FieldError
from gateway.feeds import LINE, OF, Batch, Chunk, FileReceipt, FileState, Held, Receipts, Tally, Turn
from gateway.ledger.snapshot_rows import at
from gateway.mended import records_mended, reference_mended
from gateway.message import Document, Message, Origin, new_message_id
from gateway.portion import Forwarded, Portion
from gateway.ports import Clock
from gateway.registry import Feed, Forward

PORTION = 500
"""Messages that are put in one transaction at most: others write into the ledger between two of them."""
AGAIN = 5.0
"""Seconds until a file that waits for room in a lane is gone on with."""
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=str)


class NoRoom(Exception):
    """A feed's rows wait for room in their lane."""

    def __init__(self, feed: str, receipt: int, why: str) -> None:
        super().__init__(why)
        self.feed = feed
        self.receipt = receipt


class Room(Protocol):
    """How much of a lane rows of files may fill."""

    async def for_rows(self, lane: str) -> int:
        """Return how many more it takes now."""
        ...

    def filled(self, lane: str, count: int) -> None:
        """Hear how many it has taken."""
        ...


class Unlimited:
    """Lanes that take whatever comes."""

    async def for_rows(self, _lane: str) -> int:
        """Return a portion."""
        return PORTION

    def filled(self, _lane: str, _count: int) -> None:
        """Forget it."""


async def torn(ledger: Receipts, receipt: FileReceipt) -> FieldError | None:
    """Return why a file is refused that is what became of one which changed while its rows were put.

    Those rows can't be told from the rest any more: what is missing is for a person to say.
    """
    for one in await ledger.receipts(receipt.feed, file=receipt.file, limit=2):
        if one.number == receipt.number:
            continue
        if one.state is FileState.REFUSED and one.tally.put and not one.place:
            counts = {"receipt": str(one.number), "rows": str(one.tally.accepted)}
            return FieldError(pointer="", rule="changed-after", params=counts)
        break
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarder:
    """Puts one file's rows; the client of their messages is the feed, by its full name."""

    feed: Feed
    forward: Forward
    ledger: Receipts
    room: Room
    clock: Clock
    turn: Turn
    held: Held
    receipt: FileReceipt

    async def all(
        self, batches: AsyncIterator[Batch], tally: Tally, read: Callable[[Batch, int], Chunk | FieldError]
    ) -> tuple[Tally, FieldError | None]:
        """Put the rows of batches as `read` reads them after so many records; raises NoRoom while the lane is full.

        A file that is refused after all changed meanwhile: what was put of it can't be taken back.
        """
        async with aclosing(cast("Any", batches)):
            async for batch in batches:
                chunk = await asyncio.to_thread(read, batch, tally.put)
                if isinstance(chunk, FieldError):
                    put = sum((await self.ledger.forwarded(self.receipt.number)).values())
                    return replace(tally, accepted=put), chunk
                tally = await self._put(batch, chunk, tally)
        return tally, None

    async def _put(self, batch: Batch, chunk: Chunk, tally: Tally) -> Tally:
        was = self._was(batch) if self.held.repairs else {}
        rows = [*chunk.rows]
        while tally.put < chunk.position:
            count = min(PORTION, await self._room(), len(rows)) if rows else 0
            mine, rows = rows[:count], rows[count:]
            position = mine[-1][0] if rows else chunk.position
            # Dates of answers take a calendar, row by row: not on the loop that answers apps.
            made = await asyncio.to_thread(lambda rows: [self._forwarded(*row, batch.lines, was) for row in rows], mine)
            portion = Portion(after=tally.put, position=position, rows=made)
            tally = await self.ledger.forward(self.turn, self.receipt.number, portion)
            self.room.filled(self.forward.lane, len(made))
        return tally

    async def _room(self) -> int:
        room = await self.room.for_rows(self.forward.lane)
        if room <= 0:
            what = (
                f"{self.receipt.file}: the lane of {self.forward.lane} takes no more rows now; the rest goes on later"
            )
            raise NoRoom(self.receipt.feed, self.receipt.number, what)
        return room

    def _was(self, batch: Batch) -> Mapping[int, tuple[str, ...]]:
        """Return of mended rows which records they were, in their file, the one before and so on."""
        return {number: self._records(native) for number, native in batch.natives}

    def _records(self, native: Document) -> tuple[str, ...]:
        of = (native.get(OF) or "").strip() or self.held.repairs
        # One that lost its line is known by its content alone.
        return records_mended(of, (native.get(LINE) or "").strip()) or (f"{reference_mended(of)}:",)

    def _forwarded(
        self, number: int, row: Document, lines: Mapping[int, int], was: Mapping[int, tuple[str, ...]]
    ) -> Forwarded:
        place = record = f"{self.receipt.reference}:{lines[number]}" if lines else f"{self.held.sha256}:{number}"
        mends = was.get(number, ())
        if mends:
            place = f"{mends[-1]}:{hashlib.sha256(_CANONICAL.encode(row)).hexdigest()}"
        trace = os.urandom(24).hex()
        message = Message(
            id=new_message_id(),
            operation=self.forward.to,
            body=row,
            client=self.receipt.feed,
            correlation_id=f"{self.receipt.reference}.{number}",
            traceparent=f"00-{trace[:32]}-{trace[32:]}-00",
            accepted_at=self.clock.now(),
            deadline=0.0,
            idempotency_key=place,
        )
        entry = self.forward.entry(message, Origin(receipt=self.receipt.number, record=number))
        return Forwarded(number=number, entry=entry, place=place, record=record, mends=mends, key=self._key(row))

    def _key(self, row: Document) -> str | None:
        key = self.feed.keeping.key
        return _CANONICAL.encode([at(row, name.split(".")) for name in key]).decode() if key else None
