"""Makes a database a ledger, or recognises it as one; safe when several processes start at once."""

import asyncio

from gateway.ledger.keys import Keys, KeySource
from gateway.ledger.migrations import missing
from gateway.ledger.postgres.store import Connection, Store
from gateway.ledger.postgres.turns import find_lost

_LONG = 3600.0
"""Seconds that a change of large tables may take, and another process may wait for it."""
_WHERE = "gateway.ledger"
_LOCK = 0x6F7064  # "opd": what migrating processes wait for one another by


async def prepared(store: Store, source: KeySource) -> Keys:
    """Bring the tables up to date and return the keys; raises ConfigError: another key, a newer ledger."""
    async with store.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK, timeout=_LONG)
        await _migrate(connection)
        await find_lost(connection)
        check = await setting(connection, "key-check")
        keys = await asyncio.to_thread(source.load, check)
        if keys.check != check:
            await put_setting(connection, "key-check", keys.check)
        keys.current = int(await setting(connection, "key-number") or keys.current)
    return keys


async def setting(connection: Connection, name: str) -> str | None:
    """Return what the ledger keeps under a name."""
    value: str | None = await connection.fetchval("SELECT value FROM setting WHERE name = $1", name)
    return value


async def put_setting(connection: Connection, name: str, value: str) -> None:
    """Keep a value under a name."""
    query = "INSERT INTO setting VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    await connection.execute(query, name, value)


async def _migrate(connection: Connection) -> None:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY, name text NOT NULL, at timestamptz NOT NULL)"
    )
    for step in missing("postgres", await _done(connection), _WHERE):
        await connection.execute(step.sql, timeout=_LONG)
        await connection.execute("INSERT INTO migration VALUES ($1, $2, clock_timestamp())", step.number, step.name)


async def refuse_newer(connection: Connection) -> None:
    """Raise ConfigError for a ledger that a newer gateway has changed."""
    missing("postgres", await _done(connection), _WHERE)


async def _done(connection: Connection) -> set[int]:
    return {row["number"] for row in await connection.fetch("SELECT number FROM migration")}
