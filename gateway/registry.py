"""Agencies and operations as one immutable table; a reload builds a new one and swaps it. Builds nothing itself."""

import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from gateway.errors import Finding
from gateway.feeds import Keeping, Source
from gateway.handover import BatchEnd, Batching
from gateway.hours import Calendar
from gateway.lookup import Snapshots
from gateway.message import Document, Message, OperationId, Origin, Reply
from gateway.native import Compared
from gateway.offers import Offer
from gateway.ports import Handler, Probe, Schema
from gateway.recorder import Recording
from gateway.records import Entry
from gateway.translate.compile import CompiledRow
from gateway.translate.schema import CanonicalSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """When messages go over together, and what makes one attempt for all of them."""

    batching: Batching
    send: Callable[[Sequence[Message]], Awaitable[Sequence[BatchEnd]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be asked: how it is exposed, what goes in and out, and the handler that answers it.

    `pipeline` is an agency operation's own way to the agency: without the ledger before it, its answer never shared.
    `stored`: it is delivered from the ledger; `reread` reads an answer that the ledger kept because it could not be
    read, and raises AgencyError when it still can't. `targets` are those of a composite; `plan` shows how
    its messages are written. `version` changes with whatever may change how a request is judged. Its messages go over
    `together`, if so. Within `within` seconds the agency says what became of what it was handed.
    """

    id: OperationId
    title: str
    about: str
    agency: str
    agency_title: str
    safe: bool
    method: str | None
    path: str | None
    deadline: float
    request: CanonicalSchema
    reply: Schema
    handler: Handler
    pipeline: Handler | None = None
    recording: Recording | None = None
    stored: bool = False
    targets: tuple[OperationId, ...] = ()
    reread: Callable[[bytes], Reply] | None = None
    plan: Callable[[], Document] | None = None
    version: str = ""
    together: Together | None = None
    within: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What an agency's lane needs: calls at a time, this replica's part of them, and how many direct calls wait.

    It delivers `operations`. It takes no more while `depth` messages wait, or one has waited `age` open seconds. For
    `patience` seconds at most messages wait for others to go over with.
    """

    concurrency: int
    waiting: Callable[[], int]
    depth: int
    slots: Callable[[], int] = lambda: sys.maxsize
    age: float = float("inf")
    operations: Collection[OperationId] = ()
    patience: float = 0.0
    calendar: Calendar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Where a feed's rows go: `entry` is how a message of that operation is recorded, `lane` where it waits."""

    to: OperationId
    lane: str
    entry: Callable[[Message, Origin], Entry]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """How a feed's rows are read and kept; a file with more than `max_reject` of its rows rejected is refused.

    `due` tells by when another file must come after one; None where nobody waits for it.
    `row` is the table of its rows; `forward` says where they go that are not kept.
    Its rows settle what the operations that it `acknowledges` handed over; of those only ids and verdicts are kept.
    What is read is kept while the next is read `ahead`, where something other than Python does the reading.
    """

    read: Callable[[Document], Document]
    keeping: Keeping
    max_reject: float
    due: Callable[[datetime], datetime] | None = None
    row: CompiledRow | None = None
    forward: Forward | None = None
    acknowledges: Collection[OperationId] = ()
    ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """One agency as the rest of the gateway sees it; `unready` says why it can't be asked at all.

    `zone` is that of its own dates and times, where it has one.
    """

    name: str
    title: str
    operations: Mapping[OperationId, Operation]
    breaker: Callable[[], str]
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    probe: Probe | None = None
    compared: Compared | None = None
    source: Source | None = None
    offers: tuple[Offer, ...] = ()
    snapshots: Snapshots | None = None
    queue: Queue | None = None
    warnings: tuple[Finding, ...] = ()
    unready: str = ""
    zone: tzinfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything that can be asked, by id."""

    agencies: Mapping[str, Agency] = field(default_factory=dict)
    operations: Mapping[OperationId, Operation] = field(default_factory=dict)

    @property
    def exposed(self) -> tuple[Operation, ...]:
        """The operations that have a path."""
        return tuple(operation for operation in self.operations.values() if operation.path is not None)

    @property
    def longest_deadline(self) -> float:
        """Seconds that a graceful stop has to allow for."""
        return max((operation.deadline for operation in self.operations.values()), default=0.0)
