"""The queue's work inside one SQLite transaction: put, begin, claim, extend, settle; knows no threads."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, cast

from gateway.errors import IdempotencyMismatch
from gateway.ledger.keys import Keys
from gateway.ledger.rows import Packed, said
from gateway.ledger.sqlite_turns import pass_on
from gateway.ledger.transaction import Transaction
from gateway.ledger.verdicts import (
    INTERRUPTED,
    LONGEST_LEASE,
    LONGEST_WAIT,
    Change,
    bounded,
    change,
    holds,
    interrupted,
)
from gateway.message import MessageId, Outcome
from gateway.records import Settlement, State, Terms, Ticket

GRACE = 30.0
"""Seconds after a claim for which a lane counts as open; whoever delivers claims more often than that."""
BEAT = 1.0
"""Seconds after which a claim writes that the lane is open: more often would cost a commit each time."""
NEVER = "never"
PLAIN = """seq, id, lane, operation, client, state, direct, repeat, skip_buried, uncertain, token, leased_until, due,
    attempts, failures, interruptions, accepted_at, answer_by, near_at, answered_at, until_final, settled_at, stage,
    reason, text, size, order_key, body_hash, receipt, record"""
"""The columns of a message that are short; bodies and answers are read only where they are wanted."""
_PACKED = tuple(column.name for column in fields(Packed))

_INSERT = """
INSERT INTO message (id, lane, operation, client, state, direct, repeat, skip_buried, holds, waits, token, leased_until,
    due, expires, expires_at, accepted_at, answer_by, near_at, until_final, size, key_number, correlation_id,
    traceparent, order_key, subject, idempotency, body_hash, body, receipt, record)
VALUES (:id, :lane, :operation, :client, :state, :direct, :repeat, :skip_buried, :holds,
    :holds AND EXISTS (
        SELECT 1 FROM message INDEXED BY message_holds WHERE lane = :lane AND order_key = :order_key AND holds = 1),
    :token, :leased_until, :due,
    :expires, :expires_at, :accepted_at, :answer_by, :near_at, :until_final, :size, :key_number,
    :correlation_id, :traceparent, :order_key, :subject, :idempotency, :body_hash, :body,
    :receipt, :record)
ON CONFLICT DO NOTHING
"""

# SQLite knows nothing of how full an index is unless it is told, and then it guesses; so each query names its own.
_CLAIMABLE = """
SELECT * FROM message AS m INDEXED BY message_pending
WHERE lane = :lane AND state = 'pending' AND waits = 0 AND due <= :due
    AND (:operations IS NULL OR operation IN (SELECT value FROM json_each(:operations)))
    AND (order_key IS NULL OR NOT EXISTS (
            SELECT 1 FROM message AS older INDEXED BY message_holds
            WHERE older.lane = m.lane AND older.order_key = m.order_key AND older.holds = 1 AND older.seq < m.seq)
        AND order_key NOT IN (
            SELECT order_key FROM message INDEXED BY message_leased
            WHERE lane = :lane AND state = 'delivering' AND order_key IS NOT NULL))
ORDER BY due, seq LIMIT :limit
"""

# What is due later than anything can be was put or postponed while the clock was wrong.
_SET_RIGHT = """
UPDATE message INDEXED BY message_pending SET due = :now
WHERE lane = :lane AND state = 'pending' AND waits = 0 AND due > :latest
"""

_SETTLE = """
UPDATE message SET state = :state, reason = :reason, text = :text, answer = :answer, native = :native, due = :due,
    uncertain = coalesce(:uncertain, uncertain), attempts = :attempts, failures = :failures, settled_at = :settled_at,
    interruptions = 0,
    token = token + 1, leased_until = NULL, holds = :holds, waits = 0, key_number = min(key_number, :key_number),
    idempotency = CASE WHEN :frees THEN NULL ELSE idempotency END,
    answered_at = CASE WHEN answer_by IS NOT NULL AND :answers THEN coalesce(answered_at, :now) ELSE answered_at END,
    ask_at = CASE WHEN answer_by IS NOT NULL AND answered_at IS NULL AND :follows THEN :now END
WHERE seq = :seq
"""

_INTERRUPT = """
UPDATE message SET state = :state, reason = :reason, text = :text, attempts = :attempts, uncertain = 1,
    leased_until = NULL, due = :due, token = token + :shut_out, failures = failures + :shut_out,
    interruptions = interruptions + :shut_out, holds = :holds
WHERE seq = :seq
"""


@dataclass(slots=True)
class Told:
    """What others should hear of after the commit."""

    messages: list[str] = field(default_factory=list)
    lanes: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A message that was put, or was there before."""

    id: str
    state: str
    accepted_at: float
    token: int | None
    fresh: bool


def put(tx: Transaction, packed: Iterable[Packed]) -> list[Found]:
    """Insert what is not there yet; raises IdempotencyMismatch."""
    waiting = {"state": State.PENDING, "direct": False, "holds": True, "token": 0, "leased_until": None}
    return [_insert(tx, one, waiting) for one in packed]


def begin(tx: Transaction, packed: Packed, lease: float) -> Found:
    """Insert a direct write's intent; the same message in flight is the same intent; raises IdempotencyMismatch."""
    sent = {"state": State.DELIVERING, "direct": True, "holds": False, "token": 1, "leased_until": until(tx, lease)}
    return _insert(tx, packed, sent)


def _insert(tx: Transaction, packed: Packed, start: dict[str, Any]) -> Found:
    opened = open_reading(tx, packed.lane)
    accepted = packed.accepted_at.timestamp()
    columns = (
        {name: getattr(packed, name) for name in _PACKED}
        | start
        | {
            "due": tx.now,
            "accepted_at": accepted,
            "answer_by": packed.answer_by.timestamp() if packed.answer_by is not None else None,
            "near_at": packed.near_at.timestamp() if packed.near_at is not None else None,
            "expires_at": opened + packed.expires if packed.expires is not None else None,
        }
    )
    if tx.db.execute(_INSERT, columns).rowcount:
        return Found(id=packed.id, state=start["state"], accepted_at=accepted, token=start["token"], fresh=True)
    row = _there_before(tx, packed)
    same = start["direct"] and row["direct"] and row["id"] == packed.id and row["state"] == State.DELIVERING
    return Found(
        id=row["id"],
        state=row["state"],
        accepted_at=row["accepted_at"],
        token=row["token"] if same else None,
        fresh=bool(same),
    )


def find(db: sqlite3.Connection, packed: Packed) -> Found | None:
    """Return what was put before; raises IdempotencyMismatch."""
    row = _there(db, packed)
    if row is None:
        return None
    return Found(id=row["id"], state=row["state"], accepted_at=row["accepted_at"], token=None, fresh=False)


def _there(db: sqlite3.Connection, packed: Packed) -> sqlite3.Row | None:
    query = f"SELECT {PLAIN} FROM message WHERE"  # noqa: S608 - our own words
    row: sqlite3.Row | None = db.execute(f"{query} id = ?", (packed.id,)).fetchone()
    if row is None:
        row = db.execute(f"{query} idempotency = ?", (packed.idempotency,)).fetchone()
        if row is not None and row["body_hash"] != packed.body_hash:
            raise IdempotencyMismatch(f"{packed.operation}: this Idempotency-Key came with another body before")
    return row


def _there_before(tx: Transaction, packed: Packed) -> sqlite3.Row:
    row = cast("sqlite3.Row", _there(tx.db, packed))  # something was in the way of inserting it
    if row["state"] == State.DELIVERING and not lives(tx, row["leased_until"]):
        _take_up(tx, [row], Told())
        row = cast("sqlite3.Row", _there(tx.db, packed))
    return row


def lives(tx: Transaction, until: float) -> bool:
    """Tell whether a lease holds: what ends later than any can is of a time when the clock was wrong."""
    return tx.now < until <= tx.now + LONGEST_LEASE


def _one(db: sqlite3.Connection, query: str, value: object) -> sqlite3.Row:
    row: sqlite3.Row = db.execute(query, (value,)).fetchone()
    return row


def open_reading(tx: Transaction, lane: str) -> float:
    """Return a lane's clock of open time; the lane is known from then on."""
    row = tx.db.execute("SELECT open_seconds, open_since, beat_at FROM lane WHERE name = ?", (lane,)).fetchone()
    if row is None:
        tx.db.execute("INSERT INTO lane (name) VALUES (?)", (lane,))
        return 0.0
    return reading(row, tx.now)


def reading(row: sqlite3.Row, now: float) -> float:
    """Return what a lane's row says of its open time; up to its last beat also once the clock was set back."""
    if row["open_since"] is None:
        return float(row["open_seconds"])
    until = min(max(now, row["beat_at"]), row["beat_at"] + GRACE)
    return float(row["open_seconds"] + max(0.0, until - row["open_since"]))


def beat(tx: Transaction, lane: str) -> float:
    """Say that the lane is open now; returns its clock of open time."""
    so_far = open_reading(tx, lane)
    row = _one(tx.db, "SELECT open_since, beat_at FROM lane WHERE name = ?", lane)
    if row["open_since"] is None or not 0.0 <= tx.now - row["beat_at"] <= GRACE:
        query = "UPDATE lane SET open_seconds = ?, open_since = ?, beat_at = ? WHERE name = ?"
        tx.db.execute(query, (so_far, tx.now, tx.now, lane))
    elif tx.now - row["beat_at"] >= BEAT:
        tx.db.execute("UPDATE lane SET beat_at = ? WHERE name = ?", (tx.now, lane))
    return so_far


def shut(tx: Transaction, lane: str) -> None:
    """Stop the lane's clock of open time."""
    so_far = open_reading(tx, lane)
    tx.db.execute("UPDATE lane SET open_seconds = ?, open_since = NULL WHERE name = ?", (so_far, lane))


def claim(tx: Transaction, lane: str, limit: int, lease: float, terms: Terms) -> tuple[list[sqlite3.Row], Told]:
    """Take what is due; returns the rows as they were but for their new token, and whom to tell."""
    told = Told()
    if tx.db.execute("SELECT 1 FROM pause WHERE lane = ? AND (until IS NULL OR until > ?)", (lane, tx.now)).fetchone():
        return [], told
    take_up(tx, told, lane)
    tx.db.execute(_SET_RIGHT, {"lane": lane, "now": tx.now, "latest": tx.now + LONGEST_WAIT})
    if not terms.probe:
        told.messages += _expire(tx, lane, beat(tx, lane))
    limit = _bounded(tx.db, lane, limit, terms.most)
    if limit <= 0:
        return [], told
    wanted = {
        "lane": lane,
        "due": float("inf") if terms.probe else tx.now,
        "limit": limit,
        "operations": None if terms.operations is None else json.dumps(list(terms.operations)),
    }
    rows = tx.db.execute(_CLAIMABLE, wanted).fetchall()
    if len(rows) < terms.least and min((row["accepted_at"] for row in rows), default=tx.now) > tx.now - terms.patience:
        return [], told
    query = "UPDATE message SET state = 'delivering', token = token + 1, leased_until = ? WHERE seq = ?"
    tx.db.executemany(query, [(until(tx, lease), row["seq"]) for row in rows])
    return rows, told


def _bounded(db: sqlite3.Connection, lane: str, limit: int, most: int | None) -> int:
    if most is None:
        return limit
    query = """
        SELECT count(*) AS n FROM message INDEXED BY message_leased
        WHERE lane = ? AND state = 'delivering' AND NOT direct"""
    return min(limit, most - int(_one(db, query, lane)["n"]))


def take_up(tx: Transaction, told: Told, lane: str | None = None) -> int:
    """End the leases that are over, of one lane or of all; returns how many there were."""
    lanes = "lane = :lane" if lane is not None else "lane IN (SELECT name FROM lane)"
    query = f"""
        SELECT {PLAIN} FROM message INDEXED BY message_leased
        WHERE state = 'delivering' AND (leased_until <= :now OR leased_until > :latest)
            AND {lanes}"""  # noqa: S608 - our own words
    rows = tx.db.execute(query, {"now": tx.now, "latest": tx.now + LONGEST_LEASE, "lane": lane}).fetchall()
    _take_up(tx, rows, told)
    return len(rows)


def _take_up(tx: Transaction, rows: Iterable[sqlite3.Row], told: Told) -> None:
    for row in rows:
        number = row["attempts"] + 1
        _note(tx.db, row["seq"], number, (row["leased_until"], None, Outcome.UNKNOWN, None, INTERRUPTED))
        ends = row["direct"] or row["repeat"] == NEVER
        state, after = (State.UNKNOWN, 0.0) if ends else interrupted(row["id"], row["interruptions"] + 1)
        values = {
            "seq": row["seq"],
            "state": state,
            "reason": "poison" if state is State.BURIED else "interrupted",
            "text": INTERRUPTED,
            "attempts": number,
            "due": tx.now + after,
            # The owner of what is unknown now may still come and say how it ended; from others it must be shut out.
            "shut_out": not ends,
            "holds": not row["direct"] and holds(state, skip_buried=bool(row["skip_buried"])),
        }
        tx.db.execute(_INTERRUPT, values)
        if not values["holds"]:
            pass_on(tx, row["lane"], row["order_key"])
        told.lanes.add(row["lane"])
        if state is not State.PENDING:
            told.messages.append(row["id"])


def _expire(tx: Transaction, lane: str, so_far: float) -> list[str]:
    query = """
        UPDATE message INDEXED BY message_expires SET reason = 'expired', token = token + 1, waits = 0,
            state = CASE WHEN uncertain THEN 'unknown' ELSE 'expired' END,
            settled_at = CASE WHEN uncertain THEN NULL ELSE :now END,
            holds = CASE WHEN uncertain AND NOT skip_buried THEN 1 ELSE 0 END
        WHERE lane = :lane AND state = 'pending' AND expires_at IS NOT NULL AND expires_at <= :so_far
        RETURNING id, CASE WHEN holds = 0 THEN order_key END AS free"""
    rows = tx.db.execute(query, {"now": tx.now, "lane": lane, "so_far": so_far}).fetchall()
    for order_key in {row["free"] for row in rows}:
        pass_on(tx, lane, order_key)
    return [row["id"] for row in rows]


def extend(tx: Transaction, tickets: Iterable[Ticket], lease: float) -> frozenset[MessageId]:
    """Prolong the leases that these tickets hold."""
    query = "UPDATE message SET leased_until = ? WHERE id = ? AND token = ? AND state = 'delivering'"
    return frozenset(
        ticket.id for ticket in tickets if tx.db.execute(query, (until(tx, lease), ticket.id, ticket.token)).rowcount
    )


def until(tx: Transaction, lease: float) -> float:
    """Return when a lease that begins now ends."""
    return tx.now + bounded(lease, LONGEST_LEASE)


def settle(tx: Transaction, settlements: Iterable[Settlement], keys: Keys) -> tuple[tuple[bool, ...], Told]:
    """Settle what the tickets are good for; returns which were, and whom to tell."""
    told = Told()
    return tuple(_settle(tx, one, keys, told) for one in settlements), told


def _settle(tx: Transaction, settlement: Settlement, keys: Keys, told: Told) -> bool:
    ticket = settlement.ticket
    query = f"SELECT {PLAIN} FROM message WHERE id = ? AND token = ? AND state IN ('delivering', 'unknown')"  # noqa: S608 - our own words
    row = tx.db.execute(query, (ticket.id, ticket.token)).fetchone()
    if row is None:
        return False
    changed = change(
        settlement.verdict,
        direct=bool(row["direct"]),
        never=row["repeat"] == NEVER,
        uncertain=bool(row["uncertain"]),
    )
    attempts, failures = row["attempts"], row["failures"]
    if (tried := settlement.tried) is not None:
        attempts += row["state"] != State.UNKNOWN  # taken up, its attempt is there already, as one that was interrupted
        failures += changed.state is State.PENDING
        seen = (tried.at.timestamp(), tried.seconds, tried.outcome, tried.status, said(tried.error))
        _note(tx.db, row["seq"], attempts, seen)
    apply(tx, row, changed, keys, attempts=attempts, failures=failures)
    told.lanes.add(row["lane"])
    if changed.state is not State.PENDING:
        told.messages.append(ticket.id)
    return True


def apply(tx: Transaction, row: sqlite3.Row, changed: Change, keys: Keys, **others: object) -> None:
    """Write a change into its row, and other columns so; its ticket is worthless from then on."""
    message = MessageId(row["id"])
    values = {
        "seq": row["seq"],
        "state": changed.state,
        "reason": changed.reason,
        "text": changed.text,
        "answer": changed.sealed_answer(keys, message),
        "native": changed.sealed_native(keys, message),
        "due": tx.now + changed.after,
        "uncertain": changed.uncertain,
        "attempts": row["attempts"],
        "failures": row["failures"],
        "settled_at": tx.now if changed.final else None,
        "holds": not row["direct"] and holds(changed.state, skip_buried=bool(row["skip_buried"])),
        "key_number": keys.current,
        "frees": changed.frees_idempotency,
        "now": tx.now,
        "answers": changed.answers(until_final=bool(row["until_final"])),
        "follows": changed.state is State.DELIVERED and row["until_final"],
    }
    tx.db.execute(_SETTLE, values | others)
    if not values["holds"]:
        pass_on(tx, row["lane"], row["order_key"])


def _note(
    db: sqlite3.Connection, seq: int, number: int, seen: tuple[float, float | None, str, int | None, str]
) -> None:
    db.execute("INSERT OR REPLACE INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, number, *seen))
