"""When files came and what is forgotten of them, over SQLite; a part of SqliteLedger."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from gateway.ledger import sqlite_clock, sqlite_upkeep
from gateway.ledger.receipt_rows import CAME, FIRST_ASKED, FORGETTABLE
from gateway.ledger.sqlite_builds import Builds
from gateway.ledger.transaction import Transaction
from gateway.ledger.writer import Readers, Writer
from gateway.ports import Clock

_CAME = f"SELECT ended_at FROM receipt WHERE feed = :feed AND {CAME} ORDER BY number DESC LIMIT 1"  # noqa: S608 - our own words
_OLD = f"SELECT number FROM receipt WHERE feed = :feed AND ended_at <= :until AND {FORGETTABLE} LIMIT :limit".replace(  # noqa: S608 - our own words
    "$1", ":feed"
)


class SqliteArrivals:
    """The Protocol Arrivals."""

    _writer: Writer
    _readers: Readers
    _clock: Clock
    _when: Callable[[float], datetime]
    _builds: Builds

    async def last_came(self, feed: str, /) -> datetime:
        """Return when the last file came, or when this was first asked."""
        found = await self._readers.do(lambda tx: _last(tx, feed))
        if found is None:
            found = await self._writer.do(lambda tx: _noted(sqlite_clock.followed(tx, self._clock), feed))
        return self._when(found)

    async def feeds_kept(self) -> Sequence[str]:
        """Return the feeds of which there are receipts."""
        query = "SELECT DISTINCT feed FROM receipt ORDER BY feed"
        rows = await self._readers.do(lambda tx: tx.db.execute(query).fetchall())
        return tuple(row["feed"] for row in rows)

    async def shed_files(self, feed: str, seconds: float, /, *, limit: int = 500) -> int:
        """Forget one batch of old receipts."""
        gone = await self._writer.do(lambda tx: _shed(sqlite_clock.followed(tx, self._clock), feed, seconds, limit))
        for number in gone:
            with suppress(OSError):  # what can't be taken away takes room, no more
                await asyncio.to_thread(self._builds.drop, number)
        return len(gone)


def _last(tx: Transaction, feed: str) -> float | None:
    row = tx.db.execute(_CAME, {"feed": feed}).fetchone()
    if row is not None:
        return float(row["ended_at"])
    noted = sqlite_upkeep.setting(tx.db, f"{FIRST_ASKED}{feed}")
    return None if noted is None else float(noted)


def _noted(tx: Transaction, feed: str) -> float:
    found = _last(tx, feed)
    if found is None:
        sqlite_upkeep.keep(tx.db, f"{FIRST_ASKED}{feed}", repr(found := tx.now))
    return found


def _shed(tx: Transaction, feed: str, seconds: float, limit: int) -> list[int]:
    values = {"feed": feed, "until": tx.now - seconds, "limit": limit}
    gone = [row["number"] for row in tx.db.execute(_OLD, values).fetchall()]
    tx.db.executemany("DELETE FROM receipt WHERE number = ?", [(number,) for number in gone])
    return gone
