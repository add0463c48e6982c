"""Decides between rows of one key, and counts what becomes of them; knows no store."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gateway.errors import FieldError
from gateway.feeds import Chunk, Keeping, Reject, Tally
from gateway.ledger.rows import decode
from gateway.ledger.snapshot_rows import PackedRow, at


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A row whose id is there already: `mine` if that one is of the same file, `again` if it mends the same record."""

    row: PackedRow
    number: int
    doc: bytes
    mine: bool
    again: bool = False


@dataclass(slots=True)
class Settled:
    """What is to be done about clashes: rows that replace those before, rejects, and how the tally changes."""

    replaced: list[PackedRow] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    accepted: int = 0
    unchanged: int = 0


def may_replace(keeping: Keeping) -> bool:
    """Tell whether a file's rows count before those it is added to; of what mends a file only the newer."""
    return keeping.mode == "upsert" or (keeping.mode != "append" and keeping.newer is not None)


def settled(clashes: Sequence[Clash], keeping: Keeping, *, replaces: bool) -> Settled:
    """Decide between rows of one key; `replaces` when a file's rows count before those of the snapshot it adds to.

    Where they don't, one that was mended before gives way to the same record mended otherwise.
    """
    said = Settled()
    for clash in clashes:
        if settle(said, clash, keeping, replaces=replaces):
            said.replaced.append(clash.row)
    return said


def settle(said: Settled, clash: Clash, keeping: Keeping, *, replaces: bool) -> bool:
    """Decide between two rows of one key, and add it to what is said; true when the later takes the other's place."""
    row = clash.row
    if clash.doc == row.doc or (keeping.newer and not _is_newer(row.doc, clash.doc, keeping.newer)):
        said.unchanged += 1
    elif clash.mine and keeping.newer:
        said.unchanged += 1  # of two rows of one file the newer counts, and the other is no fault
        return True
    elif clash.mine:
        reason = FieldError(pointer="", rule="double-key", params={"number": str(row.number)})
        said.rejects.append(Reject(number=clash.number, reasons=(reason,)))
        return True
    elif replaces or clash.again:
        said.accepted += 1
        return True
    else:
        said.rejects.append(Reject(number=row.number, reasons=(FieldError(pointer="", rule="key-taken"),)))
    return False


def _is_newer(doc: bytes, other: bytes, field_name: str) -> bool:
    """Tell whether one row is at least as new as another, by the texts or numbers of a field; one without is older."""
    ours, theirs = (at(decode(each), field_name.split(".")) for each in (doc, other))
    if ours is None or theirs is None:
        return theirs is None
    if isinstance(ours, int | Decimal) and isinstance(theirs, int | Decimal):
        return ours >= theirs
    return str(ours) >= str(theirs)


def tallied(before: Tally, chunk: Chunk, new: int, said: Sequence[Settled]) -> Tally:
    """Return the tally after a chunk of which `new` rows had ids that were not there."""
    after = _counted(before, chunk.rejects, new)
    for one in said:
        after = _counted(after, one.rejects, one.accepted, one.unchanged)
    return replace(
        after,
        position=chunk.position,
        skipped=before.skipped + chunk.skipped,
        kept=before.kept + new,
        encoding=chunk.encoding or before.encoding,
        whole=chunk.last,
    )


def settled_late(before: Tally, said: Settled, gone: int) -> Tally:
    """Return the tally after it was settled that so many rows, which were counted as new, met others with their ids."""
    return replace(_counted(before, said.rejects, said.accepted - gone, said.unchanged), kept=before.kept - gone)


def _counted(before: Tally, rejects: Sequence[Reject], accepted: int, unchanged: int = 0) -> Tally:
    """Return a tally with these as well; of two rows with one key that differ, the earlier was accepted first."""
    rules = Counter(before.rules)
    rules.update(reason.rule for reject in rejects for reason in reject.reasons)
    return replace(
        before,
        accepted=before.accepted + accepted,
        unchanged=before.unchanged + unchanged,
        rejected=before.rejected + len(rejects),
        rules=dict(rules),
    )
