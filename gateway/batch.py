"""Messages that go over together: claim a batch -> hand it over -> settle each; knows no file and no store."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gateway.attempt import Deliverable, End, attempt, misfitting, outcome_of
from gateway.errors import LedgerUnavailable
from gateway.handover import BatchEnd
from gateway.message import Effort, Message, OperationId, Reply
from gateway.ports import Clock, Outbox
from gateway.records import Claim, Postponed, Settlement, Terms, Tried, Verdict
from gateway.settle import Settler, verdict_of

LOOK_EVERY = 2.0
"""Seconds after which it is seen again whether there is a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How one operation's messages go over together: `rows` at most, at once when there are so many.

    The oldest waits `every` seconds for others. `send` makes one attempt for all and says how each ended.
    """

    operation: OperationId
    made: Deliverable
    rows: int
    every: float
    send: Callable[[Sequence[Message]], Awaitable[Sequence[BatchEnd]]]


class Batcher:
    """Hands over one operation's batches, one after the other; a crash leaves what it held to its leases.

    Until there is a batch its messages are pending. `judge` says what becomes of each, `down` whether the agency is
    known to be away.
    """

    def __init__(  # noqa: PLR0913 - what delivering needs
        self,
        *,
        lane: str,
        batch: Batch,
        lease: float,
        outbox: Outbox,
        settler: Settler,
        clock: Clock,
        judge: Callable[[Claim, End], Verdict],
        down: Callable[[], bool],
        told: Callable[[Claim, Settlement, Exception | None], None],
        bug: Callable[[str, Exception], None],
    ) -> None:
        self._lane = lane
        self._batch = batch
        self._lease = lease
        self._outbox = outbox
        self._settler = settler
        self._clock = clock
        self._judge = judge
        self._down = down
        self._told = told
        self._bug = bug
        self._working: asyncio.Task[bool] | None = None
        self._closing = False
        self.under_way: tuple[Claim, ...] = ()

    async def run(self) -> None:
        """Hand over until cancelled; call `drain` then."""
        while True:
            try:
                more = not self._down() and await self._turn()
            except LedgerUnavailable:
                more = False
            except Exception as error:  # noqa: BLE001 - an agency's messages must not wait for a restart
                self._bug(self._lane, error)
                more = False
            if not more:
                await self._clock.sleep(min(LOOK_EVERY, self._batch.every))

    async def drain(self) -> None:
        """Finish what is under way, and hand back what was claimed and not begun."""
        self._closing = True
        if self._working is not None:
            await asyncio.gather(self._working, return_exceptions=True)

    async def _turn(self) -> bool:
        """Hand over a batch if there is one; returns whether it was full. Whoever stops this does not stop that."""
        self._working = asyncio.create_task(self._work())
        return await asyncio.shield(self._working)

    async def _work(self) -> bool:
        batch = self._batch
        until = self._clock.monotonic() + self._lease / 2
        terms = Terms(operations=[batch.operation], least=batch.rows, patience=batch.every)
        self.under_way = await self._outbox.claim(self._lane, batch.rows, lease=self._lease, terms=terms)
        try:
            if self._closing:
                await self._hand_back()
            elif self.under_way:
                await self._deliver(until)
            return len(self.under_way) == batch.rows
        finally:
            self.under_way = ()

    async def _hand_back(self) -> None:
        back = [Settlement(ticket=claim.ticket, verdict=Postponed(seconds=0.0)) for claim in self.under_way]
        await self._settler.settle_all(back)

    async def _deliver(self, until: float) -> None:
        """Hand over all but what does not fit; what must be asked about first is delivered by itself."""
        ends = {claim.ticket.id: end for claim in self.under_way if (end := misfitting(claim, self._batch.made))}
        together = [claim for claim in self.under_way if claim.ticket.id not in ends and not _is_asked_about(claim)]
        for claim, end in zip(together, await self._sent(together, until), strict=True):
            ends[claim.ticket.id] = end
        for claim in self.under_way:
            if claim.ticket.id not in ends:
                ends[claim.ticket.id] = await attempt(claim, self._batch.made, self._clock, until=until)
        await self._settle([ends[claim.ticket.id] for claim in self.under_way])

    async def _sent(self, claims: Sequence[Claim], until: float) -> Sequence[End]:
        if not claims:
            return ()
        at, started = self._clock.now(), self._clock.monotonic()
        deadline = min(until, started + self._batch.made.deadline)
        messages = [claim.message.but(deadline=deadline, once=True, effort=Effort()) for claim in claims]
        found = await self._batch.send(messages)
        seconds = self._clock.monotonic() - started
        return [self._end(one, partial(Tried, at=at, seconds=seconds)) for one in found]

    def _end(self, end: BatchEnd, tried: Callable[..., Tried]) -> End:
        if isinstance(end, Reply):
            return End(verdict=self._batch.made.verdict(end), tried=tried(outcome=end.outcome))
        outcome = outcome_of(end)
        seen = None if outcome is None else tried(outcome=outcome, error=end.why)
        return End(verdict=verdict_of(end), tried=seen, error=end)

    async def _settle(self, ends: Sequence[End]) -> None:
        """Tell the ledger in one go; those that are tried again come back together."""
        verdicts = [self._judge(claim, end) for claim, end in zip(self.under_way, ends, strict=True)]
        again = max((one.seconds for one in verdicts if isinstance(one, Postponed)), default=0.0)
        settlements = [
            Settlement(
                ticket=claim.ticket,
                verdict=replace(verdict, seconds=again) if isinstance(verdict, Postponed) else verdict,
                tried=end.tried,
            )
            for claim, end, verdict in zip(self.under_way, ends, verdicts, strict=True)
        ]
        good = await self._settler.settle_all(settlements)
        for claim, end, settlement, counts in zip(self.under_way, ends, settlements, good, strict=True):
            if counts and (end.tried is not None or not isinstance(settlement.verdict, Postponed)):
                self._told(claim, settlement, end.error)


def _is_asked_about(claim: Claim) -> bool:
    return claim.uncertain and claim.repeat == "ask"
