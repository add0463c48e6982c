"""Agencies' words about what they were handed, inside one transaction; knows no files."""

from collections.abc import Collection, Sequence

from gateway.acknowledged import Heard, Word
from gateway.ledger.hearing import heard
from gateway.ledger.keys import Keys
from gateway.ledger.postgres.settling import write_change
from gateway.ledger.postgres.store import Connection
from gateway.ledger.postgres.taking import Told
from gateway.ledger.rows import Row
from gateway.ledger.verdicts import change
from gateway.message import MessageId, OperationId
from gateway.records import Delivered, State

_LOCK = "SELECT * FROM message WHERE id = ANY($1::text[]) ORDER BY seq FOR UPDATE"
_DEED = "INSERT INTO deed (seq, at, by, act) VALUES ($1, (SELECT ledger_now()), $2, 'acknowledge')"


async def acknowledge(
    connection: Connection, operations: Collection[OperationId], words: Sequence[Word], by: str, keys: Keys
) -> tuple[tuple[Heard, ...], Told]:
    """Settle what the words are about; returns what each came to, and whom to tell."""
    rows: dict[str, Row] = {
        row["id"]: row for row in await connection.fetch(_LOCK, sorted({word.message for word in words}))
    }
    stands = {
        message: (State(row["state"]), row["uncertain"])
        for message, row in rows.items()
        if row["operation"] in operations
    }
    told, results = Told(), list[Heard]()
    for word in words:
        if word.message not in stands:
            results.append("unknown")
            continue
        state, uncertain = stands[word.message]
        result = heard(word, state, uncertain=uncertain)
        results.append(result)
        if result == "settled":
            row = rows[word.message]
            await _settle(connection, row, word, by, keys)
            stands[word.message] = (State.DELIVERED if _is_yes(word) else State.REFUSED, False)
            told.messages.append(MessageId(row["id"]))
            told.lanes.add(row["lane"])
    return tuple(results), told


async def _settle(connection: Connection, row: Row, word: Word, by: str, keys: Keys) -> None:
    changed = change(word.verdict, direct=row["direct"], never=False)
    await write_change(connection, keys, row, changed, keeps=("body", "answer") if _is_yes(word) else ("body",))
    await connection.execute(_DEED, row["seq"], by)


def _is_yes(word: Word) -> bool:
    return isinstance(word.verdict, Delivered)
