"""What goes on beside requests goes on, whatever happens to it."""

import asyncio

from gateway import app
from tests.fakes import FakeClock


async def test_work_that_breaks_is_told_and_started_again() -> None:
    told: list[str] = []
    runs = 0
    again = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise RuntimeError("the share was unmounted")
        again.set()
        await asyncio.Event().wait()

    def log(event: str, /, **facts: object) -> None:
        told.append(f"{event}: {facts['traceback']}")

    task = asyncio.create_task(app._lasting(work, FakeClock(), log))
    await asyncio.wait_for(again.wait(), 5)
    task.cancel()
    assert len(told) == 1
    assert "the share was unmounted" in told[0]
