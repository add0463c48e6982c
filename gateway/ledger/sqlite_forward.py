"""Forward feeds inside one SQLite transaction: rejects and messages are kept together with how far their file is."""

from collections.abc import Sequence

from gateway.feeds import Chunk, Reject, Tally, Turn
from gateway.ledger import sqlite_queue, sqlite_receipts
from gateway.ledger.forward_rows import PackedForward, checked, decided, in_place, marks_of, put_on
from gateway.ledger.snapshot_rows import read_reasons, read_tally, written_reasons, written_tally
from gateway.ledger.transaction import Transaction
from gateway.portion import Portion
from gateway.records import State

_MARK = "INSERT INTO forwarded VALUES (?, ?) ON CONFLICT (mark) DO UPDATE SET content = excluded.content"
_REJECTS = "SELECT number, reasons FROM reject WHERE receipt = ? AND number > ? ORDER BY number LIMIT ?"
_STATES = "SELECT state, count(*) AS n FROM message INDEXED BY message_receipt WHERE receipt = ? GROUP BY state"


def check(tx: Transaction, turn: Turn, number: int, chunk: Chunk) -> Tally:
    """Keep a chunk's rejects and its position."""
    sqlite_receipts.in_turn(tx, turn)
    tally = checked(read_tally(sqlite_receipts.taking(tx, number)["tally"]), chunk, number)
    rows = [(number, reject.number, written_reasons(reject.reasons)) for reject in chunk.rejects]
    tx.db.executemany("INSERT OR REPLACE INTO reject VALUES (?, ?, ?)", rows)
    _keep(tx, number, tally)
    return tally


def forward(tx: Transaction, turn: Turn, number: int, portion: Portion, rows: Sequence[PackedForward]) -> Tally:
    """Put a portion's messages, and its position."""
    sqlite_receipts.in_turn(tx, turn)
    before = read_tally(sqlite_receipts.taking(tx, number)["tally"])
    in_place(before, portion, number)
    said = decided(rows, known(tx, rows))
    put = sqlite_queue.put(tx, said.fresh)
    tx.db.executemany(_MARK, said.marks.items())
    tally = put_on(before, portion, sum(one.fresh for one in put))
    _keep(tx, number, tally)
    return tally


def known(tx: Transaction, rows: Sequence[PackedForward]) -> dict[bytes, bytes]:
    """Return the marks of rows that are there."""
    found = (tx.db.execute("SELECT * FROM forwarded WHERE mark = ?", (mark,)).fetchone() for mark in marks_of(rows))
    return {row["mark"]: row["content"] for row in found if row is not None}


def rejects(tx: Transaction, number: int, after: int, limit: int) -> Sequence[Reject]:
    """Return rejects of a forward feed's file."""
    return [
        Reject(number=row["number"], reasons=read_reasons(row["reasons"]))
        for row in tx.db.execute(_REJECTS, (number, after, limit))
    ]


def forget(tx: Transaction, number: int) -> None:
    """Forget a file's rejects."""
    tx.db.execute("DELETE FROM reject WHERE receipt = ?", (number,))


def states(tx: Transaction, number: int) -> dict[State, int]:
    """Count a receipt's messages by where they stand."""
    return {State(row["state"]): row["n"] for row in tx.db.execute(_STATES, (number,))}


def _keep(tx: Transaction, number: int, tally: Tally) -> None:
    tx.db.execute("UPDATE receipt SET tally = ? WHERE number = ?", (written_tally(tally), number))
