"""One agency's feeds as its adapter sees them: in the ledger, or for a try in memory; knows no files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import NoSnapshot
from gateway.feeds import Receipts
from gateway.ledger.snapshot_rows import matches
from gateway.lookup import Cells, Found
from gateway.message import Document


@dataclass(frozen=True, slots=True)
class LedgerSnapshots:
    """The live snapshots of an agency, the same for every process at the ledger."""

    receipts: Receipts
    agency: str

    async def find(
        self, feed: str, where: Document, /, *, limit: int, starts: Cells | None = None, after: str | None = None
    ) -> Found:
        """Return rows whose fields equal all of `where`; raises NoSnapshot, LedgerUnavailable."""
        return await self.receipts.look_up(f"{self.agency}/{feed}", where, limit=limit, starts=starts, after=after)


class MemorySnapshots:
    """Snapshots of one process that is soon over."""

    __slots__ = ("_live",)

    def __init__(self) -> None:
        self._live: dict[str, tuple[Sequence[Document], datetime]] = {}

    def publish(self, feed: str, rows: Sequence[Document], /, *, as_of: datetime) -> None:
        """Replace the feed's snapshot at once."""
        self._live[feed] = (tuple(rows), as_of)

    async def find(
        self, feed: str, where: Document, /, *, limit: int, starts: Cells | None = None, after: str | None = None
    ) -> Found:
        """Return rows whose fields equal all of `where`; raises NoSnapshot without a snapshot."""
        if feed not in self._live:
            raise NoSnapshot(f"{feed}: no file has been taken in yet", maybe_done=False)
        rows, as_of = self._live[feed]
        found = [row for row in rows if matches(row, where, starts or {})][int(after or 0) :]
        further = str(int(after or 0) + limit) if len(found) > limit else None
        return Found(rows=tuple(found[:limit]), as_of=as_of, further=further)
