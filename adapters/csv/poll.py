"""New complete files -> batches, forever; must not know what becomes of the rows."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from adapters.csv.drop import Drop, Entry, Watch
from adapters.csv.read import pieces
from adapters.csv.settings import Feed
from gateway import Batch, Clock, Document, FieldError, Log, Reject, Snapshots, Unavailable

ROWS = 2000
TRY_AGAIN = 60.0


async def poll(
    feeds: Sequence["FeedFiles"], drop: Drop, clock: Clock, log: Log, every: float
) -> AsyncGenerator[Batch, None]:
    """Look every `every` seconds; a drop that can't be reached is logged once and looked at again."""
    reachable = True
    while True:
        try:
            entries = await drop.list()
        except Unavailable as error:
            if reachable:
                log("drop-unreachable", level="warning", error=str(error))
            reachable = False
        else:
            if not reachable:
                log("drop-reachable-again")
            reachable = True
            for feed in feeds:
                async with aclosing(feed.batches(entries)) as batches:
                    async for batch in batches:
                        yield batch
        await clock.sleep(every)


@dataclass(slots=True, kw_only=True)
class FeedFiles:
    """One feed's files, and which were dealt with: in memory only, so a restart reads the newest file again."""

    name: str
    feed: Feed
    columns: Sequence[str]
    drop: Drop
    clock: Clock
    snapshots: Snapshots
    _watch: Watch = field(init=False)
    _done: dict[Entry, float] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._watch = Watch(self.feed)

    async def batches(self, entries: Sequence[Entry]) -> AsyncGenerator[Batch, None]:
        """Yield the newest complete file that is new; older ones only as long as none of them was accepted."""
        now = self.clock.monotonic()
        found = self._watch.candidates(entries, now)
        # A file that goes away and comes back is new: Monday's data may return on Wednesday on purpose.
        self._done = {entry: self._done[entry] for entry in found if entry in self._done}
        fresh = [entry for entry in found if self._is_due(entry, now) and self._watch.is_quiet(entry, entries, now)]
        for place, entry in enumerate(fresh):
            if not await self._is_closed(entry):
                if self._watch.is_overdue(entry, now):
                    self._done[entry] = inf
                    yield self._refusal(entry, "unfinished")
                continue
            self._done[entry] = inf
            async with aclosing(self._read(entry)) as batches:
                async for batch in batches:
                    yield batch
            if await self._is_live(entry):
                self._done.update(dict.fromkeys(fresh[place + 1 :], inf))
                return

    async def _read(self, entry: Entry) -> AsyncGenerator[Batch, None]:
        try:
            file = await self.drop.open(entry.name)
            async with aclosing(pieces(file, self.feed.dialect, self.columns, ROWS)) as read:
                async for piece in read:
                    if piece.last and entry not in await self.drop.list():
                        yield self._refusal(entry, "unfinished")
                    else:
                        yield self._batch(entry, piece.rows, piece.rejects, last=piece.last)
        except (OSError, Unavailable) as error:
            self._done[entry] = self.clock.monotonic() + TRY_AGAIN
            yield self._refusal(entry, "unreadable", error=str(error))
        except Exception as error:  # noqa: BLE001 - one strange file must not end the polling of all
            yield self._refusal(entry, "unreadable", error=type(error).__name__)

    async def _is_closed(self, entry: Entry) -> bool:
        try:
            return await self._watch.is_closed(entry, self.drop)
        except Unavailable:
            return False

    async def _is_live(self, entry: Entry) -> bool:
        """Tell whether the file became the snapshot: what was yielded has been dealt with when we run again."""
        try:
            found = await self.snapshots.find(self.name, {}, limit=0)
        except Unavailable:
            return False
        return found.as_of == self._as_of(entry)

    def _is_due(self, entry: Entry, now: float) -> bool:
        return self._done.get(entry, -inf) <= now

    def _refusal(self, entry: Entry, rule: str, **params: str) -> Batch:
        reject = Reject(number=0, reasons=(FieldError(pointer="", rule=rule, params=params),))
        return self._batch(entry, (), (reject,), last=True)

    def _batch(
        self, entry: Entry, rows: Sequence[tuple[int, Document]], rejects: Sequence[Reject], *, last: bool
    ) -> Batch:
        return Batch(feed=self.name, file=entry.name, as_of=self._as_of(entry), rows=rows, rejects=rejects, last=last)

    def _as_of(self, entry: Entry) -> datetime:
        return datetime.fromtimestamp(entry.mtime, self.clock.now().tzinfo)
