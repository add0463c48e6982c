"""Of which files a snapshot was made that files were added to, and those files read as one; takes nothing in."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, cast

from gateway.arrivals import THOUGH_OLDER
from gateway.feeds import WHOLE, Batch, FileReceipt, Held, Keeping, Receipts, Reject, Source
from gateway.ledger.receipt_rows import REPAIR

Part = tuple[FileReceipt, Held]
"""A file that was added once, by its receipt, as it lies in the archive now."""


async def made_of(ledger: Receipts, live: FileReceipt) -> Sequence[FileReceipt]:
    """Return the receipts of all files that were added up to a snapshot, in their order; none where one is forgotten.

    A snapshot that was made anew is made of what its original was made of.
    """
    found: list[FileReceipt] = []
    at: FileReceipt | None = live
    while at is not None:
        if at.original is None:
            found.append(at)
        before = at.original or at.base
        if before is None:
            return found[::-1]
        at = await ledger.receipt(before)
    return ()


def is_added_up(receipt: FileReceipt, keeping: Keeping) -> bool:
    """Tell whether a snapshot is of more than one file, or of one that more are to be added to."""
    return receipt.mode == REPAIR or keeping.mode not in WHOLE


async def is_live(ledger: Receipts, receipt: FileReceipt) -> bool:
    """Tell whether it is a receipt's snapshot that is live."""
    live = (await ledger.standing(receipt.feed)).live
    return live is not None and live.number == receipt.number


async def newer_than(ledger: Receipts, receipt: FileReceipt, keeping: Keeping) -> FileReceipt | None:
    """Return the live snapshot where a file wanted again would put older rows in its place, unless that is meant."""
    if keeping.mode != "snapshot" or receipt.mode == REPAIR or receipt.again.endswith(THOUGH_OLDER):
        return None
    live = (await ledger.standing(receipt.feed)).live
    return live if live is not None and live.as_of > receipt.as_of else None


async def as_one(source: Source, parts: Sequence[Part], after: int) -> AsyncIterator[Batch]:
    """Yield the records of files one after the other, numbered on, after the first `after` of them all."""
    passed = 0
    for place, (receipt, held) in enumerate(parts, 1):
        done = 0
        async with aclosing(cast("Any", _behind(source, held, after - passed))) as found:
            async for batch in found:
                if _refuses(batch):
                    yield batch
                    return
                done, last = batch.done, batch.last and place == len(parts)
                if last or passed + done > after:
                    yield _numbered(batch, passed, receipt.number, last=last)
        passed += done


async def _behind(source: Source, held: Held, after: int) -> AsyncIterator[Batch]:
    """Yield a file's batches, those before emptied; it may be that it was read in other portions."""
    before = 0
    async with aclosing(cast("Any", source.batches(held))) as found:
        async for batch in found:
            if _refuses(batch) or batch.done > after <= before:
                yield batch
            elif batch.done > after:
                break
            else:
                yield replace(batch, rows=(), written=(), rejects=(), skipped=0)
            before = batch.done
        else:
            return
    async with aclosing(cast("Any", source.batches(held, after=after))) as found:
        async for batch in found:
            yield batch


def _numbered(batch: Batch, passed: int, source: int, *, last: bool) -> Batch:
    return replace(
        batch,
        rows=[(number + passed, row) for number, row in batch.rows],
        written=[(row[0] + passed, *row[1:]) for row in batch.written],
        rejects=[Reject(number=reject.number + passed, reasons=reject.reasons) for reject in batch.rejects],
        done=batch.done + passed,
        last=last,
        source=source,
    )


def _refuses(batch: Batch) -> bool:
    return any(reject.number == 0 for reject in batch.rejects)
