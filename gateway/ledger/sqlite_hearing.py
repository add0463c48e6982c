"""Agencies' words about what they were handed, inside one SQLite transaction; knows no files."""

from collections.abc import Collection, Sequence

from gateway.acknowledged import Heard, Word
from gateway.ledger.hearing import heard
from gateway.ledger.keys import Keys
from gateway.ledger.sqlite_queue import PLAIN, Told, apply
from gateway.ledger.transaction import Transaction
from gateway.ledger.verdicts import change
from gateway.message import OperationId
from gateway.records import Delivered, State

_ROW = f"SELECT {PLAIN}, answer FROM message WHERE id = ?"  # noqa: S608 - our own words
_DEED = "INSERT INTO deed (message, at, by, act) VALUES (?, ?, ?, 'acknowledge')"


def acknowledge(
    tx: Transaction, operations: Collection[OperationId], words: Sequence[Word], by: str, keys: Keys
) -> tuple[tuple[Heard, ...], Told]:
    """Settle what the words are about; returns what each came to, and whom to tell."""
    told = Told()
    return tuple(_hear(tx, operations, word, by, keys, told) for word in words), told


def _hear(  # noqa: PLR0913, PLR0917 - one word, where it is heard, and who hears of it
    tx: Transaction, operations: Collection[OperationId], word: Word, by: str, keys: Keys, told: Told
) -> Heard:
    row = tx.db.execute(_ROW, (word.message,)).fetchone()
    if row is None or row["operation"] not in operations:
        return "unknown"
    result = heard(word, State(row["state"]), uncertain=bool(row["uncertain"]))
    if result != "settled":
        return result
    changed = change(word.verdict, direct=bool(row["direct"]), never=False)
    kept = {"answer": row["answer"]} if isinstance(word.verdict, Delivered) else {}
    apply(tx, row, changed, keys, **kept)
    tx.db.execute(_DEED, (row["seq"], tx.now, by))
    told.messages.append(row["id"])
    told.lanes.add(row["lane"])
    return result
