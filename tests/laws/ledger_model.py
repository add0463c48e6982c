"""A ledger as a list in memory, written from design 11 and not from any store: what the laws compare stores with."""

from dataclasses import dataclass, field

from gateway.message import MessageId
from gateway.records import (
    Buried,
    Delivered,
    Expired,
    Postponed,
    Refused,
    Released,
    State,
    Ticket,
    Unknown,
    Verdict,
)

GRACE = 30
TOO_OFTEN = 10
OVER = {
    Delivered: State.DELIVERED,
    Refused: State.REFUSED,
    Unknown: State.UNKNOWN,
    Buried: State.BURIED,
    Expired: State.EXPIRED,
    Released: State.CANCELLED,
}


@dataclass(slots=True, kw_only=True)
class Kept:
    """One message as the model sees it; `good` is the only ticket that may settle it."""

    id: MessageId
    lane: str
    repeat: str
    order: str | None
    skip: bool
    key: tuple[str, str] | None
    expires: int | None
    limit: float | None
    direct: bool
    due: float
    state: State = State.PENDING
    leased: int = 0
    good: Ticket | None = None
    uncertain: bool = False
    attempts: int = 0
    failures: int = 0
    interruptions: int = 0

    @property
    def holds(self) -> bool:
        """Whether later ones of its order key must wait for it."""
        if self.direct:
            return False
        waits = self.state in {State.PENDING, State.DELIVERING}
        return waits or (self.state in {State.BURIED, State.UNKNOWN} and not self.skip)

    @property
    def may_not_repeat(self) -> bool:
        """Whether an unknown outcome ends it."""
        return self.direct or self.repeat == "never"


@dataclass(slots=True)
class Model:
    """All messages in ledger order, the pauses, and for each lane the spans in which it was open."""

    now: int = 0
    messages: list[Kept] = field(default_factory=list)
    paused: set[tuple[str, str]] = field(default_factory=set)
    spans: dict[str, list[list[int]]] = field(default_factory=dict)

    def put(self, message: Kept) -> Kept | None:
        """Return the message that is there now, None when its key came with another body."""
        for other in self.messages:
            if message.key is not None and other.key is not None and other.key[0] == message.key[0]:
                if other.key[1] != message.key[1]:
                    return None
                self.take_up(other)
                return other
        message.limit = None if message.expires is None else self.open_time(message.lane) + message.expires
        self.messages.append(message)
        return message

    def open_time(self, lane: str) -> int:
        """How long the lane was open: the length of its spans, which may overlap."""
        total, end = 0, -1
        for start, stop in self.spans.get(lane, []):
            total += max(0, min(stop, self.now) - max(start, end))
            end = max(end, min(stop, self.now))
        return total

    def shut(self, lane: str) -> None:
        """The lane is not open from now on."""
        for span in self.spans.get(lane, []):
            span[1] = min(span[1], self.now)

    def claim(self, lane: str, limit: int, most: int | None, *, probe: bool) -> list[Kept]:
        """Return what a claim must give, in order."""
        if any(name == lane for name, _ in self.paused):
            return []
        mine = [message for message in self.messages if message.lane == lane]
        for message in mine:
            self.take_up(message)
        if not probe:
            self.spans.setdefault(lane, []).append([self.now, self.now + GRACE])
            for message in mine:
                self.expire(message)
        flying = sum(message.state is State.DELIVERING and not message.direct for message in mine)
        room = limit if most is None else min(limit, most - flying)
        ready = [message for message in mine if self.is_ready(message, mine, probe=probe)]
        ready.sort(key=lambda message: message.due)
        return ready[: max(0, room)]

    def is_ready(self, message: Kept, mine: list[Kept], *, probe: bool) -> bool:
        """Whether it may be claimed now."""
        if message.state is not State.PENDING or (message.due > self.now and not probe):
            return False
        if message.order is None:
            return True
        same = [other for other in mine if other.order == message.order]
        older = same[: same.index(message)]
        return not any(other.holds for other in older) and not any(other.state is State.DELIVERING for other in same)

    def take_up(self, message: Kept) -> None:
        """End its lease if that is over."""
        if message.state is not State.DELIVERING or message.leased > self.now:
            return
        message.attempts += 1
        message.uncertain = True
        message.due = self.now
        if message.may_not_repeat:
            message.state = State.UNKNOWN
            return
        message.good = None
        message.failures += 1
        message.interruptions += 1
        if message.interruptions == TOO_OFTEN:
            message.state = State.BURIED
            return
        message.state = State.PENDING
        if message.interruptions > 1:
            message.due += min(300, 2**message.interruptions) * (1 + ord(message.id[-1]) % 16 / 16)

    def expire(self, message: Kept) -> None:
        """Give it up if its open time is used up."""
        if (
            message.state is State.PENDING
            and message.limit is not None
            and message.limit <= self.open_time(message.lane)
        ):
            message.state = State.UNKNOWN if message.uncertain else State.EXPIRED

    def settle(self, ticket: Ticket, verdict: Verdict, *, tried: bool) -> bool:
        """Return whether the ticket was good."""
        message = next((one for one in self.messages if one.good == ticket), None)
        if message is None:
            return False
        message.good = None
        message.attempts += tried and message.state is not State.UNKNOWN  # taken up: that was this attempt
        message.interruptions = 0
        self._become(message, verdict)
        message.failures += tried and message.state is State.PENDING
        if isinstance(verdict, Delivered | Refused):
            message.uncertain = False
        return True

    def _become(self, message: Kept, verdict: Verdict) -> None:
        if not isinstance(verdict, Postponed):
            lapsed = isinstance(verdict, Expired) and message.uncertain
            message.state = State.UNKNOWN if lapsed else OVER[type(verdict)]
            message.uncertain |= isinstance(verdict, Unknown)
        elif verdict.maybe_done and message.may_not_repeat:
            message.state, message.uncertain = State.UNKNOWN, True
        elif message.direct:
            message.state = State.CANCELLED
        else:
            message.state, message.due = State.PENDING, self.now + int(verdict.seconds)
            message.uncertain |= verdict.maybe_done
        released = isinstance(verdict, Released) or (isinstance(verdict, Postponed) and message.direct)
        if released and message.state is State.CANCELLED:
            message.key = None

    def replay(self, message: Kept, *, unknown: bool) -> bool:
        """Return whether it could be replayed."""
        from_states = {State.BURIED, State.EXPIRED, State.REFUSED} | ({State.UNKNOWN} if unknown else set())
        if message.state not in from_states or (message.uncertain and message.repeat != "harmless" and not unknown):
            return False
        message.state, message.direct, message.good = State.PENDING, False, None
        message.failures = message.interruptions = 0
        message.due = self.now
        message.limit = None if message.expires is None else self.open_time(message.lane) + message.expires
        return True

    def resolve(self, message: Kept, verdict: Delivered | Refused) -> bool:
        """Return whether it was unknown."""
        if message.state is not State.UNKNOWN:
            return False
        message.state, message.good, message.uncertain = OVER[type(verdict)], None, False
        return True

    def cancel(self, message: Kept) -> bool:
        """Return whether it was pending or buried."""
        if message.state not in {State.PENDING, State.BURIED}:
            return False
        message.state, message.good = State.UNKNOWN if message.uncertain else State.CANCELLED, None
        return True
