"""Rows that were read and fit become messages of another operation, in their order, while its lane has room."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from gateway.errors import FieldError
from gateway.feeds import Batch, Chunk, FileReceipt, FileState, Held, Receipts, Tally, Turn
from gateway.messages_of import Messages, mendable
from gateway.portion import Forwards, Portion
from gateway.ports import Clock
from gateway.registry import Feed, Forward
from gateway.verdict import refusal, translated

PORTION = 500
"""Messages that are put in one transaction at most: others write into the ledger between two of them."""
AGAIN = 5.0
"""Seconds until a file that waits for room in a lane is gone on with."""


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


class Sending(Receipts, Forwards, Protocol):
    """What sending on needs of the ledger."""


async def torn(ledger: Receipts, feed: str, file: str, *, number: int = 0) -> FieldError | None:
    """Return why a file is refused that is what became of one which changed while its rows were put.

    `number` is its own receipt's, if it has one.

    Those rows can't be told from the rest any more: what is missing is for a person to say.
    """
    for one in await ledger.receipts(feed, file=file, limit=2):
        if one.number == number:
            continue
        if one.state is FileState.REFUSED and one.tally.put and not one.place:
            counts = {"receipt": str(one.number), "rows": str(one.tally.accepted)}
            return FieldError(pointer="", rule="changed-after", params=counts)
        break
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarder:
    """Puts one file's rows."""

    feed: Feed
    forward: Forward
    ledger: Sending
    room: Room
    clock: Clock
    turn: Turn
    held: Held
    receipt: FileReceipt

    async def all(self, batches: AsyncIterator[Batch], tally: Tally) -> tuple[Tally, FieldError | None]:
        """Put the rows of batches; raises NoRoom while the lane is full.

        A file that is refused after all changed meanwhile: what was put of it can't be taken back.
        """
        async with aclosing(cast("Any", batches)):
            async for batch in batches:
                if refused := refusal(batch):
                    put = sum((await self.ledger.forwarded(self.receipt.number)).values())
                    return replace(tally, accepted=put), refused
                chunk = await asyncio.to_thread(translated, self.feed, batch, tally.put)
                tally = await self._put(batch, await mendable(self.ledger, self.receipt.feed, batch, chunk), tally)
        return tally, None

    async def _put(self, batch: Batch, chunk: Chunk, tally: Tally) -> Tally:
        rows = [*chunk.rows]
        while tally.put < chunk.position:
            count = min(PORTION, await self._room(), len(rows)) if rows else 0
            mine, rows = rows[:count], rows[count:]
            position = mine[-1][0] if rows else chunk.position
            # Dates of answers take a calendar, row by row: not on the loop that answers apps.
            made = await asyncio.to_thread(self._messages.made, batch, mine)
            portion = Portion(after=tally.put, position=position, rows=made)
            tally = await self.ledger.forward(self.turn, self.receipt.number, portion)
            self.room.filled(self.forward.lane, len(made))
        return tally

    @property
    def _messages(self) -> Messages:
        one = self.receipt
        return Messages(
            feed=self.feed, forward=self.forward, clock=self.clock, client=one.feed, sha256=one.sha256,
            repairs=self.held.repairs, receipt=one.number,
        )  # fmt: skip

    async def _room(self) -> int:
        room = await self.room.for_rows(self.forward.lane)
        if room <= 0:
            what = (
                f"{self.receipt.file}: the lane of {self.forward.lane} takes no more rows now; the rest goes on later"
            )
            raise NoRoom(self.receipt.feed, self.receipt.number, what)
        return room
