import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from gateway.errors import FieldError, TranslationError, Unavailable
from gateway.feeds import Batch, Reject
from gateway.intake import FileReport, take_in
from gateway.message import Document
from gateway.registry import Feed
from gateway.snapshots import MemorySnapshots
from gateway.wording import say
from tests.fakes import MONDAY_MORNING

TUESDAY = MONDAY_MORNING + timedelta(days=1)


class Script:
    """A Source that yields the given batches and then waits."""

    def __init__(self, *batches: Batch) -> None:
        self.batches = batches
        self.done = asyncio.Event()

    async def poll(self) -> AsyncIterator[Batch]:
        for batch in self.batches:
            yield batch
        self.done.set()
        await asyncio.Event().wait()


def read(row: Document) -> Document:
    if row.get("bug"):
        raise KeyError("1405029001180001")
    errors = [FieldError(pointer=f"/{name}", rule=rule) for name, rule in row.items() if rule in ("digits", "date")]
    if errors:
        raise TranslationError("reply", errors)
    return dict(row)


def batch(
    *rows: Document,
    file: str = "a.csv",
    first: int = 1,
    rejects: Sequence[Reject] = (),
    as_of: datetime = MONDAY_MORNING,
    last: bool = True,
) -> Batch:
    return Batch(feed="f", file=file, as_of=as_of, rows=list(enumerate(rows, first)), rejects=rejects, last=last)


def good(count: int, first: int = 1) -> list[Document]:
    return [{"nik": f"{number}"} for number in range(first, first + count)]


async def run(*batches: Batch, feed: Feed | None = None, snapshots: MemorySnapshots | None = None) -> list[FileReport]:
    source, reports = Script(*batches), []
    feed = feed or Feed(read=read, key=(), max_reject=0.1)
    task = asyncio.create_task(take_in(source, {"f": feed}, snapshots or MemorySnapshots(), reports.append))
    await asyncio.wait_for(source.done.wait(), 30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return reports


async def rows(snapshots: MemorySnapshots) -> list[Document]:
    return list((await snapshots.find("f", {}, limit=1000)).rows)


async def test_a_file_in_several_batches_is_published_when_it_ends() -> None:
    snapshots = MemorySnapshots()
    halves = (batch(*good(2), last=False), batch(*good(1, first=3), first=3))
    assert await run(halves[0], snapshots=snapshots) == []
    with pytest.raises(Unavailable):
        await rows(snapshots)
    [report] = await run(*halves, snapshots=snapshots)
    assert (report.feed, report.file, report.as_of, report.accepted) == ("f", "a.csv", MONDAY_MORNING, 3)
    assert (report.rejected, report.refused) == (0, None)
    assert await rows(snapshots) == good(3)


async def test_rejected_rows_are_counted_by_rule_and_the_first_are_shown() -> None:
    structural = Reject(number=9, reasons=(FieldError(pointer="", rule="quote"),))
    bad = [{"nik": "digits", "tanggal": "date"}, *[{"nik": "digits"}] * 6]
    [report] = await run(batch(*bad, *good(90), rejects=[structural]))
    assert report.refused is None
    assert (report.accepted, report.rejected) == (90, 8)
    assert report.rules == {"quote": 1, "digits": 7, "date": 1}
    assert [reject.number for reject in report.first] == [9, 1, 2, 3, 4]
    assert [reason.pointer for reason in report.first[1].reasons] == ["/nik", "/tanggal"]


async def test_too_many_rejects_refuse_the_file_and_the_old_snapshot_stays() -> None:
    snapshots = MemorySnapshots()
    bad = batch({"nik": "digits"}, *good(8), file="b.csv", as_of=TUESDAY)
    _, report = await run(batch(*good(10)), bad, snapshots=snapshots)
    assert report.refused
    assert say(report.refused, "id") == "1 dari 9 baris ditolak; paling banyak 10%; data lama tetap dipakai"
    assert await rows(snapshots) == good(10)
    assert (await snapshots.find("f", {}, limit=0)).as_of == MONDAY_MORNING


async def test_exactly_the_share_that_may_be_rejected_is_accepted() -> None:
    [report] = await run(batch({"nik": "digits"}, *good(9)))
    assert report.refused is None


async def test_a_file_refused_by_its_source_is_reported_with_the_reason() -> None:
    snapshots = MemorySnapshots()
    header = FieldError(pointer="", rule="header", params={"difference": "-nik"})
    refusal = batch(rejects=[Reject(number=0, reasons=(header,))], file="b.csv")
    mid = (
        batch(*good(10), file="c.csv", last=False),
        batch(rejects=[Reject(number=0, reasons=(header,))], file="c.csv"),
    )
    reports = await run(batch(*good(10)), refusal, *mid, snapshots=snapshots)
    assert [report.refused for report in reports] == [None, header, header]
    assert await rows(snapshots) == good(10)


@pytest.mark.parametrize(("after", "refused"), [(5, None), (4, "shrunk"), (0, "shrunk")])
async def test_rule_11_21_a_file_that_shrank_by_over_half_is_refused(after: int, refused: str | None) -> None:
    _, report = await run(batch(*good(10)), batch(*good(after), file="b.csv"))
    assert (report.refused and report.refused.rule) == refused


async def test_an_empty_first_file_is_a_snapshot_of_nothing() -> None:
    snapshots = MemorySnapshots()
    [report] = await run(batch(), snapshots=snapshots)
    assert report.refused is None
    assert await rows(snapshots) == []


async def test_of_two_rows_with_one_key_the_later_wins_and_a_plain_repetition_is_no_fault() -> None:
    snapshots = MemorySnapshots()
    feed = Feed(read=read, key=("nik",), max_reject=0.5)
    first, second = {"nik": "1", "berat": "3"}, {"nik": "1", "berat": "4"}
    [report] = await run(batch(first, {"nik": "2"}, second, {"nik": "2"}), feed=feed, snapshots=snapshots)
    assert await rows(snapshots) == [second, {"nik": "2"}]
    assert (report.accepted, report.repeated, report.rejected, report.rules) == (2, 1, 1, {"double-key": 1})
    assert report.first[0].number == 1
    assert say(report.first[0].reasons[0], "en") == "has the key of row 3, but other content"


async def test_a_bug_met_by_one_file_refuses_it_without_its_data_and_the_next_is_taken() -> None:
    snapshots = MemorySnapshots()
    reports = await run(
        batch(*good(1), last=False), batch({"bug": "x"}, last=False), batch(*good(1)), batch(*good(3), file="b.csv"),
        snapshots=snapshots,
    )  # fmt: skip
    assert [report.file for report in reports] == ["a.csv", "b.csv"]
    assert reports[0].refused
    assert reports[0].refused.rule == "intake"
    assert "KeyError, test_intake.py:" in reports[0].refused.params["error"]
    assert "1405029001180001" not in str(reports[0])
    assert await rows(snapshots) == good(3)


async def test_a_failing_store_is_reported_and_the_loop_goes_on() -> None:
    class Full(MemorySnapshots):
        async def publish(self, feed: str, rows: Sequence[Document], /, *, as_of: datetime) -> None:
            if len(rows) == 1:
                raise OSError("disk full")
            await super().publish(feed, rows, as_of=as_of)

    reports = await run(batch(*good(1)), batch(*good(2), file="b.csv"), snapshots=Full())
    assert [report.refused and report.refused.rule for report in reports] == ["intake", None]


async def test_a_file_that_never_ended_is_dropped_when_the_next_begins() -> None:
    snapshots = MemorySnapshots()
    reports = await run(batch(*good(5), last=False), batch(*good(2), file="b.csv"), snapshots=snapshots)
    assert [report.file for report in reports] == ["b.csv"]
    assert await rows(snapshots) == good(2)
