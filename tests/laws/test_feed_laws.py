"""What a preview says of a file is what the ledger makes of it, however its rows repeat and wherever it is cut."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.feeds import Batch, Chunk, Keeping, Reject, Tally
from gateway.ledger.rows import decode
from gateway.ledger.sqlite_builds import Builds, complete
from gateway.ledger.sqlite_pages import page
from gateway.message import Document
from gateway.preview import Preview, preview
from gateway.registry import Feed

ROWS = st.lists(
    st.fixed_dictionaries({"kode": st.sampled_from("abc"), "isi": st.integers(0, 2), "diubah": st.sampled_from("123")}),
    max_size=12,
)
CUTS = st.integers(1, 5)
KEEPINGS = [
    Keeping(key=("kode",), mapping="m"),
    Keeping(mapping="m"),
    Keeping(mode="upsert", key=("kode",), newer="diubah", mapping="m"),
]


def batches(rows: list[Document], cut: int) -> list[Batch]:
    numbered = list(enumerate(rows, 1))
    parts = [numbered[place : place + cut] for place in range(0, len(rows), cut)] or [[]]
    done = [min(len(rows), cut * (place + 1)) for place in range(len(parts))]
    return [Batch(rows=part, done=end, last=end == len(rows)) for part, end in zip(parts, done, strict=True)]


def built(keeping: Keeping, parts: list[Batch]) -> tuple[Tally, list[Document], list[Reject]]:
    with tempfile.TemporaryDirectory() as folder:
        builds = Builds(Path(folder) / "feeds")
        tally = builds.begin(1, 1, keeping, None, anew=False)
        for part in parts:
            piece = Chunk(after=tally.position, position=part.done, rows=part.rows, last=part.last)
            tally = builds.add(1, 1, keeping, piece, replaces=True)
        assert builds.finish(1, keeping) == tally
        db = complete(builds.place(1))
        rows = [decode(doc) for _, doc in page(db, (), 0, 1000)]
        db.close()
        return tally, rows, list(builds.rejects(1, 0, 1000))


async def seen(keeping: Keeping, parts: list[Batch], *, keep: bool) -> Preview:
    async def given_batches() -> AsyncIterator[Batch]:
        for part in parts:
            yield part

    return await preview(Feed(read=dict, keeping=keeping, max_reject=1.0), given_batches(), keep=keep)


@pytest.mark.parametrize("keeping", KEEPINGS)
@settings(deadline=None)  # each example waits for the disk
@given(rows=ROWS, cut=CUTS, other=CUTS)
async def test_a_preview_is_what_the_ledger_makes_of_it_wherever_it_is_cut(
    keeping: Keeping, rows: list[Document], cut: int, other: int
) -> None:
    tally, kept, rejects = built(keeping, batches(rows, cut))
    assert tally.accepted + tally.unchanged + tally.rejected == tally.position == len(rows)
    assert tally.kept == len(kept) == tally.accepted
    told = await seen(keeping, batches(rows, other), keep=True)
    assert (told.tally, list(told.rows), list(told.first)) == (tally, kept, rejects)
    assert (await seen(keeping, batches(rows, cut), keep=False)).tally == tally
