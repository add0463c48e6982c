import asyncio

import pytest

from gateway.errors import Overloaded, Refused
from gateway.message import Reply
from gateway.policies.bulkhead import Bulkhead, bulkhead
from gateway.ports import Handler
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1"})


def start(handler: Handler, *seconds: float) -> list[asyncio.Task[Reply]]:
    """Start one call for each number of seconds to its deadline."""
    return [asyncio.create_task(handler(a_message(allowed))) for allowed in seconds]


async def test_no_more_than_its_slots_run_at_once_and_the_rest_wait_in_order(clock: LoopClock) -> None:
    slots = Bulkhead(clock, concurrency=2)
    agency = Scripted((1.0, OK))
    messages = [a_message() for _ in range(6)]
    await asyncio.gather(*(bulkhead(slots)(agency)(message) for message in messages))
    assert agency.most_inside == 2
    assert [message for message, _ in agency.calls] == messages
    assert agency.times == [1000, 1000, 1001, 1001, 1002, 1002]
    assert (slots.busy, slots.waiting) == (0, 0)


async def test_a_full_line_is_overloaded_at_once(clock: LoopClock) -> None:
    slots = Bulkhead(clock, concurrency=1, waiting=2)
    handler = bulkhead(slots)(Scripted((1.0, OK)))
    tasks = start(handler, 20, 20, 20)
    await asyncio.sleep(0)
    assert (slots.busy, slots.waiting) == (1, 2)
    with pytest.raises(Overloaded, match="2 calls are in line already; nothing was sent") as caught:
        await handler(a_message())
    assert caught.value.retry_after == 1
    assert await asyncio.gather(*tasks) == [OK, OK, OK]


async def test_waiting_ends_at_the_deadline(clock: LoopClock) -> None:
    slots = Bulkhead(clock, concurrency=1)
    agency = Scripted((10.0, OK))
    first, second, third = start(bulkhead(slots)(agency), 20, 3, 20)
    with pytest.raises(Overloaded, match="before the deadline"):
        await second
    assert clock.monotonic() == 1003
    assert slots.waiting == 1
    assert await asyncio.gather(first, third) == [OK, OK]
    assert agency.times == [1000, 1010]
    assert slots.busy == 0


async def test_a_slot_is_given_back_however_a_call_ends(clock: LoopClock) -> None:
    slots = Bulkhead(clock, concurrency=1)
    handler = bulkhead(slots)(Scripted(Refused("ditolak", maybe_done=False), RuntimeError("a bug"), (60.0, OK)))
    for error in (Refused, RuntimeError):
        with pytest.raises(error):
            await handler(a_message())
    (task,) = start(handler, 20)
    await asyncio.sleep(1)
    assert slots.busy == 1
    task.cancel()
    await asyncio.wait([task])
    assert slots.busy == 0


async def test_a_cancelled_waiter_leaves_the_line(clock: LoopClock) -> None:
    slots = Bulkhead(clock, concurrency=1)
    agency = Scripted((5.0, OK))
    first, second, third = start(bulkhead(slots)(agency), 20, 20, 20)
    await asyncio.sleep(1)
    second.cancel()
    await asyncio.sleep(1)
    assert slots.waiting == 1
    assert await asyncio.gather(first, third) == [OK, OK]
    assert second.cancelled()
    assert agency.times == [1000, 1005]
    assert slots.busy == 0


@pytest.mark.parametrize("granted", [True, False])
async def test_a_waiter_cancelled_as_its_slot_comes_hands_it_on(clock: LoopClock, granted: bool) -> None:
    slots = Bulkhead(clock, concurrency=1)
    agency = Scripted((1.0, OK))
    handler = bulkhead(slots)(agency)

    async def first() -> None:
        await handler(a_message())
        if granted:
            second.cancel()  # its slot was given to it just now, and it has not run since

    async def hang_up() -> None:
        await clock.sleep(1.0)
        if not granted:
            second.cancel()  # it is still in line when the slot comes, later in this turn

    early = asyncio.create_task(hang_up())
    tasks = [early, asyncio.create_task(first())]
    await asyncio.sleep(0)
    second, third = start(handler, 20, 20)
    await asyncio.wait([*tasks, second, third])
    assert second.cancelled()
    assert third.result() is OK
    assert agency.times == [1000, 1001]
    assert (slots.busy, slots.waiting) == (0, 0)


async def test_a_slot_that_comes_after_the_deadline_is_not_used(clock: LoopClock) -> None:
    slots = Bulkhead(clock, concurrency=1)
    agency = Scripted((5.0, OK))
    first, second = start(bulkhead(slots)(agency), 20, 6)
    loop = asyncio.get_running_loop()

    def stall() -> None:
        """Give the slot, then let the loop be busy until after the deadline, before the waiter runs."""
        slots.give()
        loop.stall(10)

    loop.call_later(1, stall)
    with pytest.raises(Overloaded, match="after the deadline"):
        await second
    await first
    assert len(agency.calls) == 1


async def test_no_time_left_is_no_wait(clock: LoopClock) -> None:
    slots = Bulkhead(clock, concurrency=1)
    slots.take()
    with pytest.raises(Overloaded):
        await slots.wait(a_message(0))
    assert slots.waiting == 0
    assert slots.busy == 1
