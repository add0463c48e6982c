"""A ledger as a list in memory, written from design 11 and not from any store: what the laws compare stores with."""

from collections import Counter
from dataclasses import dataclass, field

from gateway.message import MessageId
from gateway.records import (
    BY_GATEWAY,
    FINAL,
    Buried,
    Delivered,
    Expired,
    PauseReason,
    Postponed,
    Refused,
    Released,
    Retention,
    Shed,
    State,
    Ticket,
    Unknown,
    Verdict,
)

GRACE = 30
TOO_OFTEN = 10
FAR = 10**9
REASONS: tuple[PauseReason, ...] = ("operator", "maintenance", "hours", "outage")
COUNTED = {State.PENDING, State.DELIVERING, State.UNKNOWN, State.BURIED, State.EXPIRED}
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
    body: str
    order: str | None
    skip: bool
    key: tuple[str, str] | None
    expires: int | None
    limit: float | None
    direct: bool
    accepted: int
    due: float
    state: State = State.PENDING
    leased: int = 0
    good: Ticket | None = None
    uncertain: bool = False
    attempts: int = 0
    failures: int = 0
    interruptions: int = 0
    ended: int | None = None
    stage: int = 0
    answer_by: int | None = None
    near_at: int | None = None
    until_final: bool = False
    answered: int | None = None
    ask: int | None = None
    deeds: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether later ones of its order key must wait for it."""
        if self.direct:
            return False
        waits = self.state in {State.PENDING, State.DELIVERING}
        return waits or (self.state in {State.BURIED, State.UNKNOWN} and not self.skip)

    @property
    def runs(self) -> bool:
        """Whether its clock towards an answer runs."""
        return self.answer_by is not None and self.answered is None

    @property
    def may_not_repeat(self) -> bool:
        """Whether an unknown outcome ends it."""
        return self.direct or self.repeat == "never"


@dataclass(frozen=True, slots=True)
class Closed:
    """A pause: whose, since when, and until when, if not until somebody ends it."""

    by: str
    since: int
    until: int | None

    def holds(self, now: int) -> bool:
        """Whether it still keeps a lane closed."""
        return self.until is None or self.until > now


@dataclass(slots=True)
class Model:
    """All messages in ledger order, the pauses, and for each lane the spans in which it was open."""

    now: int = 0
    messages: list[Kept] = field(default_factory=list)
    paused: dict[tuple[str, PauseReason], Closed] = field(default_factory=dict)
    spans: dict[str, list[list[int]]] = field(default_factory=dict)
    counted: dict[str, int] = field(default_factory=dict)

    def end(self, message: Kept, state: State) -> None:
        """Let a message come to a state in which nobody sends it."""
        message.state = state
        message.ended = self.now if state in FINAL else None

    def stop(self, message: Kept) -> None:
        """Stop a message's clock if it ended so that people have an answer; else let the agency be asked for one."""
        asks = message.state is State.DELIVERED and message.until_final and message.runs
        message.ask = self.now if asks else None
        if message.runs and not asks and message.state in {State.DELIVERED, State.REFUSED, State.CANCELLED}:
            message.answered = self.now

    def clocks(self, lane: str) -> tuple[int, int, int | None]:
        """Return how many clocks of a lane are near their date, how many are past it, and the earliest date."""
        mine = [one for one in self.messages if one.lane == lane and one.runs]
        past = [one for one in mine if one.answer_by is not None and one.answer_by <= self.now]
        near = [one for one in mine if one not in past and one.near_at is not None and one.near_at <= self.now]
        return len(near), len(past), min((one.answer_by for one in mine if one.answer_by is not None), default=None)

    def to_ask(self, lane: str) -> list[Kept]:
        """Return those that may be asked about next, all equally long not asked about."""
        mine = [(one.ask, one) for one in self.messages if one.lane == lane and one.ask is not None]
        first = min((ask for ask, _ in mine), default=self.now)
        return [one for ask, one in mine if ask == first <= self.now]

    def answered(self, message: Kept) -> bool:
        """Return whether its clock ran."""
        if not message.runs:
            return False
        message.answered, message.ask = self.now, None
        message.deeds.append("answered")
        return True

    def shed(self, lane: str, retention: Retention) -> Shed:
        """Take away what is oldest of a lane: messages, else bodies, else keys."""

        def old(stage: int, seconds: float) -> list[Kept]:
            mine = [one for one in self.messages if (one.lane, one.stage, one.ask) == (lane, stage, None)]
            return [one for one in mine if one.ended is not None and one.ended <= self.now - seconds]

        if gone := old(2, retention.metadata):
            self.messages = [one for one in self.messages if one not in gone]
            return Shed(rows=len(gone))
        if without := old(1, max(retention.bodies, retention.keys)):
            for one in without:
                one.stage = 2
            return Shed(bodies=len(without))
        freed = old(0, retention.keys)
        for one in freed:
            one.stage, one.key = 1, None
        return Shed(keys=len(freed))

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

    def find(self, key: tuple[str, str]) -> Kept | None:
        """Return the message that came with this key, whatever its body was then."""
        return next((one for one in self.messages if one.key is not None and one.key[0] == key[0]), None)

    def held(self, message: Kept) -> MessageId | None:
        """Return the oldest message of its order key that it waits for."""
        if message.state is not State.PENDING or message.order is None:
            return None
        return next((one.id for one in self.queue(message)[: self.queue(message).index(message)] if one.holds), None)

    def queue(self, message: Kept) -> list[Kept]:
        """Return all messages of its lane and order key."""
        return [one for one in self.messages if (one.lane, one.order) == (message.lane, message.order)]

    def depth(self, lane: str) -> dict[State, int]:
        """Return how many messages of a lane are in each state that is counted."""
        return dict(Counter(one.state for one in self.messages if one.lane == lane and one.state in COUNTED))

    def waiting(self, lane: str) -> int:
        """Return how many pending messages of a lane wait for an older one of their order key."""
        return sum(one.lane == lane and self.held(one) is not None for one in self.messages)

    def oldest(self, lane: str) -> int | None:
        """Return when the oldest pending message of a lane was accepted."""
        pending = [one.accepted for one in self.messages if one.lane == lane and one.state is State.PENDING]
        return min(pending, default=None)

    def open_time(self, lane: str) -> int:
        """How long the lane was open: the length of its spans, which may overlap."""
        total, end = self.counted.get(lane, 0), self.now - FAR
        for start, stop in self.spans.get(lane, []):
            total += max(0, min(stop, self.now) - max(start, end))
            end = max(end, min(stop, self.now))
        return total

    def set_clock(self, by: int, *, leases_move: bool) -> None:
        """The time on the wall jumps while every lane is shut; where leases move, so does what waits beyond it."""
        self.counted = {lane: self.open_time(lane) for lane in self.spans}
        self.spans = {lane: [] for lane in self.spans}
        self.now += by
        for message in self.messages if leases_move else []:
            if message.state is State.DELIVERING:
                message.leased += by
            elif message.state is State.PENDING and by < 0 and message.due > self.now:
                message.due += by

    def shut(self, lane: str) -> None:
        """The lane is not open from now on."""
        for span in self.spans.get(lane, []):
            span[1] = min(span[1], self.now)

    def pauses(self, lane: str) -> list[tuple[PauseReason, Closed]]:
        """Return what keeps a lane closed now, the strongest reason first."""
        held = [(why, one) for (name, why), one in self.paused.items() if name == lane and one.holds(self.now)]
        return sorted(held, key=lambda one: REASONS.index(one[0]))

    def pause(self, lane: str, reason: PauseReason, by: str, until: int | None) -> None:
        """Close a lane, if this is not the gateway where a person has done so."""
        self.shut(lane)
        there = self.paused.get((lane, reason))
        if by != BY_GATEWAY or there is None or there.by == BY_GATEWAY or not there.holds(self.now):
            self.paused[lane, reason] = Closed(by, self.now, until)

    def resume(self, lane: str, reason: PauseReason | None, by: str) -> bool:
        """Return whether a pause held that whoever asks may end."""
        mine = {
            place: one
            for place, one in self.paused.items()
            if place[0] == lane and reason in {None, place[1]} and (by != BY_GATEWAY or one.by == BY_GATEWAY)
        }
        for place in mine:
            del self.paused[place]
        return any(one.holds(self.now) for one in mine.values())

    def backlog(self, lane: str, most: int) -> tuple[float, int, int | None]:
        """Return for how long only the lane's slots keep a message waiting, how many ended, and since when."""
        mine = [one for one in self.messages if one.lane == lane]
        due = [one for one in mine if one.state is State.PENDING and one.due <= self.now and self.held(one) is None]
        behind = [one for one in due if one.failures == 0 and one.expires is not None]
        behind.sort(key=lambda one: one.due)
        waited = [self.open_time(lane) - (one.limit or 0) + (one.expires or 0) for one in behind[most : most + 1]]
        ended = [one for one in mine if one.ended is not None and one.stage == 0]
        since = min((one.ended for one in ended if one.ended is not None), default=None)
        return max(0, *waited, 0), sum(not one.direct for one in ended), since

    def claim(self, lane: str, limit: int, most: int | None, *, probe: bool) -> list[Kept]:
        """Return what a claim must give, in order."""
        if self.pauses(lane):
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
            self.end(message, State.UNKNOWN if message.uncertain else State.EXPIRED)

    def settle(self, ticket: Ticket, verdict: Verdict, *, tried: bool) -> bool:
        """Return whether the ticket was good."""
        message = next((one for one in self.messages if one.good == ticket), None)
        if message is None:
            return False
        message.good = None
        message.attempts += tried and message.state is not State.UNKNOWN  # taken up: that was this attempt
        message.interruptions = 0
        self._become(message, verdict)
        self.stop(message)
        message.failures += tried and message.state is State.PENDING
        if isinstance(verdict, Delivered | Refused):
            message.uncertain = False
        return True

    def _become(self, message: Kept, verdict: Verdict) -> None:
        if not isinstance(verdict, Postponed):
            lapsed = isinstance(verdict, Expired) and message.uncertain
            self.end(message, State.UNKNOWN if lapsed else OVER[type(verdict)])
            message.uncertain |= isinstance(verdict, Unknown)
        elif verdict.maybe_done and message.may_not_repeat:
            message.state, message.uncertain = State.UNKNOWN, True
        elif message.direct:
            self.end(message, State.CANCELLED)
        else:
            message.state, message.due = State.PENDING, self.now + int(verdict.seconds)
            message.uncertain |= verdict.maybe_done
        released = isinstance(verdict, Released) or (isinstance(verdict, Postponed) and message.direct)
        if released and message.state is State.CANCELLED:
            message.key = None

    def replay(self, message: Kept, *, unknown: bool) -> bool:
        """Return whether it could be replayed."""
        from_states = {State.BURIED, State.EXPIRED, State.REFUSED} | ({State.UNKNOWN} if unknown else set())
        return self.again(message, from_states, "replay", sure=unknown)

    def again(self, message: Kept, from_states: set[State], act: str, *, sure: bool) -> bool:
        """Return whether it could be made pending."""
        doubtful = message.uncertain and message.repeat != "harmless" and not sure
        if message.state not in from_states or message.stage == 2 or doubtful:
            return False
        message.stage, message.answered, message.ask = 0, None, None
        self.end(message, State.PENDING)
        message.direct, message.good = False, None
        message.deeds.append(act)
        message.failures = message.interruptions = 0
        message.due = self.now
        message.limit = None if message.expires is None else self.open_time(message.lane) + message.expires
        return True

    def resolve(self, message: Kept, verdict: Delivered | Refused) -> bool:
        """Return whether it was unknown."""
        if message.state is not State.UNKNOWN:
            return False
        message.deeds.append("resolve")
        self.end(message, OVER[type(verdict)])
        self.stop(message)
        message.good, message.uncertain = None, False
        return True

    def cancel(self, message: Kept) -> bool:
        """Return whether it was pending or buried."""
        if message.state not in {State.PENDING, State.BURIED}:
            return False
        message.deeds.append("cancel")
        self.end(message, State.UNKNOWN if message.uncertain else State.CANCELLED)
        self.stop(message)
        message.good = None
        return True

    def edit(self, message: Kept, body: str, *, sure: bool) -> bool:
        """Return whether it was buried and could be sent again."""
        if not self.again(message, {State.BURIED}, "edit", sure=sure):
            return False
        message.body = body
        return True
