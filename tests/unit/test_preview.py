"""A file is judged without being in memory, and nothing is left behind; that it is judged rightly: test_feed_laws."""

import resource
import tempfile
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import LedgerUnavailable
from gateway.feeds import Batch, Keeping
from gateway.message import Document
from gateway.preview import preview
from gateway.registry import Feed

EACH, BATCHES = 200, 100
KEEPINGS = [Keeping(key=("kode",)), Keeping(), Keeping(mode="upsert", key=("kode",), newer="diubah")]


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def feed_of(keeping: Keeping) -> Feed:
    return Feed(read=dict, keeping=keeping, max_reject=1.0)


def left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def batches(many: int = BATCHES) -> AsyncIterator[Batch]:
    for number in range(many):
        rows = [(n, _row(n)) for n in range(number * EACH + 1, (number + 1) * EACH + 1)]
        yield Batch(rows=rows, done=rows[-1][0], last=number == many - 1)


def _row(number: int) -> Document:
    return {"kode": f"{number % 19_000:016d}", "isi": f"{number}" * 20, "diubah": f"{number:06d}"}


@pytest.mark.parametrize("keeping", KEEPINGS)
async def test_memory_does_not_grow_with_the_rows_of_a_file(keeping: Keeping, scratch: Path) -> None:
    held: list[int] = []
    tracemalloc.start()
    seen = await preview(
        feed_of(keeping), batches(), lambda _: held.append(tracemalloc.get_traced_memory()[0]), keep=False
    )
    tracemalloc.stop()
    assert seen.tally.position == EACH * BATCHES
    assert seen.tally.kept == (19_000 if keeping.key else 20_000)
    assert held[-2] - held[9] < 300_000
    assert left_in(scratch) == []


async def test_a_disk_without_room_is_said_and_nothing_stays_behind(scratch: Path) -> None:
    with _full_disk(100_000), pytest.raises(LedgerUnavailable, match="TMPDIR"):
        await preview(feed_of(KEEPINGS[0]), batches(), keep=False)
    assert left_in(scratch) == []


@contextmanager
def _full_disk(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
