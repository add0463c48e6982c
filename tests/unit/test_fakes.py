import asyncio
import time

from tests.fakes import FakeClock


async def test_sleepers_wake_in_the_order_of_their_time() -> None:
    clock = FakeClock()
    woken = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.monotonic()))

    await asyncio.gather(*(sleeper(seconds) for seconds in (3600, 5, 60)))
    assert woken == [(5, 1005.0), (60, 1060.0), (3600, 4600.0)]


async def test_the_clock_does_not_jump_while_a_thread_works() -> None:
    clock = FakeClock()
    first = []

    async def work() -> None:
        await asyncio.to_thread(time.sleep, 0.03)
        first.append("thread")

    async def sleeper() -> None:
        await clock.sleep(1)
        first.append("sleeper")

    await asyncio.gather(sleeper(), work())
    assert first == ["thread", "sleeper"]


async def test_a_cancelled_sleeper_does_not_move_time() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(1000))
    await asyncio.sleep(0)
    task.cancel()
    await clock.sleep(1)
    assert clock.monotonic() == 1001.0


async def test_without_autojump_time_moves_only_by_advance() -> None:
    clock = FakeClock(autojump=False)
    ticks = []

    async def ticker() -> None:
        while True:
            await clock.sleep(5)
            ticks.append(clock.monotonic())

    task = asyncio.create_task(ticker())
    await clock.advance(12)
    assert ticks == [1005.0, 1010.0]
    assert clock.monotonic() == 1012.0
    task.cancel()
