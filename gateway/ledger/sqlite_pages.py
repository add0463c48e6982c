"""How rows are found in a snapshot of SQLite: by an index, a page at a time; knows no receipts."""

import sqlite3
from collections.abc import Sequence

from gateway.ledger.snapshot_rows import Condition, leading

_FIRSTS = """
SELECT column.name FROM pragma_index_list('row') AS own, pragma_index_info(own.name) AS column WHERE column.seqno = 0
"""
MANY = 300
"""Rows that are counted at most of those that meet one condition, before it is settled which is gone by."""


def page(db: sqlite3.Connection, asked: Sequence[Condition], after: int, size: int) -> Sequence[tuple[int, bytes]]:
    """Return rows that meet all conditions, after a row, in the order of their file, or of the beginning asked for."""
    parts, values = _met(asked, _rarest(db, asked))
    first = leading(asked)
    if first is None:
        return _some(db, [*parts, "n > ?"], [*values, after], "n", size)
    name = first.column
    if not after:
        return _some(db, parts, values, f"{name}, n", size)
    row = db.execute(f"SELECT {name} FROM row WHERE n = ?", (after,)).fetchone()  # noqa: S608 - our own names
    if row is None:
        return ()
    # In two steps, since SQLite would walk through all that are equal in one.
    equal = _some(db, [*parts, f"{name} = ?", "n > ?"], [*values, row[name], after], "n", size)
    greater = [*parts, f"{name} > ?"], [*values, row[name]]
    return equal if len(equal) == size else [*equal, *_some(db, *greater, f"{name}, n", size - len(equal))]


def _rarest(db: sqlite3.Connection, asked: Sequence[Condition]) -> Condition | None:
    """Return the condition that the fewest rows meet, None where none is asked."""

    def count(one: Condition) -> int:
        (part,), values = _met([one], one)
        query = f"SELECT count(*) FROM (SELECT 1 FROM row WHERE {part} LIMIT {MANY})"  # noqa: S608 - our own names
        return int(db.execute(query, values).fetchone()[0])

    if len(asked) < 2:  # noqa: PLR2004 - nothing to choose between
        return next(iter(asked), None)
    if known := [one for one in asked if one.column == "id" and not one.prefix]:
        return known[0]
    # Of those that many rows meet the beginning, as an index on it has the rows in their order.
    first = sorted(asked, key=lambda one: one is not leading(asked))
    # Without an index that begins with its column, to count would be to walk through all rows.
    firsts = {row["name"] for row in db.execute(_FIRSTS)}
    return min((one for one in first if one.column in firsts), key=count, default=first[0])


def _met(asked: Sequence[Condition], rarest: Condition | None) -> tuple[list[str], list[bytes]]:
    """Return conditions in SQL, and their values; an index on the rarest is to be gone by.

    What SQLite knows is how often a value is there on the average: by that it would rather walk through the table.
    """
    parts, values = [], list[bytes]()
    for one in asked:
        tests = [">= ?", "< ?"] if one.prefix else ["= ?" if one.value is not None else "IS NULL"]
        values += [] if one.value is None else [one.value, one.end][: len(tests)]
        form = "likelihood({} {}, 0.000001)" if one is rarest else "{} {}"
        parts.append(" AND ".join(form.format(one.column, test) for test in tests))
    return parts, values


def _some(
    db: sqlite3.Connection, parts: Sequence[str], values: Sequence[bytes | int], order: str, size: int
) -> list[tuple[int, bytes]]:
    query = f"SELECT n, doc FROM row WHERE {' AND '.join(parts)} ORDER BY {order} LIMIT ?"  # noqa: S608 - our own names
    return [(row["n"], row["doc"]) for row in db.execute(query, (*values, size))]
