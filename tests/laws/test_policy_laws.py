"""Whatever an agency does and whenever it is asked: what the whole stack of policies always holds to."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import (
    AgencyError,
    AgencyTimeout,
    InvalidAnswer,
    NotFound,
    Overloaded,
    Refused,
    TranslationError,
    Unavailable,
)
from gateway.message import Message, Reply
from gateway.pipeline import stack
from gateway.policies.breaker import Breaker, breaker
from gateway.policies.bucket import TokenBucket
from gateway.policies.budget import RetryBudget
from gateway.policies.bulkhead import Bulkhead, bulkhead
from gateway.policies.deadline import deadline
from gateway.policies.retry import Retry
from gateway.policies.single_flight import single_flight
from gateway.policies.stale import Shelf, stale
from gateway.policies.throttle import throttle
from gateway.ports import Handler, Policy
from tests.laws.longer import LONGER
from tests.virtual import LoopClock, VirtualLoop, a_message

ATTEMPTS = 3
TIMEOUT = 10.0
OPERATION_DEADLINE = 20.0
SLACK = 0.05
ENDS = {
    "ok": lambda: None,
    "not sent": lambda: Unavailable("refused connection", maybe_done=False),
    "busy": lambda: Unavailable("429", maybe_done=False, retry_after=3),
    "reset": lambda: Unavailable("reset", maybe_done=True),
    "not found": lambda: NotFound("tidak ada", maybe_done=False),
    "refused": lambda: Refused("ditolak", maybe_done=False),
    "invalid": lambda: InvalidAnswer("html", maybe_done=True),
    "untranslatable": lambda: TranslationError("request", []),
    "bug": lambda: RuntimeError("a bug"),
}


LIKELY = [*ENDS, *["ok"] * 6, *["not sent"] * 4, "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One caller: when (seconds after the one before), what, with how much time, and when it hangs up."""

    after: float
    operation: str
    subject: int
    seconds: float
    hangs_up: float | None


asks = st.lists(
    st.builds(
        Ask,
        after=st.sampled_from([0.0, 0.0, 0.0, 0.2, 1.0, 6.0, 31.0]),
        operation=st.sampled_from(["read", "write", "harmless"]),
        subject=st.integers(1, 3),
        seconds=st.sampled_from([20.0, 20.0, 20.0, 5.0, 1.0, 0.15, 0.0]),
        hangs_up=st.sampled_from([None, None, None, None, None, 0.0, 0.2, 1.0, 5.0]),
    ),
    min_size=3,
    max_size=40,
)
scripts = st.lists(
    st.tuples(st.sampled_from([0.0, 0.0, 0.2, 1.0, 1.0, 5.0, 9.0, 30.0]), st.sampled_from(LIKELY)),
    min_size=1,
    max_size=25,
)


@dataclass
class World:
    """An agency that follows a script, the stacks in front of it, and what was seen."""

    script: list[tuple[float, str]]
    rate: float | None
    clock: LoopClock = field(default_factory=LoopClock)
    called: list[tuple[float, Message]] = field(default_factory=list)
    ended: dict[str, list[BaseException | None]] = field(default_factory=lambda: defaultdict(list))
    passed: list[str] = field(default_factory=list)
    probing: int = 0
    most_probing: int = 0

    def __post_init__(self) -> None:
        self.slots = Bulkhead(self.clock, concurrency=2, waiting=3)
        # Quick to open and to probe, so that short scripts see every state.
        self.health = Breaker(clock=self.clock, failures=3, minimum=4, window=6, open_for=5.0)
        self.budget = RetryBudget(self.clock)
        self.shelf = Shelf(20_000)
        self.bucket = TokenBucket(self.rate) if self.rate else None
        self.handlers = {
            "read": self.handler(safe=True, repeatable=True),
            "write": self.handler(safe=False, repeatable=False),
            "harmless": self.handler(safe=False, repeatable=True),
        }

    def handler(self, *, safe: bool, repeatable: bool) -> Handler:
        policies: dict[str, Policy] = {
            "deadline": deadline(self.clock, safe=safe),
            "retry": Retry(clock=self.clock, budget=self.budget, repeatable=repeatable, attempts=ATTEMPTS),
            "breaker": lambda inner: breaker(self.health)(self.watched(inner)),
            "bulkhead": bulkhead(self.slots),
            "throttle": throttle(self.clock, bucket=self.bucket),
        }
        if safe:
            policies["single_flight"] = single_flight(self.clock, key, deadline=OPERATION_DEADLINE)
            policies["stale"] = stale(self.clock, key, self.shelf)
        return stack(policies, self.agency)

    def watched(self, inner: Handler) -> Handler:
        """See what the breaker lets pass."""

        async def call(message: Message) -> Reply:
            state = self.health.state
            self.passed.append(state)
            probe = state == "half-open"
            self.probing += probe
            self.most_probing = max(self.most_probing, self.probing)
            try:
                return await inner(message)
            finally:
                self.probing -= probe

        return call

    async def agency(self, message: Message) -> Reply:
        """Do as the script says, within what a channel would allow."""
        now = self.clock.monotonic()
        seconds, end = self.script[len(self.called) % len(self.script)]
        self.called.append((now, message))
        timeout = min(TIMEOUT, message.deadline - now)
        error = ENDS[end]()
        if seconds >= timeout:
            seconds, error = timeout, AgencyTimeout("no answer", maybe_done=True)
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError as cut:
            self.ended[message.id].append(cut)
            raise
        self.ended[message.id].append(error)
        if error:
            raise error
        return Reply(body={"nomor": message.id})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How it was for one caller."""

    ask: Ask
    message: Message
    end: Reply | BaseException
    at: float


def key(message: Message) -> bytes:
    return str(message.body["subject"]).encode()


async def one(world: World, ask: Ask) -> Seen:
    message = a_message(ask.seconds, body={"subject": ask.subject}, operation=f"dinkes/{ask.operation}")
    task = asyncio.create_task(world.handlers[ask.operation](message))
    if ask.hangs_up is not None:
        asyncio.get_running_loop().call_later(ask.hangs_up, task.cancel)
    await asyncio.wait([task])
    end = asyncio.CancelledError() if task.cancelled() else task.exception() or task.result()
    return Seen(ask=ask, message=message, end=end, at=world.clock.monotonic())


def live(
    script: list[tuple[float, str]], rate: float | None, todo: list[Ask], stalls: Sequence[tuple[float, float]] = ()
) -> tuple[World, list[Seen]]:
    async def main() -> tuple[World, list[Seen]]:
        world = World(script, rate)
        loop = asyncio.get_running_loop()
        for after, seconds in stalls:
            loop.call_later(after, loop.stall, seconds)
        tasks = []
        for ask in todo:
            await world.clock.sleep(ask.after)
            tasks.append(asyncio.create_task(one(world, ask)))
        return world, list(await asyncio.gather(*tasks))

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


worlds = {"script": scripts, "rate": st.sampled_from([None, 2.0]), "todo": asks}
stalls = st.lists(st.tuples(st.floats(0.05, 3), st.sampled_from([20.0, 5.0, 0.1])), max_size=4)
long = settings(max_examples=100 * min(LONGER, 10), deadline=None)


@long
@given(**worlds, stalls=stalls)
def test_rule_11_2_an_agency_is_never_called_late_nor_too_often_nor_again_after_a_doubt(
    script: list[tuple[float, str]], rate: float | None, todo: list[Ask], stalls: list[tuple[float, float]]
) -> None:
    world, seen = live(script, rate, todo, stalls)
    own = {one.message.id: one for one in seen}
    attempts = Counter(message.id for _, message in world.called)
    assert all(count <= ATTEMPTS for count in attempts.values())
    for time, message in world.called:
        assert time < message.deadline
        caller = own[message.id]
        if caller.ask.operation != "read":
            assert message.deadline == caller.message.deadline
        if caller.ask.operation == "write":
            *earlier, _ = world.ended[message.id]
            assert all(isinstance(error, Unavailable) and not error.maybe_done for error in earlier)


@long
@given(**worlds)
def test_every_caller_gets_an_end_in_time_and_every_slot_comes_back(
    script: list[tuple[float, str]], rate: float | None, todo: list[Ask]
) -> None:
    world, seen = live(script, rate, todo)
    assert len(seen) == len(todo)  # a lost waiter would have stopped the loop
    for one in seen:
        assert one.at <= one.message.deadline + SLACK
        if isinstance(one.end, asyncio.CancelledError):
            assert one.ask.hangs_up is not None
    assert (world.slots.busy, world.slots.waiting) == (0, 0)
    assert world.slots.take()
    assert world.slots.take()
    assert not world.slots.take()


@long
@given(**worlds)
def test_the_breaker_lets_nothing_pass_while_open_and_one_probe_at_a_time(
    script: list[tuple[float, str]], rate: float | None, todo: list[Ask]
) -> None:
    world, _ = live(script, rate, todo)
    assert "open" not in world.passed
    assert world.most_probing <= 1
    assert world.health.state != "half-open"  # no probe is left unsettled


@long
@given(**worlds)
def test_rule_11_1_nobody_is_told_that_nothing_was_done_when_something_may_have_been(
    script: list[tuple[float, str]], rate: float | None, todo: list[Ask]
) -> None:
    world, seen = live(script, rate, todo)
    for one in seen:
        if one.ask.operation == "read" or not isinstance(one.end, AgencyError | Overloaded):
            continue
        told_not_done = isinstance(one.end, Overloaded) or not one.end.maybe_done
        if told_not_done and not isinstance(one.end, NotFound | Refused):
            ends = world.ended[one.message.id]
            assert not any(end is None or getattr(end, "maybe_done", False) for end in ends)


@long
@given(**worlds)
def test_a_reader_gets_only_what_was_said_about_their_subject(
    script: list[tuple[float, str]], rate: float | None, todo: list[Ask]
) -> None:
    world, seen = live(script, rate, todo)
    subjects = {message.id: message.body["subject"] for _, message in world.called}
    for one in seen:
        if isinstance(one.end, Reply):
            assert subjects[one.end.body["nomor"]] == one.ask.subject
            assert one.end.age is None or one.ask.operation == "read"
