"""What has to be done from time to time: retention, named leases, sealing again; knows no queue."""

from typing import Literal

from gateway.ledger.keys import Keys
from gateway.ledger.postgres.prepare import put_setting, setting
from gateway.ledger.postgres.store import Connection
from gateway.ledger.resealing import resealer
from gateway.ledger.verdicts import LONGEST_LEASE, bounded
from gateway.message import MessageId
from gateway.records import Retention, Shed

_OLD = """
SELECT seq FROM message
WHERE lane = $1 AND stage = $2 AND ask_at IS NULL AND settled_at <= (SELECT ledger_now()) - make_interval(secs => $3)
ORDER BY settled_at LIMIT $4 FOR UPDATE SKIP LOCKED
"""
_ROWS = """
WITH old AS (SELECT unnest($1::bigint[]) AS seq),
    attempts AS (DELETE FROM attempt AS a USING old WHERE a.seq = old.seq),
    deeds AS (DELETE FROM deed AS d USING old WHERE d.seq = old.seq),
    bodies AS (DELETE FROM sealed AS s USING old WHERE s.seq = old.seq)
DELETE FROM message AS m USING old WHERE m.seq = old.seq
"""
_BODIES = """
WITH old AS (SELECT unnest($1::bigint[]) AS seq),
    deeds AS (UPDATE deed AS d SET detail = NULL FROM old WHERE d.seq = old.seq AND d.detail IS NOT NULL),
    bodies AS (DELETE FROM sealed AS s USING old WHERE s.seq = old.seq)
UPDATE message AS m SET stage = 2 FROM old WHERE m.seq = old.seq
"""
_KEYS = "UPDATE message SET stage = 1, idempotency = NULL WHERE seq = ANY($1::bigint[])"
_HOLD = """
INSERT INTO hold AS h SELECT $1, $2, nextval('ticket'), t.now + make_interval(secs => $3)
    FROM (SELECT ledger_now() AS now) AS t
ON CONFLICT (name) DO UPDATE SET by = excluded.by, until = excluded.until,
    token = CASE WHEN ledger_lives(h.until, (SELECT ledger_now())) THEN h.token ELSE excluded.token END
    WHERE h.by = excluded.by OR NOT ledger_lives(h.until, (SELECT ledger_now()))
RETURNING token
"""
_REPLICA = "replica "
"""What a replica's lease is called, before its own name."""
_GONE = f"""
DELETE FROM hold WHERE name IN (
    SELECT name FROM hold WHERE starts_with(name, '{_REPLICA}') AND NOT ledger_lives(until, (SELECT ledger_now()))
    FOR UPDATE SKIP LOCKED)
"""  # noqa: S608 - our own word
_LIVING = f"""
SELECT count(*) FROM hold WHERE starts_with(name, '{_REPLICA}') AND ledger_lives(until, (SELECT ledger_now()))
"""  # noqa: S608 - our own word
_OLDER = "SELECT seq, id FROM message WHERE key_number < $1 AND seq > $2 ORDER BY seq LIMIT $3 FOR UPDATE"
_RENEWED = "UPDATE message SET key_number = $2 WHERE seq = ANY($1::bigint[])"
_SEALED = "SELECT seq, field, data FROM sealed WHERE seq = ANY($1::bigint[])"
_DEEDS = "SELECT seq, number, detail FROM deed WHERE seq = ANY($1::bigint[]) AND detail IS NOT NULL"


async def shed(connection: Connection, lane: str, retention: Retention, limit: int) -> Shed:
    """Take one batch, inside a transaction: whole messages, else bodies, else idempotency keys."""

    async def old(stage: Literal[0, 1, 2], seconds: float) -> list[int]:
        return [row["seq"] for row in await connection.fetch(_OLD, lane, stage, seconds, limit)]

    if rows := await old(2, retention.metadata):
        await connection.execute(_ROWS, rows)
        return Shed(rows=len(rows))
    if rows := await old(1, max(retention.bodies, retention.keys)):
        await connection.execute(_BODIES, rows)
        return Shed(bodies=len(rows))
    if rows := await old(0, retention.keys):
        await connection.execute(_KEYS, rows)
    return Shed(keys=len(rows))


async def hold(connection: Connection, name: str, by: str, seconds: float) -> int | None:
    """Take or renew a named lease; None while another has it."""
    token: int | None = await connection.fetchval(_HOLD, name, by, bounded(seconds, LONGEST_LEASE))
    return token


async def replicas(connection: Connection, me: str, seconds: float) -> tuple[int | None, int]:
    """Take, renew or end a replica's lease, forget those that ended, and count the rest; returns its token as well."""
    token = await hold(connection, f"{_REPLICA}{me}", me, seconds)
    await connection.execute(_GONE)
    count: int = await connection.fetchval(_LIVING)
    return token, count


async def renew_key(connection: Connection, keys: Keys) -> int:
    """Count the encryption key up, inside a transaction; returns the new number."""
    await connection.execute("LOCK TABLE setting IN SHARE ROW EXCLUSIVE MODE")
    number = int(await setting(connection, "key-number") or keys.current) + 1
    await put_setting(connection, "key-number", str(number))
    return number


async def to_reseal(connection: Connection, number: int) -> int:
    """Return how many messages hold something sealed with an older key."""
    count: int = await connection.fetchval("SELECT count(*) FROM message WHERE key_number < $1", number)
    return count


async def reseal(connection: Connection, keys: Keys, after: int, limit: int) -> tuple[int, int]:
    """Seal one batch again, inside a transaction; returns how many, and the place to go on from."""
    rows = await connection.fetch(_OLDER, keys.current, after, limit)
    again = {row["seq"]: resealer(keys, MessageId(row["id"])) for row in rows}
    sealed = [
        (row["seq"], row["field"], again[row["seq"]](row["field"], row["data"]))
        for row in await connection.fetch(_SEALED, list(again))
    ]
    deeds = [
        (row["number"], again[row["seq"]]("deed", row["detail"])) for row in await connection.fetch(_DEEDS, list(again))
    ]
    await connection.executemany("UPDATE sealed SET data = $3 WHERE seq = $1 AND field = $2", sealed)
    await connection.executemany("UPDATE deed SET detail = $2 WHERE number = $1", deeds)
    await connection.execute(_RENEWED, list(again), keys.current)
    return len(rows), rows[-1]["seq"] if rows else after
