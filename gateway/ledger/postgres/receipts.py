"""What became of files, in PostgreSQL; knows nothing of their rows. Everything here belongs in a transaction."""

from collections.abc import AsyncIterator
from typing import Any

from gateway.errors import FieldError
from gateway.feeds import WHOLE, FileState, Held, Keeping, Overtaken, Tally, Turn
from gateway.ledger.postgres.store import Connection
from gateway.ledger.receipt_rows import BEGUN_ANEW, FORWARD, NOT_ACCEPTED, REPAIR, SUPERSEDED, not_mended, reference
from gateway.ledger.rows import Row
from gateway.ledger.snapshot_rows import read_tally, written_reasons, written_tally

_TURN = """
SELECT 1 FROM hold WHERE name = $1 AND by = $2 AND token = $3 AND ledger_lives(until, (SELECT ledger_now())) FOR SHARE
"""
_LIVE = """
SELECT r.* FROM feed AS f JOIN receipt AS r ON r.number = f.live WHERE f.name = $1 AND r.mode <> 'forward'
"""
_ACCEPTED = "feed = $1 AND mode = 'forward' AND state = 'accepted'"
_DOUBLE = f"SELECT number FROM receipt WHERE {_ACCEPTED} AND sha256 = $2 AND mapping = $3 ORDER BY number LIMIT 1"  # noqa: S608
_MENDED = f"SELECT sha256 FROM receipt WHERE {_ACCEPTED} AND starts_with(sha256, $2)"  # noqa: S608 - our own words
_STUCK = """
SELECT * FROM receipt
WHERE feed = $1 AND file = $2 AND sha256 = $3 AND as_of = $4 AND settled AND place = '' AND reason <> $5
ORDER BY number DESC LIMIT 1
"""
_GOING = """
SELECT * FROM receipt
WHERE feed = $1 AND sha256 = $2 AND mapping = $3 AND original IS NOT DISTINCT FROM $4 AND state = 'taking' FOR UPDATE
"""
_OTHERS = """
SELECT r.number FROM receipt AS r JOIN receipt AS mine ON mine.number = $2
WHERE r.feed = $1 AND (r.file = mine.file OR r.original IS NOT NULL) AND r.state = 'taking' AND r.number <> $2
FOR UPDATE OF r
"""
_INSERT = """
INSERT INTO receipt
    (feed, file, sha256, size, as_of, mapping, mode, state, base, before, token, confirmed, place, claimed_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'taking', $8, $9, $10, $11, $12, ledger_now()) RETURNING number
"""
_END = "UPDATE receipt SET state = $2, ended_at = ledger_now(), tally = $3, reason = $4 WHERE number = $1"
_SWAP = """
INSERT INTO feed AS f VALUES ($1, $2, NULL, '')
ON CONFLICT (name) DO UPDATE SET previous = $3, live = excluded.live, changed_by = ''
"""
_BACK = """
UPDATE feed SET live = previous, previous = live, changed_by = $2 WHERE name = $1 AND previous IS NOT NULL RETURNING 1
"""
_AGAIN = """
UPDATE receipt SET again = $2, shrink = $3 WHERE number = $1 AND settled AND place <> '' RETURNING 1
"""


async def take_up(  # noqa: PLR0913 - what a file is claimed by
    connection: Connection, turn: Turn, held: Held, keeping: Keeping, *, confirmed: str, afresh: bool, anew: int | None
) -> tuple[Row, bool]:
    """Return the receipt of a file, and whether what was built of it must be begun anew."""
    await in_turn(connection, turn)
    if not held.folder:
        begun = written_reasons([BEGUN_ANEW])
        stuck = await connection.fetchrow(_STUCK, turn.feed, held.name, held.sha256, held.as_of, begun)
        if stuck is not None:
            return stuck, False
    live = await connection.fetchrow(_LIVE, turn.feed) if keeping.mode != FORWARD else None
    # What a snapshot and the rows mended in it are made anew of is no file that replaces it.
    mode = REPAIR if (held.repairs or anew is not None) and keeping.mode == "snapshot" else keeping.mode
    base = live["number"] if live is not None and mode not in {*WHOLE, FORWARD} and anew is None else None
    going = await connection.fetchrow(_GOING, turn.feed, held.sha256, keeping.mapping, anew)
    strange = mode == REPAIR and anew is None and not await _mends(connection, live, held.repairs)
    if going is not None:
        if strange:
            await _end(connection, going["number"], FileState.REFUSED, Tally(), SUPERSEDED)
        query = "UPDATE receipt SET base = $2, token = $3 WHERE number = $1"
        await connection.execute(query, going["number"], base, turn.token)
        return await one(connection, going["number"]), going["base"] != base
    before = read_tally(live["tally"]).kept if live is not None else 0
    double = await _double(connection, live, turn, held, keeping) if not afresh else None
    what = (turn.feed, held.name, held.sha256, held.size, held.as_of, keeping.mapping, mode)
    place = f"{held.folder}/{held.name}" if afresh else ""
    made = await connection.fetchval(_INSERT, *what, base, before, turn.token, confirmed, place)
    await connection.execute("UPDATE receipt SET original = $2 WHERE number = $1", made, anew)
    if double is not None:
        await _end(connection, made, FileState.DUPLICATE, Tally(), None)
        await connection.execute("UPDATE receipt SET original = $2 WHERE number = $1", made, double)
    elif strange:
        await _end(connection, made, FileState.REFUSED, Tally(), not_mended(SUPERSEDED, held.repairs))
    elif mode == FORWARD and held.repairs and not await was_accepted(connection, turn.feed, held.repairs):
        await _end(connection, made, FileState.REFUSED, Tally(), not_mended(NOT_ACCEPTED, held.repairs))
    return await one(connection, made), False


async def give_up_others(connection: Connection, turn: Turn, number: int) -> list[int]:
    """End receipts that were begun of the same file, whose content or mapping has changed since; returns them.

    A snapshot that was being made anew is no more: what is taken up now changes what it was made of.
    """
    left = [row["number"] for row in await connection.fetch(_OTHERS, turn.feed, number)]
    for other in left:
        await _end(connection, other, FileState.REFUSED, Tally(), BEGUN_ANEW)
        await connection.execute("UPDATE receipt SET settled = true WHERE number = $1", other)
    return left


async def publish(connection: Connection, turn: Turn, number: int) -> list[int]:
    """Make a receipt's snapshot the live one; returns the receipts whose snapshots nobody needs any more.

    What was forwarded has none, and there is nothing to go back to. What is not put away yet is needed: its rejects
    are to be handed back.
    """
    await in_turn(connection, turn)
    row = await taking(connection, turn, number)
    feed = await connection.fetchrow("SELECT live, previous FROM feed WHERE name = $1 FOR UPDATE", turn.feed)
    live, previous = (feed["live"], feed["previous"]) if feed is not None else (None, None)
    if (made_of := row["base"] or row["original"]) is not None and made_of != live:
        raise Overtaken(f"the snapshot that receipt {number} was added to is not live any more")
    await _end(connection, number, FileState.ACCEPTED, read_tally(row["tally"]), None)
    kept = live if row["mode"] != FORWARD else None
    await connection.execute(_SWAP, turn.feed, number, kept)
    gone = [number for number in (previous, live) if number not in {None, kept}]
    return [number for number in gone if (await one(connection, number))["settled"]]


async def refuse(connection: Connection, turn: Turn, number: int, tally: Tally, reason: FieldError) -> None:
    """End a receipt without a snapshot."""
    await in_turn(connection, turn)
    await taking(connection, turn, number)
    await _end(connection, number, FileState.REFUSED, tally, reason)


async def filed(connection: Connection, turn: Turn, number: int, place: str) -> bool:
    """Note where the file lies; returns whether its snapshot is still needed."""
    await in_turn(connection, turn)
    await connection.execute("UPDATE receipt SET place = $2, settled = true WHERE number = $1", number, place)
    needed = "SELECT 1 FROM feed WHERE name = $1 AND $2 IN (live, previous)"
    return await connection.fetchval(needed, turn.feed, number) is not None


async def want_again(connection: Connection, number: int, by: str, *, shrink: bool) -> bool:
    """Note who wants a file tried again; false where there is no file to try."""
    return await connection.fetchval(_AGAIN, number, by, shrink) is not None


async def roll_back(connection: Connection, feed: str, by: str) -> bool:
    """Swap the live snapshot and the previous one."""
    return await connection.fetchval(_BACK, feed, by) is not None


async def in_turn(connection: Connection, turn: Turn) -> None:
    """Raise Overtaken when the lease is another's by now; it stays this turn's until the transaction ends."""
    if await connection.fetchval(_TURN, turn.lease, turn.by, turn.token) is None:
        raise Overtaken(f"{turn.feed} is another's by now")


async def taking(connection: Connection, turn: Turn, number: int) -> Any:
    """Return a receipt that this turn works at, locked; raises Overtaken."""
    row = await connection.fetchrow("SELECT * FROM receipt WHERE number = $1 FOR UPDATE", number)
    if row is None or row["state"] != FileState.TAKING or row["token"] != turn.token:
        raise Overtaken(f"receipt {number} is another's, or has ended")
    return row


async def one(connection: Connection, number: int) -> Any:
    """Return a receipt."""
    return await connection.fetchrow("SELECT * FROM receipt WHERE number = $1", number)


async def _double(connection: Connection, live: Any, turn: Turn, held: Held, keeping: Keeping) -> int | None:
    """Return which receipt a file doubles: one that the live snapshot is of, or any by which it was forwarded.

    What was mended before the last time may be mended back.
    """
    same = (held.sha256, keeping.mapping)
    if keeping.mode == FORWARD:
        return await sent_as(connection, turn.feed, *same)
    found = [
        one["number"]
        async for one, mapping in _of(connection, live)
        if (one["sha256"], mapping) == same and (one["mode"] != REPAIR or one["number"] == live["number"])
    ]
    return next(iter(found), None)


async def sent_as(connection: Connection, feed: str, sha256: str, mapping: str) -> int | None:
    """Return the first receipt by which a file was forwarded."""
    number: int | None = await connection.fetchval(_DOUBLE, feed, sha256, mapping)
    return number


async def was_accepted(connection: Connection, feed: str, mended: str) -> bool:
    """Tell whether the file that rows mend was forwarded: of one that was refused whole nothing was."""
    rows = await connection.fetch(_MENDED, feed, mended.removeprefix("r-"))
    return any(reference(row["sha256"]) == mended for row in rows)


async def _mends(connection: Connection, live: Any, mended: str) -> bool:
    """Tell whether the live snapshot still is that of the file whose rejects are mended, mended before or not."""
    return mended in [reference(one["sha256"]) async for one, _ in _of(connection, live)]


async def _of(connection: Connection, live: Any) -> AsyncIterator[tuple[Any, str]]:
    """Yield the receipts that the live snapshot is of, the last first, and by which mapping each was read.

    That is a file and those that mended it; where they were read anew, all of them by the mapping of that.
    """
    by = None
    while live is not None:
        yield live, by or live["mapping"]
        if live["mode"] != REPAIR:
            return
        by = by or (live["mapping"] if live["original"] is not None else None)
        live = await one(connection, live["original"] or live["base"])


async def _end(connection: Connection, number: int, state: FileState, tally: Tally, reason: FieldError | None) -> None:
    why = written_reasons([reason]) if reason is not None else ""
    await connection.execute(_END, number, state.value, written_tally(tally), why)
