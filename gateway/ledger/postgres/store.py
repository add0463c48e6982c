"""The connections to one PostgreSQL ledger; the only place that meets the driver's errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from gateway.errors import ConfigError, Finding, GatewayError, InvalidRequest, LedgerSilent, LedgerUnavailable

_FOREIGN = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""Everything that talking to PostgreSQL may raise."""

_LOST = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
"""Those of PostgreSQL's errors that end a connection, whatever became of what was asked."""

_CONNECT = 5.0
_ANSWER = 10.0
_MOST = 10
_SETTINGS = {
    # A replica that vanishes in the middle of a transaction must not hold a lane until its TCP connection is missed.
    "idle_in_transaction_session_timeout": "10s",
    "application_name": "opd-gateway",
    # A plan made while the tables are small is kept; it must not read whole tables once they have grown.
    "enable_seqscan": "off",
    "jit": "off",
    "default_transaction_isolation": "read committed",  # `turns` needs each statement to see what was committed before
}

Connection = Any
"""The driver has no types: a connection of its pool."""


class Store:
    """A pool of connections that come back by themselves when PostgreSQL does."""

    __slots__ = ("_pool", "_url")

    def __init__(self, pool: Any, url: str) -> None:
        self._pool = pool
        self._url = url

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; raises our error for the driver's: LedgerUnavailable, if it may pass."""
        lent = False
        try:
            async with self._pool.acquire(timeout=_ANSWER) as connection:
                lent = True
                yield connection
        except _FOREIGN as error:
            if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
                await self._pool.expire_connections()  # it leads to a standby now; a new one may lead to the primary
            raise translated(error, asked=lent) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction that commits at the end; raises as `connection`."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def apart(self) -> Connection:
        """Open a connection outside of the pool, to be closed by the caller; raises what the driver raises."""
        return await asyncpg.connect(self._url, **_arguments())

    async def close(self) -> None:
        """Close the connections when they are given back, or soon."""
        try:
            async with asyncio.timeout(_CONNECT):
                await self._pool.close()
        except _FOREIGN:
            self._pool.terminate()


async def opened(url: str) -> Store:
    """Connect; raises LedgerUnavailable when PostgreSQL does not answer, ConfigError for what is no address."""
    try:
        pool = await asyncpg.create_pool(url, min_size=1, max_size=_MOST, reset=_keep, **_arguments())
    except ValueError as error:  # the driver's words quote the address, and a password with it
        remedy = 'write ledger = "postgresql://USER:PASSWORD@HOST/DATABASE", what is special in a part as %XX'
        raise ConfigError(Finding(where="gateway.ledger", what="it is no address", remedy=remedy)) from error
    except _FOREIGN as error:
        raise translated(error) from error
    return Store(pool, url)


class Contended(LedgerUnavailable):
    """Two transactions were in each other's way and this one gave way: it was not done, and can be done again."""


def translated(error: BaseException, *, asked: bool = False) -> GatewayError:
    """Return our error for the driver's; its words may hold addresses and rows, so only its kind is told.

    Once it was `asked`, only PostgreSQL's own refusal is certain.
    """
    if isinstance(error, asyncpg.DataError):  # a NUL, a number too large: not now and not later
        return InvalidRequest(f"ledger: PostgreSQL can't hold what was given ({type(error).__name__})")
    if isinstance(error, asyncpg.TransactionRollbackError):
        return Contended("ledger: too much came for the same messages at once; try again")
    kind = type(error).__name__
    remedy = "see whether PostgreSQL runs, accepts connections and has room; each call tries anew"
    silent = asked and (isinstance(error, _LOST) or not isinstance(error, asyncpg.PostgresError))
    ours = LedgerSilent if silent else LedgerUnavailable
    return ours(f"ledger: PostgreSQL did not do what was asked ({kind}); {remedy}")


def _arguments() -> dict[str, object]:
    return {"timeout": _CONNECT, "command_timeout": _ANSWER, "server_settings": _SETTINGS}


async def _keep(_: Connection) -> None:
    """Nothing here sets a session's state, so none is undone: that would cost a round trip with every statement."""
