"""What has to be done from time to time, inside one SQLite transaction: retention, named leases, resealing."""

import sqlite3

from gateway.ledger.keys import Keys
from gateway.ledger.resealing import resealer
from gateway.ledger.sqlite_queue import lives, until
from gateway.ledger.transaction import Transaction
from gateway.message import MessageId
from gateway.records import Retention, Shed

KEY_NUMBER, KEY_CHECK = "encryption key", "key check"
_SEALED = ("body", "answer", "native")


def shed(tx: Transaction, lane: str, retention: Retention, limit: int) -> Shed:
    """Take one batch: idempotency keys first, then bodies, then whole messages."""
    old = """
        SELECT seq FROM message INDEXED BY message_retention
        WHERE lane = ? AND stage = ? AND settled_at <= ? AND ask_at IS NULL ORDER BY settled_at LIMIT ?"""

    def batch(stage: int, seconds: float) -> list[tuple[int]]:
        return [(row["seq"],) for row in tx.db.execute(old, (lane, stage, tx.now - seconds, limit))]

    if rows := batch(2, retention.metadata):
        for table, column in (("attempt", "message"), ("deed", "message"), ("message", "seq")):
            tx.db.executemany(f"DELETE FROM {table} WHERE {column} = ?", rows)  # noqa: S608 - our own names
        return Shed(rows=len(rows))
    if rows := batch(1, max(retention.bodies, retention.keys)):
        query = "UPDATE message SET stage = 2, body = NULL, answer = NULL, native = NULL WHERE seq = ?"
        tx.db.executemany(query, rows)
        tx.db.executemany("UPDATE deed SET detail = NULL WHERE message = ?", rows)
        return Shed(bodies=len(rows))
    if rows := batch(0, retention.keys):
        tx.db.executemany("UPDATE message SET stage = 1, idempotency = NULL WHERE seq = ?", rows)
    return Shed(keys=len(rows))


def hold(tx: Transaction, name: str, by: str, seconds: float) -> int | None:
    """Take or renew a named lease; None while another has it."""
    row = tx.db.execute("SELECT * FROM lease WHERE name = ?", (name,)).fetchone()
    lasts = row is not None and lives(tx, row["until"])
    if lasts and row["by"] != by:
        return None
    token = (0 if row is None else int(row["token"])) + (not lasts)
    tx.db.execute("INSERT OR REPLACE INTO lease VALUES (?, ?, ?, ?)", (name, by, token, until(tx, seconds)))
    return token


def setting(db: sqlite3.Connection, name: str) -> str | None:
    """Return what the ledger keeps under a name."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row["value"])


def keep(db: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a value under a name."""
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))


def to_reseal(db: sqlite3.Connection, number: int) -> int:
    """Return how many messages hold something sealed with an older key."""
    return int(db.execute("SELECT count(*) AS n FROM message WHERE key_number < ?", (number,)).fetchone()["n"])


def reseal(db: sqlite3.Connection, keys: Keys, after: int, limit: int) -> tuple[int, int]:
    """Seal one batch again with the current key; returns how many, and the place to go on from."""
    query = "SELECT * FROM message WHERE key_number < ? AND seq > ? ORDER BY seq LIMIT ?"
    rows = db.execute(query, (keys.current, after, limit)).fetchall()
    update = "UPDATE message SET body = ?, answer = ?, native = ?, key_number = ? WHERE seq = ?"
    for row in rows:
        again = resealer(keys, MessageId(row["id"]))
        db.execute(update, (*(again(name, row[name]) for name in _SEALED), keys.current, row["seq"]))
        for deed in db.execute("SELECT seq, detail FROM deed WHERE message = ?", (row["seq"],)).fetchall():
            db.execute("UPDATE deed SET detail = ? WHERE seq = ?", (again("deed", deed["detail"]), deed["seq"]))
    return len(rows), rows[-1]["seq"] if rows else after
