"""Guaranteed delivery: claim -> the same pipeline as a direct call -> settle; one for each lane, knows no store."""

import asyncio
import random
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from gateway.attempt import Deliverable, End, attempt
from gateway.batch import Batch, Batcher
from gateway.condition import Condition, rest_asked
from gateway.errors import AgencyError, GatewayError, LedgerUnavailable, Unreachable
from gateway.handover import HandedOver
from gateway.hours import Calendar
from gateway.message import OperationId
from gateway.ports import Clock, Lanes, Outbox, Probe
from gateway.records import (
    BY_GATEWAY,
    Buried,
    Claim,
    Delivered,
    PauseReason,
    Postponed,
    Refused,
    Settlement,
    State,
    Terms,
    Verdict,
)
from gateway.settle import Settler

MARGIN = 10.0
"""Seconds by which a lease outlives the longest attempt, for telling the ledger how it ended."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
LOOK_EVERY = 5.0
"""Seconds after which a lane is looked at even if nobody said that there is something to do."""
LONGEST_PROBE_WAIT = 30.0
CLOSING: tuple[PauseReason, ...] = ("hours", "maintenance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One agency's queue: what it delivers, how many at once, when, and how to ask whether the agency is there.

    `concurrency` is over all replicas, `slots` tells this one's part. `waiting` tells how many direct calls wait for a
    slot: while there are some, delivery takes half the slots. `batches` are the operations whose messages go over
    together; they are none of the others.
    `news` hears when an outage starts and when it ends, `hours` of each closing, with its end, and of each opening,
    `told` of each attempt and settlement, with what was raised, `bug` of what should never happen.
    """

    name: str
    operations: Mapping[OperationId, Deliverable]
    concurrency: int
    calendar: Calendar | None = None
    probe: Probe | None = None
    slots: Callable[[], int] = lambda: sys.maxsize
    waiting: Callable[[], int] = lambda: 0
    news: Callable[[str, bool], None] = lambda _lane, _down: None
    hours: Callable[[PauseReason | None, datetime | None], None] = lambda _reason, _until: None
    told: Callable[[Claim, Settlement, Exception | None], None] = lambda _claim, _settlement, _error: None
    batches: Sequence[Batch] = ()
    bug: Callable[[str, Exception], None] = lambda _lane, _error: None

    @property
    def lease(self) -> float:
        """Seconds for which a message is held: no attempt takes longer, so a lease can't end under one that waits."""
        made = [*self.operations.values(), *(batch.made for batch in self.batches)]
        return max((one.longest for one in made), default=0.0) + MARGIN


class Deliverer:
    """Delivers one lane; a crash loses nothing, since what it held is taken up when the lease ends."""

    def __init__(  # noqa: PLR0913 - what delivering needs
        self,
        *,
        lane: Lane,
        outbox: Outbox,
        lanes: Lanes,
        settler: Settler,
        clock: Clock,
        jitter: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.lane = lane
        self.outbox = outbox
        self.lanes = lanes
        self.settler = settler
        self.clock = clock
        self.jitter = jitter
        self.condition = Condition(clock=clock, news=self._news)
        self._lease = lane.lease
        self._under_way: dict[asyncio.Task[None], Claim] = {}
        self._taking: asyncio.Task[int] | None = None
        self._holding: asyncio.Task[None] | None = None
        self._closing = False
        self._idle = False
        self._claimed = float("-inf")
        self._paused: PauseReason | None = None
        self._knows_pauses = False
        self._soonest = float("inf")
        self._batchers = [
            Batcher(
                lane=lane.name,
                batch=batch,
                lease=self._lease,
                outbox=outbox,
                settler=settler,
                clock=clock,
                judge=self._judged,
                down=lambda: self.condition.down,
                told=lane.told,
                bug=lane.bug,
            )
            for batch in lane.batches
        ]

    async def run(self) -> None:
        """Deliver until cancelled; call `drain` then."""
        batching = [asyncio.create_task(batcher.run()) for batcher in self._batchers]
        try:
            await self._run()
        finally:
            for task in batching:
                task.cancel()
            await asyncio.gather(*batching, return_exceptions=True)

    async def _run(self) -> None:
        self._holding = asyncio.create_task(self._hold())
        while True:
            try:
                await self._turn()
            except LedgerUnavailable:
                await self.clock.sleep(FIRST_WAIT)
            except Exception as error:  # noqa: BLE001 - an agency's messages must not wait for a restart
                self.lane.bug(self.lane.name, error)
                await self.clock.sleep(LOOK_EVERY)

    async def drain(self) -> None:
        """Finish what is under way, and hand back what was claimed and not begun."""
        self._closing = True
        if self._taking is not None:
            await asyncio.gather(self._taking, return_exceptions=True)
        if self._under_way:
            await asyncio.wait(self._under_way)
        for batcher in self._batchers:
            await batcher.drain()
        if self._holding is not None:
            self._holding.cancel()
            await asyncio.gather(self._holding, return_exceptions=True)

    async def _turn(self) -> None:
        room = self._room()
        if (seconds := await self._closed_for()) > 0:
            await self.lanes.nudged(self.lane.name, min(seconds, LOOK_EVERY))
        elif self.condition.down:
            await self._probe()
        elif (seconds := self.condition.rest()) > 0:
            await self._take(0)
            await self.clock.sleep(min(seconds, LOOK_EVERY))
        elif room <= 0:
            if self.clock.monotonic() - self._claimed >= LOOK_EVERY:
                await self._take(0)
            if self._room() <= 0:  # a slot may have become free while the ledger was asked
                await self._first_of(self.clock.sleep(LOOK_EVERY))
        elif await self._take(room) < room:
            await self._all_taken()

    async def _all_taken(self) -> None:
        """Wait until something may be claimable: a nudge, an end that frees a key or a slot, or the next one due."""
        if self.condition.told and not self._under_way and await self._trial():
            return
        seconds = self._soonest - self.clock.monotonic()
        if seconds <= 0:
            self._soonest = float("inf")
        await self._first_of(self.lanes.nudged(self.lane.name, min(LOOK_EVERY, max(0.0, seconds) or LOOK_EVERY)))

    async def _first_of(self, other: Coroutine[object, object, object]) -> None:
        """Wait for one of those under way to end, or for something else."""
        task = asyncio.ensure_future(other)
        try:
            await asyncio.wait({task, *self._under_way}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _room(self) -> int:
        """Return how many more may be under way: all slots, half of them while direct calls wait, one when in doubt."""
        most = min(self.lane.concurrency, self.lane.slots())
        if self.lane.waiting():
            most = max(1, most // 2)
        return (1 if self.condition.careful else most) - len(self._under_way)

    async def _closed_for(self) -> float:
        """Return the seconds until the agency serves again; the pause is in the ledger, for everybody to see."""
        closed = self.lane.calendar.why_closed(self.clock.now()) if self.lane.calendar is not None else None
        reason: PauseReason | None = None
        if closed is not None:
            reason = "maintenance" if closed.reason == "maintenance" else "hours"
        if reason != self._paused or not self._knows_pauses:
            # An earlier process, with other hours, may have left a pause; those of people are not ours to end.
            for other in CLOSING:
                if other != reason and (other == self._paused or not self._knows_pauses):
                    await self.lanes.resume(self.lane.name, other, by=BY_GATEWAY)
            if closed is not None and reason is not None:
                await self.lanes.pause(self.lane.name, reason, by=BY_GATEWAY, until=closed.until)
            if reason != self._paused:
                self.lane.hours(reason, closed.until if closed is not None else None)
            self._paused, self._knows_pauses = reason, True
        return closed.seconds if closed is not None else 0.0

    async def _take(self, room: int, terms: Terms | None = None) -> int:
        """Claim and start; with no room only the clock of open time goes on. Returns how many were claimed.

        The ledger claims even if its asker leaves, so whoever stops this lane waits for what is being claimed.
        """
        self._taking = asyncio.create_task(self._claim(room, terms or self._terms()))
        return await asyncio.shield(self._taking)

    async def _claim(self, room: int, terms: Terms) -> int:
        until = self.clock.monotonic() + self._lease - MARGIN / 2
        claims = await self.outbox.claim(self.lane.name, room, lease=self._lease, terms=terms)
        if not terms.probe:
            self._claimed, self._idle = self.clock.monotonic(), False
        for claim in claims:
            self._start(claim, until, trial=terms.probe)
        return len(claims)

    def _terms(self) -> Terms:
        return Terms(operations=self.lane.operations.keys(), most=self.lane.concurrency)

    def _start(self, claim: Claim, until: float, *, trial: bool) -> None:
        earlier = [task for task, other in self._under_way.items() if other.ticket.id == claim.ticket.id]
        task = asyncio.create_task(self._work(claim, until, earlier, trial=trial))
        self._under_way[task] = claim
        task.add_done_callback(self._ended)

    async def _work(self, claim: Claim, until: float, earlier: list[asyncio.Task[None]], *, trial: bool) -> None:
        """Deliver, or hand back when there is no time left to begin.

        A clock that is set forward ends leases, so a message may be given out again while it is still being sent here.
        Until that ended, the agency's answer whether it has the message would be worth nothing.
        """
        if earlier:
            await asyncio.wait(earlier)
        if self._closing:
            await self._hand_back(claim)
        else:
            await self._deliver(claim, until, trial=trial)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self.lane.bug(self.lane.name, error)

    async def _hand_back(self, claim: Claim) -> None:
        await self.settler.settle(Settlement(ticket=claim.ticket, verdict=Postponed(seconds=0.0)))

    async def _deliver(self, claim: Claim, until: float, *, trial: bool) -> None:
        end = await attempt(claim, self.lane.operations[claim.message.operation], self.clock, until=until)
        verdict = self._judged(claim, end)
        # What knocked in vain to see whether the agency is back was no attempt: there may be thousands.
        tried = None if trial and isinstance(end.error, Unreachable) else end.tried
        settlement = Settlement(ticket=claim.ticket, verdict=verdict, tried=tried)
        good = await self.settler.settle(settlement)
        if good and (tried is not None or not isinstance(verdict, Postponed)):
            self.lane.told(claim, settlement, end.error)

    def _news(self, down: bool) -> None:
        """Tell of an outage or its end, but not while this lane stops: it would not be there to tell the end."""
        if not self._closing:
            self.lane.news(self.lane.name, down)

    async def _hold(self) -> None:
        """Extend the leases of what is under way, for attempts and settlements that take longer than they should."""
        while True:
            await self.clock.sleep(self._lease / 3)
            batched = (claim for batcher in self._batchers for claim in batcher.under_way)
            if held := [claim.ticket for claim in (*self._under_way.values(), *batched)]:
                with suppress(LedgerUnavailable):
                    await self.outbox.extend(*held, lease=self._lease)

    def _judged(self, claim: Claim, end: End) -> Verdict:
        """Take in what an end says of the agency; returns what becomes of the message."""
        through = isinstance(end.verdict, Delivered | HandedOver | Refused)
        not_done_yet = end.error is None and isinstance(end.verdict, Postponed)
        if through or not_done_yet or (isinstance(end.error, AgencyError) and end.error.ill is False):
            self.condition.answered(claim, through=through)
        elif isinstance(end.error, GatewayError):
            self.condition.failed(claim, end.error)
        elif end.error is not None:
            self.lane.bug(self.lane.name, end.error)
        if not isinstance(end.verdict, Postponed):
            self.condition.forget(claim.ticket.id)
            return end.verdict
        return self._put_off(claim, end, end.verdict)

    def _put_off(self, claim: Claim, end: End, verdict: Postponed) -> Verdict:
        """Return when to try again; a poison is buried, but not with this end as the first that may have done it."""
        error = end.error if isinstance(end.error, GatewayError) else None
        known = not verdict.maybe_done or claim.uncertain or claim.repeat == "harmless"
        if end.tried is not None and self.condition.poisonous(claim, error) and known:
            self.condition.forget(claim.ticket.id)
            return Buried(reason="poison", text=verdict.text, words=verdict.words)
        seconds = max(verdict.seconds, rest_asked(error), self._wait(claim))
        self._soonest = min(self._soonest, self.clock.monotonic() + seconds)
        return replace(verdict, seconds=seconds)

    def _wait(self, claim: Claim) -> float:
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(claim.failures + 1, 16))
        return self.jitter(FIRST_WAIT, longest)

    async def _probe(self) -> None:
        """See whether the agency is back: by its probe, else by the oldest message that does no harm when repeated."""
        if not self._idle:
            await self.lanes.idle(self.lane.name)
            self._idle = True
        longest = min(LONGEST_PROBE_WAIT, FIRST_WAIT * 2.0 ** min(self.condition.probes, 16))
        await self.clock.sleep(max(self.condition.rest(), self.jitter(FIRST_WAIT, longest)))
        self.condition.probes += 1
        if self.lane.probe is None:
            await self._trial()
        elif await _reachable(self.lane.probe):
            self.condition.reached()
        self._idle = self.condition.down

    async def _trial(self) -> bool:
        """Let one message find out, due or not, one that does no harm if there is one; returns whether that is known.

        Without any nobody can find out, unless the lane is paused or another process is doing so just now.
        """
        terms = replace(self._terms(), probe=True)
        harmless = [name for name, made in self.lane.operations.items() if made.harmless]
        if not await self._take(1, replace(terms, operations=harmless)) and not await self._take(1, terms):
            if not await self._nothing_to_send():
                return False
            self.condition.over()
        elif self._under_way:
            await asyncio.wait(self._under_way)
        return True

    async def _nothing_to_send(self) -> bool:
        """Return whether no message could be claimed because none waits, or none but those held by an older one."""
        stands = [stats for stats in await self.lanes.stats() if stats.lane == self.lane.name]
        return not any(stats.pauses or stats.depth.get(State.DELIVERING) for stats in stands)


async def _reachable(probe: Probe) -> bool:
    try:
        await probe.probe()
    except GatewayError:
        return False
    return True
