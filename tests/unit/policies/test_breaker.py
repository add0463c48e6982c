import asyncio
from contextlib import suppress

import pytest

from gateway.errors import (
    AgencyLogin,
    AgencyTimeout,
    BreakerOpen,
    GatewayError,
    InvalidAnswer,
    NotFound,
    Overloaded,
    Refused,
    TranslationError,
    Unavailable,
)
from gateway.message import Reply
from gateway.policies.breaker import Breaker, breaker
from gateway.ports import Handler
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1"})
DOWN = Unavailable("down", maybe_done=False)


async def call(handler: Handler, times: int = 1) -> None:
    for _ in range(times):
        with suppress(GatewayError):
            await handler(a_message())


async def an_open_one(clock: LoopClock, then: Scripted) -> tuple[Breaker, Handler]:
    """Open a breaker at 1000 with five failures and go to 1030, when it may probe."""
    state = Breaker(clock=clock)
    await call(breaker(state)(Scripted(DOWN)), 5)
    assert state.state == "open"
    await clock.sleep(30)
    return state, breaker(state)(then)


async def test_five_failures_in_a_row_open_it(clock: LoopClock) -> None:
    state = Breaker(clock=clock)
    agency = Scripted(DOWN)
    handler = breaker(state)(agency)
    await call(handler, 4)
    assert state.state == "closed"
    await call(handler)
    assert state.state == "open"
    await clock.sleep(10)
    with pytest.raises(BreakerOpen, match="nothing was sent") as caught:
        await handler(a_message())
    assert not caught.value.maybe_done
    assert caught.value.retry_after == pytest.approx(20)
    assert len(agency.calls) == 5


async def test_half_of_the_last_twenty_open_it(clock: LoopClock) -> None:
    state = Breaker(clock=clock)
    handler = breaker(state)(Scripted(*[OK] * 11, *[OK, DOWN] * 9, DOWN, OK))
    await call(handler, 11 + 18)
    assert state.state == "closed"  # 9 of the last 20
    await call(handler)
    assert state.state == "open"


async def test_a_few_failures_among_few_calls_do_not_open_it(clock: LoopClock) -> None:
    state = Breaker(clock=clock)
    await call(breaker(state)(Scripted(DOWN, DOWN, DOWN, OK)), 4)
    assert state.state == "closed"  # 3 of 4, but not yet five calls


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        AgencyTimeout("slow", maybe_done=True),
        InvalidAnswer("html", maybe_done=True),
        AgencyLogin("locked", maybe_done=False),
    ],
)
async def test_what_the_agency_gets_wrong_is_a_failure(clock: LoopClock, error: GatewayError) -> None:
    state = Breaker(clock=clock)
    await call(breaker(state)(Scripted(error)), 5)
    assert state.state == "open"


@pytest.mark.parametrize("error", [NotFound("tidak ada", maybe_done=False), Refused("ditolak", maybe_done=False)])
async def test_an_answer_of_no_ends_a_row_of_failures(clock: LoopClock, error: GatewayError) -> None:
    state = Breaker(clock=clock, share=1.0)
    await call(breaker(state)(Scripted(DOWN, DOWN, DOWN, DOWN, error, DOWN, DOWN, DOWN, DOWN)), 9)
    assert state.state == "closed"


@pytest.mark.parametrize("error", [Overloaded("full", retry_after=1), TranslationError("request", [])])
async def test_what_says_nothing_of_the_agency_is_neither(clock: LoopClock, error: GatewayError) -> None:
    state = Breaker(clock=clock)
    await call(breaker(state)(Scripted(*[error] * 20)), 20)
    assert state.state == "closed"
    await call(breaker(state)(Scripted(DOWN, DOWN, error, DOWN, DOWN, DOWN)), 6)
    assert state.state == "open"


async def test_a_probe_that_succeeds_closes_it_with_a_clean_slate(clock: LoopClock) -> None:
    state, handler = await an_open_one(clock, Scripted(OK, DOWN))
    await call(handler)
    assert state.state == "closed"
    await call(handler, 3)
    assert state.state == "closed"


async def test_a_probe_that_fails_opens_it_for_as_long_again(clock: LoopClock) -> None:
    state, handler = await an_open_one(clock, Scripted(DOWN))
    await call(handler)
    assert state.state == "open"
    await clock.sleep(29)
    with pytest.raises(BreakerOpen):
        await handler(a_message())


async def test_only_one_probe_at_a_time_goes_through(clock: LoopClock) -> None:
    agency = Scripted((3.0, OK))
    _, handler = await an_open_one(clock, agency)
    ends = await asyncio.gather(*(handler(a_message()) for _ in range(5)), return_exceptions=True)
    assert ends[0] is OK
    assert [type(end) for end in ends[1:]] == [BreakerOpen] * 4
    assert all(end.retry_after == 1 for end in ends[1:])
    assert len(agency.calls) == 1


async def test_a_cancelled_probe_makes_way_for_the_next(clock: LoopClock) -> None:
    state, handler = await an_open_one(clock, Scripted((60.0, OK), OK))
    probe = asyncio.create_task(handler(a_message()))
    await asyncio.sleep(1)
    assert state.state == "half-open"
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert await handler(a_message()) is OK
    assert state.state == "closed"


async def test_a_probe_that_was_never_sent_makes_way_for_the_next(clock: LoopClock) -> None:
    _, handler = await an_open_one(clock, Scripted(Overloaded("full", retry_after=1), OK))
    await call(handler)
    assert await handler(a_message()) is OK


async def test_what_ends_late_from_before_a_change_does_not_count(clock: LoopClock) -> None:
    state = Breaker(clock=clock)
    late = [
        asyncio.create_task(breaker(state)(Scripted((seconds, end)))(a_message()))
        for seconds, end in [(5.0, OK), *[(40.0, DOWN)] * 8]
    ]
    await asyncio.sleep(0)
    await call(breaker(state)(Scripted(DOWN)), 5)
    await clock.sleep(10)
    assert state.state == "open"  # the success at 5 was of a call from before
    await clock.sleep(21)
    await call(breaker(state)(Scripted(OK)))
    assert state.state == "closed"
    await asyncio.wait(late)
    assert state.state == "closed"  # nor did eight old failures open it again
    assert [type(task.exception()) for task in late] == [type(None), *[Unavailable] * 8]


async def test_changes_are_told(clock: LoopClock) -> None:
    told: list[str] = []
    state = Breaker(clock=clock, on_change=told.append)
    await call(breaker(state)(Scripted(DOWN)), 7)
    await clock.sleep(30)
    await call(breaker(state)(Scripted(DOWN)))
    await clock.sleep(30)
    await call(breaker(state)(Scripted(OK)))
    assert told == ["open", "half-open", "open", "half-open", "closed"]
