"""Polling consumer: an agency's files -> translated rows -> the ledger -> put away; knows no format and no folder.

Whatever ends this in the middle, the ledger knows how far a file was: it is gone on with at the next row.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Any, Protocol, cast

from gateway.acknowledged import Acknowledgements
from gateway.arrivals import REREAD
from gateway.chunks import chunks
from gateway.errors import FieldError, LedgerUnavailable, Unavailable
from gateway.feeds import (
    WHOLE,
    Batch,
    FileReceipt,
    FileState,
    Filing,
    Held,
    Nudged,
    Overtaken,
    Ready,
    Reject,
    Source,
    Tally,
    Turn,
)
from gateway.forward import AGAIN, Forwarder, NoRoom, Room, Sending, Unlimited, torn
from gateway.known_of import known_of
from gateway.made_of import as_one, is_added_up, is_live, made_of, newer_than
from gateway.ports import Clock, Log, Upkeep
from gateway.receipts import papers
from gateway.registry import Feed, Forward
from gateway.turns import taking_turns
from gateway.verdict import NO_TEXT, UNCLOSED, bug, objection, reason_words, refusal
from gateway.wording import say

FIRST_REJECTS = 5
LEASE = 3.0
"""Seconds after which another process may go on with a file whose reader is silent; what that one does is void."""
TRY_AGAIN = 60.0
"""Seconds until a file that could not be read or put away is tried again."""
EXAMINE_EVERY = 60.0
"""Seconds between two looks at whether the live snapshot is of this mapping: another process may have another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileNews:
    """A file that has ended, for the log and the metrics, with the first of its rejects."""

    receipt: FileReceipt
    first: Sequence[Reject] = ()


class Ledger(Sending, Upkeep, Acknowledgements, Protocol):
    """What intake needs of the ledger."""


@dataclass(slots=True, kw_only=True)
class Intake:
    """One agency's files; several processes may do this for the same ledger, and share the work.

    `waiting` hears how many files of a feed are there to be taken in, `left` of one that can't be moved.
    Clerks read times by `zone`, the gateway's where that is None.
    """

    agency: str
    source: Source
    feeds: Mapping[str, Feed]
    ledger: Ledger
    me: str
    clock: Clock
    log: Log
    report: Callable[[FileNews], None]
    waiting: Callable[[str, int], None] = lambda _feed, _files: None
    left: Callable[[str], None] = lambda _feed: None
    room: Room = field(default_factory=Unlimited)
    lease: float = LEASE
    zone: tzinfo | None = None
    _later: dict[object, float] = field(init=False, default_factory=dict)
    _examined: dict[str, float] = field(init=False, default_factory=dict)
    _asked: set[int] = field(init=False, default_factory=set)
    full: dict[str, int] = field(init=False, default_factory=dict)

    async def run(self) -> None:
        """Look, and take in what is there, for ever."""
        while True:
            await self.once()
            await self._rest()

    async def once(self) -> None:
        """Look once; what can't be done now is done another time."""
        ready = await self.source.look()
        for name, feed in self.feeds.items():
            files = [one for one in ready if one.feed == name and self._is_due(_same(one))]
            self.waiting(name, sum(one.feed == name and not self._stays(_same(one)) for one in ready))
            try:
                await self._feed(name, feed, files)
            except Overtaken as error:
                self.log("feed-overtaken", feed=name, why=str(error))
            except LedgerUnavailable:
                """Its own watch tells of it; files wait."""

    async def _rest(self) -> None:
        """Wait until it is time to look again, or something may have appeared."""
        waiting = [asyncio.ensure_future(self.clock.sleep(self.source.pause))]
        if isinstance(self.source, Nudged):
            waiting.append(asyncio.ensure_future(self.source.nudged()))
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _feed(self, name: str, feed: Feed, ready: Sequence[Ready]) -> None:
        full = f"{self.agency}/{name}"
        if not self._is_due(full):
            return
        await self._examine(full, feed)
        unfiled = [one for one in await self.ledger.unfiled(full) if self._is_due(one.number)]
        if not (ready or unfiled or await self.ledger.wanted_again(full)):
            return
        async with taking_turns(self.ledger, full, by=self.me, seconds=self.lease, clock=self.clock) as turn:
            if turn is not None:
                await self._in_turn(_Work(self, name, feed, turn), full, ready)

    async def _in_turn(self, work: "_Work", full: str, ready: Sequence[Ready]) -> None:
        for receipt in await self.ledger.unfiled(full):
            if self._is_due(receipt.number):
                await self._attempt(receipt.number, work.finish(receipt))
        # What waits for room in the middle of a file goes before what somebody wants again.
        begun = [one for one in ready if one.folder and work.feed.forward is not None]
        await self._take(work, full, begun)
        for receipt in await self.ledger.wanted_again(full) if self._is_due(full) else ():
            # What another process wants read by its mapping is for that one.
            if receipt.again != REREAD or not await self._is_of_now(receipt, work.feed):
                await self._attempt(receipt.number, work.again(receipt))
            if not self._is_due(full):
                return
        await self._take(work, full, [one for one in ready if one not in begun])

    async def _take(self, work: "_Work", full: str, ready: Sequence[Ready]) -> None:
        ended = {receipt.file for receipt in await self.ledger.unfiled(full)}
        for one in ready:
            # Rows that wait for room go before those of later files.
            if one.name not in ended and self._is_due(full):
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
        except NoRoom as error:
            if self.full.get(error.feed) != error.receipt:  # another process may have ended the one before
                self.log("file-waits", why=str(error))
            self.full[error.feed] = error.receipt
            self._later[error.feed] = self.clock.monotonic() + AGAIN
        except Exception as error:  # noqa: BLE001 - one strange file must not keep the others waiting
            self.log("file-waits", level="error", why=say(bug(error), "en"))
            self.postpone(what)

    def postpone(self, what: object) -> None:
        """Try a file, or what is left to do for a receipt, again in a while."""
        self._later[what] = self.clock.monotonic() + TRY_AGAIN

    def _stays(self, what: object) -> bool:
        return self._later.get(what) == float("inf")

    def _is_due(self, what: object) -> bool:
        return self._later.get(what, 0.0) <= self.clock.monotonic()

    async def _examine(self, full: str, feed: Feed) -> None:
        """See whether the snapshot was read by this mapping and is there; else, once, read its files again (11.21)."""
        if feed.forward is not None or self._examined.get(full, 0.0) > self.clock.monotonic():
            return
        live = (await self.ledger.standing(full)).live
        self._examined[full] = self.clock.monotonic() + EXAMINE_EVERY
        if live is None or live.number in self._asked or await self._is_of_now(live, feed):
            return
        self._asked.add(live.number)
        # Whatever was added up, mends to a whole file too, is made anew as one, behind what is live.
        if live.mode in {"append", "upsert"} and feed.keeping.mode in WHOLE:
            self.outdated(full, "files were added up, and the next one replaces them all")
        elif not await self.ledger.want_again(live.number, by=REREAD, shrink=True):
            self.outdated(full, "its file is not there")

    def outdated(self, feed: str, why: str) -> None:
        """Say why rows stay as they were read."""
        self.log("feed-outdated", level="warning", feed=feed, what=f"its rows stay as they were read: {why}")

    async def _is_of_now(self, live: FileReceipt, feed: Feed) -> bool:
        return live.mapping == feed.keeping.mapping and await self.ledger.is_there(live.number)


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
        """Take in once more what somebody wants again; by itself nothing that a later file has replaced."""
        if receipt.again != REREAD:
            await self._take_again(receipt)
        elif await is_live(self._ledger, receipt):  # else a file came, or it was made anew by a process that ended then
            await (self._make_anew if is_added_up(receipt, self.feed.keeping) else self._take_again)(receipt)
        await self._ledger.no_more_wanted(receipt.number)
        return False

    async def _take_again(self, receipt: FileReceipt) -> None:
        held = await self._source.bring(self._name, receipt.place)
        if held is None:
            self._intake.log("file-gone", level="warning", feed=receipt.feed, file=receipt.file, place=receipt.place)
        elif (newer := await newer_than(self._ledger, receipt, self.feed.keeping)) is not None:
            # A file came since somebody asked for it, or nobody looked.
            what = f"{newer.file}, receipt {newer.number}, is newer and stays; gateway feed retry --yes replaces it"
            self._intake.log("file-older", level="warning", feed=receipt.feed, file=receipt.file, what=what)
        else:
            await self._take_in(held, confirmed=receipt.again if receipt.shrink else "", afresh=True)

    async def _make_anew(self, live: FileReceipt) -> None:
        """Read again, behind the live snapshot, all the files that were added up to it, one after the other (11.21)."""
        files = await made_of(self._ledger, live)
        held = [await self._source.bring(self._name, one.place) for one in files]
        there = [(one, file) for one, file in zip(files, held, strict=True) if file and file.sha256 == one.sha256]
        if len(there) < len(files) or not files:
            self._intake.outdated(live.feed, f"{len(files) - len(there)} of its {len(files)} files are not there")
            return
        keeping, last = self.feed.keeping, there[-1][1]
        receipt = await self._ledger.take_up(self._turn, last, keeping, confirmed=REREAD, afresh=True, anew=live.number)
        if receipt.state is FileState.TAKING:
            tally, refused = receipt.tally, None
            if not tally.whole:
                tally, refused = await self._read(as_one(self._source, there, tally.position), receipt)
            # Of mends any share may be rejected: what was when they came is no reason now.
            known = sum(one.tally.rejected for one in files) if live.mode == "repair" else -1
            refused = refused or (objection(self.feed, receipt, tally) if tally.rejected > known else None)
            receipt = await self._ended(receipt, tally, refused)
        await self._ledger.filed(self._turn, receipt.number, live.place)
        if receipt.state is FileState.ACCEPTED:
            self._intake.log("feed-made-anew", feed=live.feed, files=len(files), rows=receipt.tally.kept)
        else:
            why = say(receipt.reason, "en") if receipt.reason else receipt.state.value
            self._intake.outdated(live.feed, f"its files can't be read again by the mapping as it is now: {why}")

    async def finish(self, receipt: FileReceipt) -> bool:
        """Put away a file that had ended when its process did."""
        if receipt.original is not None and receipt.state is not FileState.DUPLICATE:
            await self._ledger.filed(self._turn, receipt.number, receipt.place)  # made anew of files that are put away
        else:
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
        tally, refused = receipt.tally, None
        if overdue:
            refused = await self._unclosed(held)
        elif self.feed.forward is not None:
            refused = await torn(self._ledger, receipt.feed, receipt.file, number=receipt.number)
        if refused is None and not tally.whole:
            batches = self._source.batches(held, after=tally.position)
            tally, refused = await self._read(batches, receipt)
        refused = refused or objection(self.feed, receipt, tally, mends=bool(held.repairs))
        if refused is None and self.feed.forward is not None:
            tally, refused = await self._forward(held, receipt, tally, self.feed.forward)
        return await self._ended(receipt, tally, refused)

    async def _unclosed(self, held: Held) -> FieldError:
        """Return why a file is refused whose last line nobody closes: it is cut short, unless it is no text at all."""
        async with aclosing(cast("Any", self._source.batches(held))) as batches:
            why = refusal(await anext(batches))
        if why is not None and why.rule in NO_TEXT:
            return why
        return UNCLOSED

    async def _ended(self, receipt: FileReceipt, tally: Tally, refused: FieldError | None) -> FileReceipt:
        if refused is not None:
            return await self._ledger.refuse(self._turn, receipt.number, tally, refused)
        return await self._ledger.publish(self._turn, receipt.number, self.feed.keeping)

    async def _read(self, batches: AsyncIterator[Batch], receipt: FileReceipt) -> tuple[Tally, FieldError | None]:
        """Read on from where the ledger is; returns what it has come to, and why the file is refused whole."""
        tally = receipt.tally
        try:
            async with aclosing(chunks(self.feed, batches, tally.position)) as found:
                async for batch, chunk in found:
                    if chunk is None:
                        return replace(tally, encoding=batch.encoding or tally.encoding), refusal(batch)
                    ours = await known_of(self._ledger, self.feed, receipt, batch, chunk)
                    tally = await self._ledger.add_rows(self._turn, receipt.number, self.feed.keeping, ours)
                    del batch, chunk, ours
        except (Unavailable, LedgerUnavailable, Overtaken):
            raise
        except Exception as error:  # noqa: BLE001 - a bug met by one file must not end the feed
            return tally, bug(error)
        return tally, None

    async def _forward(
        self, held: Held, receipt: FileReceipt, tally: Tally, to: Forward
    ) -> tuple[Tally, FieldError | None]:
        """Read a file that is taken once more, and put its rows as messages from where the ledger is."""
        forwarder = Forwarder(
            feed=self.feed, forward=to, ledger=self._ledger, room=self._intake.room, clock=self._intake.clock,
            turn=self._turn, held=held, receipt=receipt,
        )  # fmt: skip
        ended = await forwarder.all(self._source.batches(held, after=tally.put), tally)
        self._intake.full.pop(receipt.feed, None)
        return ended

    async def _put_away(self, held: Held, receipt: FileReceipt) -> str:
        filing = Filing(
            number=receipt.number,
            accepted=receipt.state is FileState.ACCEPTED,
            day=(receipt.ended_at or self._intake.clock.now()).date(),
            papers=papers(receipt, self._intake.zone),
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
            self._intake.left(self._name)
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


def _held(feed: str, receipt: FileReceipt) -> Held:
    """Return a file by its receipt; where that does not know, its source knows where it may be by now."""
    folder, _, name = receipt.place.rpartition("/") if receipt.place else ("", "", receipt.file)
    return Held(feed=feed, name=name, folder=folder, size=receipt.size, as_of=receipt.as_of, sha256=receipt.sha256)
