"""Counts what a PostgreSQL ledger has not settled; makes no tables and needs no key."""

from gateway.census import Unsettled
from gateway.ledger.postgres import reading
from gateway.ledger.postgres.store import opened


async def of_database(url: str) -> Unsettled:
    """Count by operation and state; nothing where there is no ledger yet. Raises LedgerUnavailable."""
    store = await opened(url)
    try:
        async with store.connection() as connection:
            made = await connection.fetchval("SELECT to_regclass('message') IS NOT NULL")
            return await reading.unsettled(connection) if made else {}
    finally:
        await store.close()
