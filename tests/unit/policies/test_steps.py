"""What each policy tells of a message that is traced: nothing unless it acted."""

import asyncio

import pytest

from gateway.errors import AgencyTimeout, BreakerOpen, Overloaded, Unavailable
from gateway.message import Reply
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
from gateway.ports import Policy
from gateway.trail import Span, Trail
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1"})
AWAY = Unavailable("connection refused", maybe_done=False)
TRACE, REQUEST = "a" * 32, "b" * 16


class Told:
    """The spans of one trace, and messages that are traced there."""

    def __init__(self, clock: LoopClock) -> None:
        self.spans: list[Span] = []
        self.trail = Trail(self.spans.append, clock, TRACE, REQUEST)

    def message(self, **changes: object) -> object:
        return a_message(traceparent=f"00-{TRACE}-{REQUEST}-01", trail=self.trail, **changes)

    def short(self) -> list[tuple[str, float, bool]]:
        assert {(span.trace, span.parent) for span in self.spans} <= {(TRACE, REQUEST)}
        return [(span.name, span.seconds, span.failed) for span in self.spans]


@pytest.fixture
def told(clock: LoopClock) -> Told:
    return Told(clock)


def key(_: object) -> bytes:
    return b"same"


def everything(clock: LoopClock) -> dict[str, Policy]:
    return {
        "stale": stale(clock, key, Shelf()),
        "single_flight": single_flight(clock, key, deadline=20.0),
        "deadline": deadline(clock, safe=True),
        "retry": Retry(clock=clock, budget=RetryBudget(clock), repeatable=True),
        "breaker": breaker(Breaker(clock=clock)),
        "bulkhead": bulkhead(Bulkhead(clock)),
        "throttle": throttle(clock, bucket=TokenBucket(100.0)),
    }


async def test_policies_that_had_nothing_to_do_tell_nothing(clock: LoopClock, told: Told) -> None:
    assert await stack(everything(clock), Scripted((1.0, OK)))(told.message()) == OK
    assert told.spans == []


async def test_policies_that_act_for_a_message_that_is_not_traced_tell_nothing(clock: LoopClock, told: Told) -> None:
    handler = stack(everything(clock), Scripted(AWAY, (1.0, OK)))
    assert await asyncio.gather(handler(a_message()), handler(a_message())) == [OK, OK]
    assert told.spans == []


async def test_a_retry_is_the_pause_before_it_and_why(clock: LoopClock, told: Told) -> None:
    policy = Retry(clock=clock, budget=RetryBudget(clock), repeatable=True, shortest=0.5, longest=0.5)
    assert await policy(Scripted(AWAY, AWAY, OK))(told.message()) == OK
    assert told.short() == [("retry", 0.5, False), ("retry", 0.5, False)]
    assert told.spans[0].facts["reason"] == "agency-unavailable"


async def test_a_slot_that_had_to_be_waited_for(clock: LoopClock, told: Told) -> None:
    handler = bulkhead(Bulkhead(clock, concurrency=1))(Scripted((2.0, OK)))
    ends = await asyncio.gather(
        handler(a_message()), handler(told.message()), handler(told.message(seconds=3.0)), return_exceptions=True
    )
    assert isinstance(ends[2], Overloaded)
    assert told.short() == [("bulkhead", 2.0, False), ("bulkhead", 3.0, True)]
    assert told.spans[1].facts == {"outcome": "overloaded"}


async def test_a_turn_that_had_to_be_waited_for(clock: LoopClock, told: Told) -> None:
    handler = throttle(clock, bucket=TokenBucket(0.5, burst=1))(Scripted(OK))
    await handler(told.message())
    await handler(told.message())
    with pytest.raises(Overloaded):
        await handler(told.message(seconds=1.0))
    assert told.short() == [("throttle", 2.0, False), ("throttle", 0.0, True)]


async def test_a_breaker_that_refuses(clock: LoopClock, told: Told) -> None:
    handler = breaker(Breaker(clock=clock, failures=1))(Scripted(AWAY))
    with pytest.raises(Unavailable):
        await handler(told.message())
    assert told.spans == []
    with pytest.raises(BreakerOpen):
        await handler(told.message())
    assert told.short() == [("breaker", 0.0, True)]
    assert told.spans[0].facts == {"outcome": "breaker-open"}


async def test_a_deadline_that_cut_a_read_off_or_let_nothing_begin(clock: LoopClock, told: Told) -> None:
    handler = deadline(clock, safe=True)(Scripted((60.0, OK)))
    for seconds in (3.0, -1.0):
        with pytest.raises(AgencyTimeout):
            await handler(told.message(seconds=seconds))
    assert told.short() == [("deadline", 0.0, True), ("deadline", 0.0, True)]
    assert told.spans[0].facts == {"outcome": "agency-timeout"}


async def test_an_older_answer_that_served(clock: LoopClock, told: Told) -> None:
    handler = stale(clock, key, Shelf())(Scripted(OK, AWAY))
    await handler(told.message())
    await asyncio.sleep(5)
    assert (await handler(told.message())).age == 5
    assert told.short() == [("stale", 0.0, False)]
    assert told.spans[0].facts == {"age": 5.0}


async def test_a_call_that_was_shared_names_the_trace_that_made_it(clock: LoopClock, told: Told) -> None:
    agency = Scripted((2.0, OK))
    handler = single_flight(clock, key, deadline=20.0)(agency)
    first = a_message(traceparent=f"00-{'c' * 32}-{'d' * 16}-01")
    assert await asyncio.gather(handler(first), handler(told.message())) == [OK, OK]
    assert len(agency.calls) == 1
    assert told.short() == [("single_flight", 2.0, False)]
    assert told.spans[0].link == first.traceparent
