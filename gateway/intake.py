"""Polling consumer: an agency's files -> translated rows -> the ledger -> put away; knows no format and no folder.

Whatever ends this in the middle, the ledger knows how far a file was: it is gone on with at the next row.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from traceback import extract_tb
from typing import Any, Protocol, cast

from gateway.errors import FieldError, LedgerUnavailable, TranslationError, Unavailable
from gateway.feeds import (
    Batch,
    Chunk,
    FileReceipt,
    FileState,
    Filing,
    Held,
    Overtaken,
    Ready,
    Receipts,
    Reject,
    Source,
    Tally,
    Turn,
    lease_of,
)
from gateway.message import Document
from gateway.ports import Clock, Log, Upkeep
from gateway.receipts import papers
from gateway.registry import Feed
from gateway.wording import say

FIRST_REJECTS = 5
# An export cut short looks like a good file with fewer rows; agencies don't lose half their people overnight.
SHRINK = 0.5
LEASE = 3.0
"""Seconds after which another process may go on with a file whose reader is silent; what that one does is void."""
BEATS = 4
"""How often a lease is renewed while it lasts."""
TRY_AGAIN = 60.0
"""Seconds until a file that could not be read or put away is tried again."""
EXAMINE_EVERY = 60.0
"""Seconds between two looks at whether the live snapshot is of this mapping: another process may have another."""
_MENDED = "gateway"
"""Who wants a file again whose mapping has changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNews:
    """A file that has ended, for the log and the metrics, with the first of its rejects."""

    receipt: FileReceipt
    first: Sequence[Reject] = ()


class Ledger(Receipts, Upkeep, Protocol):
    """What intake needs of the ledger."""


@dataclass(slots=True, kw_only=True)
class Intake:
    """One agency's files; several processes may do this for the same ledger, and share the work."""

    agency: str
    source: Source
    feeds: Mapping[str, Feed]
    ledger: Ledger
    me: str
    clock: Clock
    log: Log
    report: Callable[[FileNews], None]
    lease: float = LEASE
    _later: dict[object, float] = field(init=False, default_factory=dict)
    _examined: dict[str, float] = field(init=False, default_factory=dict)
    _asked: set[int] = field(init=False, default_factory=set)

    async def run(self) -> None:
        """Look, and take in what is there, for ever."""
        while True:
            await self.once()
            await self.clock.sleep(self.source.pause)

    async def once(self) -> None:
        """Look once; what can't be done now is done another time."""
        ready = await self.source.look()
        for name, feed in self.feeds.items():
            files = [one for one in ready if one.feed == name and self._is_due(_same(one))]
            try:
                await self._feed(name, feed, files)
            except Overtaken as error:
                self.log("feed-overtaken", feed=name, why=str(error))
            except LedgerUnavailable:
                """Its own watch tells of it; files wait."""

    async def _feed(self, name: str, feed: Feed, ready: Sequence[Ready]) -> None:
        full = f"{self.agency}/{name}"
        await self._examine(full, feed)
        unfiled = [one for one in await self.ledger.unfiled(full) if self._is_due(one.number)]
        if not (ready or unfiled or await self.ledger.wanted_again(full)):
            return
        async with self._turn(full) as turn:
            if turn is not None:
                await self._in_turn(_Work(self, name, feed, turn), full, ready)

    @asynccontextmanager
    async def _turn(self, full: str) -> AsyncIterator[Turn | None]:
        """Hold a feed's lease, and let go of it at once afterwards; None while another has it."""
        token = await self.ledger.hold(lease_of(full), by=self.me, seconds=self.lease)
        if token is None:
            yield None
            return
        turn = Turn(feed=full, by=self.me, token=token)
        beating = asyncio.create_task(self._beat(turn))
        try:
            yield turn
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)
            with suppress(LedgerUnavailable):
                await self.ledger.hold(turn.lease, by=self.me, seconds=0.0)

    async def _beat(self, turn: Turn) -> None:
        """Keep the lease; once it is another's, the ledger takes nothing of this turn any more."""
        token: int | None = turn.token
        while token == turn.token:
            await self.clock.sleep(self.lease / BEATS)
            with suppress(LedgerUnavailable):
                token = await self.ledger.hold(turn.lease, by=self.me, seconds=self.lease)

    async def _in_turn(self, work: "_Work", full: str, ready: Sequence[Ready]) -> None:
        for receipt in await self.ledger.unfiled(full):
            if self._is_due(receipt.number):
                await self._attempt(receipt.number, work.finish(receipt))
        for receipt in await self.ledger.wanted_again(full):
            # What another process wants read by its mapping is for that one.
            if receipt.again != _MENDED or not await self._is_of_now(receipt, work.feed):
                await self._attempt(receipt.number, work.again(receipt))
        ended = {receipt.file for receipt in await self.ledger.unfiled(full)}
        for one in ready:
            if one.name not in ended:
                await self._attempt(_same(one), work.take(one))

    async def _attempt(self, what: object, doing: Any) -> None:
        """Do it; what the drop does not allow now is told, and tried again later."""
        try:
            if await doing:
                self._later[what] = float("inf")
        except Unavailable as error:
            self.log("file-waits", level="warning", why=str(error))
            self.postpone(what)
        except (LedgerUnavailable, Overtaken):
            raise
        except Exception as error:  # noqa: BLE001 - one strange file must not keep the others waiting
            self.log("file-waits", level="error", why=_bug(error).params["error"])
            self.postpone(what)

    def postpone(self, what: object) -> None:
        """Try a file, or what is left to do for a receipt, again in a while."""
        self._later[what] = self.clock.monotonic() + TRY_AGAIN

    def _is_due(self, what: object) -> bool:
        return self._later.get(what, 0.0) <= self.clock.monotonic()

    async def _examine(self, full: str, feed: Feed) -> None:
        """See whether the snapshot was read by this mapping and is there; else, once, read its files again (11.21)."""
        if self._examined.get(full, 0.0) > self.clock.monotonic():
            return
        live = (await self.ledger.standing(full)).live
        self._examined[full] = self.clock.monotonic() + EXAMINE_EVERY
        if live is None or live.number in self._asked or await self._is_of_now(live, feed):
            return
        self._asked.add(live.number)
        if not await self._rebuild(live, feed):
            self.log("feed-outdated", level="warning", feed=full, what="its older rows stay as they were read")

    async def _is_of_now(self, live: FileReceipt, feed: Feed) -> bool:
        return live.mapping == feed.keeping.mapping and await self.ledger.is_there(live.number)

    async def _rebuild(self, live: FileReceipt, feed: Feed) -> bool:
        if feed.keeping.mode != "snapshot":
            return False
        chain = [live]
        while chain[-1].base is not None:
            base = await self.ledger.receipt(chain[-1].base)
            if base is None:
                break
            chain.append(base)
        done = [await self.ledger.want_again(one.number, by=_MENDED, shrink=True) for one in reversed(chain)]
        return all(done)


class _Work:
    """One feed's files while it is this process's turn."""

    def __init__(self, intake: Intake, name: str, feed: Feed, turn: Turn) -> None:
        self._intake = intake
        self._source = intake.source
        self._ledger = intake.ledger
        self._name = name
        self.feed = feed
        self._turn = turn

    async def take(self, ready: Ready) -> bool:
        """Take a file in; true when it stays where it is and need not be looked at again."""
        held = await self._source.take(ready)
        if held is None:
            return False
        return await self._take_in(held, overdue=ready.overdue)

    async def again(self, receipt: FileReceipt) -> bool:
        """Take in once more what somebody wants again."""
        held = await self._source.bring(self._name, receipt.place)
        if held is None:
            self._intake.log("file-gone", level="warning", feed=receipt.feed, file=receipt.file, place=receipt.place)
        else:
            await self._take_in(held, confirmed=receipt.again if receipt.shrink else "", afresh=True)
        await self._ledger.no_more_wanted(receipt.number)
        return False

    async def finish(self, receipt: FileReceipt) -> bool:
        """Put away a file that had ended when its process did."""
        await self._put_away(_held(self._name, receipt), receipt)
        return False

    async def _take_in(self, held: Held, *, confirmed: str = "", overdue: bool = False, afresh: bool = False) -> bool:
        keeping = self.feed.keeping
        receipt = await self._ledger.take_up(self._turn, held, keeping, confirmed=confirmed, afresh=afresh)
        if receipt.settled:
            return True
        if receipt.state is FileState.TAKING:
            receipt = await self._decide(held, receipt, overdue=overdue)
        first = await self._ledger.rejects(receipt.number, limit=FIRST_REJECTS)
        self._intake.report(FileNews(receipt=receipt, first=first))
        return await self._put_away(held, receipt) == ""

    async def _decide(self, held: Held, receipt: FileReceipt, *, overdue: bool) -> FileReceipt:
        tally, refused = receipt.tally, FieldError(pointer="", rule="unfinished") if overdue else None
        if refused is None and not tally.whole:
            tally, refused = await self._read(held, receipt)
        if refused := refused or objection(self.feed, receipt, tally):
            return await self._ledger.refuse(self._turn, receipt.number, tally, refused)
        return await self._ledger.publish(self._turn, receipt.number, self.feed.keeping)

    async def _read(self, held: Held, receipt: FileReceipt) -> tuple[Tally, FieldError | None]:
        """Read on from where the ledger is; returns what it has come to, and why the file is refused whole."""
        tally = receipt.tally
        batches = self._source.batches(held, after=tally.position)
        try:
            async with aclosing(cast("Any", batches)):
                async for batch in batches:
                    if refused := refusal(batch):
                        return replace(tally, encoding=batch.encoding or tally.encoding), refused
                    chunk = await asyncio.to_thread(translated, self.feed, batch, tally.position)
                    tally = await self._ledger.add_rows(self._turn, receipt.number, self.feed.keeping, chunk)
        except (Unavailable, LedgerUnavailable, Overtaken):
            raise
        except Exception as error:  # noqa: BLE001 - a bug met by one file must not end the feed
            return tally, _bug(error)
        return tally, None

    async def _put_away(self, held: Held, receipt: FileReceipt) -> str:
        filing = Filing(
            number=receipt.number,
            accepted=receipt.state is FileState.ACCEPTED,
            day=(receipt.ended_at or self._intake.clock.now()).date(),
            papers=papers(receipt),
            reference=receipt.reference,
            rejects=self._rejects(receipt) if receipt.tally.rejected else None,
        )
        try:
            place = await self._source.put_away(held, filing)
        except Unavailable:
            self._intake.postpone(receipt.number)
            raise
        if place is None:
            what = "it is gone or can't be moved; as long as it stays as it is, it is not taken in again"
            self._intake.log("file-stays", level="warning", feed=receipt.feed, file=receipt.file, what=what)
        await self._ledger.filed(self._turn, receipt.number, place or "")
        return place or ""

    async def _rejects(self, receipt: FileReceipt) -> AsyncIterator[tuple[int, str]]:
        after = 0
        while found := await self._ledger.rejects(receipt.number, after=after):
            for reject in found:
                yield reject.number, "; ".join(map(reason_words, reject.reasons))
            after = found[-1].number


def _same(ready: Ready) -> object:
    """Return what a file is known by before it is read, wherever it lies."""
    return (ready.feed, ready.name, ready.size, ready.modified)


def translated(feed: Feed, batch: Batch, after: int) -> Chunk:
    """Return a batch as our rows; what does not fit is rejected with every reason."""
    rows: list[tuple[int, Document]] = []
    rejects = [*batch.rejects]
    read = feed.read(batch.columns)
    for number, cells in batch.rows:
        try:
            rows.append((number, read(cells)))
        except TranslationError as error:
            rejects.append(Reject(number=number, reasons=tuple(error.errors)))
    return Chunk(
        after=after,
        position=batch.done,
        rows=rows,
        rejects=rejects,
        skipped=batch.skipped,
        encoding=batch.encoding,
        last=batch.last,
    )


def refusal(batch: Batch) -> FieldError | None:
    """Return why a batch refuses its file whole."""
    return next((reject.reasons[0] for reject in batch.rejects if reject.number == 0), None)


def objection(feed: Feed, receipt: FileReceipt | None, tally: Tally) -> FieldError | None:
    """Return why a file that was read whole is not taken, without a receipt by its own rows alone."""
    total = tally.position - tally.skipped
    repair = receipt is not None and receipt.mode == "repair"
    if tally.rejected > total * feed.max_reject and not repair:
        counts = {"rejected": str(tally.rejected), "total": str(total), "max": f"{feed.max_reject:.0%}"}
        return FieldError(pointer="", rule="max-reject", params=counts)
    if receipt is not None and not receipt.confirmed and tally.kept < receipt.before * SHRINK:
        return FieldError(pointer="", rule="shrunk", params={"before": str(receipt.before), "after": str(tally.kept)})
    return None


def reason_words(reason: FieldError) -> str:
    """Return why a row is rejected as its clerk is told: `nik_anak harus tepat 16 digit angka (14050*)`."""
    value = f" ({reason.value})" if reason.value else ""
    return f"{reason.pointer.lstrip('/')} {say(reason, 'id')}{value}".strip()


def _held(feed: str, receipt: FileReceipt) -> Held:
    """Return a file by its receipt; where that does not know, its source knows where it may be by now."""
    folder, _, name = receipt.place.rpartition("/") if receipt.place else ("", "", receipt.file)
    return Held(feed=feed, name=name, folder=folder, size=receipt.size, as_of=receipt.as_of, sha256=receipt.sha256)


def _bug(error: Exception) -> FieldError:
    """Say where it broke, and not its text, which may hold a person's data."""
    frame = extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__}, {PurePath(frame.filename).name}:{frame.lineno}"
    return FieldError(pointer="", rule="intake", params={"error": place})
