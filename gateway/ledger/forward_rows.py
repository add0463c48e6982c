"""Rows that become messages as a store keeps them, and which of them were put before; the same for every store, no SQL.

A row leaves a mark by its place, and where it has a key another by that, with the content that it had last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gateway.feeds import Chunk, Overtaken, Tally
from gateway.ledger.clashes import tallied
from gateway.ledger.keys import Keys
from gateway.ledger.rows import Packed, pack
from gateway.portion import Forwarded, Portion

PLACE_TAKEN, MENDED = b"", b"mended"
"""What a place's mark holds: whatever a mended mapping makes of it, that record was put, as it was or mended."""


class PackedForward(NamedTuple):
    """One row: its message, and its marks."""

    packed: Packed
    place: bytes
    record: bytes | None
    mends: tuple[bytes, ...]
    key: bytes | None


@dataclass(slots=True)
class Decided:
    """What is to be put, and the marks that it leaves."""

    fresh: list[Packed] = field(default_factory=list)
    marks: dict[bytes, bytes] = field(default_factory=dict)


def packed_forward(rows: Sequence[Forwarded], feed: str, keys: Keys) -> list[PackedForward]:
    """Return a store's form of rows; blocks for what sealing them takes."""
    return [_packed(row, feed, keys) for row in rows]


def _packed(row: Forwarded, feed: str, keys: Keys) -> PackedForward:
    to = row.entry.message.operation
    place, *mends = (keys.hashed("forwarded place", feed, to, one) for one in (row.place, *row.mends))
    record = keys.hashed("forwarded place", feed, to, row.record) if row.record is not None else None
    key = keys.hashed("forwarded key", feed, to, row.key) if row.key is not None else None
    return PackedForward(pack(row.entry, keys), place, record, tuple(mends), key)


def marks_of(rows: Sequence[PackedForward]) -> Iterator[bytes]:
    """Yield the marks to look for."""
    for row in rows:
        yield from (mark for mark in (row.place, row.record, row.key, *row.mends) if mark is not None)


def decided(rows: Sequence[PackedForward], known: Mapping[bytes, bytes]) -> Decided:
    """Decide which rows are put, in their order, given the marks that are there."""
    said, seen = Decided(), dict(known)
    for row in rows:
        if _was_put(row, seen):
            continue
        left = {mark: PLACE_TAKEN for mark in (row.place, row.record) if mark is not None}
        left |= dict.fromkeys(row.mends, MENDED)
        content = row.packed.body_hash
        if row.key is not None:
            left[row.key] = content
        if row.key is None or seen.get(row.key) != content:
            said.fresh.append(row.packed)
        said.marks |= left
        seen |= left
    return said


def _was_put(row: PackedForward, known: Mapping[bytes, bytes]) -> bool:
    """Tell whether this row was, or what it is of; a record that came back mended may be mended otherwise again."""
    return row.place in known or row.record in known or any(known.get(mark) == PLACE_TAKEN for mark in row.mends)


def foreseen(rows: Sequence[PackedForward], known: Mapping[bytes, bytes], seen: dict[bytes, bytes]) -> int:
    """Return how many of these rows would be put, after others of their file that left `seen`."""
    said = decided(rows, {**known, **seen})
    # Without a key nothing that one file has can be known by what stands before it, unless it was handed back.
    seen.update(said.marks if any(row.key is not None or row.mends for row in rows) else {})
    return len(said.fresh)


def checked(before: Tally, chunk: Chunk, number: int) -> Tally:
    """Return the tally after a chunk was read: its rows fit, and none is put yet; raises Overtaken."""
    if before.position != chunk.after:
        raise Overtaken(f"receipt {number} is at {before.position}, not at {chunk.after}")
    return replace(tallied(before, chunk, len(chunk.rows), ()), kept=0)


def put_on(before: Tally, portion: Portion, fresh: int) -> Tally:
    """Return the tally after a portion of which `fresh` messages were put."""
    unchanged = len(portion.rows) - fresh
    return replace(
        before, put=portion.position, accepted=before.accepted - unchanged, unchanged=before.unchanged + unchanged
    )


def in_place(tally: Tally, portion: Portion, number: int) -> None:
    """Raise Overtaken where the ledger is not where a portion begins."""
    if tally.put != portion.after:
        raise Overtaken(f"receipt {number} has put {tally.put} records, not {portion.after}")
