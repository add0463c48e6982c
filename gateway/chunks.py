"""A file's batches -> chunks of our rows, each translated off the event loop; knows no ledger and no receipt."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, TypeVar, cast

from gateway.feeds import Batch, Chunk
from gateway.registry import Feed
from gateway.verdict import refusal, translated

T = TypeVar("T")
Read = tuple[Batch, Chunk | None]
"""A batch with its rows as ours, None where it refuses the file whole."""


def chunks(feed: Feed, batches: AsyncIterator[Batch], after: int) -> AsyncGenerator[Read, None]:
    """Return what comes after so many records; whoever leaves early closes it, and so the batches."""
    found = _translated(feed, batches, after)
    return ahead(found) if feed.ahead else found


async def _translated(feed: Feed, batches: AsyncIterator[Batch], after: int) -> AsyncGenerator[Read, None]:
    async with aclosing(cast("Any", batches)):
        async for batch in batches:
            refused = refusal(batch) is not None
            yield batch, None if refused else await asyncio.to_thread(translated, feed, batch, after)
            after = batch.done
            del batch


async def ahead(made: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield each while the next is made, and no more than that; once closed, nothing is under way any more."""
    async with aclosing(made):
        coming = asyncio.ensure_future(anext(made, None))
        try:
            while (one := await coming) is not None:
                coming = asyncio.ensure_future(anext(made, None))
                yield one
                del one
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
