"""What became of files, inside one SQLite transaction; knows nothing of their rows."""

import sqlite3
from collections.abc import Iterator

from gateway.errors import FieldError
from gateway.feeds import WHOLE, FileState, Held, Keeping, Overtaken, Tally, Turn
from gateway.ledger.receipt_rows import BEGUN_ANEW, FORWARD, NOT_ACCEPTED, REPAIR, SUPERSEDED, not_mended, reference
from gateway.ledger.snapshot_rows import read_tally, written_reasons, written_tally
from gateway.ledger.sqlite_queue import lives
from gateway.ledger.transaction import Transaction

_ACCEPTED = "WHERE feed = ? AND mode = 'forward' AND state = 'accepted'"


def take_up(  # noqa: PLR0913 - what a file is claimed by
    tx: Transaction, turn: Turn, held: Held, keeping: Keeping, *, confirmed: str, afresh: bool, anew: int | None
) -> tuple[sqlite3.Row, bool]:
    """Return the receipt of a file, and whether what was built of it must be begun anew."""
    in_turn(tx, turn)
    if not held.folder and (stuck := _ended(tx, turn.feed, held)) is not None:
        return stuck, False
    live = _live(tx, turn.feed, keeping)
    # What a snapshot and the rows mended in it are made anew of is no file that replaces it.
    mode = REPAIR if (held.repairs or anew is not None) and keeping.mode == "snapshot" else keeping.mode
    base = live["number"] if live is not None and mode not in {*WHOLE, FORWARD} and anew is None else None
    going = tx.db.execute(
        "SELECT * FROM receipt WHERE feed = ? AND sha256 = ? AND mapping = ? AND original IS ? AND state = 'taking'",
        (turn.feed, held.sha256, keeping.mapping, anew),
    ).fetchone()
    strange = mode == REPAIR and anew is None and not _mends(tx, live, held.repairs)
    if going is not None:
        if strange:
            _end(tx, going["number"], FileState.REFUSED, Tally(), SUPERSEDED)
        tx.db.execute("UPDATE receipt SET base = ? WHERE number = ?", (base, going["number"]))
        return one(tx, going["number"]), going["base"] != base
    before = read_kept(live)
    double = _double(tx, live, turn, held, keeping) if not afresh else None
    place = f"{held.folder}/{held.name}" if afresh else ""
    made = _insert(tx, turn, held, keeping, mode=mode, base=base, before=before, confirmed=confirmed, place=place)
    tx.db.execute("UPDATE receipt SET original = ? WHERE number = ?", (anew, made))
    if double is not None:
        _end(tx, made, FileState.DUPLICATE, Tally(), None)
        tx.db.execute("UPDATE receipt SET original = ? WHERE number = ?", (double, made))
    elif strange:
        _end(tx, made, FileState.REFUSED, Tally(), not_mended(SUPERSEDED, held.repairs))
    elif mode == FORWARD and held.repairs and not was_accepted(tx, turn.feed, held.repairs):
        _end(tx, made, FileState.REFUSED, Tally(), not_mended(NOT_ACCEPTED, held.repairs))
    return one(tx, made), False


def give_up_others(tx: Transaction, turn: Turn, number: int) -> list[int]:
    """End receipts that were begun of the same file, whose content or mapping has changed since; returns them.

    A snapshot that was being made anew is no more: what is taken up now changes what it was made of.
    """
    file = one(tx, number)["file"]
    query = (
        "SELECT number FROM receipt "
        "WHERE feed = ? AND (file = ? OR original IS NOT NULL) AND state = 'taking' AND number <> ?"
    )
    left = [row["number"] for row in tx.db.execute(query, (turn.feed, file, number)).fetchall()]
    for other in left:
        _end(tx, other, FileState.REFUSED, Tally(), BEGUN_ANEW)
        tx.db.execute("UPDATE receipt SET settled = 1 WHERE number = ?", (other,))
    return left


def publish(tx: Transaction, turn: Turn, number: int, tally: Tally | None = None) -> list[int]:
    """Make a receipt's snapshot the live one; returns the receipts whose snapshots nobody needs any more.

    Without a tally it has none: it was forwarded, and there is nothing to go back to. What is not put away yet is
    needed: its rejects are to be handed back.
    """
    in_turn(tx, turn)
    row = taking(tx, number)
    feed = tx.db.execute("SELECT live, previous FROM feed WHERE name = ?", (turn.feed,)).fetchone()
    live, previous = (feed["live"], feed["previous"]) if feed is not None else (None, None)
    if (made_of := row["base"] or row["original"]) is not None and made_of != live:
        raise Overtaken(f"the snapshot that receipt {number} was added to is not live any more")
    _end(tx, number, FileState.ACCEPTED, tally or read_tally(row["tally"]), None)
    kept = live if tally is not None else None
    tx.db.execute("INSERT OR REPLACE INTO feed VALUES (?, ?, ?, '')", (turn.feed, number, kept))
    return [gone for gone in (previous, live) if gone not in {None, kept} and one(tx, gone)["settled"]]


def refuse(tx: Transaction, turn: Turn, number: int, tally: Tally, reason: FieldError) -> None:
    """End a receipt without a snapshot."""
    in_turn(tx, turn)
    taking(tx, number)
    _end(tx, number, FileState.REFUSED, tally, reason)


def filed(tx: Transaction, turn: Turn, number: int, place: str) -> bool:
    """Note where the file lies; returns whether its snapshot is still needed."""
    in_turn(tx, turn)
    tx.db.execute("UPDATE receipt SET place = ?, settled = 1 WHERE number = ?", (place, number))
    needed = "SELECT 1 FROM feed WHERE name = ? AND ? IN (live, previous)"
    return tx.db.execute(needed, (turn.feed, number)).fetchone() is not None


def want_again(tx: Transaction, number: int, by: str, *, shrink: bool) -> bool:
    """Note who wants a file tried again; false where there is no file to try."""
    query = "UPDATE receipt SET again = ?, shrink = ? WHERE number = ? AND settled = 1 AND place <> ''"
    return tx.db.execute(query, (by, shrink, number)).rowcount == 1


def roll_back(tx: Transaction, feed: str, by: str) -> bool:
    """Swap the live snapshot and the previous one."""
    query = "UPDATE feed SET live = previous, previous = live, changed_by = ? WHERE name = ? AND previous IS NOT NULL"
    return tx.db.execute(query, (by, feed)).rowcount == 1


def in_turn(tx: Transaction, turn: Turn) -> None:
    """Raise Overtaken when the lease is another's by now."""
    row = tx.db.execute("SELECT * FROM lease WHERE name = ?", (turn.lease,)).fetchone()
    if row is None or (row["by"], row["token"]) != (turn.by, turn.token) or not lives(tx, row["until"]):
        raise Overtaken(f"{turn.feed} is another's by now")


def one(tx: Transaction, number: int) -> sqlite3.Row:
    """Return a receipt that is there."""
    row: sqlite3.Row = tx.db.execute("SELECT * FROM receipt WHERE number = ?", (number,)).fetchone()
    return row


def read_kept(row: sqlite3.Row | None) -> int:
    """Return how many rows the snapshot of a receipt has."""
    return read_tally(row["tally"]).kept if row is not None else 0


def taking(tx: Transaction, number: int) -> sqlite3.Row:
    """Return a receipt that has not ended; raises Overtaken."""
    row = one(tx, number)
    if row is None or row["state"] != FileState.TAKING:
        raise Overtaken(f"receipt {number} has ended")
    return row


def _live(tx: Transaction, feed: str, keeping: Keeping) -> sqlite3.Row | None:
    """Return the receipt of the live snapshot; what was forwarded is none, and a feed that forwards needs none."""
    query = "SELECT receipt.* FROM feed JOIN receipt ON receipt.number = feed.live WHERE feed.name = ? AND mode <> ?"
    row: sqlite3.Row | None = tx.db.execute(query, (feed, FORWARD)).fetchone()
    return row if keeping.mode != FORWARD else None


def _double(tx: Transaction, live: sqlite3.Row | None, turn: Turn, held: Held, keeping: Keeping) -> int | None:
    """Return which receipt a file doubles: one that the live snapshot is of, or any by which it was forwarded.

    What was mended before the last time may be mended back.
    """
    same = (held.sha256, keeping.mapping)
    if keeping.mode == FORWARD:
        return sent_as(tx, turn.feed, *same)
    found = (
        one["number"]
        for one, mapping in _of(tx, live)
        if (one["sha256"], mapping) == same
        and (one["mode"] != REPAIR or live is None or one["number"] == live["number"])
    )
    return next(found, None)


def sent_as(tx: Transaction, feed: str, sha256: str, mapping: str) -> int | None:
    """Return the first receipt by which a file was forwarded."""
    query = f"SELECT number FROM receipt {_ACCEPTED} AND sha256 = ? AND mapping = ? ORDER BY number"  # noqa: S608
    row = tx.db.execute(query, (feed, sha256, mapping)).fetchone()
    return row["number"] if row is not None else None


def was_accepted(tx: Transaction, feed: str, mended: str) -> bool:
    """Tell whether the file that rows mend was forwarded: of one that was refused whole nothing was."""
    query = f"SELECT sha256 FROM receipt {_ACCEPTED} AND sha256 LIKE ?"  # noqa: S608 - our own words
    rows = tx.db.execute(query, (feed, f"{mended.removeprefix('r-')}%")).fetchall()
    return any(reference(row["sha256"]) == mended for row in rows)


def _ended(tx: Transaction, feed: str, held: Held) -> sqlite3.Row | None:
    """Return the receipt of a file that stayed where it was, as nobody could move it."""
    row: sqlite3.Row | None = tx.db.execute(
        "SELECT * FROM receipt WHERE feed = ? AND file = ? AND sha256 = ? AND as_of = ? AND settled = 1 AND place = '' "
        "AND reason <> ? ORDER BY number DESC",
        (feed, held.name, held.sha256, held.as_of.timestamp(), written_reasons([BEGUN_ANEW])),
    ).fetchone()
    return row


def _mends(tx: Transaction, live: sqlite3.Row | None, mended: str) -> bool:
    """Tell whether the live snapshot still is that of the file whose rejects are mended, mended before or not."""
    return any(reference(one["sha256"]) == mended for one, _ in _of(tx, live))


def _of(tx: Transaction, live: sqlite3.Row | None) -> Iterator[tuple[sqlite3.Row, str]]:
    """Yield the receipts that the live snapshot is of, the last first, and by which mapping each was read.

    That is a file and those that mended it; where they were read anew, all of them by the mapping of that.
    """
    by = None
    while live is not None:
        yield live, by or live["mapping"]
        if live["mode"] != REPAIR:
            return
        by = by or (live["mapping"] if live["original"] is not None else None)
        live = one(tx, live["original"] or live["base"])


def _insert(  # noqa: PLR0913 - the columns of a receipt
    tx: Transaction,
    turn: Turn,
    held: Held,
    keeping: Keeping,
    *,
    mode: str,
    base: int | None,
    before: int,
    confirmed: str,
    place: str,
) -> int:
    made = tx.db.execute(
        "INSERT INTO receipt "
        "(feed, file, sha256, size, as_of, mapping, mode, state, base, before, claimed_at, confirmed, place) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'taking', ?, ?, ?, ?, ?)",
        (
            turn.feed,
            held.name,
            held.sha256,
            held.size,
            held.as_of.timestamp(),
            keeping.mapping,
            mode,
            base,
            before,
            tx.now,
            confirmed,
            place,
        ),
    )
    return int(made.lastrowid or 0)


def _end(tx: Transaction, number: int, state: FileState, tally: Tally, reason: FieldError | None) -> None:
    tx.db.execute(
        "UPDATE receipt SET state = ?, ended_at = ?, tally = ?, reason = ? WHERE number = ?",
        (state, tx.now, written_tally(tally), written_reasons([reason]) if reason is not None else "", number),
    )
