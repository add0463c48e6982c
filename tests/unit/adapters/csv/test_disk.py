"""Disks that hang: who uses one is told at once, nobody else waits, and it is used again as soon as it answers.

A pipe that nobody has opened at its other end keeps whoever opens it, as a mount does whose machine is away.
"""

import asyncio
import io
import os
import threading
from concurrent import futures
from pathlib import Path

import pytest

from adapters.csv.batches import batches
from adapters.csv.disk import THREADS, Disk, Hangs
from adapters.csv.folder import Folder
from adapters.csv.layout import Layout
from adapters.csv.outs import Writing
from adapters.csv.read import Reading
from adapters.csv.settings import Dialect, Out
from gateway import AgencyTimeout, LineForm, ReadLines, Unavailable
from gateway.chunks import ahead
from tests.drops import call
from tests.fakes import FakeClock


async def given_up(disk: Disk, answers: threading.Event) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await disk.do(answers.wait, 10)


async def idle(disk: Disk) -> None:
    """Wait until what was given up has ended."""
    await asyncio.to_thread(futures.wait, set(disk._left), 10)


async def test_a_disk_whose_threads_all_hang_is_not_asked_until_one_ends() -> None:
    disk, answers = Disk(), threading.Event()
    for _ in range(THREADS - 1):
        await given_up(disk, answers)
    assert await disk.do(int, "7") == 7
    await given_up(disk, answers)
    with pytest.raises(Hangs):
        await disk.do(int, "7")
    assert await Disk().do(int, "7") == 7
    answers.set()
    await idle(disk)
    assert await disk.do(int, "7") == 7


async def test_what_was_given_up_before_it_began_is_never_done() -> None:
    disk, answers, done = Disk(threads=1), threading.Event(), list[int]()
    first = asyncio.ensure_future(disk.do(answers.wait, 10))
    await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await disk.do(done.append, 1)
    answers.set()
    assert await first
    await disk.do(done.append, 2)
    assert done == [2]


async def test_what_fails_in_a_thread_fails_who_waits_for_it() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        await Disk().do(int, "x")


def answered(*pipes: Path) -> list[int]:
    """Open the other end of pipes that are written, without waiting."""
    return [os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) for pipe in pipes]


async def test_an_out_that_hangs_is_told_at_once_and_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    writing = Writing(
        outs={"jadwal": Out(folder=str(tmp_path), file="jadwal_{id}.csv")},
        drops={"jadwal": folder},
        columns={"jadwal": ("nik",)},
        clock=FakeClock(),
    )
    pipes = []
    for _ in range(THREADS):
        asked = call("jadwal", {"nik": "1"}, timeout=0.2)
        pipes.append(tmp_path / f".jadwal_{asked.message_id}.csv.tmp")
        os.mkfifo(pipes[-1])
        with pytest.raises(AgencyTimeout) as late:
            await writing.write([asked])
        assert late.value.maybe_done
    with pytest.raises(Unavailable, match="mounted from answer") as raised:
        await writing.write([call("jadwal", {"nik": "2"}, timeout=60.0)])
    assert not raised.value.maybe_done
    threads = [asyncio.to_thread(int, "7") for _ in range(40)]
    assert await asyncio.gather(*threads) == [7] * 40
    (tmp_path / "other").mkdir()
    await Folder(tmp_path / "other").put("a.csv", b"x")
    ends = answered(*pipes)
    await idle(folder.disk)
    for end in ends:
        os.close(end)
    await writing.write([call("jadwal", {"nik": "2"})])
    assert [entry.name[-4:] for entry in await folder.list()] == [".csv"]


async def test_a_file_that_time_ran_out_for_before_it_was_written_is_not_maybe_done(tmp_path: Path) -> None:
    folder, answers = Folder(tmp_path, Disk(threads=1)), threading.Event()
    writing = Writing(
        outs={"jadwal": Out(folder=str(tmp_path), file="jadwal_{id}.csv")},
        drops={"jadwal": folder},
        columns={"jadwal": ("nik",)},
        clock=FakeClock(),
    )
    busy = asyncio.ensure_future(folder.disk.do(answers.wait, 10))
    await asyncio.sleep(0)
    with pytest.raises(AgencyTimeout) as raised:
        await writing.write([call("jadwal", {"nik": "1"}, timeout=0.02)])
    assert not raised.value.maybe_done
    answers.set()
    await busy


async def test_a_look_at_a_disk_that_hangs_is_given_up(tmp_path: Path) -> None:
    folder, pipe = Folder(tmp_path, patience=0.05), tmp_path / "a.csv"
    os.mkfifo(pipe)
    for _ in range(THREADS):
        with pytest.raises(Unavailable, match=r"did not answer within 0\.05 s; does the machine"):
            await folder.tail("a.csv")
    for doing in (folder.list(), folder.put("b.csv", b""), folder.move("a.csv", "b.csv")):
        with pytest.raises(Unavailable, match="were given up"):
            await doing
    end = os.open(pipe, os.O_RDWR)
    await idle(folder.disk)
    os.close(end)
    assert list(await folder.list()) == []


class Stalled(io.RawIOBase):
    """A file on a mount that stops answering after so many bytes."""

    def __init__(self, whole: bytes, stalls: int) -> None:
        self._whole, self._stalls, self._at = whole, stalls, 0
        self.waits, self.answers, self.shut = threading.Event(), threading.Event(), threading.Event()
        self.answered_in_time = True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = (0, self._at, len(self._whole))[whence] + offset
        return self._at

    def readinto(self, into: "memoryview | bytearray", /) -> int:  # type: ignore[override]
        if self._stalls and self._at >= self._stalls:
            self.waits.set()
            self.answered_in_time = self.answers.wait(10)
        block = self._whole[self._at : self._at + len(into)]
        into[: len(block)] = block
        self._at += len(block)
        return len(block)

    def close(self) -> None:
        super().close()
        self.shut.set()


def plain(_: LineForm) -> ReadLines:
    return lambda text, _first: (text.count("\n"), [], [])


@pytest.mark.parametrize("is_ahead", [False, True])
async def test_who_stops_while_a_disk_hangs_goes_at_once_and_the_file_is_closed_when_it_answers(
    monkeypatch: pytest.MonkeyPatch, *, is_ahead: bool
) -> None:
    monkeypatch.setattr("adapters.csv.batches.GOODBYE", 0.05)
    raw = Stalled(b"a;b\n" + b"1;x\n" * 200_000, 1 << 19)
    # It is read once for its encoding and once for its rows: this is the first time.
    reading = Reading(
        name="a.csv", layout=Layout(dialect=Dialect()), wanted=(), size=10, plain=plain if is_ahead else None
    )
    found = batches(io.BufferedReader(raw), reading, Disk())

    async def take() -> None:
        async for _ in ahead(found) if is_ahead else found:
            pass

    task = asyncio.create_task(take())
    assert await asyncio.to_thread(raw.waits.wait, 10)
    task.cancel()
    async with asyncio.timeout(5):
        await asyncio.wait({task})
    assert task.cancelled()
    assert not raw.shut.is_set()
    raw.answers.set()
    assert await asyncio.to_thread(raw.shut.wait, 10)
    assert raw.answered_in_time
