"""What the ledger has not settled, counted by operation: what must not be taken away yet (design, 11.22)."""

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
