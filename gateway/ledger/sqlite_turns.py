"""Whose turn it is of an order key, inside one SQLite transaction: those that wait are out of a claim's sight.

`waits` may be 0 where an older one holds the key, and a claim looks itself; it must not be 1 where none does.
"""

from gateway.ledger.transaction import Transaction

_NEXT = """
UPDATE message AS m SET waits = 0
WHERE seq = (
        SELECT seq FROM message INDEXED BY message_waits
        WHERE lane = :lane AND order_key = :order_key AND waits = 1 ORDER BY seq LIMIT 1)
    AND NOT EXISTS (
        SELECT 1 FROM message AS older INDEXED BY message_holds
        WHERE older.lane = m.lane AND older.order_key = m.order_key AND older.holds = 1 AND older.seq < m.seq)
"""
_HOLD_BACK = """
UPDATE message AS m SET waits = EXISTS (
    SELECT 1 FROM message AS older INDEXED BY message_holds
    WHERE older.lane = m.lane AND older.order_key = m.order_key AND older.holds = 1 AND older.seq < m.seq)
WHERE id = :id AND state = 'pending' AND order_key IS NOT NULL
"""
_LOST = """
UPDATE message AS m INDEXED BY message_waits SET waits = 0
WHERE waits = 1 AND NOT EXISTS (
    SELECT 1 FROM message AS older INDEXED BY message_holds
    WHERE older.lane = m.lane AND older.order_key = m.order_key AND older.holds = 1 AND older.seq < m.seq)
"""


def find_lost(tx: Transaction) -> None:
    """Let go on whom an older gateway, still at work beside this one, kept waiting: it passes no turn on."""
    tx.db.execute(_LOST)


def pass_on(tx: Transaction, lane: str, order_key: bytes | None) -> None:
    """Let the oldest that waits go on, if that which ended was the last before it; the others have it before them."""
    if order_key is not None:
        tx.db.execute(_NEXT, {"lane": lane, "order_key": order_key})


def hold_back(tx: Transaction, message: str) -> None:
    """Let a message that is pending again wait if an older one holds its key."""
    tx.db.execute(_HOLD_BACK, {"id": message})
