"""Clocks towards an answer's date, inside one SQLite transaction: whom to ask about next, and stopping one."""

import json
import sqlite3
from collections.abc import Collection

from gateway.ledger.transaction import Transaction
from gateway.message import MessageId, OperationId

_NEXT = """
SELECT * FROM message INDEXED BY message_ask
WHERE lane = :lane AND ask_at IS NOT NULL AND ask_at <= :now AND operation IN (SELECT value FROM json_each(:operations))
ORDER BY ask_at LIMIT 1
"""
_STOP = """
UPDATE message SET answered_at = :now, ask_at = NULL
WHERE id = :id AND answer_by IS NOT NULL AND answered_at IS NULL RETURNING seq
"""
_DEED = "INSERT INTO deed (message, at, by, act) VALUES (?, ?, ?, 'answered')"


def to_ask(tx: Transaction, lane: str, operations: Collection[OperationId], again: float) -> sqlite3.Row | None:
    """Take the message that waits longest to be asked about."""
    wanted = {"lane": lane, "now": tx.now, "operations": json.dumps(list(operations))}
    row: sqlite3.Row | None = tx.db.execute(_NEXT, wanted).fetchone()
    if row is not None:
        tx.db.execute("UPDATE message SET ask_at = ? WHERE seq = ?", (tx.now + again, row["seq"]))
    return row


def answered(tx: Transaction, message: MessageId, by: str) -> bool:
    """Stop a message's clock; returns whether it ran."""
    stopped = tx.db.execute(_STOP, {"now": tx.now, "id": message}).fetchall()
    tx.db.executemany(_DEED, [(row["seq"], tx.now, by) for row in stopped])
    return bool(stopped)
