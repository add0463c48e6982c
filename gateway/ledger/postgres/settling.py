"""Writes how messages ended, many calls to a transaction; knows nothing of who may claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.errors import GatewayError
from gateway.ledger.keys import Keys
from gateway.ledger.postgres.store import Connection, Store
from gateway.ledger.postgres.taking import Told
from gateway.ledger.postgres.turns import pass_on
from gateway.ledger.rows import Row, said
from gateway.ledger.verdicts import Change, change, holds
from gateway.message import MessageId
from gateway.records import Settlement, State, Tried

_LOCK = """
SELECT seq, id, lane, order_key, holds, waits, token, spent, state, direct, repeat, skip_buried, attempts, uncertain,
    until_final
FROM message
WHERE id = ANY($1::text[]) ORDER BY seq FOR UPDATE
"""

_SETTLE = """
WITH u AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[],
        $7::double precision[], $8::boolean[], $9::boolean[], $10::boolean[], $11::boolean[], $12::boolean[],
        $13::boolean[], $14::boolean[], $15::integer[], $16::integer[], $17::timestamptz[], $18::double precision[],
        $19::text[], $20::integer[], $21::text[])
    AS u (seq, state, reason, text, answer, native, after, uncertain, final, holds, frees, answers, follows, failed,
        key_number, number, at, seconds, outcome, status, error)
), noted AS (
    INSERT INTO attempt SELECT seq, number, at, seconds, outcome, status, error FROM u WHERE number IS NOT NULL
    ON CONFLICT (seq, number) DO UPDATE SET at = excluded.at, seconds = excluded.seconds, outcome = excluded.outcome,
        status = excluded.status, error = excluded.error
), kept AS (
    INSERT INTO sealed SELECT u.seq, f.field, f.data
    FROM u CROSS JOIN LATERAL (VALUES ('answer', u.answer), ('native', u.native)) AS f (field, data)
    WHERE f.data IS NOT NULL ON CONFLICT (seq, field) DO UPDATE SET data = excluded.data
)
UPDATE message AS m SET state = u.state, reason = u.reason, text = u.text,
    due = t.now + make_interval(secs => u.after), uncertain = coalesce(u.uncertain, m.uncertain),
    settled_at = CASE WHEN u.final THEN t.now END, holds = u.holds AND NOT m.direct, waits = false, spent = m.token,
    token = NULL, leased_until = NULL, idempotency = CASE WHEN NOT u.frees THEN m.idempotency END,
    attempts = coalesce(u.number, m.attempts), failures = m.failures + u.failed::integer,
    interruptions = 0,
    key_number = least(m.key_number, u.key_number),
    answered_at = CASE WHEN m.answer_by IS NOT NULL AND u.answers THEN coalesce(m.answered_at, t.now)
        ELSE m.answered_at END,
    ask_at = CASE WHEN m.answer_by IS NOT NULL AND m.answered_at IS NULL AND u.follows THEN t.now END
FROM u CROSS JOIN (SELECT ledger_now() AS now) AS t WHERE m.seq = u.seq
"""

_IN_QUESTION = frozenset({State.DELIVERING, State.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """One call; `again` when an earlier try of it may have been committed without our hearing of it."""

    settlements: tuple[Settlement, ...]
    again: bool = False


async def settle(
    store: Store, keys: Keys, calls: Sequence[Settle]
) -> tuple[list[tuple[bool, ...] | GatewayError], Told]:
    """Settle what the tickets are good for; returns which were, for each call, and whom to tell."""
    async with store.transaction() as connection:
        ids = sorted({one.ticket.id for call in calls for one in call.settlements})
        books = _Books(keys, await connection.fetch(_LOCK, ids))
        good: list[tuple[bool, ...] | GatewayError] = [
            tuple(books.enter(one, again=call.again) for one in call.settlements) for call in calls
        ]
        await books.write(connection)
    return good, books.told


async def write_change(
    connection: Connection, keys: Keys, row: Row, changed: Change, *, keeps: Sequence[str] = ("body",)
) -> None:
    """Write into a locked row what is said of it, in place of what was answered before, unless that is kept."""
    await connection.execute("DELETE FROM sealed WHERE seq = $1 AND field <> ALL($2::text[])", row["seq"], keeps)
    await connection.execute(_SETTLE, *([value] for value in _columns(keys, row, changed, None)))
    await pass_on(connection, _freed(row, changed))


class _Books:
    """A batch of settlements against the rows they are about, which are locked."""

    __slots__ = ("_entries", "_free", "_keys", "_rows", "told")

    def __init__(self, keys: Keys, rows: Sequence[Row]) -> None:
        self._keys = keys
        self._rows = {row["id"]: row for row in rows}
        self._entries: list[tuple[Any, ...]] = []
        self._free: list[bytes | None] = []
        self.told = Told()

    def enter(self, settlement: Settlement, *, again: bool) -> bool:
        """Take a settlement in; returns whether its ticket is good."""
        ticket = settlement.ticket
        row = self._rows.get(ticket.id)
        if row is None:
            return False
        if row["token"] != ticket.token or row["state"] not in _IN_QUESTION:
            return bool(again and row["spent"] == ticket.token)
        never, uncertain = row["repeat"] == "never", row["uncertain"]
        changed = change(settlement.verdict, direct=row["direct"], never=never, uncertain=uncertain)
        self._entries.append(_columns(self._keys, row, changed, settlement.tried))
        self._free += _freed(row, changed)
        del self._rows[ticket.id]  # a second settlement by the same ticket comes too late
        self.told.lanes.add(row["lane"])
        if changed.state is not State.PENDING:
            self.told.messages.append(ticket.id)
        return True

    async def write(self, connection: Connection) -> None:
        """Write what was taken in."""
        if self._entries:
            await connection.execute(_SETTLE, *map(list, zip(*self._entries, strict=True)))
            await pass_on(connection, self._free)


def _freed(row: Row, changed: Change) -> list[bytes | None]:
    held = row["holds"] and not row["waits"]
    return [row["order_key"]] if held and not holds(changed.state, skip_buried=row["skip_buried"]) else []


def _columns(keys: Keys, row: Row, changed: Change, tried: Tried | None) -> tuple[object, ...]:
    message = MessageId(row["id"])
    return (
        row["seq"],
        changed.state.value,
        changed.reason,
        changed.text,
        changed.sealed_answer(keys, message),
        changed.sealed_native(keys, message),
        changed.after,
        changed.uncertain,
        changed.final,
        holds(changed.state, skip_buried=row["skip_buried"]),
        changed.frees_idempotency,
        changed.answers(until_final=row["until_final"]),
        changed.state is State.DELIVERED and row["until_final"],
        tried is not None and changed.state is State.PENDING,
        keys.current,
        *_attempt(row, tried),
    )


def _attempt(row: Row, tried: Tried | None) -> tuple[object, ...]:
    if tried is None:
        return (None,) * 6
    # Of what was taken up, the attempt is there already, as one that was interrupted.
    number = row["attempts"] + (row["state"] != State.UNKNOWN)
    return (number, tried.at, tried.seconds, tried.outcome.value, tried.status, said(tried.error))
