"""Whether agencies still publish the contracts that are pinned here; looked at rarely, by one process for all."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from gateway.errors import GatewayError, LedgerUnavailable
from gateway.metrics import Metrics
from gateway.native import Compared
from gateway.ports import Clock, Log, Upkeep

FIRST_WITHIN = 300.0
"""Seconds after a start: processes that start often would otherwise never come to it."""
HELD = 900.0
TURN = 300.0
_GAUGES = "gateway_agency_contract_"
_SHOWN = 20


@dataclass(slots=True, kw_only=True)
class ContractWatch:
    """One agency's: compares when it is time, shows what came of it, tells of changes once; never fails.

    `me` names this process: of several at one ledger, whoever holds the lease compares, and only its figures count.
    """

    agency: str
    compared: Compared
    every: float
    me: str
    upkeep: Upkeep
    metrics: Metrics
    clock: Clock
    log: Log
    chance: Callable[[], float] = random.random
    told: object = ()

    async def run(self) -> None:
        """Compare for ever."""
        due = self.clock.monotonic() + self.chance() * min(self.every, FIRST_WITHIN)
        while True:
            await self.clock.sleep(max(0.0, min(due - self.clock.monotonic(), TURN)))
            if not await self._mine():
                forget(self.metrics, self.agency)
                await self.clock.sleep(min(self.every, TURN))
            elif self.clock.monotonic() >= due:
                await self._compare()
                due = self.clock.monotonic() + self.every * (0.9 + 0.2 * self.chance())

    async def _mine(self) -> bool:
        with suppress(LedgerUnavailable):
            return await self.upkeep.hold(lease(self.agency), by=self.me, seconds=HELD) is not None
        return False

    async def _compare(self) -> None:
        try:
            changes = await self.compared.compare()
        except GatewayError as error:
            self._tell("contract-unchecked", str(error), level="warning", why=str(error).splitlines()[0])
            return
        self.metrics.gauge("gateway_agency_contract_changed", self.agency).set(bool(changes))
        checked = self.metrics.gauge("gateway_agency_contract_checked_timestamp_seconds", self.agency)
        checked.set(self.clock.now().timestamp())
        if changes:
            more = {"more": len(changes) - _SHOWN} if len(changes) > _SHOWN else {}
            self._tell("contract-changed", changes, level="warning", changes=list(changes[:_SHOWN]), **more)
        elif self.told:
            self._tell("contract-as-pinned", (), level="info")

    def _tell(self, event: str, what: object, *, level: str, **facts: object) -> None:
        """Write a line, but not the same one every day."""
        if what != self.told:
            self.log(event, level=level, agency=self.agency, **facts)
        self.told = what


def lease(agency: str) -> str:
    """Return the name of the lease under which one process compares."""
    return f"contract:{agency}"


def forget(metrics: Metrics, agency: str) -> None:
    """Show nothing of an agency's contract: another process does, or nobody looks."""
    metrics.forget(_GAUGES, agency)
