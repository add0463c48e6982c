"""Counts what a PostgreSQL ledger has not settled; makes no tables and needs no key."""

from gateway.census import Unsettled
from gateway.ledger.postgres import reading
from gateway.ledger.postgres.prepare import refuse_newer, setting
from gateway.ledger.postgres.store import opened


async def of_database(url: str) -> Unsettled:
    """Count by operation and state; nothing where there is no ledger yet. Raises LedgerUnavailable, ConfigError."""
    store = await opened(url)
    try:
        async with store.connection() as connection:
            made = await connection.fetchval("SELECT to_regclass('message') IS NOT NULL")
            if not made:
                return {}
            await refuse_newer(connection)
            return await reading.unsettled(connection)
    finally:
        await store.close()


async def key_check_of(url: str) -> str | None:
    """Return by what the ledger knows its key, None where there is no ledger yet. Raises LedgerUnavailable."""
    store = await opened(url)
    try:
        async with store.connection() as connection:
            made = await connection.fetchval("SELECT to_regclass('setting') IS NOT NULL")
            return await setting(connection, "key-check") if made else None
    finally:
        await store.close()
