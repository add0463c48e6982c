"""What would become of a file, without a ledger: read, translated and judged by itself, kept in memory alone."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, cast

from gateway.errors import FieldError
from gateway.feeds import Batch, Chunk, Reject, Tally
from gateway.ledger.clashes import Clash, Settled, settled, tallied
from gateway.ledger.rows import decode
from gateway.ledger.snapshot_rows import PackedRow, once, packed, rows_of
from gateway.message import Document
from gateway.registry import Feed
from gateway.verdict import objection, refusal, translated

SHOWN = 20
"""Rejects that are told of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """How a file would do; `refused` says why it would not be taken at all.

    `mends` is the reference of the receipt whose rejects it mends, `doubles` the receipt of a file of its content, for
    which nothing would be done with it.
    """

    tally: Tally
    first: tuple[Reject, ...]
    refused: FieldError | None
    rows: tuple[Document, ...]
    mends: str = ""
    doubles: int | None = None


async def preview(  # noqa: PLR0913 - what a file is judged by
    feed: Feed,
    batches: AsyncIterator[Batch],
    progress: Callable[[int], None] = lambda _records: None,
    *,
    keep: bool = True,
    mends: str = "",
    sent: Callable[[Batch, Chunk], Awaitable[tuple[Chunk, int]]] | None = None,
) -> Preview:
    """Read a whole file; `progress` hears how many records are done. Without `keep` its rows are not returned.

    Of a feed that forwards `sent` says which rows of a chunk are refused, and how many would be sent.
    """
    trial = _Trial(feed, keep=keep)
    async with aclosing(cast("Any", batches)):
        async for batch in batches:
            if reason := refusal(batch):
                return trial.end(replace(trial.tally, encoding=batch.encoding), reason)
            if sent is None:
                await asyncio.to_thread(trial.add, batch)
            else:
                trial.send(*await sent(batch, await asyncio.to_thread(translated, feed, batch, trial.tally.position)))
            progress(trial.tally.position)
    # What mends rows of a snapshot is added to it, however many of them are not mended yet.
    added = bool(mends) and feed.keeping.mode == "snapshot"
    seen = trial.end(trial.tally, None if added else objection(feed, None, trial.tally, mends=bool(mends)))
    return replace(seen, mends=mends)


class _Trial:
    """The rows so far, by what each is known by."""

    def __init__(self, feed: Feed, *, keep: bool) -> None:
        self.tally = Tally()
        self._keep = keep
        self._feed = feed
        self._rows: dict[bytes, PackedRow] = {}
        self._first: list[Reject] = []

    def add(self, batch: Batch) -> None:
        """Take a batch, as the ledger would."""
        chunk = translated(self._feed, batch, self.tally.position)
        if self._feed.forward is not None:
            self._forward(chunk)
            return
        rejects, new, said = [*chunk.rejects], 0, []
        for portion in once(self._light(packed(rows_of(chunk, self._feed.keeping), self._feed.keeping))):
            clashes = [
                Clash(row=row, number=old.number, doc=old.doc, mine=True)
                for row in portion
                if (old := self._rows.get(row.id)) is not None
            ]
            fresh = {row.id: row for row in portion if row.id not in self._rows}
            decided = settled(clashes, self._feed.keeping, replaces=True)
            self._rows.update(fresh)
            self._rows.update((row.id, row) for row in decided.replaced)
            new += len(fresh)
            rejects += decided.rejects
            said.append(decided)
        self.tally = tallied(self.tally, chunk, new, said)
        self._first = sorted([*self._first, *rejects], key=lambda one: one.number)[:SHOWN]

    def _forward(self, chunk: Chunk) -> None:
        """Take rows as messages: each is one, but where its key had the same content last in this file."""
        key, unchanged = self._feed.keeping.key, 0
        for row in packed(rows_of(chunk, self._feed.keeping), self._feed.keeping) if key else ():
            last = self._rows.get(row.id)
            unchanged += last is not None and last.doc == row.doc
            self._rows[row.id] = row
        self.send(chunk, chunk.count - unchanged)

    def send(self, chunk: Chunk, fresh: int) -> None:
        """Take rows as so many messages."""
        self.tally = tallied(self.tally, chunk, fresh, [Settled(unchanged=chunk.count - fresh)])
        self._first = sorted([*self._first, *chunk.rejects], key=lambda one: one.number)[:SHOWN]

    def end(self, tally: Tally, refused: FieldError | None) -> Preview:
        """Return what it has come to."""
        rows = tuple(decode(row.doc) for row in self._rows.values()) if self._keep else ()
        return Preview(tally=tally, first=tuple(self._first), refused=refused, rows=rows)

    def _light(self, rows: Sequence[PackedRow]) -> Sequence[PackedRow]:
        """Keep of a row no more than tells it from another, where that is all that is asked."""
        if self._keep or self._feed.keeping.newer:
            return rows
        return [row._replace(doc=hashlib.blake2b(row.doc, digest_size=8).digest()) for row in rows]
