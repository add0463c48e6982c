"""One file's rows as messages: by what each is known, so that none goes out twice; knows no lane."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from gateway.errors import FieldError
from gateway.feeds import LINE, OF, Batch, Chunk, Reject
from gateway.ledger.receipt_rows import NOT_ACCEPTED, reference
from gateway.ledger.snapshot_rows import at
from gateway.mended import is_lost, records_mended, reference_mended
from gateway.message import Document, Message, Origin, new_message_id
from gateway.portion import Forwarded, Forwards
from gateway.ports import Clock
from gateway.registry import Feed, Forward

_LOST = FieldError(pointer="", rule="row-lost")
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=str)


async def mendable(ledger: Forwards, feed: str, batch: Batch, chunk: Chunk) -> Chunk:
    """Reject rows that mend those of a file of which nothing was sent: all of it is to come again.

    So is one that was mended before and does not say which row it was: it may have been sent by then.
    """
    of = {number: mended for number, native in batch.natives if (mended := _told(native, OF))}
    named = {reference_mended(one) for one in of.values()}
    if not named:
        return chunk
    accepted = await ledger.were_accepted(feed, named)
    strange = {
        number: _LOST if reference_mended(of[number]) in accepted else NOT_ACCEPTED
        for number, _ in chunk.rows
        if number in of and (reference_mended(of[number]) not in accepted or is_lost(of[number]))
    }
    rejects = [Reject(number=number, reasons=(why,)) for number, why in strange.items()]
    rows = [row for row in chunk.rows if row[0] not in strange]
    return replace(chunk, rows=rows, rejects=[*chunk.rejects, *rejects])


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """What one file's rows are sent on as; the `client` is the feed, by its full name."""

    feed: Feed
    forward: Forward
    clock: Clock
    client: str
    sha256: str
    repairs: str
    receipt: int

    def made(self, batch: Batch, rows: Sequence[tuple[int, Document]]) -> list[Forwarded]:
        """Return some of a batch's rows; blocks for what their calendar takes."""
        was = self._was(batch) if self.repairs else {}
        return [self._forwarded(number, row, batch.lines, was.get(number, ())) for number, row in rows]

    def _was(self, batch: Batch) -> Mapping[int, tuple[str, ...]]:
        """Return of mended rows which records they were, in their file, the one before and so on."""
        return {number: self._records(native) for number, native in batch.natives}

    def _records(self, native: Document) -> tuple[str, ...]:
        of = _told(native, OF) or self.repairs
        # One that lost its line is known by its content alone.
        return records_mended(of, _told(native, LINE)) or (f"{reference_mended(of)}:",)

    def _forwarded(self, number: int, row: Document, lines: Mapping[int, int], mends: tuple[str, ...]) -> Forwarded:
        place = record = f"{reference(self.sha256)}:{lines[number]}" if lines else f"{self.sha256}:{number}"
        if mends:
            place = f"{mends[-1]}:{hashlib.sha256(_CANONICAL.encode(row)).hexdigest()}"
        trace = os.urandom(24).hex()
        message = Message(
            id=new_message_id(),
            operation=self.forward.to,
            body=row,
            client=self.client,
            correlation_id=f"{reference(self.sha256)}.{number}",
            traceparent=f"00-{trace[:32]}-{trace[32:]}-00",
            accepted_at=self.clock.now(),
            deadline=0.0,
            idempotency_key=place,
        )
        entry = self.forward.entry(message, Origin(receipt=self.receipt, record=number))
        return Forwarded(number=number, entry=entry, place=place, record=record, mends=mends, key=self._key(row))

    def _key(self, row: Document) -> str | None:
        key = self.feed.keeping.key
        return _CANONICAL.encode([at(row, name.split(".")) for name in key]).decode() if key else None


def _told(native: Document, name: str) -> str:
    return str(native.get(name) or "").strip()
