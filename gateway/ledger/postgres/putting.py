"""Puts messages into the ledger, many calls to a statement; knows nothing of what becomes of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import GatewayError, IdempotencyMismatch, LedgerUnavailable
from gateway.ledger.postgres.store import Connection, Contended, Store
from gateway.ledger.postgres.taking import take_up_ids
from gateway.ledger.postgres.turns import FIRST, hold_back
from gateway.ledger.rows import Packed, Row
from gateway.ledger.verdicts import LONGEST_LEASE, bounded
from gateway.message import MessageId
from gateway.records import Receipt, State, Ticket

_INSERT = f"""
WITH u AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::boolean[], $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bytea[], $14::integer[],
        $15::integer[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[], $19::boolean[],
        $20::double precision[], $21::double precision[], $22::bigint[], $23::bigint[])
    WITH ORDINALITY AS u (id, lane, operation, client, correlation_id, traceparent, repeat, skip_buried, order_key,
        subject, idempotency, body_hash, body, size, key_number, accepted_at, answer_by, near_at, until_final,
        expires, lease, receipt, record, place)
), older AS MATERIALIZED ( -- as in `turns`
    SELECT m.order_key FROM message AS m JOIN (
        SELECT ({FIRST.format(those="holds")}) AS seq
        FROM (SELECT DISTINCT order_key FROM u WHERE lease IS NULL AND order_key IS NOT NULL) AS k
    ) AS first ON first.seq = m.seq WHERE m.holds FOR KEY SHARE OF m SKIP LOCKED
), fresh AS (
    INSERT INTO message (id, lane, operation, client, correlation_id, traceparent, repeat, skip_buried, order_key,
        subject, idempotency, body_hash, size, key_number, accepted_at, answer_by, near_at, until_final, expires,
        expires_at, state, direct, holds, waits, token, due, leased_until, receipt, record)
    SELECT u.id, u.lane, u.operation, u.client, u.correlation_id, u.traceparent, u.repeat, u.skip_buried, u.order_key,
        u.subject, u.idempotency, u.body_hash, u.size, u.key_number, u.accepted_at, u.answer_by, u.near_at,
        u.until_final, u.expires,
        u.expires + coalesce(ledger_reading(l.open_seconds, l.open_since, l.beat_at, t.now), 0),
        CASE WHEN u.lease IS NULL THEN 'pending' ELSE 'delivering' END, u.lease IS NOT NULL, u.lease IS NULL,
        u.lease IS NULL AND EXISTS (SELECT 1 FROM older WHERE older.order_key = u.order_key),
        CASE WHEN u.lease IS NULL THEN NULL ELSE nextval('ticket') END, t.now, t.now + make_interval(secs => u.lease),
        u.receipt, u.record
    FROM u CROSS JOIN (SELECT ledger_now() AS now) AS t LEFT JOIN lane AS l ON l.name = u.lane
    ORDER BY u.place
    ON CONFLICT DO NOTHING
    RETURNING seq, id, state, accepted_at, token
), bodies AS (
    INSERT INTO sealed SELECT fresh.seq, 'body', u.body FROM fresh JOIN u USING (id) ORDER BY u.place
    ON CONFLICT DO NOTHING -- the same message twice in one call
)
SELECT id, state, accepted_at, token FROM fresh
"""  # noqa: S608 - our own words

_THERE = """
SELECT id, state, accepted_at, token, direct, body_hash, idempotency,
    NOT ledger_lives(leased_until, (SELECT ledger_now())) AS ended
FROM message WHERE id = ANY($1::text[]) OR idempotency = ANY($2::bytea[])
"""

_TRIES = 3
_CAME_AND_WENT = "ledger: idempotency keys came and went while they were looked up; try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """One call: its messages, and the lease of a direct write's intent."""

    packed: tuple[Packed, ...]
    lease: float | None = None


async def find(connection: Connection, packed: Packed) -> Receipt | None:
    """Return the receipt of what was put before; raises IdempotencyMismatch."""
    keys = [packed.idempotency] if packed.idempotency is not None else []
    known = _Known(await connection.fetch(_THERE, [packed.id], keys))
    try:
        return _receipt(packed, None, None, known)
    except _Mismatch:
        raise _mismatch(packed) from None


async def put_within(connection: Connection, packed: Sequence[Packed]) -> tuple[Receipt, ...]:
    """Record messages in the caller's transaction, all or none; raises IdempotencyMismatch, LedgerUnavailable."""
    try:
        answers = await _record(connection, [Put(packed=tuple(packed))])
    except _Mismatch:
        raise _mismatch(packed[0]) from None
    if answers is None:
        raise LedgerUnavailable(_CAME_AND_WENT)
    (receipts,) = answers
    if isinstance(receipts, GatewayError):
        raise receipts
    return receipts


class _Mismatch(Exception):
    """A key came with another body: nothing of its call may stay."""


async def put(store: Store, calls: Sequence[Put]) -> list[tuple[Receipt, ...] | GatewayError]:
    """Record many calls in one statement; each is recorded whole or not at all."""
    for _ in range(_TRIES):
        try:
            if found := await _together(store, calls):
                return found
        except Contended:
            continue  # keys that crossed with another replica's
        except _Mismatch:
            if len(calls) == 1:
                return [_mismatch(calls[0].packed[0])]
            return [answer for call in calls for answer in await put(store, [call])]
    raise LedgerUnavailable(_CAME_AND_WENT)


def _mismatch(packed: Packed) -> IdempotencyMismatch:
    return IdempotencyMismatch(f"{packed.operation}: this Idempotency-Key came with another body before")


async def _together(store: Store, calls: Sequence[Put]) -> list[tuple[Receipt, ...] | GatewayError] | None:
    # One row can't be half recorded, and the statement that records it is its own transaction.
    if all(len(call.packed) == 1 for call in calls):
        async with store.connection() as connection:
            return await _record(connection, calls)
    async with store.transaction() as connection:
        return await _record(connection, calls)


async def _record(connection: Connection, calls: Sequence[Put]) -> list[tuple[Receipt, ...] | GatewayError] | None:
    """Return each call's receipts, None when what was in the way is gone again; raises _Mismatch."""
    every = [(packed, call.lease) for call in calls for packed in call.packed]
    rows = await connection.fetch(_INSERT, *map(list, zip(*(_columns(*one) for one in every), strict=True)))
    fresh: dict[str, Row] = {row["id"]: row for row in rows}
    if queue := _behind_one_another(calls):
        await hold_back(connection, queue)
    known = _Known(await _there(connection, every)) if len(fresh) < len(every) else _Known([])
    answers: list[tuple[Receipt, ...] | GatewayError] = []
    for call in calls:
        receipts = [_receipt(packed, call.lease, fresh.pop(packed.id, None), known) for packed in call.packed]
        if None in receipts:
            return None
        answers.append(tuple(receipt for receipt in receipts if receipt is not None))
    return answers


def _behind_one_another(calls: Sequence[Put]) -> list[str]:
    """Return the messages of a key of which there are several: the statement that put them did not see the others."""
    queued = [packed for call in calls if call.lease is None for packed in call.packed if packed.order_key is not None]
    many = Counter(packed.order_key for packed in queued)
    return [packed.id for packed in queued if many[packed.order_key] > 1]


def _columns(packed: Packed, lease: float | None) -> tuple[object, ...]:
    return (
        packed.id,
        packed.lane,
        packed.operation,
        packed.client,
        packed.correlation_id,
        packed.traceparent,
        packed.repeat,
        packed.skip_buried,
        packed.order_key,
        packed.subject,
        packed.idempotency,
        packed.body_hash,
        packed.body,
        packed.size,
        packed.key_number,
        packed.accepted_at,
        packed.answer_by,
        packed.near_at,
        packed.until_final,
        packed.expires,
        None if lease is None else bounded(lease, LONGEST_LEASE),
        packed.receipt,
        packed.record,
    )


async def _there(connection: Connection, every: Sequence[tuple[Packed, float | None]]) -> list[Row]:
    ids = [packed.id for packed, _ in every]
    keys = [packed.idempotency for packed, _ in every if packed.idempotency is not None]
    rows: list[Row] = await connection.fetch(_THERE, ids, keys)
    known = _Known(rows)
    for packed, _ in every:
        known.row(packed)  # a mismatch must leave no trace, so it is found before anything is taken up
    ended = [row["id"] for row in rows if row["state"] == State.DELIVERING and row["ended"]]
    if ended:
        await take_up_ids(connection, ended)
        rows = await connection.fetch(_THERE, ids, keys)
    return rows


class _Known:
    """The rows that were there before, by message id and by idempotency key."""

    __slots__ = ("_ids", "_keys")

    def __init__(self, rows: Sequence[Row]) -> None:
        self._ids = {row["id"]: row for row in rows}
        self._keys = {row["idempotency"]: row for row in rows if row["idempotency"] is not None}

    def row(self, packed: Packed) -> Row | None:
        """Return what this message was recorded as; raises _Mismatch."""
        if (row := self._ids.get(packed.id)) is not None or packed.idempotency is None:
            return row
        row = self._keys.get(packed.idempotency)
        if row is not None and row["body_hash"] != packed.body_hash:
            raise _Mismatch
        return row


def _receipt(packed: Packed, lease: float | None, fresh: Row | None, known: _Known) -> Receipt | None:
    row = fresh or known.row(packed)
    if row is None:
        return None
    again = not fresh and lease is not None and row["id"] == packed.id
    mine = lease is not None and (fresh or (again and row["direct"] and row["state"] == State.DELIVERING))
    return Receipt(
        id=MessageId(row["id"]),
        state=State(row["state"]),
        accepted_at=row["accepted_at"],
        fresh=bool(fresh or mine),
        ticket=Ticket(id=MessageId(row["id"]), token=row["token"]) if mine else None,
    )
