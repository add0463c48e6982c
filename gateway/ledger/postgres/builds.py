"""One table a snapshot in PostgreSQL, built in chunks by COPY and then never changed; knows no feeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from gateway.feeds import Chunk, Keeping, Reject, Tally
from gateway.ledger.clashes import Clash, settled, tallied
from gateway.ledger.postgres.store import Connection
from gateway.ledger.rows import decode
from gateway.ledger.snapshot_rows import (
    Condition,
    PackedRow,
    columns_of,
    leading,
    notes_mends,
    once,
    packed,
    read_columns,
    rows_of,
    written,
    written_columns,
    written_reasons,
    written_tally,
)

LONG = 3600.0
"""Seconds that making an index of a large snapshot may take."""
PORTION = 2000
_PLACE = "n + 0"
"""A row's place where rows are looked for: by `n` the planner would walk through the table to find the first soon."""


async def begin(connection: Connection, number: int, keeping: Keeping, base: int | None) -> Tally:
    """Make a snapshot's table, with the rows of the one that is added to."""
    held = columns_of(keeping)
    columns = "".join(f", c{column} bytea" for column in range(len(held.fields)))
    await drop(connection, number)
    await connection.execute(
        f"CREATE TABLE snapshot_{number} (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, receipt bigint NOT NULL, "
        f"number bigint NOT NULL, id bytea NOT NULL UNIQUE, doc bytea NOT NULL{columns}, mends text)"
    )
    tally = Tally(kept=0 if base is None else await _copied(connection, number, base, keeping))
    query = "UPDATE receipt SET fields = $2, tally = $3 WHERE number = $1"
    await connection.execute(query, number, written_columns(held), written_tally(tally))
    return tally


async def add(  # noqa: PLR0913 - what a chunk needs
    connection: Connection, number: int, keeping: Keeping, before: Tally, chunk: Chunk, *, replaces: bool
) -> Tally:
    """Keep a chunk with its position."""
    # What a power cut takes, whole chunks, comes again from the file; the commit that publishes waits for all of it.
    await connection.execute("SET LOCAL synchronous_commit = off")
    new, said = 0, []
    for portion in once(packed(rows_of(chunk, keeping), keeping)):
        fresh, clashes = await _put(connection, number, chunk.source or number, portion, chunk.mends)
        decided = settled(clashes, keeping, replaces=replaces)
        await _replace(connection, number, chunk.source or number, decided.replaced, chunk.mends)
        new += fresh
        said.append(decided)
    rejects = [*chunk.rejects, *(reject for one in said for reject in one.rejects)]
    await _reject(connection, number, rejects)
    tally = tallied(before, chunk, new, said)
    await connection.execute("UPDATE receipt SET tally = $2 WHERE number = $1", number, written_tally(tally))
    return tally


async def finish(connection: Connection, number: int, keeping: Keeping) -> None:
    """Index a snapshot and let the planner know it; does no harm when that is done already."""
    for place, columns in enumerate(columns_of(keeping).indexes(keeping)):
        names = ", ".join((*columns, f"({_PLACE})"))
        query = f"CREATE INDEX IF NOT EXISTS snapshot_{number}_{place} ON snapshot_{number} ({names})"
        await connection.execute(query, timeout=LONG)
    await connection.execute(f"ANALYZE snapshot_{number}", timeout=LONG)


async def drop(connection: Connection, number: int) -> None:
    """Forget a snapshot and its rejects."""
    await connection.execute(f"DROP TABLE IF EXISTS snapshot_{number}")
    await connection.execute("DELETE FROM reject WHERE receipt = $1", number)


async def page(
    connection: Connection, number: int, asked: Sequence[Condition], after: int, size: int
) -> Sequence[tuple[int, bytes]]:
    """Return rows that meet all conditions, after a row, in the order of their file, or of the beginning asked for."""
    query, values = query_of(number, asked, after, size)
    return [(row["n"], row["doc"]) for row in await connection.fetch(query, *values)]


def query_of(number: int, asked: Sequence[Condition], after: int, size: int) -> tuple[str, list[bytes | int]]:
    """Return the query for a page, and its values."""
    parts, values = list[str](), list[bytes | int]([after, size])
    for one in asked:
        if one.value is None:
            parts.append(f"{one.column} IS NULL")
        elif one.prefix:
            values += [one.value, one.end]
            parts.append(f"{one.column} >= ${len(values) - 1} AND {one.column} < ${len(values)}")
        else:
            values.append(one.value)
            parts.append(f"{one.column} = ${len(values)}")
    table, first = f"snapshot_{number}", leading(asked)
    place = _PLACE if asked else "n"
    order = place if first is None else f"{first.column}, {place}"
    if first is None or not after:
        parts.append(f"{place} > $1")
    else:
        parts.append(f"({order}) > (SELECT {order} FROM {table} WHERE n = $1)")  # noqa: S608 - our own names
    where = " AND ".join(parts)
    return f"SELECT n, doc FROM {table} WHERE {where} ORDER BY {order} LIMIT $2", values  # noqa: S608 - our own names


async def _copied(connection: Connection, number: int, base: int, keeping: Keeping) -> int:
    """Copy the rows of the snapshot that is added to, as they are if they are laid out alike; returns how many."""
    held = columns_of(keeping)
    theirs = await connection.fetchval("SELECT fields FROM receipt WHERE number = $1", base)
    if read_columns(theirs) != held:
        return await _laid_out(connection, number, base, keeping)
    names = "".join(f", c{column}" for column in range(len(held.fields)))
    names += ", mends" if notes_mends(theirs) else ""
    query = (
        f"INSERT INTO snapshot_{number} (receipt, number, id, doc{names}) "  # noqa: S608 - our own names
        f"SELECT 0, number, id, doc{names} FROM snapshot_{base} ORDER BY n"
    )
    return int((await connection.execute(query, timeout=LONG)).rpartition(" ")[2])


async def _laid_out(connection: Connection, number: int, base: int, keeping: Keeping) -> int:
    """Copy rows of another layout, one by one."""
    kept = 0
    query = f"SELECT n, number, doc FROM snapshot_{base} WHERE n > $1 ORDER BY n LIMIT {PORTION}"  # noqa: S608 - our own names
    last = 0
    while rows := await connection.fetch(query, last):
        last = rows[-1]["n"]
        documents = [(row["number"], decode(row["doc"])) for row in rows]
        for portion in once(packed(written(documents, keeping), keeping)):
            kept += (await _put(connection, number, 0, portion, {}))[0]
    return kept


async def _put(
    connection: Connection, number: int, receipt: int, rows: Sequence[PackedRow], mends: Mapping[int, str]
) -> tuple[int, list[Clash]]:
    """Copy rows in, those whose ids are there already left out; returns how many, and the others."""
    names = ["receipt", "number", "id", "doc", *(f"c{column}" for column in range(len(rows[0].cells)))]
    records: list[Any] = [(receipt, row.number, row.id, row.doc, *row.cells) for row in rows]
    if mends:
        names, records = [*names, "mends"], [(*row, mends.get(row[1])) for row in records]
    try:
        async with connection.transaction():
            await connection.copy_records_to_table(f"snapshot_{number}", records=records, columns=names)
    except asyncpg.UniqueViolationError:
        return await _put_new(connection, number, receipt, rows, mends)
    return len(rows), []


async def _put_new(
    connection: Connection, number: int, receipt: int, rows: Sequence[PackedRow], mends: Mapping[int, str]
) -> tuple[int, list[Clash]]:
    query = f"SELECT id, receipt, number, doc, mends FROM snapshot_{number} WHERE id = ANY($1::bytea[])"  # noqa: S608 - our own names
    there = {row["id"]: row for row in await connection.fetch(query, [row.id for row in rows])}
    fresh = [row for row in rows if row.id not in there]
    if fresh:
        await _put(connection, number, receipt, fresh, mends)
    clashes = [
        Clash(
            row=row,
            number=old["number"],
            doc=old["doc"],
            mine=old["receipt"] == receipt,
            again=old["mends"] is not None and old["mends"] == mends.get(row.number),
        )
        for row in rows
        if (old := there.get(row.id)) is not None
    ]
    return len(fresh), clashes


async def _replace(
    connection: Connection, number: int, receipt: int, rows: Sequence[PackedRow], mends: Mapping[int, str]
) -> None:
    if rows:
        columns = "".join(f", c{column} = ${column + 6}" for column in range(len(rows[0].cells)))
        query = f"UPDATE snapshot_{number} SET receipt = $1, number = $2, doc = $4, mends = $5{columns} WHERE id = $3"  # noqa: S608 - our own names
        values = [(receipt, row.number, row.id, row.doc, mends.get(row.number), *row.cells) for row in rows]
        await connection.executemany(query, values)


async def _reject(connection: Connection, number: int, rejects: Sequence[Reject]) -> None:
    query = (
        "INSERT INTO reject VALUES ($1, $2, $3) ON CONFLICT (receipt, number) DO UPDATE SET reasons = excluded.reasons"
    )
    rows: list[Any] = [(number, reject.number, written_reasons(reject.reasons)) for reject in rejects]
    await connection.executemany(query, rows)
