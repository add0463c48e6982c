import asyncio

import pytest

from gateway.errors import AgencyTimeout, NotFound, TranslationError
from gateway.message import Message, Reply
from gateway.policies.deadline import deadline
from gateway.policies.single_flight import single_flight
from gateway.ports import Handler
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1"})


def by_body(message: Message) -> bytes:
    return str(message.body).encode()


def shared(clock: LoopClock, agency: Handler, **more: object) -> Handler:
    return single_flight(clock, by_body, deadline=20, **more)(deadline(clock, safe=True)(agency))


def start(handler: Handler, *seconds: float) -> list[asyncio.Task[Reply]]:
    return [asyncio.create_task(handler(a_message(allowed))) for allowed in seconds]


async def test_rule_11_10_identical_reads_at_the_same_time_share_one_call(clock: LoopClock) -> None:
    agency = Scripted((1.0, OK))
    told: list[None] = []
    handler = shared(clock, agency, on_shared=lambda: told.append(None))
    assert await asyncio.gather(*start(handler, 20, 20, 20)) == [OK] * 3
    assert len(agency.calls) == 1
    assert len(told) == 2


async def test_later_or_different_reads_have_their_own_call(clock: LoopClock) -> None:
    agency = Scripted((1.0, OK))
    handler = shared(clock, agency)
    await asyncio.gather(handler(a_message(body={"nik": "a"})), handler(a_message(body={"nik": "b"})))
    await handler(a_message(body={"nik": "a"}))
    assert len(agency.calls) == 3


async def test_rule_11_10_the_first_may_leave_and_the_others_still_get_their_reply(clock: LoopClock) -> None:
    agency = Scripted((5.0, OK))
    first, second, third = start(shared(clock, agency), 20, 20, 20)
    await asyncio.sleep(1)
    first.cancel()
    third.cancel()
    assert await second is OK
    assert first.cancelled()
    assert agency.cut == 0


async def test_when_the_last_leaves_the_call_is_cancelled_and_nobody_joins_it(clock: LoopClock) -> None:
    agency = Scripted((5.0, OK))
    handler = shared(clock, agency)
    tasks = start(handler, 20, 20)
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert await handler(a_message()) is OK
    assert agency.cut == 1
    assert agency.times == [1000, 1001]


async def test_one_who_joins_as_the_last_leaves_gets_a_call_of_their_own(clock: LoopClock) -> None:
    agency = Scripted((5.0, OK))
    handler = shared(clock, agency)
    (first,) = start(handler, 20)
    await asyncio.sleep(1)
    first.cancel()
    (second,) = start(handler, 20)
    await asyncio.sleep(1)
    (third,) = start(handler, 20)
    assert await asyncio.gather(second, third) == [OK, OK]
    assert agency.times == [1000, 1001]  # the third shares the second's


async def test_an_earlier_deadline_is_a_waiters_own(clock: LoopClock) -> None:
    agency = Scripted((5.0, OK))
    first, second = start(shared(clock, agency), 20, 2)
    with pytest.raises(AgencyTimeout) as caught:
        await second
    assert caught.value.maybe_done
    assert clock.monotonic() == 1002
    assert await first is OK


async def test_a_hurried_first_does_not_hurry_the_others(clock: LoopClock) -> None:
    agency = Scripted((5.0, OK))
    first, second = start(shared(clock, agency), 2, 20)
    with pytest.raises(AgencyTimeout):
        await first
    assert await second is OK
    assert len(agency.calls) == 1
    assert agency.calls[0][0].deadline == 1020


async def test_a_call_nobody_waits_for_any_more_ends(clock: LoopClock) -> None:
    agency = Scripted((10.0, OK))
    with pytest.raises(AgencyTimeout):
        await shared(clock, agency)(a_message(2))
    await asyncio.sleep(0)
    assert agency.cut == 1


async def test_nothing_starts_after_the_deadline(clock: LoopClock) -> None:
    agency = Scripted(OK)
    with pytest.raises(AgencyTimeout) as caught:
        await shared(clock, agency)(a_message(0))
    assert not caught.value.maybe_done
    assert agency.calls == []


async def test_rule_11_10_the_shared_call_ends_everyone_at_the_operations_deadline(clock: LoopClock) -> None:
    tasks = start(shared(clock, Scripted((60.0, OK))), 20, 20)
    done, _ = await asyncio.wait(tasks)
    assert [type(task.exception()) for task in done] == [AgencyTimeout] * 2
    assert clock.monotonic() == pytest.approx(1020, abs=0.05)


async def test_everyone_raises_an_error_of_their_own(clock: LoopClock) -> None:
    original = NotFound("tidak ada", maybe_done=False, retry_after=3)
    ends = await asyncio.gather(*start(shared(clock, Scripted((1.0, original))), 20, 20, 20), return_exceptions=True)
    assert len({id(end) for end in ends}) == 3
    for end in ends:
        assert type(end) is NotFound
        assert (str(end), end.maybe_done, end.retry_after, end.errors) == ("tidak ada", False, 3, ())
    assert sum(end is original for end in ends) == 1
    assert all(end.__cause__ is original for end in ends if end is not original)


@pytest.mark.parametrize("error", [TranslationError("reply", []), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad")])
async def test_any_error_reaches_everyone(clock: LoopClock, error: Exception) -> None:
    ends = await asyncio.gather(*start(shared(clock, Scripted((1.0, error))), 20, 20), return_exceptions=True)
    assert [type(end) for end in ends] == [type(error)] * 2
    assert [str(end) for end in ends] == [str(error)] * 2


async def test_a_waiter_cancelled_as_the_reply_comes_is_cancelled_and_the_rest_are_answered(clock: LoopClock) -> None:
    first, second = start(shared(clock, Scripted((1.0, OK))), 20, 20)
    asyncio.get_running_loop().call_later(1.0, first.cancel)
    assert await second is OK
    assert first.cancelled()
