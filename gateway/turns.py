"""A feed's files are taken in by one process at a time: it holds the feed's lease while it does, knows no file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Protocol

from gateway.errors import LedgerUnavailable
from gateway.feeds import Turn, lease_of
from gateway.ports import Clock

BEATS = 4
"""How often a lease is renewed while it lasts."""


class Leases(Protocol):
    """What taking turns needs of the ledger."""

    async def hold(self, lease: str, /, *, by: str, seconds: float) -> int | None:
        """Take or renew a lease; None while another has it."""
        ...


@asynccontextmanager
async def taking_turns(
    leases: Leases, feed: str, *, by: str, seconds: float, clock: Clock
) -> AsyncIterator[Turn | None]:
    """Hold a feed's lease, and let go of it at once afterwards; None while another has it."""
    token = await leases.hold(lease_of(feed), by=by, seconds=seconds)
    if token is None:
        yield None
        return
    turn = Turn(feed=feed, by=by, token=token)
    beating = asyncio.create_task(_beat(leases, turn, seconds, clock))
    try:
        yield turn
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        with suppress(LedgerUnavailable):
            await leases.hold(turn.lease, by=by, seconds=0.0)


async def _beat(leases: Leases, turn: Turn, seconds: float, clock: Clock) -> None:
    """Keep the lease; once it is another's, the ledger takes nothing of this turn any more."""
    token: int | None = turn.token
    while token == turn.token:
        await clock.sleep(seconds / BEATS)
        with suppress(LedgerUnavailable):
            token = await leases.hold(turn.lease, by=turn.by, seconds=seconds)
