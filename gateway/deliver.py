"""Guaranteed delivery: claim -> the same pipeline as a direct call -> settle; one for each lane, knows no store."""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from gateway.ask import Ask, Asked
from gateway.errors import (
    AgencyError,
    BreakerOpen,
    FieldError,
    GatewayError,
    LedgerUnavailable,
    Overloaded,
    Unreachable,
)
from gateway.hours import Calendar
from gateway.message import Effort, OperationId
from gateway.ports import Clock, Handler, Lanes, Outbox, Probe
from gateway.records import Buried, Claim, PauseReason, Postponed, Settlement, Terms, Tried, Verdict
from gateway.settle import Settler, verdict_of

LEASE = 60.0
"""Seconds for which a message is held; extended while it is being delivered."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
POISON_FAILURES = 10
LOOK_EVERY = 5.0
"""Seconds after which a lane is looked at even if nobody said that there is something to do."""
PROBE_FIRST, PROBE_LONGEST = 1.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverable:
    """How one operation's stored messages are delivered; `deadline` is seconds for one delivery."""

    pipeline: Handler
    check: Callable[[object], tuple[FieldError, ...]]
    deadline: float
    ask: Ask | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One agency's queue: what it delivers, how many at once, when, and how to ask whether the agency is there.

    `waiting` tells how many direct calls wait for a slot: while there are some, delivery takes half the slots.
    `news` hears when an outage starts and when it ends.
    """

    name: str
    operations: Mapping[OperationId, Deliverable]
    concurrency: int
    calendar: Calendar | None = None
    probe: Probe | None = None
    waiting: Callable[[], int] = lambda: 0
    news: Callable[[str, bool], None] = lambda _lane, _down: None


@dataclass(slots=True, kw_only=True)
class Deliverer:
    """Delivers one lane until cancelled; a crash loses nothing, since what it held is taken up when the lease ends."""

    lane: Lane
    outbox: Outbox
    lanes: Lanes
    settler: Settler
    clock: Clock
    jitter: Callable[[float, float], float] = random.uniform
    _under_way: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _down: bool = field(default=False, init=False)
    _probes: int = field(default=0, init=False)
    _failing: set[str] = field(default_factory=set, init=False)
    _delivered: int = field(default=0, init=False)
    _since: dict[str, int] = field(default_factory=dict, init=False)
    _paused: PauseReason | None = field(default=None, init=False)

    async def run(self) -> None:
        """Deliver forever; what is under way when cancelled is finished by whoever waits in `drain`."""
        while True:
            try:
                await self._turn()
            except LedgerUnavailable:
                await self.clock.sleep(FIRST_WAIT)

    async def drain(self) -> None:
        """Wait for the deliveries under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _turn(self) -> None:
        if (seconds := await self._closed_for()) > 0:
            await self.lanes.nudged(self.lane.name, min(seconds, LOOK_EVERY))
        elif self._down:
            await self._probe()
        elif (room := self._room()) > 0:
            claims = await self.outbox.claim(self.lane.name, room, lease=LEASE, terms=self._terms())
            for claim in claims:
                self._start(claim)
            if len(claims) < room:
                await self._rest()
        else:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def _rest(self) -> None:
        """Wait until something may be claimable: a nudge, or an end that frees a key or a slot."""
        nudge = asyncio.ensure_future(self.lanes.nudged(self.lane.name, LOOK_EVERY))
        try:
            await asyncio.wait({nudge, *self._under_way}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nudge.cancel()
            await asyncio.gather(nudge, return_exceptions=True)

    def _terms(self) -> Terms:
        return Terms(operations=self.lane.operations.keys(), most=self.lane.concurrency)

    def _room(self) -> int:
        """Return how many more may be under way: all slots, or half of them while direct calls wait."""
        most = self.lane.concurrency if self.lane.waiting() == 0 else max(1, self.lane.concurrency // 2)
        return most - len(self._under_way)

    async def _closed_for(self) -> float:
        """Return the seconds until the agency serves again; the pause is in the ledger, for everybody to see."""
        closed = self.lane.calendar.why_closed(self.clock.now()) if self.lane.calendar is not None else None
        reason: PauseReason | None = None
        if closed is not None:
            reason = "maintenance" if closed.reason == "maintenance" else "hours"
        if reason != self._paused:
            if self._paused is not None:
                await self.lanes.resume(self.lane.name, self._paused, by="gateway")
            if closed is not None and reason is not None:
                await self.lanes.pause(self.lane.name, reason, by="gateway", until=closed.until)
            self._paused = reason
        return closed.seconds if closed is not None else 0.0

    def _start(self, claim: Claim) -> None:
        task = asyncio.create_task(self._deliver(claim))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, claim: Claim) -> None:
        holding = asyncio.create_task(self._hold(claim))
        try:
            verdict, tried = await self._try(claim)
        finally:
            holding.cancel()
        await self.settler.settle(Settlement(ticket=claim.ticket, verdict=verdict, tried=tried))

    async def _hold(self, claim: Claim) -> None:
        """Extend the lease while a slow call is in flight."""
        while True:
            await self.clock.sleep(LEASE / 3)
            try:
                await self.outbox.extend(claim.ticket, lease=LEASE)
            except LedgerUnavailable:
                continue

    async def _try(self, claim: Claim) -> tuple[Verdict, Tried | None]:
        """Deliver once; returns what becomes of the message, and the attempt where one was made."""
        made = self.lane.operations[claim.message.operation]
        if errors := made.check(claim.message.body):
            return Buried(reason="misfit", text="it does not fit the operation any more", errors=errors), None
        if claim.uncertain and made.ask is not None:
            asked = await made.ask.put(claim.message, self.clock)
            if not isinstance(asked, Asked):
                return replace(asked, seconds=self._wait(claim)) if isinstance(asked, Postponed) else asked, None
        at, started = self.clock.now(), self.clock.monotonic()
        message = replace(claim.message, deadline=started + made.deadline, once=True, effort=Effort())
        try:
            reply = await made.pipeline(message)
        except GatewayError as error:
            return self._failed(claim, error, at, self.clock.monotonic() - started)
        self._succeeded(claim)
        tried = Tried(at=at, seconds=self.clock.monotonic() - started, outcome=reply.outcome)
        return verdict_of(reply), tried

    def _succeeded(self, claim: Claim) -> None:
        self._delivered += 1
        self._failing.clear()
        self._since.pop(claim.ticket.id, None)

    def _failed(self, claim: Claim, error: GatewayError, at: datetime, seconds: float) -> tuple[Verdict, Tried | None]:
        tried = None
        if isinstance(error, AgencyError) and not isinstance(error, BreakerOpen):
            tried = Tried(at=at, seconds=seconds, outcome=error.outcome, error=str(error))
        self._notice(claim, error)
        asked = error.retry_after if isinstance(error, AgencyError | Overloaded) else None
        verdict = verdict_of(error, after=max(asked or 0.0, self._wait(claim)))
        if isinstance(verdict, Postponed) and tried is not None and self._poisonous(claim):
            return Buried(reason="poison", text=verdict.text), tried
        return verdict, tried

    def _notice(self, claim: Claim, error: GatewayError) -> None:
        """An agency that refuses connections, or a breaker that two messages fed, is an outage of the whole lane."""
        if isinstance(error, BreakerOpen):
            self._outage(down=len(self._failing) > 1)
        elif isinstance(error, AgencyError) and error.ill:
            self._failing.add(claim.ticket.id)
            self._outage(down=isinstance(error, Unreachable))
        elif isinstance(error, AgencyError):
            self._succeeded(claim)  # a refusal is an answer: the agency is there

    def _poisonous(self, claim: Claim) -> bool:
        """Whether this one failed again and again while others got through."""
        before = self._since.setdefault(claim.ticket.id, self._delivered)
        return claim.failures + 1 >= POISON_FAILURES and self._delivered > before

    def _wait(self, claim: Claim) -> float:
        longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(claim.failures + 1, 16))
        return self.jitter(FIRST_WAIT, longest)

    def _outage(self, *, down: bool) -> None:
        if down and not self._down:
            self._down, self._probes = True, 0
            self.lane.news(self.lane.name, True)

    async def _probe(self) -> None:
        """See whether the agency is back: by its probe, else by the oldest message that does no harm when repeated."""
        await self.lanes.idle(self.lane.name)
        await self.clock.sleep(self.jitter(PROBE_FIRST, min(PROBE_LONGEST, PROBE_FIRST * 2.0 ** min(self._probes, 16))))
        self._probes += 1
        if await self._there():
            self._down = False
            self._failing.clear()
            self.lane.news(self.lane.name, False)

    async def _there(self) -> bool:
        if self.lane.probe is None:
            return await self._messenger()
        try:
            await self.lane.probe.probe()
        except AgencyError:
            return False
        return True

    async def _messenger(self) -> bool:
        """Let one message find out; without one to send nobody is waiting, and the next will tell."""
        claims = await self.outbox.claim(self.lane.name, 1, lease=LEASE, terms=replace(self._terms(), probe=True))
        self._down = False
        for claim in claims:
            await self._deliver(claim)
        back, self._down = not self._down, True
        return back
