"""What is read inside one SQLite transaction: a record, a search, how the lanes stand; knows no threads and no keys."""

import base64
import heapq
import sqlite3
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from gateway.errors import FieldError, InvalidRequest
from gateway.ledger.sqlite_queue import reading
from gateway.ledger.transaction import Transaction
from gateway.records import Filter, State

_HELD_BY = """
SELECT id FROM message WHERE lane = :lane AND order_key = :order_key AND holds = 1 AND seq < :seq ORDER BY seq LIMIT 1
"""
_COUNTED = "('pending', 'delivering', 'unknown', 'buried', 'expired')"
_DEPTH = f"""
SELECT lane, state, count(*) AS n, min(accepted_at) AS oldest FROM message
WHERE state <> 'delivered' AND state IN {_COUNTED} GROUP BY lane, state
"""  # noqa: S608 - the states are written above
_HELD = """
SELECT lane, sum(n - 1) AS held FROM (
    SELECT lane, count(*) AS n FROM message WHERE holds = 1 AND order_key IS NOT NULL GROUP BY lane, order_key
) GROUP BY lane
"""
_PAUSES = """
SELECT lane, reason, by, since, until FROM pause WHERE until IS NULL OR until > ? ORDER BY lane,
    CASE reason WHEN 'operator' THEN 0 WHEN 'maintenance' THEN 1 WHEN 'hours' THEN 2 ELSE 3 END
"""


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
    for row in pauses(tx):
        found[row["lane"]].pauses.append(row)
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
    parts = [_in_state(terms, one) for one in sorted(wanted.states)] or [(terms, {})]
    found = [_newest(db, some, values | more) for some, more in parts]
    rows = list(islice(heapq.merge(*found, key=_place, reverse=True), limit + 1))
    more = len(rows) > limit
    return rows[:limit], _closed(rows[limit - 1]) if more and limit else None


def _in_state(terms: list[str], one: State) -> tuple[list[str], dict[str, Any]]:
    # The second term lets SQLite use the index of what was not delivered; the first alone does not prove it.
    proof = [] if one is State.DELIVERED else ["state <> 'delivered'"]
    return [*terms, "state = :state", *proof], {"state": one}


def _newest(db: sqlite3.Connection, terms: list[str], values: dict[str, Any]) -> list[sqlite3.Row]:
    where = f"WHERE {' AND '.join(terms)}" if terms else ""
    query = f"SELECT * FROM message {where} ORDER BY accepted_at DESC, seq DESC LIMIT :limit"  # noqa: S608 - our own terms
    return db.execute(query, values).fetchall()


def _terms(wanted: Filter, subject: bytes | None) -> tuple[list[str], dict[str, Any]]:
    """Return conditions; a plus keeps SQLite from the index of a column that says less than another one asked for."""
    by_subject, by_answer = subject is not None, wanted.answer_before is not None
    narrow = by_subject or by_answer
    narrower = narrow or wanted.operation is not None
    few = bool(wanted.states) and State.DELIVERED not in wanted.states
    pairs: list[tuple[str, object]] = [
        ("subject = :subject", subject),
        (f"{'+' * narrow}operation = :operation", wanted.operation),
        (f"{'+' * narrow}client = :client", wanted.client),
        (f"{'+' * (narrower or few or wanted.client is not None)}lane = :lane", wanted.lane),
        ("accepted_at >= :since", wanted.since and wanted.since.timestamp()),
        ("accepted_at < :until", wanted.until and wanted.until.timestamp()),
        ("direct = :direct", wanted.direct),
    ]
    kept = [(term, value) for term, value in pairs if value is not None]
    terms = [term for term, _ in kept]
    values = {term.rpartition(":")[2]: value for term, value in kept}
    if wanted.answer_before is not None:
        terms += ["answer_by IS NOT NULL", "settled_at IS NULL", "answer_by < :answer_before"]
        values["answer_before"] = wanted.answer_before.timestamp()
    return terms, values


def _place(row: sqlite3.Row) -> tuple[float, int]:
    return (row["accepted_at"], row["seq"])


def _closed(row: sqlite3.Row) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_place(row))).decode().rstrip("=")


def _opened(cursor: str) -> tuple[float, int]:
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(data, type=tuple[float, int])
    except (ValueError, msgspec.MsgspecError) as error:
        broken = FieldError(pointer="/cursor", rule="pattern", params={"pattern": "cursor"})
        raise InvalidRequest("the cursor is none that a search gave", errors=[broken]) from error
