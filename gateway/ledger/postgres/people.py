"""What people change: pauses, replay, resolve, cancel, edit; knows no claims."""

from collections.abc import Sequence
from datetime import datetime

from gateway.ledger.keys import Keys, Unreadable
from gateway.ledger.postgres.settling import write_change
from gateway.ledger.postgres.store import Connection
from gateway.ledger.postgres.taking import Told, shut
from gateway.ledger.postgres.turns import hold_back
from gateway.ledger.rows import Row, decode, difference, encode, seal_deed
from gateway.ledger.verdicts import Change, change
from gateway.message import Document, MessageId
from gateway.records import BY_GATEWAY, Delivered, Refused, State

Deed = tuple[str, str, bytes | None]
"""Who, what, and its sealed detail."""
_PAUSE = """
INSERT INTO pause VALUES ($1, $2, $3, (SELECT ledger_now()), $4)
ON CONFLICT (lane, reason) DO UPDATE SET by = excluded.by, since = excluded.since, until = excluded.until
WHERE excluded.by <> $5 OR pause.by = $5 OR pause.until <= excluded.since
"""
_RESUME = """
DELETE FROM pause WHERE lane = $1 AND reason = coalesce($2, reason) AND ($3 <> $4 OR by = $4)
RETURNING until IS NULL OR until > (SELECT ledger_now()) AS held
"""
_LOCK = "SELECT * FROM message WHERE id = $1 FOR UPDATE"
_REPLAY = """
WITH again AS (
    SELECT m.seq, m.lane FROM message AS m
    WHERE m.id = ANY($1::text[]) AND m.stage < 2 AND m.state = ANY($2::text[])
        AND ($4 OR NOT m.uncertain OR m.repeat = 'harmless')
    ORDER BY m.seq FOR UPDATE
), deeds AS (
    INSERT INTO deed (seq, at, by, act, detail) SELECT seq, (SELECT ledger_now()), $3, $5::text, $6::bytea FROM again
), answers AS (
    DELETE FROM sealed AS s USING again WHERE s.seq = again.seq AND s.field <> 'body'
)
UPDATE message AS m SET state = 'pending', direct = false, holds = true, token = NULL, due = t.now, failures = 0,
    interruptions = 0,
    expires_at = m.expires + coalesce(ledger_reading(l.open_seconds, l.open_since, l.beat_at, t.now), 0),
    settled_at = NULL, stage = 0, reason = '', text = '', answered_at = NULL, ask_at = NULL
FROM again LEFT JOIN lane AS l ON l.name = again.lane CROSS JOIN (SELECT ledger_now() AS now) AS t
WHERE m.seq = again.seq RETURNING m.id, m.lane
"""
_REPLAYABLE = (State.BURIED, State.EXPIRED, State.REFUSED)
_IN_DOUBT = (State.UNKNOWN, State.HANDED_OVER)
"""Of which a person may find out what became of it."""
_DEED = "INSERT INTO deed (seq, at, by, act, detail) VALUES ($1, (SELECT ledger_now()), $2, $3, $4)"
_LOOK = """
INSERT INTO deed (seq, at, by, act) SELECT seq, (SELECT ledger_now()), $2, 'unmask' FROM message WHERE id = $1
"""
_BODY = "SELECT data FROM sealed WHERE seq = $1 AND field = 'body'"
_EDIT = """
WITH body AS (UPDATE sealed SET data = $2 WHERE seq = $1 AND field = 'body')
UPDATE message SET size = $3, key_number = least(key_number, $4) WHERE seq = $1
"""


async def pause(connection: Connection, lane: str, reason: str, by: str, until: datetime | None) -> None:
    """Close a lane for one reason; a person's pause that holds is not the gateway's to replace."""
    await shut(connection, lane)
    await connection.execute(_PAUSE, lane, reason, by, until, BY_GATEWAY)


async def resume(connection: Connection, lane: str, reason: str | None, by: str) -> bool:
    """End a lane's pauses, the gateway only its own; returns whether one of them still held."""
    return any(row["held"] for row in await connection.fetch(_RESUME, lane, reason, by, BY_GATEWAY))


async def look(connection: Connection, message: MessageId, by: str) -> None:
    """Record that somebody saw a message unmasked."""
    await connection.execute(_LOOK, message, by)


async def replay(
    connection: Connection, ids: Sequence[MessageId], by: str, *, unknown: bool
) -> tuple[tuple[MessageId, ...], Told]:
    """Make messages pending again; returns those it could, and whom to tell."""
    states = [*_REPLAYABLE, *(_IN_DOUBT if unknown else ())]
    rows = await _again(connection, ids, states, (by, "replay", None), sure=unknown)
    done = {row["id"] for row in rows}
    return tuple(one for one in dict.fromkeys(ids) if one in done), Told(lanes={row["lane"] for row in rows})


async def _again(
    connection: Connection, ids: Sequence[MessageId], states: Sequence[State], deed: Deed, *, sure: bool
) -> Sequence[Row]:
    """Make those pending that are in these states, if `sure` those too that may have been done; returns their rows."""
    by, act, detail = deed
    values = [state.value for state in states]
    rows: Sequence[Row] = await connection.fetch(_REPLAY, list(ids), values, by, sure, act, detail)
    await hold_back(connection, [row["id"] for row in rows])
    return rows


async def resolve(
    connection: Connection, keys: Keys, message: MessageId, verdict: Delivered | Refused, by: str
) -> Told | None:
    """Say how a message ended of which nobody knows that; None when it is known."""
    row: Row | None = await connection.fetchrow(_LOCK, message)
    if row is None or row["state"] not in _IN_DOUBT:
        return None
    changed = change(verdict, direct=row["direct"], never=False)
    return await _changed(connection, keys, row, changed, (by, "resolve"))


async def cancel(connection: Connection, keys: Keys, message: MessageId, by: str) -> Told | None:
    """Give up a message that is not in flight; None when it is not pending or buried."""
    row: Row | None = await connection.fetchrow(_LOCK, message)
    if row is None or row["state"] not in {State.PENDING, State.BURIED}:
        return None
    state = State.UNKNOWN if row["uncertain"] else State.CANCELLED
    return await _changed(connection, keys, row, Change(state=state, reason="cancelled"), (by, "cancel"))


async def edit(  # noqa: PLR0913 # one call's arguments, its connection and its keys
    connection: Connection, keys: Keys, message: MessageId, body: Document, by: str, *, sure: bool
) -> Told | None:
    """Replace a buried message's body and make it pending; None when it is not buried, or kept without its body."""
    row: Row | None = await connection.fetchrow(_LOCK, message)
    if row is None or (sealed := await connection.fetchval(_BODY, row["seq"])) is None:
        return None
    try:
        before = keys.unseal(message, "body", sealed)
        detail: Document | None = difference(decode(before), body)
    except Unreadable:
        detail = None
    deed = (by, "edit", seal_deed(keys, message, detail))
    if not await _again(connection, [message], [State.BURIED], deed, sure=sure):
        return None
    data = encode(body)
    await connection.execute(_EDIT, row["seq"], keys.seal(message, "body", data), len(data), keys.current)
    return Told(lanes={row["lane"]})


async def _changed(connection: Connection, keys: Keys, row: Row, changed: Change, deed: tuple[str, str]) -> Told:
    await write_change(connection, keys, row, changed)
    await connection.execute(_DEED, row["seq"], *deed, None)
    return Told(messages=[row["id"]], lanes={row["lane"]})
