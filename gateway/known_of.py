"""Rows of a file beside what the ledger knows: what they acknowledge or mend; reads and keeps none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from gateway.acknowledged import Acknowledgements
from gateway.acks import acknowledged
from gateway.feeds import LINE, OF, Batch, Chunk, FileReceipt
from gateway.mended import records_mended
from gateway.messages_of import mendable
from gateway.portion import Forwards
from gateway.registry import Feed


class Known(Acknowledgements, Forwards, Protocol):
    """What is asked of the ledger."""


async def known_of(ledger: Known, feed: Feed, receipt: FileReceipt, batch: Batch, chunk: Chunk) -> Chunk:
    """Return a batch's chunk with what is known of its rows."""
    if operations := feed.acknowledges:
        return await acknowledged(ledger, operations, chunk, by=f"{receipt.feed} (receipt {receipt.number})")
    if feed.forward is not None:
        return await mendable(ledger, receipt.feed, batch, chunk)
    return replace(chunk, mends=_mends(batch)) if feed.keeping.mode == "snapshot" else chunk


def _mends(batch: Batch) -> Mapping[int, str]:
    """Return which record each mended row was first; one that lost its line is nothing but a row."""
    if not {LINE, OF} <= {*batch.columns}:
        return {}
    found = ((number, records_mended(*_told(native, OF, LINE))) for number, native in batch.natives)
    return {number: records[-1] for number, records in found if records}


def _told(native: Mapping[str, object], *names: str) -> tuple[str, ...]:
    return tuple(str(native.get(name) or "").strip() for name in names)
