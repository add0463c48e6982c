"""When files came and what is forgotten of them, in PostgreSQL; a part of PostgresLedger."""

from collections.abc import Callable, Sequence
from datetime import datetime

from gateway.ledger.postgres import builds
from gateway.ledger.postgres.store import Store
from gateway.ledger.receipt_rows import CAME, FIRST_ASKED, FORGETTABLE

_CAME = f"SELECT ended_at FROM receipt WHERE feed = $1 AND {CAME} ORDER BY number DESC LIMIT 1"  # noqa: S608 - our own words
_NOTE = """
INSERT INTO setting VALUES ($1, extract(epoch FROM ledger_now())::text)
ON CONFLICT (name) DO UPDATE SET value = setting.value RETURNING to_timestamp(value::float8)
"""
_OLD = f"""
DELETE FROM receipt WHERE number IN (
    SELECT number FROM receipt
    WHERE feed = $1 AND ended_at <= (SELECT ledger_now()) - make_interval(secs => $2) AND {FORGETTABLE}
    LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING number
"""  # noqa: S608 - our own words


class PostgresArrivals:
    """The Protocol Arrivals."""

    _store: Store
    _when: Callable[[datetime], datetime]

    async def last_came(self, feed: str, /) -> datetime:
        """Return when the last file came, or when this was first asked."""
        async with self._store.connection() as connection:
            came = await connection.fetchval(_CAME, feed)
            return self._when(came or await connection.fetchval(_NOTE, f"{FIRST_ASKED}{feed}"))

    async def feeds_kept(self) -> Sequence[str]:
        """Return the feeds of which there are receipts."""
        async with self._store.connection() as connection:
            rows = await connection.fetch("SELECT DISTINCT feed FROM receipt ORDER BY feed")
        return tuple(row["feed"] for row in rows)

    async def shed_files(self, feed: str, seconds: float, /, *, limit: int = 500) -> int:
        """Forget one batch of old receipts, and what is left of their rows."""
        async with self._store.transaction() as connection:
            gone = await connection.fetch(_OLD, feed, seconds, limit)
            for row in gone:
                await builds.drop(connection, row["number"])
        return len(gone)
