"""Group commit: who shares a batch, and what becomes of its callers when it fails."""

import asyncio
from collections.abc import Sequence

import pytest

from gateway.errors import GatewayError, IdempotencyMismatch, LedgerUnavailable
from gateway.ledger.postgres.group import Group


class Store:
    """Writes batches when it is let; doubles what it is asked, and does what it is told instead."""

    def __init__(self, *failures: Exception | None) -> None:
        self.batches: list[list[int]] = []
        self.failures = list(failures)
        self.open = asyncio.Event()

    async def write(self, asked: Sequence[int]) -> list[int | GatewayError]:
        self.batches.append(list(asked))
        await self.open.wait()
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        return [IdempotencyMismatch("lain") if one < 0 else 2 * one for one in asked]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_comes_while_the_store_writes_is_written_together() -> None:
    store = Store()
    group = Group(store.write, parallel=1)
    calls = [asyncio.ensure_future(group(number)) for number in range(4)]
    await turns()
    assert store.batches == [[0]]
    store.open.set()
    assert await asyncio.gather(*calls) == [0, 2, 4, 6]
    assert store.batches == [[0], [1, 2, 3]]


async def test_no_batch_is_larger_than_it_may_be_and_no_more_fly_than_may() -> None:
    store = Store()
    group = Group(store.write, most=2, parallel=2)
    calls = [asyncio.ensure_future(group(number)) for number in range(6)]
    await turns()
    assert len(store.batches) == 2
    store.open.set()
    await asyncio.gather(*calls)
    assert store.batches == [[0], [1], [2, 3], [4, 5]]


async def test_one_calls_error_is_its_own() -> None:
    store = Store()
    store.open.set()
    group = Group(store.write)
    good, bad = await asyncio.gather(group(1), group(-1), return_exceptions=True)
    assert good == 2
    assert isinstance(bad, IdempotencyMismatch)


async def test_a_batch_that_fails_fails_all_its_calls_and_the_next_goes_on() -> None:
    store = Store(None, LedgerUnavailable("padam"))
    group = Group(store.write, parallel=1)
    calls = [asyncio.ensure_future(group(number)) for number in range(3)]
    await turns()
    store.open.set()
    first, *failed = await asyncio.gather(*calls, return_exceptions=True)
    assert first == 0
    assert [type(error) for error in failed] == [LedgerUnavailable] * 2
    assert failed[0] is not failed[1]
    assert await group(5) == 10


async def test_a_caller_that_goes_away_does_not_take_its_batch_with_it() -> None:
    store = Store()
    group = Group(store.write, parallel=1)
    calls = [asyncio.ensure_future(group(number)) for number in range(3)]
    await turns()
    calls[1].cancel()
    store.open.set()
    assert await calls[2] == 4
    assert store.batches == [[0], [1, 2]]
    with pytest.raises(asyncio.CancelledError):
        await calls[1]


async def test_it_finishes_when_nothing_is_left() -> None:
    store = Store()
    group = Group(store.write, parallel=1)
    calls = [asyncio.ensure_future(group(number)) for number in range(3)]
    await turns()
    store.open.set()
    await group.finish()
    assert sum(map(len, store.batches)) == len(calls)
    assert await asyncio.gather(*calls) == [0, 2, 4]
