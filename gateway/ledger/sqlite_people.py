"""What people change, inside one SQLite transaction: pauses, replay, resolve, cancel, edit; knows no threads."""

import sqlite3
from collections.abc import Collection, Iterable

from gateway.ledger.keys import Keys, Unreadable
from gateway.ledger.rows import decode, difference, encode, seal_deed
from gateway.ledger.sqlite_queue import PLAIN, Told, apply, open_reading, shut
from gateway.ledger.sqlite_turns import hold_back
from gateway.ledger.transaction import Transaction
from gateway.ledger.verdicts import Change, change
from gateway.message import Document, MessageId
from gateway.records import BY_GATEWAY, Delivered, Refused, State

Deed = tuple[str, str, bytes | None]
"""Who, what, and its sealed detail."""
_PAUSE = """
INSERT INTO pause VALUES (:lane, :reason, :by, :now, :until)
ON CONFLICT (lane, reason) DO UPDATE SET by = excluded.by, since = excluded.since, until = excluded.until
WHERE :by <> :gateway OR pause.by = :gateway OR pause.until <= :now
"""
_RESUME = """
DELETE FROM pause WHERE lane = :lane AND reason = coalesce(:reason, reason) AND (:by <> :gateway OR by = :gateway)
RETURNING until
"""
_REPLAY = """
UPDATE message SET state = 'pending', direct = 0, holds = 1, token = token + 1, due = :now, failures = 0,
    interruptions = 0,
    expires_at = :opened + expires, settled_at = NULL, stage = 0, reason = '', text = '', answer = NULL, native = NULL,
    answered_at = NULL, ask_at = NULL
WHERE seq = :seq
"""
_WITHOUT_BODY = 2
"""The stage of retention from which a message can't be sent again."""
_REPLAYABLE = frozenset({State.BURIED, State.EXPIRED, State.REFUSED})
_IN_DOUBT = frozenset({State.UNKNOWN, State.HANDED_OVER})
"""Of which a person may find out what became of it."""
_IF_CONFIRMED = _REPLAYABLE | _IN_DOUBT


def pause(tx: Transaction, lane: str, reason: str, by: str, until: float | None) -> None:
    """Close a lane for one reason; a person's pause that holds is not the gateway's to replace."""
    shut(tx, lane)
    given = {"lane": lane, "reason": reason, "by": by, "now": tx.now, "until": until, "gateway": BY_GATEWAY}
    tx.db.execute(_PAUSE, given)


def resume(tx: Transaction, lane: str, reason: str | None, by: str) -> bool:
    """End a lane's pauses, the gateway only its own; returns whether one of them still held."""
    ended = tx.db.execute(_RESUME, {"lane": lane, "reason": reason, "by": by, "gateway": BY_GATEWAY}).fetchall()
    return any(row["until"] is None or row["until"] > tx.now for row in ended)


def look(tx: Transaction, message: MessageId, by: str) -> None:
    """Record that somebody saw a message unmasked."""
    if (row := _row(tx.db, message)) is not None:
        _deed(tx, row, (by, "unmask", None))


def replay(tx: Transaction, ids: Iterable[MessageId], by: str, *, unknown: bool) -> tuple[tuple[MessageId, ...], Told]:
    """Make messages pending again; returns those it could, and whom to tell."""
    done, told = [], Told()
    for message in ids:
        row = _row(tx.db, message)
        if row is not None and _may_go(row, _IF_CONFIRMED if unknown else _REPLAYABLE, sure=unknown):
            _again(tx, row, (by, "replay", None))
            done.append(message)
            told.lanes.add(row["lane"])
    return tuple(done), told


def _may_go(row: sqlite3.Row, states: Collection[State], *, sure: bool) -> bool:
    """Whether it may be sent again from one of these states; if it may have been done, only when people are sure."""
    doubtful = row["uncertain"] and row["repeat"] != "harmless"
    return row["stage"] < _WITHOUT_BODY and row["state"] in states and (sure or not doubtful)


def _again(tx: Transaction, row: sqlite3.Row, deed: Deed) -> None:
    tx.db.execute(_REPLAY, {"now": tx.now, "seq": row["seq"], "opened": open_reading(tx, row["lane"])})
    hold_back(tx, row["id"])
    _deed(tx, row, deed)


def resolve(tx: Transaction, message: MessageId, verdict: Delivered | Refused, by: str, keys: Keys) -> Told | None:
    """Say how a message ended of which nobody knows that; None when it is known."""
    row = _row(tx.db, message)
    if row is None or row["state"] not in _IN_DOUBT:
        return None
    apply(tx, row, change(verdict, direct=bool(row["direct"]), never=False), keys)
    _deed(tx, row, (by, "resolve", None))
    return Told([message], {row["lane"]})


def cancel(tx: Transaction, message: MessageId, by: str, keys: Keys) -> Told | None:
    """Give up a message that is not in flight; None when it is not pending or buried."""
    row = _row(tx.db, message)
    if row is None or row["state"] not in {State.PENDING, State.BURIED}:
        return None
    state = State.UNKNOWN if row["uncertain"] else State.CANCELLED
    apply(tx, row, Change(state=state, reason="cancelled"), keys)
    _deed(tx, row, (by, "cancel", None))
    return Told([message], {row["lane"]})


def edit(  # noqa: PLR0913 # one call's arguments, its transaction and its keys
    tx: Transaction, message: MessageId, body: Document, by: str, keys: Keys, *, sure: bool
) -> Told | None:
    """Replace a buried message's body and make it pending; None when it is not buried, or kept without its body."""
    row = _row(tx.db, message)
    if row is None or not _may_go(row, {State.BURIED}, sure=sure):
        return None
    sealed = tx.db.execute("SELECT body FROM message WHERE seq = ?", (row["seq"],)).fetchone()["body"]
    try:
        before = decode(keys.unseal(message, "body", sealed))
        detail: Document | None = difference(before, body)
    except Unreadable:
        detail = None
    data = encode(body)
    query = "UPDATE message SET body = ?, size = ?, key_number = min(key_number, ?) WHERE seq = ?"
    tx.db.execute(query, (keys.seal(message, "body", data), len(data), keys.current, row["seq"]))
    _again(tx, row, (by, "edit", seal_deed(keys, message, detail)))
    return Told(lanes={row["lane"]})


def _row(db: sqlite3.Connection, message: MessageId) -> sqlite3.Row | None:
    query = f"SELECT {PLAIN} FROM message WHERE id = ?"  # noqa: S608 - our own words
    row: sqlite3.Row | None = db.execute(query, (message,)).fetchone()
    return row


def _deed(tx: Transaction, row: sqlite3.Row, what: Deed) -> None:
    query = "INSERT INTO deed (message, at, by, act, detail) VALUES (?, ?, ?, ?, ?)"
    tx.db.execute(query, (row["seq"], tx.now, *what))
