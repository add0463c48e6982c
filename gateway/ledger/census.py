"""Counts what a ledger has not settled from outside: without its key, changing nothing, whoever else works with it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.census import Unsettled
from gateway.errors import LedgerUnavailable
from gateway.ledger.opening import SQLITE


async def census(address: str) -> Unsettled:
    """Count by operation and state; nothing where there is no ledger yet.

    Raises LedgerUnavailable, and ConfigError for a ledger that a newer gateway has changed.
    """
    if address.startswith(SQLITE):
        return await asyncio.to_thread(_of_file, Path(address.removeprefix(SQLITE)))
    from gateway.ledger.postgres.census import of_database  # noqa: PLC0415 - its library is slow to import

    return await of_database(address)


def _of_file(path: Path) -> Unsettled:
    from gateway.ledger import place, sqlite_reads  # noqa: PLC0415 - not needed for the other store

    if not path.exists():
        return {}
    try:
        with closing(place.look(path)) as db:
            made = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'message'").fetchone()
            if not made:
                return {}
            place.refuse_newer(db, path)
            return sqlite_reads.unsettled(db)
    except sqlite3.Error as error:
        raise LedgerUnavailable(f"{path} can't be read: {error}") from error


async def key_check(address: str) -> str | None:
    """Return by what the ledger knows its key, None where there is none yet. Raises LedgerUnavailable."""
    if address.startswith(SQLITE):
        return await asyncio.to_thread(_check_of_file, Path(address.removeprefix(SQLITE)))
    from gateway.ledger.postgres.census import key_check_of  # noqa: PLC0415 - its library is slow to import

    return await key_check_of(address)


def _check_of_file(path: Path) -> str | None:
    from gateway.ledger import place, sqlite_upkeep  # noqa: PLC0415 - not needed for the other store

    if not path.exists():
        return None
    try:
        with closing(place.look(path)) as db:
            made = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'setting'").fetchone()
            return sqlite_upkeep.setting(db, sqlite_upkeep.KEY_CHECK) if made else None
    except sqlite3.Error as error:
        raise LedgerUnavailable(f"{path} can't be read: {error}") from error
