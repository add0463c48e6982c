"""What would become of a file, without a ledger: read, translated and judged by itself, in a folder soon gone."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, closing
from dataclasses import dataclass, replace
from typing import Any, cast

from gateway.errors import FieldError
from gateway.feeds import Batch, Chunk, Keeping, Reject, Tally
from gateway.ledger.clashes import Settled, tallied
from gateway.ledger.snapshot_rows import PackedRow, packed, rows_of
from gateway.ledger.sqlite_scratch import Scratch
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
    with closing(_Trial(feed, keep=keep)) as trial:
        if reason := await _read(trial, feed, batches, progress, sent):
            return await asyncio.to_thread(trial.end, reason)
        # What mends rows of a snapshot is added to it, however many of them are not mended yet.
        added = bool(mends) and feed.keeping.mode == "snapshot"
        refused = None if added else objection(feed, None, trial.tally, mends=bool(mends))
        return replace(await asyncio.to_thread(trial.end, refused), mends=mends)


async def _read(
    trial: "_Trial",
    feed: Feed,
    batches: AsyncIterator[Batch],
    progress: Callable[[int], None],
    sent: Callable[[Batch, Chunk], Awaitable[tuple[Chunk, int]]] | None,
) -> FieldError | None:
    """Give a whole file to a trial; returns why it would not be read to its end."""
    async with aclosing(cast("Any", batches)):
        async for batch in batches:
            if reason := refusal(batch):
                trial.tally = replace(trial.tally, encoding=batch.encoding)
                return reason
            if sent is None:
                await asyncio.to_thread(trial.add, batch)
            else:
                trial.send(*await sent(batch, await asyncio.to_thread(translated, feed, batch, trial.tally.position)))
            progress(trial.tally.position)
    return None


class _Trial:
    """The rows so far, as the ledger would have them, on disk."""

    def __init__(self, feed: Feed, *, keep: bool) -> None:
        self.tally = Tally()
        self._feed = feed
        self._keep = keep
        self._light = not (keep or feed.keeping.newer)
        self._scratch = Scratch(Keeping(key=("id",)) if self._light else feed.keeping)
        self._first: list[Reject] = []

    def close(self) -> None:
        """Leave nothing behind."""
        self._scratch.close()

    def add(self, batch: Batch) -> None:
        """Take a batch, as the ledger would."""
        chunk = translated(self._feed, batch, self.tally.position)
        if self._feed.forward is not None:
            self._forward(chunk)
        else:
            self.tally = self._scratch.add(self._lightened(chunk))

    def _forward(self, chunk: Chunk) -> None:
        """Take rows as messages: each is one, but where its key had the same content last in this file."""
        unchanged = self._scratch.repeated(self._packed(chunk)) if self._feed.keeping.key else 0
        self.send(chunk, chunk.count - unchanged)

    def send(self, chunk: Chunk, fresh: int) -> None:
        """Take rows as so many messages."""
        self.tally = tallied(self.tally, chunk, fresh, [Settled(unchanged=chunk.count - fresh)])
        self._first = sorted([*self._first, *chunk.rejects], key=lambda one: one.number)[:SHOWN]

    def end(self, refused: FieldError | None) -> Preview:
        """Return what it has come to."""
        kept = self._feed.forward is None
        rows = tuple(self._scratch.rows()) if self._keep and kept and self.tally.whole else ()
        first = self._scratch.rejects(SHOWN) if kept else self._first
        return Preview(tally=self.tally, first=tuple(first), refused=refused, rows=rows)

    def _lightened(self, chunk: Chunk) -> Chunk:
        """Keep of a row no more than tells it from another, where that is all that is asked."""
        if not self._light:
            return chunk
        written = [(row.number, row.doc, row.id.hex()) for row in self._packed(chunk)]
        return replace(chunk, rows=(), written=written)

    def _packed(self, chunk: Chunk) -> list[PackedRow]:
        """Return rows with a digest of each in its place."""
        rows = packed(rows_of(chunk, self._feed.keeping), self._feed.keeping)
        return [row._replace(doc=hashlib.blake2b(row.doc, digest_size=8).digest()) for row in rows]
