"""What the ledger counts: what is not settled, and so must not be taken away, and who works with it (design, 11.22)."""

from collections.abc import Mapping
from typing import Protocol

from gateway.message import OperationId
from gateway.records import State

Unsettled = Mapping[OperationId, Mapping[State, int]]
"""How many messages of each operation somebody must still deliver or look at, by state."""


class Census(Protocol):
    """The ledger as a count; may raise LedgerUnavailable."""

    async def unsettled(self) -> Unsettled:
        """Count what is pending, delivering, unknown or buried."""
        ...

    async def replicas(self, me: str, seconds: float, /) -> int:
        """Say that `me` lives for so many seconds, or by none that it ends; returns how many processes live.

        A ledger on one machine's disk counts nobody: it is always 1.
        """
        ...

    async def stirred(self, seconds: float, /) -> bool:
        """Return true when a process may have come or gone, false when the time is up."""
        ...
