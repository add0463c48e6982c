"""Wrapped around at load where tracing is on: attempts at agencies and steps in the ledger; knows neither of both."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from gateway.errors import AgencyError
from gateway.message import Message, MessageId, Outcome, Reply
from gateway.ports import Clock, Handler, Outbox
from gateway.records import ANY, Claim, Entry, Receipt, Record, Settlement, Terms, Ticket
from gateway.trail import Fact, Step, Trail, outcome_of, sampled, step
from gateway.trail import Record as Tell

_ANSWERED = frozenset({Outcome.OK, Outcome.DUPLICATE, Outcome.NOT_FOUND, Outcome.REFUSED})
_THROUGH = frozenset({"delivered", "handed-over", "refused"})
_HELD = 10_000
"""Claims whose end may still be told; beyond that, those of claims that were never settled are let go."""


def attempt(send: Handler) -> Handler:
    """Tell of each attempt at an agency, which is sent the attempt's own traceparent."""

    async def traced(message: Message) -> Reply:
        if message.trail is None:
            return await send(message)
        begun = message.trail.begin("attempt", kind="client")
        about: Mapping[str, Fact] = {"operation": message.operation, "agency": message.operation.partition("/")[0]}
        try:
            reply = await send(message.but(traceparent=begun.traceparent, trail=begun.trail))
        except AgencyError as error:
            begun.end(error.outcome not in _ANSWERED, outcome=error.outcome, maybe_done=error.maybe_done, **about)
            raise
        except BaseException as error:
            begun.end(True, outcome=outcome_of(error), **about)
            raise
        begun.end(outcome=reply.outcome, **about)
        return reply

    return traced


@dataclass(slots=True)
class _Held:
    """What a ticket's settlement is told below; `delivery` ends with it."""

    trail: Trail
    delivery: Step | None = None
    about: Mapping[str, Fact] | None = None


class TracedOutbox:
    """The ledger as a queue, with a span for each step.

    A message that is claimed goes on in the trace that filed it, however much later: its delivery is a span of that.
    """

    def __init__(self, outbox: Outbox, tell: Tell, clock: Clock) -> None:
        self._outbox = outbox
        self._tell = tell
        self._clock = clock
        self._held: dict[Ticket, _Held] = {}

    async def put(self, *entries: Entry) -> tuple[Receipt, ...]:
        """Tell of what is filed, in the trace of the first."""
        first = entries[0] if entries else None
        trail = first.message.trail if first is not None else None
        with step(trail, "put", **_filed(first)):
            return await self._outbox.put(*entries)

    async def find(self, entry: Entry, /) -> Receipt | None:
        """Find."""
        return await self._outbox.find(entry)

    async def begin(self, entry: Entry, /, *, lease: float) -> Receipt:
        """Tell of a direct write's intent."""
        trail = entry.message.trail
        with step(trail, "begin", **_filed(entry)):
            receipt = await self._outbox.begin(entry, lease=lease)
        if trail is not None and receipt.ticket is not None:
            self._hold(receipt.ticket, _Held(trail))
        return receipt

    async def claim(self, lane: str, limit: int, /, *, lease: float, terms: Terms = ANY) -> tuple[Claim, ...]:
        """Begin the delivery of each message whose trace is recorded."""
        since = self._clock.monotonic()
        claims = await self._outbox.claim(lane, limit, lease=lease, terms=terms)
        return tuple(self._delivery(claim, since) if sampled(claim.message.traceparent) else claim for claim in claims)

    async def extend(self, *tickets: Ticket, lease: float) -> frozenset[MessageId]:
        """Extend."""
        return await self._outbox.extend(*tickets, lease=lease)

    async def settle(self, *settlements: Settlement) -> tuple[bool, ...]:
        """Tell how each ended, and end its delivery."""
        since = self._clock.monotonic()
        good = await self._outbox.settle(*settlements)
        for settlement, still in zip(settlements, good, strict=True):
            held = self._held.pop(settlement.ticket, None)
            if held is not None:
                verdict = type(settlement.verdict).__name__.lower()
                held.trail.begin("settle", since=since).end(not still, verdict=verdict)
                if held.delivery is not None:
                    held.delivery.end(verdict not in _THROUGH, verdict=verdict, **(held.about or {}))
        return good

    async def wait(self, message: MessageId, seconds: float, /) -> Record | None:
        """Wait."""
        return await self._outbox.wait(message, seconds)

    def _delivery(self, claim: Claim, since: float) -> Claim:
        message = claim.message
        _, trace, parent, _ = message.traceparent.split("-")
        begun = Trail(self._tell, self._clock, trace, parent).begin("delivery", kind="consumer", since=since)
        begun.trail.begin("claim", since=since).end()
        about: Mapping[str, Fact] = {
            "message_id": claim.ticket.id,
            "correlation_id": message.correlation_id,
            "operation": message.operation,
            "agency": claim.lane,
            "attempts": claim.attempts,
        }
        self._hold(claim.ticket, _Held(begun.trail, begun, about))
        return replace(claim, message=message.but(traceparent=begun.traceparent, trail=begun.trail))

    def _hold(self, ticket: Ticket, held: _Held) -> None:
        if len(self._held) >= _HELD:
            self._held.clear()
        self._held[ticket] = held


def _filed(entry: Entry | None) -> Mapping[str, Fact]:
    if entry is None:
        return {}
    return {"message_id": entry.message.id, "operation": entry.message.operation, "agency": entry.lane}
