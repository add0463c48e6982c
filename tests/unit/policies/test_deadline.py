import asyncio

import pytest

from gateway.errors import AgencyTimeout, Refused
from gateway.message import Reply
from gateway.policies.deadline import deadline
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1"})


async def test_a_read_ends_at_its_deadline_and_may_have_been_sent(clock: LoopClock) -> None:
    agency = Scripted((60.0, OK))
    with pytest.raises(AgencyTimeout, match="dinkes/faskes: no answer") as caught:
        await deadline(clock, safe=True)(agency)(a_message(5))
    assert caught.value.maybe_done
    assert clock.monotonic() == pytest.approx(1005, abs=0.05)
    assert agency.cut == 1


@pytest.mark.parametrize("safe", [True, False])
async def test_nothing_starts_after_the_deadline(clock: LoopClock, safe: bool) -> None:
    agency = Scripted(OK)
    for seconds in (0, -1):
        with pytest.raises(AgencyTimeout, match="before anything was sent") as caught:
            await deadline(clock, safe=safe)(agency)(a_message(seconds))
        assert not caught.value.maybe_done
    assert agency.calls == []


async def test_rule_11_4_a_write_in_flight_is_left_to_finish(clock: LoopClock) -> None:
    agency = Scripted((60.0, OK))
    assert await deadline(clock, safe=False)(agency)(a_message(5)) is OK
    assert agency.cut == 0


@pytest.mark.parametrize("safe", [True, False])
async def test_replies_and_errors_in_time_pass_unchanged(clock: LoopClock, safe: bool) -> None:
    refused = Refused("kuota habis", maybe_done=False)
    agency = Scripted((4.9, OK), (4.9, refused))
    handler = deadline(clock, safe=safe)(agency)
    assert await handler(a_message(5)) is OK
    with pytest.raises(Refused) as caught:
        await handler(a_message(5))
    assert caught.value is refused
    await asyncio.sleep(60)  # no alarm is left to ring


async def test_who_knows_whether_anything_was_sent_speaks_first(clock: LoopClock) -> None:
    own = AgencyTimeout("dinkes/faskes: no connection", maybe_done=False)
    with pytest.raises(AgencyTimeout) as caught:
        await deadline(clock, safe=True)(Scripted((5.0, own)))(a_message(5))
    assert caught.value is own


async def test_a_caller_that_hangs_up_is_not_told_of_a_timeout(clock: LoopClock) -> None:
    task = asyncio.create_task(deadline(clock, safe=True)(Scripted((60.0, OK)))(a_message(5)))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_in_the_same_moment_as_the_alarm_wins(clock: LoopClock) -> None:
    task = asyncio.create_task(deadline(clock, safe=True)(Scripted((60.0, OK)))(a_message(5)))
    asyncio.get_running_loop().call_later(5.02, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_outer_timeout_still_works_after_the_alarm_rang(clock: LoopClock) -> None:
    with pytest.raises(TimeoutError):  # noqa: PT012 # the block is what is timed
        async with asyncio.timeout(6):
            with pytest.raises(AgencyTimeout):
                await deadline(clock, safe=True)(Scripted((60.0, OK)))(a_message(5))
            await asyncio.sleep(60)
    assert clock.monotonic() == pytest.approx(1006)


async def test_a_handler_that_swallows_the_alarm_leaves_no_cancellation_behind(clock: LoopClock) -> None:
    async def stubborn(_: object) -> Reply:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return OK
        raise AssertionError

    assert await deadline(clock, safe=True)(stubborn)(a_message(5)) is OK
    assert asyncio.current_task().cancelling() == 0
