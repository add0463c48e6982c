"""The contract of a ledger that knows when files came, and how long it keeps what became of them; implements nothing.

A feed is late when none came in time: by working days that is a matter of its agency's calendar, not of the ledger.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

REREAD = "gateway"
"""Who confirmed a file that the gateway read again by itself: that is no arrival."""

THOUGH_OLDER = " (--yes)"
"""What ends the name of somebody who wants a file tried again though what it would replace is newer."""


class Arrivals(Protocol):
    """When files came. Every method may raise LedgerUnavailable."""

    async def last_came(self, feed: str, /) -> datetime:
        """Return when the last file was taken, or known already; without any, when this was first asked.

        Neither mended rejects nor what the gateway reads again by itself is a file that came.
        """
        ...

    async def feeds_kept(self) -> Sequence[str]:
        """Return the feeds of which there are receipts, in their order."""
        ...

    async def shed_files(self, feed: str, seconds: float, /, *, limit: int = 500) -> int:
        """Forget one batch of receipts that ended so long ago; returns how many.

        Those stay by which the live and the previous snapshot were made, that another or a message refers to, or whose
        file is not put away or wanted again, and that of the last file that came.
        """
        ...
