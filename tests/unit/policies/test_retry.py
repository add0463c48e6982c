import asyncio

import pytest

from gateway.errors import (
    AgencyError,
    AgencyLogin,
    AgencyTimeout,
    BreakerOpen,
    GatewayError,
    InvalidAnswer,
    NotFound,
    Overloaded,
    Refused,
    Unavailable,
)
from gateway.message import Reply
from gateway.policies.budget import RetryBudget
from gateway.policies.retry import Retry
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1"})


def not_done() -> Unavailable:
    return Unavailable("refused connection", maybe_done=False)


def maybe_done() -> AgencyTimeout:
    return AgencyTimeout("no answer", maybe_done=True)


def a_retry(clock: LoopClock, *, repeatable: bool = False, budget: RetryBudget | None = None, **rules: object) -> Retry:
    return Retry(clock=clock, budget=budget or RetryBudget(clock), repeatable=repeatable, **rules)


async def test_a_first_success_is_the_only_call(clock: LoopClock) -> None:
    agency = Scripted(OK)
    assert await a_retry(clock)(agency)(a_message()) is OK
    assert agency.times == [1000]


async def test_rule_11_2_what_was_certainly_not_done_is_tried_again_after_a_growing_pause(clock: LoopClock) -> None:
    agency = Scripted(not_done(), not_done(), OK)
    told: list[str] = []
    assert await a_retry(clock, on_retry=told.append)(agency)(a_message()) is OK
    first, second, third = agency.times
    assert 0.2 <= second - first <= 0.4
    assert 0.2 <= third - second <= 0.8
    assert told == ["agency-unavailable", "agency-unavailable"]


async def test_pauses_stay_within_their_bounds(clock: LoopClock) -> None:
    agency = Scripted(not_done())
    with pytest.raises(Unavailable):
        await a_retry(clock, attempts=12, budget=RetryBudget(clock, floor=99))(agency)(a_message(1000))
    pauses = [after - before for before, after in zip(agency.times, agency.times[1:], strict=False)]
    assert len(pauses) == 11
    assert all(0.2 <= pause <= 5 + 1e-9 for pause in pauses)


async def test_rule_11_2_a_write_that_may_have_been_done_is_not_tried_again(clock: LoopClock) -> None:
    agency = Scripted(maybe_done(), OK)
    with pytest.raises(AgencyTimeout):
        await a_retry(clock)(agency)(a_message())
    assert len(agency.calls) == 1


async def test_rule_11_2_a_repeatable_operation_is_tried_again_even_so(clock: LoopClock) -> None:
    agency = Scripted(maybe_done(), OK)
    assert await a_retry(clock, repeatable=True)(agency)(a_message()) is OK


async def test_rule_11_2_a_retry_that_may_have_been_done_ends_a_write(clock: LoopClock) -> None:
    agency = Scripted(not_done(), maybe_done(), OK)
    with pytest.raises(AgencyTimeout):
        await a_retry(clock)(agency)(a_message())
    assert len(agency.calls) == 2


@pytest.mark.parametrize(
    "error",
    [
        NotFound("tidak ada", maybe_done=False),
        Refused("ditolak", maybe_done=False),
        InvalidAnswer("html", maybe_done=True),
        AgencyLogin("salah", maybe_done=False),
        BreakerOpen("open", maybe_done=False),
        Overloaded("full", retry_after=1),
        RuntimeError("a bug"),
    ],
)
async def test_rule_11_2_only_unavailable_and_timeout_are_tried_again(clock: LoopClock, error: Exception) -> None:
    agency = Scripted(error)
    with pytest.raises(type(error)) as caught:
        await a_retry(clock, repeatable=True)(agency)(a_message())
    assert caught.value is error
    assert len(agency.calls) == 1


async def test_after_the_last_attempt_the_last_error_is_raised_as_it_is(clock: LoopClock) -> None:
    errors = [not_done(), not_done(), not_done()]
    agency = Scripted(*errors)
    with pytest.raises(Unavailable) as caught:
        await a_retry(clock)(agency)(a_message())
    assert caught.value is errors[2]
    assert len(agency.calls) == 3


@pytest.mark.parametrize("last", [not_done(), BreakerOpen("open", maybe_done=False), Overloaded("full", retry_after=1)])
async def test_an_earlier_doubt_outlives_a_last_attempt_that_was_not_sent(clock: LoopClock, last: GatewayError) -> None:
    doubt = maybe_done()
    agency = Scripted(doubt, last)
    with pytest.raises(AgencyTimeout) as caught:
        await a_retry(clock, repeatable=True, attempts=2)(agency)(a_message())
    assert caught.value is doubt
    assert caught.value.__cause__ is last


@pytest.mark.parametrize("last", [NotFound("tidak ada", maybe_done=False), Refused("ditolak", maybe_done=False)])
async def test_an_answer_settles_an_earlier_doubt(clock: LoopClock, last: AgencyError) -> None:
    with pytest.raises(type(last)):
        await a_retry(clock, repeatable=True)(Scripted(maybe_done(), last))(a_message())


async def test_no_attempt_starts_after_the_deadline(clock: LoopClock) -> None:
    agency = Scripted(not_done())
    with pytest.raises(Unavailable):
        await a_retry(clock)(agency)(a_message(0.1))
    assert agency.times == [1000]
    assert clock.monotonic() == 1000  # given up at once, not after a pause


async def test_a_clock_that_oversleeps_starts_no_late_attempt() -> None:
    class Sluggish(LoopClock):
        async def sleep(self, seconds: float, /) -> None:
            await asyncio.sleep(seconds + 60)

    agency = Scripted(not_done())
    with pytest.raises(Unavailable):
        await a_retry(Sluggish())(agency)(a_message())
    assert len(agency.calls) == 1


async def test_retry_after_is_waited_for(clock: LoopClock) -> None:
    agency = Scripted(Unavailable("429", maybe_done=False, retry_after=7), OK)
    assert await a_retry(clock)(agency)(a_message()) is OK
    assert agency.times == [1000, 1007]


async def test_retry_after_past_the_deadline_ends_the_call_at_once(clock: LoopClock) -> None:
    agency = Scripted(Unavailable("429", maybe_done=False, retry_after=21), OK)
    with pytest.raises(Unavailable):
        await a_retry(clock)(agency)(a_message())
    assert clock.monotonic() == 1000


async def test_a_spent_budget_raises_the_error_at_once(clock: LoopClock) -> None:
    exhausted: list[float] = []
    budget = RetryBudget(clock, floor=1)
    handler = a_retry(clock, budget=budget, on_exhausted=lambda: exhausted.append(clock.monotonic()))(
        Scripted(not_done())
    )
    with pytest.raises(Unavailable):
        await handler(a_message())
    assert len(exhausted) == 1
    before = clock.monotonic()
    with pytest.raises(Unavailable):
        await handler(a_message())
    assert len(exhausted) == 2
    assert clock.monotonic() == before


async def test_a_cancelled_pause_ends_the_call(clock: LoopClock) -> None:
    agency = Scripted(not_done())
    task = asyncio.create_task(a_retry(clock)(agency)(a_message()))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(agency.calls) == 1


async def test_calls_that_retry_at_the_same_time_do_not_disturb_each_other(clock: LoopClock) -> None:
    policy = a_retry(clock, budget=RetryBudget(clock, floor=99))
    agencies = [Scripted(not_done(), not_done(), OK) for _ in range(20)]
    replies = await asyncio.gather(*(policy(agency)(a_message()) for agency in agencies))
    assert replies == [OK] * 20
    assert [len(agency.calls) for agency in agencies] == [3] * 20


async def test_the_budget_is_a_share_of_the_calls_of_its_window(clock: LoopClock) -> None:
    budget = RetryBudget(clock, share=0.2, floor=3, window=10)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    for _ in range(25):
        budget.count()
    assert [budget.take() for _ in range(3)] == [True, True, False]
    await clock.sleep(10)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
