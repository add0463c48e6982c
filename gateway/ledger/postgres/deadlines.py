"""Clocks towards an answer's date: whom to ask about next, and stopping one; knows no queue."""

from collections.abc import Collection

from gateway.ledger.postgres.store import Connection
from gateway.ledger.rows import Row
from gateway.message import MessageId, OperationId

_NEXT = """
WITH next AS (
    SELECT seq FROM message
    WHERE lane = $1 AND ask_at <= (SELECT ledger_now()) AND operation = ANY($2::text[])
    ORDER BY ask_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE message AS m SET ask_at = (SELECT ledger_now()) + make_interval(secs => $3)
FROM next JOIN sealed AS s ON s.seq = next.seq AND s.field = 'body' WHERE m.seq = next.seq RETURNING m.*, s.data AS body
"""
_STOP = """
WITH stopped AS (
    UPDATE message SET answered_at = (SELECT ledger_now()), ask_at = NULL
    WHERE id = $1 AND answer_by IS NOT NULL AND answered_at IS NULL RETURNING seq, answered_at
)
INSERT INTO deed (seq, at, by, act) SELECT seq, answered_at, $2, 'answered' FROM stopped RETURNING seq
"""


async def to_ask(connection: Connection, lane: str, operations: Collection[OperationId], again: float) -> Row | None:
    """Take the message that waits longest to be asked about."""
    row: Row | None = await connection.fetchrow(_NEXT, lane, list(operations), again)
    return row


async def answered(connection: Connection, message: MessageId, by: str) -> bool:
    """Stop a message's clock; returns whether it ran."""
    return await connection.fetchval(_STOP, message, by) is not None
