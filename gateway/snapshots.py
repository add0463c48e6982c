"""One agency's feeds as its adapter sees them: in the ledger, or for a try in memory; knows no files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import NoSnapshot
from gateway.feeds import Receipts
from gateway.ledger.snapshot_rows import in_order, matches
from gateway.lookup import Cells, Found, Mark, page_gone, written_mark
from gateway.message import Document


@dataclass(frozen=True, slots=True)
class LedgerSnapshots:
    """The live snapshots of an agency, the same for every process at the ledger."""

    receipts: Receipts
    agency: str

    async def find(
        self, feed: str, where: Document, /, *, limit: int, starts: Cells | None = None, after: str | None = None
    ) -> Found:
        """Return rows whose fields equal all of `where`; raises NoSnapshot, TranslationError, LedgerUnavailable."""
        return await self.receipts.look_up(f"{self.agency}/{feed}", where, limit=limit, starts=starts, after=after)


class MemorySnapshots:
    """Snapshots of one process that is soon over."""

    __slots__ = ("_live",)

    def __init__(self) -> None:
        self._live: dict[str, tuple[int, Sequence[Document], datetime]] = {}

    def publish(self, feed: str, rows: Sequence[Document], /, *, as_of: datetime) -> None:
        """Replace the feed's snapshot at once; the one before is not kept."""
        number = self._live[feed][0] + 1 if feed in self._live else 1
        self._live[feed] = (number, tuple(rows), as_of)

    async def find(
        self, feed: str, where: Document, /, *, limit: int, starts: Cells | None = None, after: str | None = None
    ) -> Found:
        """Return rows whose fields equal all of `where`; raises NoSnapshot without a snapshot."""
        if feed not in self._live:
            raise NoSnapshot(f"{feed}: no file has been taken in yet", maybe_done=False)
        number, rows, as_of = self._live[feed]
        mark = Mark.read(after)
        if mark and mark.snapshot != number:
            raise page_gone()
        begin = mark.row if mark else 0
        found = in_order([row for row in rows if matches(row, where, starts or {})], starts or {})[begin:]
        further = begin + limit if len(found) > limit else None
        return Found(rows=tuple(found[:limit]), as_of=as_of, further=written_mark(number, further))
