"""With an engine that wants no turn of Python's, the next portion is read while one is kept; nothing is left behind."""

import asyncio
import io
import threading
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from adapters.csv.batches import batches
from adapters.csv.disk import Disk
from adapters.csv.layout import Layout
from adapters.csv.read import Reading
from adapters.csv.settings import Dialect
from gateway.chunks import ahead
from gateway.columns import LineForm, ReadLines, Row

LINES = 40


class Engine:
    """Reads lines as rows, when it may; says how many portions it has begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.at_work = False
        self.started = threading.Semaphore(0)
        self.may = threading.Semaphore(0)
        self.broken = False

    def make(self, _: LineForm) -> ReadLines:
        return self

    def __call__(self, text: str, first: int, /) -> tuple[int, list[Row], list[tuple[int, str]]]:
        self.begun += 1
        self.at_work = True
        self.started.release()
        assert self.may.acquire(timeout=10)
        self.at_work = False
        if self.broken:
            raise OSError("the disk is gone")
        count = text.count("\n")
        return count, [(number, b"{}") for number in range(first, first + count)], []


def reading(engine: Engine) -> Reading:
    return Reading(name="a.csv", layout=Layout(dialect=Dialect()), wanted=(), size=1, plain=engine.make, at_once=20)


def file() -> io.BytesIO:
    return io.BytesIO(b"a;b\n" + b"1;2\n" * LINES)


async def begins(engine: Engine) -> None:
    """Wait for the engine to begin with a portion."""
    assert await asyncio.to_thread(engine.started.acquire, timeout=10)


async def test_whoever_has_the_last_batch_can_look_whether_the_file_is_as_it_was() -> None:
    engine, opened = Engine(), file()
    engine.may.release(100)
    async for batch in batches(opened, reading(engine), Disk()):
        assert not opened.closed, batch.done
    assert opened.closed


async def test_one_portion_is_read_ahead_and_no_more() -> None:
    engine = Engine()
    engine.may.release(100)
    found: list[Sequence[Row]] = []
    async with aclosing(ahead(batches(file(), reading(engine), Disk()))) as read:
        async for batch in read:
            if not found:
                await begins(engine)
                await begins(engine)
            found.append(batch.written)
            assert engine.begun <= len(found) + 1
    assert [row[0] for rows in found for row in rows] == [*range(1, LINES + 1)]


@pytest.mark.parametrize("how", ["leaves", "is cancelled"])
async def test_who_goes_leaves_no_thread_at_work_and_no_file_open(how: str) -> None:
    engine, opened, both = Engine(), file(), asyncio.Event()
    engine.may.release()

    async def read() -> None:
        async with aclosing(ahead(batches(opened, reading(engine), Disk()))) as found:
            async for _ in found:
                await begins(engine)
                await begins(engine)
                both.set()
                if how == "leaves":
                    break
                await asyncio.Event().wait()

    task = asyncio.create_task(read())
    await both.wait()
    if how == "is cancelled":
        task.cancel()
    asyncio.get_running_loop().call_later(0.05, engine.may.release, 100)
    await asyncio.wait({task}, timeout=10)
    assert task.cancelled() == (how == "is cancelled")
    assert opened.closed
    assert engine.begun == 2
    assert not engine.at_work


async def test_what_fails_ahead_fails_when_its_turn_comes() -> None:
    engine, opened = Engine(), file()
    engine.may.release()
    found = ahead(batches(opened, reading(engine), Disk()))
    first = await anext(found)
    assert first.written
    engine.broken = True
    engine.may.release(100)
    with pytest.raises(OSError, match="the disk is gone"):
        await anext(found)
    assert opened.closed
