"""Whose turn it is of an order key: those that wait are out of a claim's sight; knows no verdicts.

`waits` may be false where an older one holds the key, and a claim looks itself; it must not be true where none does.
So whoever lets a message wait keeps the older one locked (FOR KEY SHARE) until the end of its transaction, and lets it
be if that is locked; whoever ends one locks it FOR UPDATE, and only then, in another statement, which sees what was
committed before the lock was given, passes the turn on. Claims lock FOR NO KEY UPDATE and are in nobody's way.
When one ends that waited itself, what it waited for is still before those behind it, and the turn is not passed on.
"""

from collections.abc import Iterable

from gateway.ledger.postgres.store import Connection

# An index's own order, over a range of one key: by `=` the planner may look through the whole table in order of `seq`.
FIRST = """
SELECT seq FROM message WHERE {those} AND order_key BETWEEN k.order_key AND k.order_key ORDER BY order_key, seq LIMIT 1
"""
_NEXT = f"""
WITH first AS MATERIALIZED (
    SELECT ({FIRST.format(those="waits")}) AS seq
    FROM unnest($1::bytea[]) AS k (order_key)
), free AS (
    SELECT m.seq FROM message AS m JOIN first ON first.seq = m.seq WHERE m.waits ORDER BY m.seq
    FOR NO KEY UPDATE OF m
), woken AS (
    UPDATE message AS m SET waits = false FROM free WHERE m.seq = free.seq RETURNING m.seq
)
SELECT count(first.seq) > (SELECT count(*) FROM woken) FROM first
"""  # noqa: S608 - our own words
_HOLD_BACK = f"""
WITH later AS MATERIALIZED (
    SELECT m.seq, m.order_key FROM message AS m
    WHERE m.id = ANY($1::text[]) AND m.state = 'pending' AND m.order_key IS NOT NULL
    ORDER BY m.seq FOR NO KEY UPDATE OF m SKIP LOCKED
), first AS MATERIALIZED (
    SELECT ({FIRST.format(those="holds")}) AS seq
    FROM (SELECT DISTINCT order_key FROM later) AS k
), older AS MATERIALIZED (
    SELECT m.seq, m.order_key FROM message AS m JOIN first ON first.seq = m.seq WHERE m.holds
    FOR KEY SHARE OF m SKIP LOCKED
)
UPDATE message AS m SET waits = true
FROM later JOIN older ON older.order_key = later.order_key AND older.seq < later.seq WHERE m.seq = later.seq
"""  # noqa: S608 - our own words
_LOST = """
WITH lost AS (
    SELECT m.seq FROM message AS m WHERE m.waits AND NOT EXISTS (
        SELECT 1 FROM message AS older
        WHERE older.holds AND older.order_key BETWEEN m.order_key AND m.order_key AND older.seq < m.seq)
    ORDER BY m.seq FOR NO KEY UPDATE OF m SKIP LOCKED
)
UPDATE message AS m SET waits = false FROM lost WHERE m.seq = lost.seq
"""


async def find_lost(connection: Connection) -> None:
    """Let go on whom an older gateway, still at work beside this one, kept waiting: it passes no turn on."""
    await connection.execute(_LOST)


async def pass_on(connection: Connection, order_keys: Iterable[bytes | None]) -> None:
    """Let the oldest that waits of each key go on, in the transaction in which one of that key ended."""
    keys = sorted({key for key in order_keys if key is not None})
    # As long as others end, at the same time, the very ones that would go on: they may not have seen the next.
    while keys and await connection.fetchval(_NEXT, keys):
        pass


async def hold_back(connection: Connection, ids: Iterable[str]) -> None:
    """Let those wait that became pending while an older one holds their key."""
    await connection.execute(_HOLD_BACK, list(ids))
