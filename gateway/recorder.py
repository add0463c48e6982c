"""Records messages before anything is sent: store-and-forward, and direct writes with a key; delivers nothing."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from gateway.errors import (
    AgencyError,
    GatewayError,
    InProgress,
    LedgerSilent,
    LedgerUnavailable,
    NotFound,
    Overloaded,
    Refused,
    UnknownOutcome,
)
from gateway.hours import AnswerDates
from gateway.message import Document, Message, MessageId, OperationId, Origin, Reply
from gateway.ports import Clock, Handler, Outbox
from gateway.records import Entry, Receipt, Record, Repeat, Settlement, State, Summary, Ticket, Tried
from gateway.records import Refused as RefusedVerdict
from gateway.settle import Settler, verdict_of

Path = tuple[str, ...]

MARGIN = 10.0
"""Seconds by which a direct write's lease outlives its deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """The field of an agency's status, and the words of it after which nothing more comes."""

    field: Path
    words: frozenset[str]

    def __call__(self, body: Document) -> str | None:
        """Return the final status that an answer holds, None while it holds none."""
        status = _text_at(self.field, body)
        return status if status in self.words else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """How to find out whether the agency has a message: whom to ask, with what, and which field tells it is done.

    `final` says which status of the agency's is its last word, where it has one.
    """

    operation: OperationId
    fields: Mapping[str, str]
    done: Path
    final: Final | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """How one operation's messages are recorded: `stored` before delivery, else only the intent of a direct write.

    `expires` is seconds of open time; `wait` how long an app waits for the settlement unless it says otherwise;
    `order_by` and `subject` are paths into the canonical body; `dates` turns the acceptance into those of its answer.
    """

    lane: str
    repeat: Repeat = "never"
    expires: float | None = None
    wait: float = 0.0
    order_by: Path = ()
    subject: Path = ()
    skip_buried: bool = False
    dates: Callable[[datetime], AnswerDates] | None = None
    stored: bool = False
    ask: Question | None = None

    def entry(self, message: Message, origin: Origin | None = None) -> Entry:
        """Return what the ledger keeps of a message."""
        dates = self.dates(message.accepted_at) if self.dates is not None else None
        return Entry(
            message=message,
            lane=self.lane,
            repeat=self.repeat,
            expires=self.expires,
            order_key=_text_at(self.order_by, message.body),
            subject=_text_at(self.subject, message.body),
            skip_buried=self.skip_buried,
            answer_by=dates.by if dates is not None else None,
            near_at=dates.near if dates is not None else None,
            until_final=dates is not None and self.ask is not None and self.ask.final is not None,
            origin=origin,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Reply):
    """A message that is safe in the ledger and not settled yet; its body is empty, the record tells the rest."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Puts the ledger before an operation's pipeline; `room` says whether a lane still takes messages.

    `shut` says whether nothing gets through a lane now, as far as is known: then nobody need wait for it.
    """

    outbox: Outbox
    settler: Settler
    clock: Clock
    room: Callable[[str], Awaitable[Overloaded | None]]
    shut: Callable[[str], bool] = lambda _lane: False

    def handler(self, recording: Recording, pipeline: Handler) -> Handler:
        """Return how an operation is answered."""
        return self._stored(recording) if recording.stored else self._intended(recording, pipeline)

    def _stored(self, recording: Recording) -> Handler:
        """Safe on disk first, then the settlement if it comes in time (11.18)."""

        async def store(message: Message) -> Reply:
            entry = recording.entry(message)
            receipt = await self._put(entry)
            seconds = max(0.0, min(self._wait_for(recording, message), message.deadline - self.clock.monotonic()))
            try:
                record = await self.outbox.wait(receipt.id, seconds)
            except LedgerUnavailable:  # it is safe all the same; to say otherwise would have it sent again
                record = _as_put(entry, receipt)
            if record is not None and record.summary.state is State.UNKNOWN:
                # Neither delivered nor refused: the request's own resource tells.
                return Accepted(body={}, record=record, recorded=receipt.id)
            return settled(record, receipt.id)

        return store

    def _wait_for(self, recording: Recording, message: Message) -> float:
        """Return the seconds to wait for the settlement: what the app asks for, else as long as it may come."""
        if message.wait is not None:
            return message.wait
        return 0.0 if self.shut(recording.lane) else recording.wait

    async def _put(self, entry: Entry) -> Receipt:
        """Record a message; when its lane is full, only one that is there already has a receipt: it takes no room."""
        full = await self.room(entry.lane)
        if full is None:
            return await self._put_for_sure(entry)
        there = await self.outbox.find(entry) if entry.message.idempotency_key is not None else None
        if there is None:
            raise full
        return there

    async def _put_for_sure(self, entry: Entry) -> Receipt:
        """Put; where the word of it is lost, put again, which does no harm."""
        try:
            (receipt,) = await self.outbox.put(entry)
        except LedgerSilent:
            try:
                (receipt,) = await self.outbox.put(entry)
            except LedgerUnavailable as error:
                raise _doubtful(error, entry.message.id) from error
        return receipt

    async def _begin(self, entry: Entry, lease: float) -> Receipt:
        """Begin; where the word of it is lost, begin again, and where that fails see to it that the key goes free."""
        begin = partial(self.outbox.begin, entry, lease=lease)
        try:
            return await begin()
        except LedgerSilent:
            try:
                return await begin()
            except LedgerUnavailable:
                self.settler.release(begin)
                raise

    def _intended(self, recording: Recording, pipeline: Handler) -> Handler:
        """With an Idempotency-Key the intent is on disk before the agency is asked.

        The same key again gets the kept answer, waits for the one under way, or hears that nobody knows (11.5 to 11.7).
        """

        async def write(message: Message) -> Reply:
            if message.idempotency_key is None:
                return await pipeline(message)
            while True:
                lease = self._left(message) + MARGIN
                last = lease <= MARGIN
                receipt = await self._begin(recording.entry(message), lease)
                if receipt.ticket is not None:
                    return await self._send(message, pipeline, receipt.ticket)
                record = await self._wait(receipt, self._left(message))
                if last or not _freed(receipt, record):
                    return settled(record, receipt.id, direct=True)
                # The one that had the key was certainly not done: now it is this one's turn.

        return write

    async def _wait(self, receipt: Receipt, seconds: float) -> Record | None:
        try:
            return await self.outbox.wait(receipt.id, seconds)
        except LedgerUnavailable as error:  # nothing was sent now, but the one that has the key may have been
            raise _doubtful(error, receipt.id) from error

    def _left(self, message: Message) -> float:
        return max(0.0, message.deadline - self.clock.monotonic())

    async def _send(self, message: Message, pipeline: Handler, ticket: Ticket) -> Reply:
        at, started = self.clock.now(), self.clock.monotonic()
        try:
            reply = await pipeline(message)
        except GatewayError as error:
            tried = _tried(at, self.clock.monotonic() - started, error)
            verdict = verdict_of(error, direct=True)
            await self.settler.settle(Settlement(ticket=ticket, verdict=verdict, tried=tried))
            error.recorded = ticket.id
            raise
        tried = Tried(at=at, seconds=self.clock.monotonic() - started, outcome=reply.outcome)
        await self.settler.settle(Settlement(ticket=ticket, verdict=verdict_of(reply), tried=tried))
        return replace(reply, recorded=ticket.id)


def settled(record: Record | None, message: MessageId, *, direct: bool = False) -> Reply:
    """Return or raise exactly what a direct answer would have been; Accepted while it is not settled.

    A direct write that is still under way is InProgress; what nobody knows is UnknownOutcome, each time.
    """
    if record is None:
        raise UnknownOutcome("the ledger keeps no record of it", maybe_done=True)
    state = record.summary.state
    if isinstance(record.answer, Reply) and state is not State.HANDED_OVER:
        return replace(record.answer, recorded=message)
    error: GatewayError | None = None
    if isinstance(record.answer, RefusedVerdict) and state is State.REFUSED:
        kind = NotFound if record.answer.code == NotFound.code else Refused
        error = kind(record.answer.text, maybe_done=False, errors=record.answer.errors)
    elif state is State.UNKNOWN:
        error = UnknownOutcome("it may have been done", maybe_done=True)
    elif direct and state is State.DELIVERING:
        error = InProgress("the same request is under way")
    if error is None:
        return Accepted(body={}, record=record, recorded=message)
    error.recorded = message
    raise error


def _doubtful(error: LedgerUnavailable, message: MessageId) -> LedgerUnavailable:
    """Return an error of this message's own: a store tells everybody whom it failed at once the same one."""
    own = LedgerUnavailable(str(error))
    own.maybe_done, own.recorded = True, message
    return own


def _freed(receipt: Receipt, record: Record | None) -> bool:
    """Return whether the key went free meanwhile; what was cancelled before, and found by the key, keeps it."""
    cancelled = record is not None and record.summary.state is State.CANCELLED
    return cancelled and receipt.state is not State.CANCELLED


def _as_put(entry: Entry, receipt: Receipt) -> Record:
    """Return what is known of a message without looking it up."""
    message = entry.message
    summary = Summary(
        id=receipt.id,
        lane=entry.lane,
        operation=message.operation,
        client=message.client,
        state=receipt.state,
        direct=False,
        repeat=entry.repeat,
        attempts=0,
        accepted_at=receipt.accepted_at,
        answer_by=entry.answer_by,
        near_at=entry.near_at,
    )
    return Record(summary=summary, correlation_id=message.correlation_id, traceparent=message.traceparent)


def _tried(at: datetime, seconds: float, error: GatewayError) -> Tried | None:
    if not isinstance(error, AgencyError):
        return None
    return Tried(at=at, seconds=seconds, outcome=error.outcome, error=error.why)


def _text_at(path: Path, body: Document) -> str | None:
    """Return the value at a path as text; a missing one means that nothing is ordered or searched by it."""
    value: object = body
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return str(value) if path and value is not None and not isinstance(value, dict | list) else None
