"""The replicas at one ledger: says that this process lives, and divides what agencies allow by how many there are.

When in doubt it keeps the larger number, so that an agency gets less than it allows, and not more.
"""

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from gateway.census import Census
from gateway.errors import LedgerUnavailable
from gateway.ports import Clock, Log
from gateway.shares import Shares

FOLLOW_EVERY = 2.0
LASTS = 10.0
"""Seconds for which a replica that says nothing more is counted."""


class Replicas:
    """One process among the replicas; `show` hears the number each time."""

    __slots__ = ("_census", "_clock", "_heard", "_log", "_me", "_shares", "_show", "_sure")

    def __init__(  # noqa: PLR0913 - whom it asks, and who hears
        self, *, me: str, census: Census, shares: Shares, show: Callable[[float], object], clock: Clock, log: Log
    ) -> None:
        self._me = me
        self._census = census
        self._shares = shares
        self._show = show
        self._clock = clock
        self._log = log
        self._heard = clock.monotonic()
        self._sure = float("-inf")

    @asynccontextmanager
    async def among_them(self) -> AsyncIterator[None]:
        """Be counted, and follow the number, until everything is through."""
        await self.count()
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            with suppress(LedgerUnavailable):
                await self._census.replicas(self._me, 0.0)

    async def count(self) -> None:
        """Say that this process lives, and divide by how many do; what can't be asked leaves everything as it is."""
        with suppress(LedgerUnavailable):
            living = await self._census.replicas(self._me, LASTS)
            self._divide(self._believed(max(1, living)))

    async def _follow(self) -> None:
        while True:
            try:
                await self._census.stirred(FOLLOW_EVERY)
                await self.count()
            except LedgerUnavailable:  # it may not even be open yet, and then nothing waits
                await self._clock.sleep(FOLLOW_EVERY)
            except Exception as error:  # noqa: BLE001 - who is not counted any more sends too much
                self._log("bug", level="error", traceback="".join(traceback.format_exception(error)))
                await self._clock.sleep(FOLLOW_EVERY)

    def _believed(self, living: int) -> int:
        """Return the number to go by: after a time without the ledger, others may only not have come back yet."""
        now = self._clock.monotonic()
        if now - self._heard > LASTS / 2:
            self._sure = now + LASTS
        self._heard = now
        return living if now >= self._sure else max(living, self._shares.among)

    def _divide(self, among: int) -> None:
        self._show(among)
        if (before := self._shares.among) != among:
            self._shares.divide(among)
            self._log("replicas", among=among, before=before, what="each takes its part of what agencies allow")
