"""Forward feeds in PostgreSQL: rejects and messages are kept with how far their file is; belongs in a transaction."""

from collections.abc import Sequence

from gateway.feeds import Chunk, Tally, Turn
from gateway.ledger.forward_rows import PackedForward, checked, decided, in_place, marks_of, put_on
from gateway.ledger.postgres import receipts
from gateway.ledger.postgres.putting import put_within
from gateway.ledger.postgres.store import Connection
from gateway.ledger.snapshot_rows import read_tally, written_reasons, written_tally
from gateway.portion import Portion
from gateway.records import State

_REJECT = """
INSERT INTO reject SELECT $1, * FROM unnest($2::bigint[], $3::text[])
ON CONFLICT (receipt, number) DO UPDATE SET reasons = excluded.reasons
"""
_KNOWN = "SELECT mark, content FROM forwarded WHERE mark = ANY($1::bytea[])"
_MARK = """
INSERT INTO forwarded SELECT * FROM unnest($1::bytea[], $2::bytea[])
ON CONFLICT (mark) DO UPDATE SET content = excluded.content
"""
_STATES = "SELECT state, count(*) AS n FROM message WHERE receipt = $1 GROUP BY state"


async def check(connection: Connection, turn: Turn, number: int, chunk: Chunk) -> Tally:
    """Keep a chunk's rejects and its position."""
    row = await receipts.taking(connection, turn, number)
    tally = checked(read_tally(row["tally"]), chunk, number)
    if chunk.rejects:
        reasons = [written_reasons(reject.reasons) for reject in chunk.rejects]
        await connection.execute(_REJECT, number, [reject.number for reject in chunk.rejects], reasons)
    await _keep(connection, number, tally)
    return tally


async def forward(
    connection: Connection, turn: Turn, number: int, portion: Portion, rows: Sequence[PackedForward]
) -> Tally:
    """Put a portion's messages, and its position."""
    row = await receipts.taking(connection, turn, number)
    before = read_tally(row["tally"])
    in_place(before, portion, number)
    said = decided(rows, await known(connection, rows))
    put = await put_within(connection, said.fresh) if said.fresh else ()
    if said.marks:
        await connection.execute(_MARK, [*said.marks], [*said.marks.values()])
    tally = put_on(before, portion, sum(one.fresh for one in put))
    await _keep(connection, number, tally)
    return tally


async def known(connection: Connection, rows: Sequence[PackedForward]) -> dict[bytes, bytes]:
    """Return the marks of rows that are there."""
    found = await connection.fetch(_KNOWN, [*marks_of(rows)])
    return {one["mark"]: one["content"] for one in found}


async def states(connection: Connection, number: int) -> dict[State, int]:
    """Count a receipt's messages by where they stand."""
    return {State(row["state"]): row["n"] for row in await connection.fetch(_STATES, number)}


async def _keep(connection: Connection, number: int, tally: Tally) -> None:
    await connection.execute("UPDATE receipt SET tally = $2 WHERE number = $1", number, written_tally(tally))
