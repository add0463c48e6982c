"""The contracts between the gateway's parts; names the errors each may raise, implements nothing."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from gateway.errors import FieldError
from gateway.message import Answer, Call, Context, Document, Message, MessageId, Reply
from gateway.records import (
    ANY,
    Backlog,
    Claim,
    Delivered,
    Entry,
    Filter,
    LaneStats,
    Page,
    Pause,
    PauseReason,
    Receipt,
    Record,
    Refused,
    Retention,
    Settlement,
    Shed,
    Terms,
    Ticket,
)

Handler = Callable[[Message], Awaitable[Reply]]
"""Takes a canonical message, returns its reply; raises AgencyError, Overloaded or TranslationError."""

Policy = Callable[[Handler], Handler]
"""Wraps a handler in one concern: all of resilience is composition of these."""


class Clock(Protocol):
    """Time, injected so that no test sleeps."""

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...

    def now(self) -> datetime:
        """Return the wall clock's time, with its zone."""
        ...

    async def sleep(self, seconds: float, /) -> None:
        """Wait; cancellable."""
        ...


class Log(Protocol):
    """Where a change of state, or a bug, is written for people to read; an adapter's lines bear its agency's name."""

    def __call__(self, event: str, /, *, level: str = "info", **facts: object) -> None:
        """Write one line; facts are masked."""
        ...


class Tolerated(Protocol):
    """Where an adapter tells that it took an answer although it deviated; call it on the event loop only."""

    def __call__(self, tolerance: str, /) -> None:
        """Count one answer that was taken by a named tolerance."""
        ...


class Adapter(Protocol):
    """Speaks one agency's protocol."""

    async def exchange(self, call: Call, /) -> Answer:
        """Send one call and return what came back, within `call.timeout` seconds.

        Raises Unavailable, AgencyTimeout, AgencyLogin or InvalidAnswer, each with `maybe_done` true from the first
        byte written on; TranslationError (side "request") when the document can't be written in the protocol.
        """
        ...


@runtime_checkable
class Rereads(Protocol):
    """Optional capability of an adapter: read an answer that it could not read when it came; nobody is asked again."""

    def reread(self, target: str, answer: Answer, /) -> Answer:
        """Return what `answer.unread` says by the contract as it is now; raises InvalidAnswer as `exchange` does."""
        ...


@runtime_checkable
class Probe(Protocol):
    """Optional capability of an adapter: a harmless question whether the agency is there."""

    async def probe(self) -> None:
        """Return when the agency is reachable, else raise Unavailable or AgencyTimeout."""
        ...


@runtime_checkable
class LogsIn(Protocol):
    """Optional capability of an adapter: show the agency who the gateway is, and ask for nothing else."""

    async def log_in(self, *, timeout: float) -> bool:  # noqa: ASYNC109 -- seconds, as Call.timeout
        """Return whether the agency took the login, False when only a call can tell.

        Raises AgencyLogin when it did not, else as `exchange`.
        """
        ...


@runtime_checkable
class Closes(Protocol):
    """Optional capability of an adapter: it keeps connections of its own, beside those of the HTTP client."""

    async def close(self) -> None:
        """Close them; whatever is asked of it later opens them again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlFields:
    """Which native fields a call's URL holds: those of its `path`, and with `query` all others as well."""

    path: tuple[str, ...] = ()
    query: bool = False


@runtime_checkable
class Addressed(Protocol):
    """Optional capability of an adapter: it can tell what travels in a URL, which servers write into their logs."""

    def url_fields(self, target: str, /) -> UrlFields:
        """Return which fields stand in the URL of this target."""
        ...


class Translator(Protocol):
    """An operation's mapping, compiled; pure, quick, and safe to share between tasks and threads."""

    def to_native(self, body: Document, context: Context, /) -> Document:
        """Build the native request; raises TranslationError (side "request") with all errors."""
        ...

    def to_headers(self, body: Document, context: Context, /) -> Document:
        """Build the native headers of `[agency.headers]` and `[operation.headers]`; raises as to_native."""
        ...

    def to_canonical(self, document: Document, /) -> Document:
        """Build the canonical reply; raises TranslationError (side "reply") with all errors."""
        ...

    def pointer(self, native_path: str, /) -> str:
        """Return the JSON Pointer of the canonical field that feeds a native request field, "" when none does."""
        ...

    def key(self, body: Document, context: Context, /) -> bytes:
        """Return what makes two requests the same: canonical body and every `@` value the mapping uses."""
        ...


class Schema(Protocol):
    """The canonical side of one table: what a body must look like."""

    @property
    def json(self) -> Mapping[str, object]:
        """The JSON Schema (2020-12) for OpenAPI and the data dictionary."""
        ...

    @property
    def fields(self) -> frozenset[str]:
        """The names at the top level."""
        ...

    def check(self, body: object, /) -> tuple[FieldError, ...]:
        """Return every error, unknown fields among them; empty when the body fits."""
        ...

    def from_query(self, pairs: Sequence[tuple[str, str]], /) -> Document:
        """Read a query by the schema: repeated names are lists, dots nest.

        A value that does not fit its field's type stays text, for `check` to report.
        """
        ...


class Outbox(Protocol):
    """The ledger as a queue.

    Every method may raise LedgerUnavailable; whether it was done is then not known, and asking again with the same ids
    does no harm.
    """

    async def put(self, *entries: Entry) -> tuple[Receipt, ...]:
        """Record messages to be delivered; returns when they are safe on disk, all of them or none.

        What was put before, by the same message id or by the same (client, operation, idempotency key), is answered
        with its own receipt and state. Raises IdempotencyMismatch when such a key came with another body.
        """
        ...

    async def find(self, entry: Entry, /) -> Receipt | None:
        """Return the receipt of what was put before, found as `put` finds it; records nothing."""
        ...

    async def begin(self, entry: Entry, /, *, lease: float) -> Receipt:
        """Record that a direct write is about to be sent, by whoever asks now; `settle` it with the receipt's ticket.

        As `put`, but in state delivering for `lease` seconds (extend it); when the lease ends unsettled, the state
        becomes unknown. The same message id again while its lease lives is the same intent, and fresh.
        """
        ...

    async def claim(self, lane: str, limit: int, /, *, lease: float, terms: Terms = ANY) -> tuple[Claim, ...]:
        """Take up to `limit` messages that are due, oldest first, for `lease` seconds; none while the lane is paused.

        Of one order key only the oldest unsettled; buried and unknown hold their key unless their entry said skip.
        Claiming says that the lane is open: it runs the lane's clock of open time, so claim (a limit of 0 will do) at
        least every 30 seconds. Before that, whatever has used up its open time expires (or is unknown, if uncertain),
        and leases that ended are taken up: `never` becomes unknown, the rest is uncertain. What can't be read any more
        is buried.
        """
        ...

    async def extend(self, *tickets: Ticket, lease: float) -> frozenset[MessageId]:
        """Hold messages for `lease` seconds from now; returns those still held by these tickets."""
        ...

    async def settle(self, *settlements: Settlement) -> tuple[bool, ...]:
        """Record how messages ended, each with its attempt; in order, whether the ticket was still good.

        A stale ticket changes nothing. An owner whose lease ended may still say how it ended while nobody else has
        taken the message up or resolved it.
        """
        ...

    async def wait(self, message: MessageId, seconds: float, /) -> Record | None:
        """Return the record once it is neither pending nor delivering, or as it is when the time is up."""
        ...


class Lanes(Protocol):
    """The ledger's queues, one an agency. Every method may raise LedgerUnavailable."""

    async def pause(self, lane: str, reason: PauseReason, /, *, by: str, until: datetime | None = None) -> None:
        """Claim nothing until a time or resumed; replaces one for this reason, but the gateway's none of a person's."""
        ...

    async def resume(self, lane: str, reason: PauseReason | None = None, /, *, by: str) -> bool:
        """End the pause for one reason, or for all; returns whether there was one. The gateway ends only its own."""
        ...

    async def idle(self, lane: str, /) -> None:
        """Stop the clock of open time until the next claim: this process has found the agency unreachable."""
        ...

    async def list(self) -> tuple[Pause, ...]:
        """Return every pause that holds, lanes in order of name, the strongest reason first."""
        ...

    async def stats(self) -> tuple[LaneStats, ...]:
        """Return how each lane stands, in order of name; costs milliseconds, so ask it every few seconds at most."""
        ...

    async def backlog(self, lane: str, terms: Terms = ANY, /) -> Backlog:
        """Return how far the lane is behind what may be claimed of it by these terms; costs milliseconds."""
        ...

    async def nudged(self, lane: str, seconds: float, /) -> bool:
        """Return when something may have become claimable in the lane, or false when the time is up."""
        ...


class Archive(Protocol):
    """The ledger as people see it. Every method may raise LedgerUnavailable; unknown ids change nothing."""

    async def get(self, message: MessageId, /, *, unmasked_by: str | None = None) -> Record | None:
        """Return everything about a message; with `unmasked_by`, the look itself is recorded."""
        ...

    async def search(self, wanted: Filter, /, *, cursor: str | None = None, limit: int = 50) -> Page:
        """Return the newest matching messages, from the cursor on; raises InvalidRequest for what can't be asked."""
        ...

    async def replay(self, ids: Sequence[MessageId], /, *, by: str, unknown: bool = False) -> tuple[MessageId, ...]:
        """Make messages pending again, under their own ids, in their order key's old place; returns those it could.

        From buried, expired and refused; what is unknown or handed over, or uncertain and not harmless, only where the
        caller has it confirmed (`unknown`). A shed body can't be.
        Open time and failures count anew.
        """
        ...

    async def resolve(self, message: MessageId, verdict: Delivered | Refused, /, *, by: str) -> bool:
        """Say how a message ended that is unknown or handed over; returns whether it was."""
        ...

    async def cancel(self, message: MessageId, /, *, by: str) -> bool:
        """Give up a pending or buried message; returns whether it was one. If it may have been done, it is unknown."""
        ...

    async def edit(self, message: MessageId, body: Document, /, *, by: str, sure: bool = False) -> bool:
        """Replace a buried message's canonical body and make it pending, as one deed that keeps the difference.

        One that may have been done only if `sure`, unless it is harmless. Returns whether it was edited.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long work over the ledger is."""

    done: int
    total: int


class Upkeep(Protocol):
    """What a ledger needs done from time to time. Every method may raise LedgerUnavailable."""

    async def sweep(self) -> int:
        """Take up the leases that ended in every lane, as a claim does in its own; returns how many there were."""
        ...

    async def shed(self, lane: str, retention: Retention, /, *, limit: int = 500) -> Shed:
        """Take one batch of what a lane's final messages need not keep; done when nothing was taken."""
        ...

    async def hold(self, name: str, /, *, by: str, seconds: float) -> int | None:
        """Take or renew a named lease, or end it by no seconds; returns its token, None while another has it."""
        ...

    async def renew_key(self) -> None:
        """Seal from now on with the next encryption key."""
        ...

    def reseal(self, *, batch: int = 500) -> AsyncIterator[Progress]:
        """Seal again what older encryption keys sealed, a batch for each step."""
        ...

    async def close(self) -> None:
        """Finish what was asked and let go of the store."""
        ...
