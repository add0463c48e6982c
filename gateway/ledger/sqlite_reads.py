"""What is read inside one SQLite transaction: a record, a search, how the lanes stand; knows no threads and no keys."""

import base64
import heapq
import json
import sqlite3
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, NamedTuple

import msgspec

from gateway.errors import FieldError, InvalidRequest
from gateway.ledger.rows import LATELY
from gateway.ledger.sqlite_queue import PLAIN, reading
from gateway.ledger.transaction import Transaction
from gateway.message import OperationId
from gateway.records import Filter, State, Terms

_HELD_BY = """
SELECT id FROM message INDEXED BY message_holds
WHERE lane = :lane AND order_key = :order_key AND holds = 1 AND seq < :seq ORDER BY seq LIMIT 1
"""
_COUNTED = "('pending', 'delivering', 'handed-over', 'unknown', 'buried', 'expired')"
_DEPTH = f"""
SELECT lane, state, count(*) AS n, min(accepted_at) AS oldest FROM message INDEXED BY message_state
WHERE state <> 'delivered' AND state IN {_COUNTED} GROUP BY lane, state
"""  # noqa: S608 - the states are written above
# All that hold a key but its first are pending and wait; only a replay puts one before others that are not pending.
_HELD = """
SELECT lane, sum(n - 1) - (
    SELECT count(*) FROM message AS m INDEXED BY message_state
    WHERE m.lane = many.lane AND m.state <> 'delivered' AND m.state IN ('delivering', 'unknown', 'buried')
        AND m.holds = 1 AND m.order_key IS NOT NULL AND EXISTS (
            SELECT 1 FROM message AS older INDEXED BY message_holds
            WHERE older.lane = m.lane AND older.order_key = m.order_key AND older.holds = 1 AND older.seq < m.seq)
) AS held FROM (
    SELECT lane, count(*) AS n FROM message INDEXED BY message_holds
    WHERE holds = 1 AND order_key IS NOT NULL GROUP BY lane, order_key
) AS many GROUP BY lane
"""
_OVERDUE = """
SELECT lane, count(*) AS n FROM message INDEXED BY message_handed_over
WHERE state = 'handed-over' AND due <= ? GROUP BY lane
"""
_CLOCKS = """
SELECT lane, min(answer_by) AS answer_by, count(*) FILTER (WHERE answer_by <= :now) AS past,
    count(*) FILTER (WHERE near_at <= :now AND answer_by > :now) AS near
FROM message INDEXED BY message_clock WHERE answer_by IS NOT NULL AND answered_at IS NULL GROUP BY lane
"""
_BEHIND = """
SELECT expires_at - expires AS opened FROM message AS m INDEXED BY message_pending
WHERE lane = :lane AND state = 'pending' AND waits = 0 AND due <= :now AND failures = 0 AND expires IS NOT NULL
    AND (:operations IS NULL OR operation IN (SELECT value FROM json_each(:operations)))
    AND (order_key IS NULL OR NOT EXISTS (
        SELECT 1 FROM message AS older INDEXED BY message_holds
        WHERE older.lane = m.lane AND older.order_key = m.order_key AND older.holds = 1 AND older.seq < m.seq))
ORDER BY due, seq LIMIT 1 OFFSET :most
"""
_ENDED = """
SELECT count(CASE WHEN NOT direct THEN 1 END) AS n, min(settled_at) AS since FROM (
    SELECT direct, settled_at FROM message INDEXED BY message_retention
    WHERE lane = ? AND stage = 0 AND settled_at IS NOT NULL ORDER BY settled_at DESC LIMIT ?)
"""
_UNSETTLED = """
SELECT operation, state, count(*) AS n FROM message INDEXED BY message_state
WHERE state <> 'delivered' AND state IN ('pending', 'delivering', 'handed-over', 'unknown', 'buried')
GROUP BY operation, state
"""
_PAUSES = """
SELECT lane, reason, by, since, until FROM pause WHERE until IS NULL OR until > ? ORDER BY lane,
    CASE reason WHEN 'operator' THEN 0 WHEN 'maintenance' THEN 1 WHEN 'hours' THEN 2 ELSE 3 END
"""
_RUNS = "answer_by IS NOT NULL AND answered_at IS NULL"
_End = tuple[float, Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]]
"""Where a page ends; it comes back from outside, so it may be anything."""


class Everything(NamedTuple):
    """The rows that make a record."""

    row: sqlite3.Row
    attempts: list[sqlite3.Row]
    deeds: list[sqlite3.Row]
    held: str | None


@dataclass(slots=True)
class Standing:
    """How a lane stands, as numbers and rows."""

    depth: dict[State, int]
    oldest: float | None
    held: int
    open_seconds: float
    pauses: list[sqlite3.Row]
    clocks: sqlite3.Row | None = None
    overdue: int = 0


def everything(db: sqlite3.Connection, message: str) -> Everything | None:
    """Return all there is about a message."""
    row = db.execute("SELECT * FROM message WHERE id = ?", (message,)).fetchone()
    if row is None:
        return None
    held = None
    if row["state"] == State.PENDING and row["order_key"] is not None:
        held = db.execute(_HELD_BY, {name: row[name] for name in ("lane", "order_key", "seq")}).fetchone()
    return Everything(
        row,
        db.execute("SELECT * FROM attempt WHERE message = ? ORDER BY number", (row["seq"],)).fetchall(),
        db.execute("SELECT * FROM deed WHERE message = ? ORDER BY seq", (row["seq"],)).fetchall(),
        held["id"] if held is not None else None,
    )


def state(db: sqlite3.Connection, message: str) -> State | None:
    """Return where a message stands."""
    row = db.execute("SELECT state FROM message WHERE id = ?", (message,)).fetchone()
    return None if row is None else State(row["state"])


def pauses(tx: Transaction) -> list[sqlite3.Row]:
    """Return the pauses that hold."""
    return tx.db.execute(_PAUSES, (tx.now,)).fetchall()


def standings(tx: Transaction) -> dict[str, Standing]:
    """Return how each lane stands, by name in order."""
    found = {
        row["name"]: Standing({}, None, 0, reading(row, tx.now), [])
        for row in tx.db.execute("SELECT * FROM lane ORDER BY name")
    }
    for row in tx.db.execute(_DEPTH):
        standing = found[row["lane"]]
        standing.depth[State(row["state"])] = row["n"]
        if row["state"] == State.PENDING:
            standing.oldest = row["oldest"]
    for row in tx.db.execute(_HELD):
        found[row["lane"]].held = row["held"]
    for row in tx.db.execute(_OVERDUE, (tx.now,)):
        found[row["lane"]].overdue = row["n"]
    for row in tx.db.execute(_CLOCKS, {"now": tx.now}):
        found[row["lane"]].clocks = row
    for row in pauses(tx):
        found[row["lane"]].pauses.append(row)
    return found


def backlog(tx: Transaction, lane: str, terms: Terms) -> tuple[float, int, float | None]:
    """Return for how long the lane lets wait what it could claim, how many ended lately, and since when."""
    row = tx.db.execute("SELECT * FROM lane WHERE name = ?", (lane,)).fetchone()
    wanted = {
        "lane": lane,
        "now": tx.now,
        "most": terms.most or 0,
        "operations": None if terms.operations is None else json.dumps(list(terms.operations)),
    }
    behind = tx.db.execute(_BEHIND, wanted).fetchone()
    ended = tx.db.execute(_ENDED, (lane, LATELY)).fetchone()
    waited = 0.0 if row is None or behind is None else max(0.0, reading(row, tx.now) - behind["opened"])
    return waited, ended["n"], ended["since"]


def unsettled(db: sqlite3.Connection) -> dict[OperationId, dict[State, int]]:
    """Count by operation what is not settled, or settled so that somebody must look at it."""
    found: dict[OperationId, dict[State, int]] = {}
    for row in db.execute(_UNSETTLED):
        found.setdefault(OperationId(row["operation"]), {})[State(row["state"])] = row["n"]
    return found


def search(
    db: sqlite3.Connection, wanted: Filter, subject: bytes | None, cursor: str | None, limit: int
) -> tuple[list[sqlite3.Row], str | None]:
    """Return one page of rows, newest first, and where the next begins; raises InvalidRequest for a broken cursor."""
    terms, values = _terms(wanted, subject)
    if cursor is not None:
        terms.append("(accepted_at, seq) < (:cursor_at, :cursor_seq)")
        values["cursor_at"], values["cursor_seq"] = _opened(cursor)
    values["limit"] = limit + 1
    # One search a state, merged: an index gives one state in order, several only after sorting all of them.
    states: list[State | None] = [*sorted(wanted.states)] or [None]
    found = [_newest(db, wanted, one, terms, values) for one in states]
    rows = list(islice(heapq.merge(*found, key=_place, reverse=True), limit + 1))
    more = len(rows) > limit
    return rows[:limit], _closed(rows[limit - 1]) if more and limit else None


def _newest(
    db: sqlite3.Connection, wanted: Filter, one: State | None, terms: list[str], values: dict[str, Any]
) -> list[sqlite3.Row]:
    index = _way_in(wanted, one)
    if one is not None:
        # The second term lets SQLite use the index of what was not delivered; the first alone does not prove it to it.
        terms = [*terms, "state = :state", *(["state <> 'delivered'"] if one is not State.DELIVERED else [])]
    where = f"WHERE {' AND '.join(terms)}" if terms else ""
    query = f"""
        SELECT {PLAIN} FROM message INDEXED BY {index} {where}
        ORDER BY accepted_at DESC, seq DESC LIMIT :limit"""  # noqa: S608 - our own words
    return db.execute(query, {**values, "state": one}).fetchall()


def _way_in(wanted: Filter, one: State | None) -> str:
    """Return the index that says most: a person's messages are few, so are those that are not delivered."""
    ways = {
        "message_receipt": wanted.receipt is not None,
        "message_subject": wanted.subject is not None,
        "message_clock": wanted.answer_before is not None or wanted.urgent_at is not None,
        "message_state": one is not None and one is not State.DELIVERED,
        "message_operation": wanted.operation is not None,
        "message_client": wanted.client is not None,
        "message_lane": wanted.lane is not None,
    }
    return next((index for index, is_asked_for in ways.items() if is_asked_for), "message_accepted")


def _terms(wanted: Filter, subject: bytes | None) -> tuple[list[str], dict[str, Any]]:
    pairs: dict[str, tuple[str, object]] = {
        "subject": ("subject = :subject", subject),
        "operation": ("operation = :operation", wanted.operation),
        "client": ("client = :client", wanted.client),
        "lane": ("lane = :lane", wanted.lane),
        "since": ("accepted_at >= :since", wanted.since and wanted.since.timestamp()),
        "until": ("accepted_at < :until", wanted.until and wanted.until.timestamp()),
        "direct": ("direct = :direct", wanted.direct),
        "receipt": ("receipt = :receipt", wanted.receipt),
        "answer_before": (
            f"{_RUNS} AND answer_by < :answer_before",
            wanted.answer_before and wanted.answer_before.timestamp(),
        ),
        "urgent_at": (f"{_RUNS} AND near_at <= :urgent_at", wanted.urgent_at and wanted.urgent_at.timestamp()),
    }
    kept = {name: pair for name, pair in pairs.items() if pair[1] is not None}
    return [term for term, _ in kept.values()], {name: value for name, (_, value) in kept.items()}


def _place(row: sqlite3.Row) -> tuple[float, int]:
    return (row["accepted_at"], row["seq"])


def _closed(row: sqlite3.Row) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_place(row))).decode().rstrip("=")


def _opened(cursor: str) -> _End:
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        end: _End = msgspec.json.decode(data, type=_End)
    except (ValueError, msgspec.MsgspecError) as error:
        broken = FieldError(pointer="/cursor", rule="pattern", params={"pattern": "cursor"})
        raise InvalidRequest("the cursor is none that a search gave", errors=[broken]) from error
    return end
