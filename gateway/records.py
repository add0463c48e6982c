"""What the ledger keeps of a message and what it is told about it; plain data that knows no SQL and no HTTP."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from gateway.errors import FieldError
from gateway.handover import HandedOver
from gateway.message import Document, Message, MessageId, OperationId, Origin, Outcome, Reply

Urgency = Literal["near", "past"]
"""How a clock that runs stands to the date by which people must have an answer."""

Repeat = Literal["harmless", "ask", "never"]
"""May a message be sent again after an unknown outcome? `ask`: only when the agency says that it has none of our id."""

PauseReason = Literal["operator", "maintenance", "hours", "outage"]
"""Why a lane is not open to delivery, the strongest first; a lane may have several reasons at once."""
BY_GATEWAY = "gateway"
"""Who pauses a lane by the agency's calendar; all others are people, and what they paused is theirs to end."""


class State(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    DELIVERING = "delivering"
    HANDED_OVER = "handed-over"
    DELIVERED = "delivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    BURIED = "buried"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


UNSETTLED = frozenset({State.PENDING, State.DELIVERING})
FINAL = frozenset({State.DELIVERED, State.REFUSED, State.EXPIRED, State.CANCELLED})
"""Settled, and nobody need look at it: these free their order key and are shed in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message to be recorded, with what the ledger must know of its operation.

    `lane` is the agency's name. `expires` is seconds of open time. `order_key` and `subject` are given plain and kept
    as keyed hashes. `skip_buried`: once buried or unknown it does not hold back the later ones of its order key.
    `answer_by` is when people must have an answer, `near_at` from when on that is near; with `until_final` the clock
    goes on after delivery, until it is said that they have been answered.
    """

    message: Message
    lane: str
    repeat: Repeat = "never"
    expires: float | None = None
    order_key: str | None = None
    subject: str | None = None
    skip_buried: bool = False
    answer_by: datetime | None = None
    near_at: datetime | None = None
    until_final: bool = False
    origin: Origin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """The right to settle one message; a newer claim's token makes an older one worthless."""

    id: MessageId
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A message is safe on disk; `fresh` unless it was there before. `ticket` only from a fresh `begin`."""

    id: MessageId
    state: State
    accepted_at: datetime
    fresh: bool
    ticket: Ticket | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A message to be delivered now; its `deadline` is 0 and its effort is new, the deliverer sets both.

    `attempts` is how many were made, `failures` how many since it was put or replayed. `uncertain`: an earlier attempt
    may have been done, so an `ask` asks first.
    """

    ticket: Ticket
    message: Message
    lane: str
    repeat: Repeat
    attempts: int = 0
    failures: int = 0
    uncertain: bool = False
    answer_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Which messages a claim may take.

    Only of these operations; never more than `most` live claims of the lane over all processes; none before there are
    `least`, unless the oldest was accepted `patience` seconds ago. A `probe` takes what is not yet due too, and leaves
    the clock of open time alone.
    """

    operations: Collection[OperationId] | None = None
    most: int | None = None
    probe: bool = False
    least: int = 1
    patience: float = 0.0


ANY = Terms()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One attempt as the deliverer saw it: when it began, how long it took, how it ended; `status` is HTTP's."""

    at: datetime
    seconds: float
    outcome: Outcome
    status: int | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The agency has it; `reply` is None when a person says so."""

    reply: Reply | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The agency said no, or has no such thing: `code` is the error's, `text` the agency's own words, kept sealed.

    `why` is by what it said so; like the `text` of the other verdicts it is kept in clear, for people who operate this.
    """

    code: str = "refused"
    text: str = ""
    errors: tuple[FieldError, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """It may have been done; `native` is the answer as it came, kept to be read again with a mended mapping.

    Here and in other verdicts, `words` are the agency's own, kept sealed.
    """

    code: str = "outcome-unknown"
    text: str = ""
    words: str = ""
    native: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Postponed:
    """It was not done, to be tried again in `seconds`; with `maybe_done` it may have been.

    A `never` that may have been done becomes unknown instead. A direct write is not tried again: it is released, or
    unknown when it may have been done.
    """

    seconds: float
    maybe_done: bool = False
    text: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buried:
    """It can't be delivered as it is: `reason` is a slug such as `poison` or `misfit`."""

    reason: str
    text: str = ""
    words: str = ""
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Its open time is used up; it can be replayed. What may have been done becomes unknown instead."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A direct write certainly was not done: it is cancelled, and its idempotency key may be used again."""

    text: str = ""


Verdict = Delivered | HandedOver | Refused | Unknown | Postponed | Buried | Expired | Released


def became(claim: Claim, verdict: Verdict) -> str:
    """Return in a word what became of a message that was claimed: delivered, handed-over, postponed and so on."""
    if isinstance(verdict, HandedOver):
        return State.HANDED_OVER.value
    if isinstance(verdict, Postponed) and verdict.maybe_done and claim.repeat == "never":
        return "unknown"
    return type(verdict).__name__.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a claimed message ended, or why it goes on waiting; `tried` is None when nothing was attempted."""

    ticket: Ticket
    verdict: Verdict
    tried: Tried | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One recorded attempt, `number` from 1; `seconds` is None when the process went away before it ended."""

    number: int
    at: datetime
    seconds: float | None
    outcome: Outcome
    status: int | None
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What was done to a message: `act` is replay, resolve, cancel, edit, unmask, answered or acknowledge.

    `by` is a person, or the operation or file by which the agency said so; `detail` is an edit's difference.
    """

    at: datetime
    by: str
    act: str
    detail: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One line about a message: `reason` is the verdict's code, `text` says why; `due` its next try or acknowledgement.

    `answered_at` is when the clock towards `answer_by` stopped, if there is one; `uncertain`: it may have been done.
    """

    id: MessageId
    lane: str
    operation: OperationId
    client: str
    state: State
    direct: bool
    repeat: Repeat
    attempts: int
    accepted_at: datetime
    due: datetime | None = None
    settled_at: datetime | None = None
    answer_by: datetime | None = None
    near_at: datetime | None = None
    answered_at: datetime | None = None
    reason: str = ""
    text: str = ""
    size: int = 0
    uncertain: bool = False
    origin: Origin | None = None

    def urgency(self, now: datetime) -> Urgency | None:
        """Return whether the date of its answer is near or past; None while it is far, and once people have one."""
        if self.answer_by is None or self.answered_at is not None:
            return None
        near = self.near_at is not None and self.near_at <= now
        return "past" if self.answer_by <= now else "near" if near else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything about a message.

    `body` is None when it was shed or, with `readable` false, when its key is lost. `answer` is what a direct call
    would have been told or, of a state that tells it nothing yet, the agency's last words. `held` is the id of the
    older message of its order key that it waits for.
    """

    summary: Summary
    correlation_id: str
    traceparent: str
    body: Document | None = None
    answer: Reply | Refused | None = None
    native: bytes | None = None
    attempts: tuple[Attempt, ...] = ()
    deeds: tuple[Deed, ...] = ()
    readable: bool = True
    shed: bool = False
    held: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which messages; what is None or empty does not matter.

    `since` and `until` (exclusive) are times of acceptance; `subject` is given plain. Of those that people have no
    answer to, `answer_before` finds what is due before then, `urgent_at` what is near or past its date at that time.
    `receipt` is that of the file they come from.
    """

    lane: str | None = None
    operation: OperationId | None = None
    client: str | None = None
    states: frozenset[State] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    subject: str | None = None
    direct: bool | None = None
    answer_before: datetime | None = None
    urgent_at: datetime | None = None
    receipt: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The newest messages first; `cursor` continues, None at the end."""

    rows: tuple[Summary, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A reason why nothing of a lane is claimed, until a time or until it is resumed."""

    lane: str
    reason: PauseReason
    by: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStats:
    """How a lane stands.

    `depth` counts what is not done, and expired; `held` of the pending wait for an older one of their order key;
    `overdue` of those handed over should be acknowledged by now; `oldest` is when the oldest pending was accepted;
    `open_seconds` is the lane's clock of open time. Of those that people have no answer to, in whatever state, `near`
    and `past` count by their dates; `answer_by` is the earliest of all.
    """

    lane: str
    depth: Mapping[State, int] = field(default_factory=dict)
    held: int = 0
    oldest: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    open_seconds: float = 0.0
    overdue: int = 0
    near: int = 0
    past: int = 0
    answer_by: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How far a lane is behind.

    `waited` is the open seconds for which a message has waited that only the lane's own slots keep waiting: it is due,
    it never failed, nothing holds it, and more messages than the lane takes at once come before it; 0.0 when there is
    none. `ended` of the latest final messages came through the queue; the earliest of them ended at `since`.
    """

    waited: float = 0.0
    ended: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Seconds after which a final message loses its idempotency key, its body and answers, and all of itself."""

    keys: float = 7 * 86400.0
    bodies: float = 30 * 86400.0
    metadata: float = 365 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shed:
    """What one batch of retention took away."""

    keys: int = 0
    bodies: int = 0
    rows: int = 0
