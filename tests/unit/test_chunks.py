"""What is made ahead: one, in order, and nothing once nobody wants it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.chunks import ahead


class Maker:
    """Makes numbers, and notes when it begins each and whether it was told to stop."""

    def __init__(self, most: int, fails_at: int | None = None) -> None:
        self.begun: list[int] = []
        self.stopped = False
        self.free = asyncio.Event()
        self.free.set()
        self._most = most
        self._fails_at = fails_at

    async def all(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(1, self._most + 1):
                self.begun.append(number)
                await self.free.wait()
                if number == self._fails_at:
                    raise OSError(number)
                yield number
        finally:
            self.stopped = True


async def test_each_comes_in_its_order_while_the_next_is_made_and_no_more() -> None:
    maker, seen = Maker(4), list[tuple[int, list[int]]]()
    async with aclosing(ahead(maker.all())) as found:
        async for number in found:
            for _ in range(5):
                await asyncio.sleep(0)
            seen.append((number, [*maker.begun]))
    assert seen == [(1, [1, 2]), (2, [1, 2, 3]), (3, [1, 2, 3, 4]), (4, [1, 2, 3, 4])]
    assert maker.stopped


async def test_a_failure_comes_after_what_was_made_before_it() -> None:
    maker, seen = Maker(4, fails_at=3), list[int]()

    async def use() -> None:
        async for number in ahead(maker.all()):
            seen.append(number)

    with pytest.raises(OSError, match="3"):
        await use()
    assert seen == [1, 2]
    assert maker.stopped


@pytest.mark.parametrize("is_stuck", [False, True])
async def test_whoever_leaves_early_leaves_nothing_under_way(*, is_stuck: bool) -> None:
    maker, before = Maker(4), asyncio.all_tasks()
    async with aclosing(ahead(maker.all())) as found:
        assert await anext(found) == 1
        if is_stuck:
            maker.free.clear()
        await asyncio.sleep(0)
    assert maker.stopped
    assert maker.begun == [1, 2]
    assert asyncio.all_tasks() == before


async def test_whoever_is_cancelled_leaves_nothing_under_way() -> None:
    maker, before = Maker(4), asyncio.all_tasks()
    maker.free.clear()

    async def use() -> None:
        async with aclosing(ahead(maker.all())) as found:
            await anext(found)

    using = asyncio.create_task(use())
    for _ in range(5):
        await asyncio.sleep(0)
    assert maker.begun == [1]
    using.cancel()
    await asyncio.gather(using, return_exceptions=True)
    assert maker.stopped
    assert asyncio.all_tasks() == before
