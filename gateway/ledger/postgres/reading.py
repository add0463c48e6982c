"""What is read: a record, a search, how the lanes stand; changes nothing."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import islice
from typing import Annotated, Any, NamedTuple

import msgspec

from gateway.errors import FieldError, InvalidRequest
from gateway.ledger.postgres.store import Connection
from gateway.ledger.rows import LATELY, Row
from gateway.message import OperationId
from gateway.records import Filter, State, Terms

_RECORD = """
SELECT m.*, CASE WHEN m.state = 'pending' AND m.order_key IS NOT NULL THEN (
    SELECT o.id FROM message AS o
    WHERE o.holds AND o.order_key BETWEEN m.order_key AND m.order_key AND o.seq < m.seq
    ORDER BY o.order_key, o.seq LIMIT 1
) END AS held FROM message AS m WHERE m.id = $1
"""
_ATTEMPTS = "SELECT * FROM attempt WHERE seq = $1 ORDER BY number"
_DEEDS = "SELECT * FROM deed WHERE seq = $1 ORDER BY number"
_SEALED = "SELECT field, data FROM sealed WHERE seq = $1"
_NOTHING_SEALED: dict[str, Any] = {"body": None, "answer": None, "native": None}
_PAUSES = """
SELECT lane, reason, by, since, until FROM pause WHERE until IS NULL OR until > (SELECT ledger_now()) ORDER BY lane,
    CASE reason WHEN 'operator' THEN 0 WHEN 'maintenance' THEN 1 WHEN 'hours' THEN 2 ELSE 3 END
"""
_LANES = """
SELECT name, ledger_reading(open_seconds, open_since, beat_at, (SELECT ledger_now())) AS reading FROM lane
"""
_DEPTH = """
SELECT lane, state, count(*) AS n, min(accepted_at) AS oldest FROM message
WHERE state <> 'delivered' AND state IN ('pending', 'delivering', 'handed-over', 'unknown', 'buried', 'expired')
GROUP BY lane, state
"""
# All that hold a key but its first are pending and wait; only a replay puts one before others that are not pending.
_HELD = """
SELECT lane, sum(n - 1)::bigint - (
    SELECT count(*) FROM message AS m
    WHERE m.lane = keys.lane AND m.state <> 'delivered' AND m.state IN ('delivering', 'unknown', 'buried')
        AND m.holds AND m.order_key IS NOT NULL AND EXISTS (
            SELECT 1 FROM message AS older
            WHERE older.holds AND older.order_key BETWEEN m.order_key AND m.order_key AND older.seq < m.seq)
) AS held FROM (
    SELECT lane, count(*) AS n FROM message WHERE holds AND order_key IS NOT NULL GROUP BY lane, order_key
) AS keys GROUP BY lane
"""
_OVERDUE = """
SELECT lane, count(*) AS n FROM message WHERE state = 'handed-over' AND due <= (SELECT ledger_now()) GROUP BY lane
"""
_CLOCKS = """
SELECT lane, min(answer_by) AS answer_by, count(*) FILTER (WHERE answer_by <= t.now) AS past,
    count(*) FILTER (WHERE near_at <= t.now AND answer_by > t.now) AS near
FROM message CROSS JOIN (SELECT ledger_now() AS now) AS t
WHERE answer_by IS NOT NULL AND answered_at IS NULL GROUP BY lane
"""
_BEHIND = """
SELECT greatest(0, ledger_reading(open_seconds, open_since, beat_at, t.now) - (m.expires_at - m.expires)) AS waited
FROM message AS m JOIN lane AS l ON l.name = m.lane CROSS JOIN (SELECT ledger_now() AS now) AS t
WHERE m.lane = $1 AND state = 'pending' AND NOT waits AND due <= t.now AND failures = 0 AND expires IS NOT NULL
    AND ($2::text[] IS NULL OR operation = ANY($2))
    AND (order_key IS NULL OR NOT EXISTS (
        SELECT 1 FROM message AS older
        WHERE older.holds AND older.order_key BETWEEN m.order_key AND m.order_key AND older.seq < m.seq))
ORDER BY due, seq LIMIT 1 OFFSET $3
"""
_ENDED = """
SELECT count(*) FILTER (WHERE NOT direct) AS n, min(settled_at) AS since FROM (
    SELECT direct, settled_at FROM message WHERE lane = $1 AND stage = 0 AND settled_at IS NOT NULL
    ORDER BY settled_at DESC LIMIT $2) AS latest
"""
_UNSETTLED = """
SELECT operation, state, count(*) AS n FROM message
WHERE state <> 'delivered' AND state IN ('pending', 'delivering', 'handed-over', 'unknown', 'buried')
GROUP BY operation, state
"""
_SOON = """
WITH t AS MATERIALIZED (SELECT ledger_now() AS now)
SELECT extract(epoch FROM least(
    (SELECT min(due) FROM message, t WHERE state = 'pending' AND NOT waits AND lane = $1 AND due > t.now),
    (SELECT min(leased_until) FROM message, t WHERE state = 'delivering' AND lane = $1 AND leased_until > t.now),
    (SELECT min(until) FROM pause, t WHERE lane = $1 AND until > t.now)) - t.now)::double precision FROM t
"""
_RUNS = "answer_by IS NOT NULL AND answered_at IS NULL"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Everything(NamedTuple):
    """The rows that make a record."""

    row: Row
    attempts: Sequence[Row]
    deeds: Sequence[Row]
    held: str | None


@dataclass(slots=True)
class Standing:
    """How a lane stands."""

    depth: dict[State, int] = field(default_factory=dict)
    oldest: datetime | None = None
    held: int = 0
    open_seconds: float = 0.0
    pauses: list[Row] = field(default_factory=list)
    clocks: Row | None = None
    overdue: int = 0


async def everything(connection: Connection, message: str) -> Everything | None:
    """Return all there is about a message."""
    row = await connection.fetchrow(_RECORD, message)
    if row is None:
        return None
    sealed = {part["field"]: part["data"] for part in await connection.fetch(_SEALED, row["seq"])}
    attempts = await connection.fetch(_ATTEMPTS, row["seq"]) if row["attempts"] else ()
    whole = _NOTHING_SEALED | dict(row) | sealed
    return Everything(whole, attempts, await connection.fetch(_DEEDS, row["seq"]), row["held"])


async def state(connection: Connection, message: str) -> State | None:
    """Return where a message stands."""
    found = await connection.fetchval("SELECT state FROM message WHERE id = $1", message)
    return None if found is None else State(found)


async def soon(connection: Connection, lane: str) -> float | None:
    """Return the seconds until time alone may make something claimable, None when it can't."""
    seconds: float | None = await connection.fetchval(_SOON, lane)
    return seconds


async def pauses(connection: Connection) -> list[Row]:
    """Return the pauses that hold."""
    rows: list[Row] = await connection.fetch(_PAUSES)
    return rows


async def standings(connection: Connection) -> dict[str, Standing]:
    """Return how each lane stands, by name in order."""
    found: dict[str, Standing] = {}

    def of(lane: str) -> Standing:
        return found.setdefault(lane, Standing())

    for row in await connection.fetch(_LANES):
        of(row["name"]).open_seconds = row["reading"]
    for row in await connection.fetch(_DEPTH):
        of(row["lane"]).depth[State(row["state"])] = row["n"]
        if row["state"] == State.PENDING:
            of(row["lane"]).oldest = row["oldest"]
    for row in await connection.fetch(_HELD):
        of(row["lane"]).held = row["held"]
    for row in await connection.fetch(_OVERDUE):
        of(row["lane"]).overdue = row["n"]
    for row in await connection.fetch(_CLOCKS):
        of(row["lane"]).clocks = row
    for row in await pauses(connection):
        of(row["lane"]).pauses.append(row)
    return dict(sorted(found.items()))


async def backlog(connection: Connection, lane: str, terms: Terms) -> tuple[float, int, datetime | None]:
    """Return for how long the lane lets wait what it could claim, how many ended lately, and since when."""
    operations = None if terms.operations is None else list(terms.operations)
    waited = await connection.fetchval(_BEHIND, lane, operations, terms.most or 0)
    ended = await connection.fetchrow(_ENDED, lane, LATELY)
    return float(waited or 0.0), ended["n"], ended["since"]


async def unsettled(connection: Connection) -> dict[OperationId, dict[State, int]]:
    """Count by operation what is not settled, or settled so that somebody must look at it."""
    found: dict[OperationId, dict[State, int]] = {}
    for row in await connection.fetch(_UNSETTLED):
        found.setdefault(OperationId(row["operation"]), {})[State(row["state"])] = row["n"]
    return found


async def search(
    connection: Connection, wanted: Filter, subject: bytes | None, cursor: str | None, limit: int
) -> tuple[list[Row], str | None]:
    """Return one page of rows, newest first, and where the next begins; raises InvalidRequest for a broken cursor."""
    terms = _terms(wanted, subject)
    if cursor is not None:
        terms.append(("(accepted_at, seq) < ({}, {})", _opened(cursor)))
    # One search a state, merged: an index gives one state in order, several only after sorting all of them.
    parts = [[*terms, *_in_state(one)] for one in sorted(wanted.states)] or [terms]
    found = [await _newest(connection, part, limit + 1) for part in parts]
    rows = list(islice(merge(*found, key=_place, reverse=True), limit + 1))
    return rows[:limit], _closed(rows[limit - 1]) if len(rows) > limit > 0 else None


_Term = tuple[str, tuple[object, ...]]
"""A condition with {} for each of its values."""


def _in_state(one: State) -> list[_Term]:
    # Written out, a state tells the planner how rare it is and which index has it.
    return [(f"state = '{one.value}'", ())]


async def _newest(connection: Connection, terms: Sequence[_Term], limit: int) -> list[Row]:
    values: list[object] = []
    clauses = []
    for clause, given in terms:
        clauses.append(clause.format(*(f"${number}" for number in range(len(values) + 1, len(values) + 9))))
        values += given
    where = f"WHERE {' AND '.join(clauses)}" if clauses else ""
    query = f"SELECT * FROM message {where} ORDER BY accepted_at DESC, seq DESC LIMIT {limit:d}"  # noqa: S608 # our terms
    rows: list[Row] = await connection.fetch(query, *values)
    return rows


def _terms(wanted: Filter, subject: bytes | None) -> list[_Term]:
    asked = (
        ("subject = {}", subject),
        ("operation = {}", wanted.operation),
        ("client = {}", wanted.client),
        ("lane = {}", wanted.lane),
        ("accepted_at >= {}", wanted.since),
        ("accepted_at < {}", wanted.until),
        ("direct = {}", wanted.direct),
        ("receipt = {}", wanted.receipt),
        (f"{_RUNS} AND answer_by < {{}}", wanted.answer_before),
        (f"{_RUNS} AND near_at <= {{}}", wanted.urgent_at),
    )
    return [(clause, (value,)) for clause, value in asked if value is not None]


def _place(row: Row) -> tuple[datetime, int]:
    return (row["accepted_at"], row["seq"])


def _closed(row: Row) -> str:
    micros = (row["accepted_at"] - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(msgspec.json.encode((micros, row["seq"]))).decode().rstrip("=")


_End = tuple[int, Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]]
"""Where a page ends; it comes back from outside, so it may be anything."""


def _opened(cursor: str) -> tuple[datetime, int]:
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        micros, seq = msgspec.json.decode(data, type=_End)
        return _EPOCH + timedelta(microseconds=micros), seq
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        broken = FieldError(pointer="/cursor", rule="pattern", params={"pattern": "cursor"})
        raise InvalidRequest("the cursor is none that a search gave", errors=[broken]) from error
