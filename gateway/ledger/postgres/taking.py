"""Takes messages out of the queue: claims, leases that ended, open time that is used up; knows no verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.ledger.postgres.store import Connection
from gateway.ledger.postgres.turns import pass_on
from gateway.ledger.rows import Row
from gateway.ledger.verdicts import (
    INTERRUPTED,
    LONGEST_LEASE,
    LONGEST_PAUSE,
    LONGEST_WAIT,
    POISON_INTERRUPTIONS,
    bounded,
)
from gateway.message import MessageId
from gateway.records import State, Terms, Ticket

GRACE = 30.0
"""Seconds after a claim for which a lane counts as open; whoever delivers claims more often than that."""
_BEAT = 1.0
"""Seconds after which a claim writes that the lane is open: more often would only cost."""
_EVER = timedelta(days=36500)

# Claims of one lane take turns, so that its limit and its order hold over all replicas; other lanes don't meet them.
_TURN = "SELECT name FROM lane WHERE name = $1 FOR UPDATE"
_KNOW = "INSERT INTO lane (name) VALUES ($1) ON CONFLICT DO NOTHING"

_LOOK = """
WITH t AS MATERIALIZED (SELECT ledger_now() AS now)
SELECT t.now, l.open_since, l.beat_at, ledger_reading(l.open_seconds, l.open_since, l.beat_at, t.now) AS reading,
    EXISTS (SELECT 1 FROM pause AS p WHERE p.lane = $1 AND (p.until IS NULL OR p.until > t.now)) AS paused,
    EXISTS (SELECT 1 FROM message WHERE state = 'delivering' AND lane = $1
        AND NOT ledger_lives(leased_until, t.now)) AS ended,
    EXISTS (SELECT 1 FROM message WHERE state = 'pending' AND NOT waits AND lane = $1
        AND due > t.now + make_interval(secs => $2)) AS astray,
    EXISTS (SELECT 1 FROM message WHERE state = 'pending' AND lane = $1
        AND expires_at <= ledger_reading(l.open_seconds, l.open_since, l.beat_at, t.now)) AS expired
FROM lane AS l, t WHERE l.name = $1
"""
_OPEN = "UPDATE lane SET open_seconds = $2, open_since = $3, beat_at = $3 WHERE name = $1"
_BEATS = "UPDATE lane SET beat_at = $2 WHERE name = $1"
_SHUT = """
UPDATE lane SET open_since = NULL,
    open_seconds = ledger_reading(open_seconds, open_since, beat_at, (SELECT ledger_now())) WHERE name = $1
"""

_CLAIM = """
WITH free AS (
    SELECT seq, accepted_at FROM message AS m
    WHERE state = 'pending' AND NOT waits AND lane = $1 AND due <= $2 AND ($4::text[] IS NULL OR operation = ANY($4))
        AND (order_key IS NULL OR NOT EXISTS (
                SELECT 1 FROM message AS older
                WHERE older.holds AND older.order_key BETWEEN m.order_key AND m.order_key AND older.seq < m.seq)
            AND NOT EXISTS (
                SELECT 1 FROM message AS sent WHERE sent.state = 'delivering' AND sent.order_key = m.order_key))
    ORDER BY due, seq LIMIT greatest(0, least($3::bigint, $6::bigint - (
        SELECT count(*) FROM message WHERE state = 'delivering' AND lane = $1 AND NOT direct AND $6 IS NOT NULL)))
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE message AS m SET state = 'delivering', token = nextval('ticket'),
    leased_until = (SELECT ledger_now()) + make_interval(secs => $5)
FROM free JOIN sealed AS s ON s.seq = free.seq AND s.field = 'body'
WHERE m.seq = free.seq AND (SELECT count(*) >= $7 OR min(accepted_at) <= $8 FROM free) RETURNING m.*, s.data AS body
"""

# What may have been done and is not to be sent again becomes unknown; its owner may still come and say how it ended.
# How long the others wait is said in `verdicts.interrupted`.
_TAKE_UP = """
WITH ended AS (
    SELECT seq, t.now, direct OR repeat = 'never' AS ends, interruptions + 1 AS times,
        CASE WHEN direct OR repeat = 'never' THEN 'unknown' WHEN interruptions + 1 >= $4 THEN 'buried'
            ELSE 'pending' END AS becomes
    FROM message AS m, (SELECT coalesce($3::timestamptz, ledger_now()) AS now) AS t
    WHERE state = 'delivering' AND NOT ledger_lives(leased_until, t.now) {those}
    ORDER BY seq FOR UPDATE OF m SKIP LOCKED
), taken AS (
    UPDATE message AS m SET state = becomes, text = $2, attempts = attempts + 1, uncertain = true,
        reason = CASE WHEN becomes = 'buried' THEN 'poison' ELSE 'interrupted' END,
        due = ended.now + make_interval(secs => CASE WHEN becomes = 'pending' AND times > 1
            THEN least($5, 2.0 ^ times) * (1 + ascii(right(id, 1)) % 16 / 16.0) ELSE 0 END),
        failures = failures + (NOT ends)::integer, interruptions = interruptions + (NOT ends)::integer,
        token = CASE WHEN ends THEN token END, holds = NOT direct AND NOT (becomes <> 'pending' AND skip_buried)
    FROM ended WHERE m.seq = ended.seq
    RETURNING m.seq, id, lane, state, attempts, leased_until, direct, holds, order_key
), noted AS (
    INSERT INTO attempt (seq, number, at, outcome, error) SELECT seq, attempts, leased_until, 'unknown', $2 FROM taken
)
SELECT id, lane, state, CASE WHEN NOT holds AND NOT direct THEN order_key END AS free FROM taken
"""
_TAKE_UP_LANE = _TAKE_UP.format(those="AND lane = $1")
_TAKE_UP_IDS = _TAKE_UP.format(those="AND id = ANY($1::text[])")
_TAKE_UP_ALL = _TAKE_UP.format(those="AND $1::text IS NULL")

# What is due later than anything can be was put or postponed while the clock was wrong.
_SET_RIGHT = """
UPDATE message SET due = $2
WHERE state = 'pending' AND NOT waits AND lane = $1 AND due > $2::timestamptz + make_interval(secs => $3)
"""

_EXPIRE = """
WITH over AS (
    SELECT seq, waits FROM message WHERE state = 'pending' AND lane = $1 AND expires_at <= $2
    ORDER BY seq FOR UPDATE SKIP LOCKED
)
UPDATE message AS m SET reason = 'expired', state = CASE WHEN uncertain THEN 'unknown' ELSE 'expired' END,
    settled_at = CASE WHEN NOT uncertain THEN (SELECT ledger_now()) END, holds = uncertain AND NOT skip_buried,
    waits = false
FROM over WHERE m.seq = over.seq
RETURNING m.id, CASE WHEN NOT holds AND NOT over.waits THEN order_key END AS free
"""

_EXTEND = """
WITH mine AS (
    SELECT m.seq FROM message AS m JOIN unnest($1::text[], $2::bigint[]) AS u (id, token) USING (id, token)
    WHERE m.state = 'delivering' ORDER BY m.seq FOR UPDATE OF m
)
UPDATE message AS m SET leased_until = (SELECT ledger_now()) + make_interval(secs => $3)
FROM mine WHERE m.seq = mine.seq RETURNING m.id
"""


@dataclass(slots=True)
class Told:
    """What others should hear of after the commit: messages that are settled, lanes where there may be work."""

    messages: list[str] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)


async def claim(  # noqa: PLR0913 # one call's arguments and its connection
    connection: Connection, lane: str, limit: int, *, lease: float, terms: Terms, told: Told
) -> list[Row]:
    """Take what is due, inside a transaction; returns the rows in order, as they are now."""
    await _turn(connection, lane)
    look: Row = await connection.fetchrow(_LOOK, lane, LONGEST_WAIT)
    if look["paused"]:
        return []
    if look["ended"]:
        _hear(told, await _take_up(connection, _TAKE_UP_LANE, lane, look["now"]))
    if look["astray"]:
        await connection.execute(_SET_RIGHT, lane, look["now"], LONGEST_WAIT)
    if not terms.probe:
        await _beat(connection, lane, look)
        if look["expired"] or look["ended"]:  # what was taken up just now may be over as well
            rows = await connection.fetch(_EXPIRE, lane, look["reading"])
            await pass_on(connection, [row["free"] for row in rows])
            told.messages += [row["id"] for row in rows]
            told.lanes.add(lane)
    if limit <= 0:
        return []
    due = look["now"] + _EVER if terms.probe else look["now"]
    operations = None if terms.operations is None else list(terms.operations)
    most = None if terms.most is None else max(terms.most, 0)
    held = bounded(lease, LONGEST_LEASE)
    since = look["now"] - timedelta(seconds=terms.patience)
    taken: list[Row] = await connection.fetch(_CLAIM, lane, due, limit, operations, held, most, terms.least, since)
    return sorted(taken, key=lambda row: (row["due"], row["seq"]))


async def shut(connection: Connection, lane: str) -> None:
    """Stop the lane's clock of open time, inside a transaction."""
    await _turn(connection, lane)
    await connection.execute(_SHUT, lane)


async def take_up_all(connection: Connection) -> tuple[int, Told]:
    """End the leases that are over in every lane, inside a transaction; returns how many there were."""
    told = Told()
    rows = await _take_up(connection, _TAKE_UP_ALL, None)
    _hear(told, rows)
    return len(rows), told


async def take_up_ids(connection: Connection, ids: Sequence[str]) -> None:
    """End those of these messages' leases that are over."""
    async with connection.transaction():
        await _take_up(connection, _TAKE_UP_IDS, ids)


async def _take_up(connection: Connection, query: str, those: object, now: object = None) -> list[Row]:
    rows: list[Row] = await connection.fetch(query, those, INTERRUPTED, now, POISON_INTERRUPTIONS, LONGEST_PAUSE)
    await pass_on(connection, [row["free"] for row in rows])
    return rows


async def extend(connection: Connection, tickets: Sequence[Ticket], lease: float) -> frozenset[MessageId]:
    """Prolong the leases that these tickets hold."""
    ids, tokens = [ticket.id for ticket in tickets], [ticket.token for ticket in tickets]
    rows = await connection.fetch(_EXTEND, ids, tokens, bounded(lease, LONGEST_LEASE))
    return frozenset(MessageId(row["id"]) for row in rows)


async def _turn(connection: Connection, lane: str) -> None:
    if await connection.fetchrow(_TURN, lane) is None:
        await connection.execute(_KNOW, lane)
        await connection.fetchrow(_TURN, lane)


async def _beat(connection: Connection, lane: str, look: Row) -> None:
    if look["open_since"] is None or not 0.0 <= (since := (look["now"] - look["beat_at"]).total_seconds()) <= GRACE:
        await connection.execute(_OPEN, lane, look["reading"], look["now"])
    elif since >= _BEAT:
        await connection.execute(_BEATS, lane, look["now"])


def _hear(told: Told, rows: Sequence[Row]) -> None:
    told.messages += [row["id"] for row in rows if row["state"] != State.PENDING]
    told.lanes |= {row["lane"] for row in rows}
