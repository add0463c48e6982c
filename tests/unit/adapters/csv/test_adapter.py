import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from adapters.csv.adapter import CsvAdapter
from adapters.csv.drop import Folder
from adapters.csv.poll import FeedFiles, poll
from adapters.csv.settings import Feed, Out
from gateway import (
    Adapter,
    AgencyTimeout,
    Answer,
    Call,
    ConfigError,
    Described,
    Document,
    FeedColumns,
    Probe,
    Source,
    TranslationError,
    Unavailable,
)
from gateway.intake import FileReport, take_in
from gateway.message import new_message_id
from gateway.registry import Feed as Plan
from gateway.snapshots import MemorySnapshots
from tests.fakes import MONDAY_MORNING, FakeClock

NIK = "1405029001180001"
GOOD = f"nik_anak;jenis\n{NIK};BCG\n{NIK};Polio\n1405029001180002;BCG\n"


def call(target: str, document: Document, timeout: float = 5.0) -> Call:
    return Call(
        target=target,
        document=document,
        timeout=timeout,
        message_id=new_message_id(),
        correlation_id="c",
        traceparent="00-0-0-00",
    )


def _row(row: Document) -> Document:
    return {"nik_anak": row["nik_anak"], "jenis": row["jenis"]}


def silent(_event: str, /, **_facts: object) -> None:
    """Write nothing."""


class Site:
    """A CSV agency with its folder, its intake running, and the reports so far."""

    def __init__(self, folder: Path, **feed: object) -> None:
        self.folder = folder / "drop"
        self.folder.mkdir()
        self.out = folder / "out"
        self.out.mkdir()
        self.clock = FakeClock(autojump=False)
        self.snapshots = MemorySnapshots()
        self.reports: list[FileReport] = []
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.adapter = CsvAdapter(
            clock=self.clock,
            log=self.log,
            snapshots=self.snapshots,
            columns=FeedColumns(read={"imunisasi": ("nik_anak", "jenis")}, written={"jadwal": ("nik", "tanggal")}),
            drop=str(self.folder),
            feed={"imunisasi": Feed.model_validate({"files": "imunisasi_*.csv", **feed})},
            out={"jadwal": Out(folder=str(self.out), file="jadwal_{id}.csv")},
            limit=2,
        )
        plans = {"imunisasi": Plan(read=_row, key=(), max_reject=0.1)}
        self.task = asyncio.create_task(take_in(self.adapter, plans, self.snapshots, self.reports.append))

    def drop(self, name: str, content: str | bytes = GOOD, at: float = 0.0) -> None:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        moment = MONDAY_MORNING.timestamp() + at
        os.utime(path, (moment, moment))

    async def find(self, **where: object) -> Answer:
        return await self.adapter.exchange(call("imunisasi", where))

    def log(self, event: str, /, **facts: object) -> None:
        self.lines.append((event, facts))

    def told(self) -> list[tuple[str, str | None]]:
        return [(report.file, report.refused.rule if report.refused else None) for report in self.reports]


@pytest.fixture
async def open_site(tmp_path: Path) -> AsyncIterator[Callable[..., Site]]:
    sites = []

    def make(**feed: object) -> Site:
        sites.append(Site(tmp_path, **feed))
        return sites[-1]

    yield make
    for site in sites:
        site.task.cancel()
        await asyncio.gather(site.task, return_exceptions=True)


OpenSite = Callable[..., Site]


async def test_the_adapter_has_every_capability_it_claims(open_site: OpenSite) -> None:
    adapter: Adapter = open_site().adapter
    assert isinstance(adapter, Source)
    assert isinstance(adapter, Described)
    assert isinstance(adapter, Probe)
    await adapter.probe()


async def test_a_lookup_is_answered_from_the_newest_file_with_its_time(open_site: OpenSite) -> None:
    site = open_site()
    with pytest.raises(Unavailable) as raised:
        await site.find(nik_anak=NIK)
    assert not raised.value.maybe_done
    site.drop("imunisasi_20260301.csv", GOOD.replace("BCG", "DPT"))
    site.drop("imunisasi_20260302.csv")
    await site.clock.advance(20)
    answer = await site.find(nik_anak=NIK)
    assert answer.document == {
        "rows": [{"nik_anak": NIK, "jenis": "BCG"}, {"nik_anak": NIK, "jenis": "Polio"}],
        "count": 2,
        "as_of": MONDAY_MORNING.isoformat(),
    }
    assert (await site.find(nik_anak="x")).document == {"rows": [], "count": 0, "as_of": MONDAY_MORNING.isoformat()}
    assert len((await site.find()).document["rows"]) == 2
    assert site.told() == [("imunisasi_20260302.csv", None)]


async def test_a_file_is_read_once_and_again_when_it_is_rewritten(open_site: OpenSite) -> None:
    site = open_site(ready="rename")
    site.drop("imunisasi_1.csv")
    await site.clock.advance(60)
    assert len(site.reports) == 1
    site.drop("imunisasi_1.csv", at=30)
    await site.clock.advance(10)
    assert len(site.reports) == 2


async def test_rule_11_21_mondays_file_returning_later_wins_over_tuesdays(open_site: OpenSite) -> None:
    site = open_site(ready="rename")
    site.drop("imunisasi_1mon.csv")
    await site.clock.advance(10)
    site.drop("imunisasi_2tue.csv", GOOD.replace("Polio", "DPT"))
    await site.clock.advance(10)
    (site.folder / "imunisasi_1mon.csv").unlink()
    await site.clock.advance(10)
    site.drop("imunisasi_1mon.csv")
    await site.clock.advance(10)
    assert [file for file, _ in site.told()] == ["imunisasi_1mon.csv", "imunisasi_2tue.csv", "imunisasi_1mon.csv"]
    assert (await site.find(jenis="Polio")).document["count"] == 1


async def test_a_half_written_file_is_not_taken_and_said_so_when_it_stays_half(open_site: OpenSite) -> None:
    site = open_site(stable_for="10s")
    site.drop("imunisasi_1.csv", GOOD[:-4])
    await site.clock.advance(60)
    assert site.told() == []
    await site.clock.advance(300)
    assert site.told() == [("imunisasi_1.csv", "unfinished")]
    site.drop("imunisasi_1.csv", at=400)
    await site.clock.advance(20)
    assert site.told()[1:] == [("imunisasi_1.csv", None)]


async def test_a_half_written_newest_file_does_not_hide_the_complete_one_before(open_site: OpenSite) -> None:
    site = open_site()
    site.drop("imunisasi_1.csv")
    site.drop("imunisasi_2.csv", GOOD[:-4])
    await site.clock.advance(20)
    assert site.told() == [("imunisasi_1.csv", None)]
    site.drop("imunisasi_2.csv", at=60)
    await site.clock.advance(20)
    assert site.told()[1:] == [("imunisasi_2.csv", None)]


async def test_after_a_restart_a_bad_newest_file_falls_back_to_the_one_before(open_site: OpenSite) -> None:
    site = open_site(ready="rename")
    site.drop("imunisasi_0.csv")
    site.drop("imunisasi_1.csv")
    site.drop("imunisasi_2.csv", "nik;jenis\n1;BCG\n")
    await site.clock.advance(60)
    assert site.told() == [("imunisasi_2.csv", "header"), ("imunisasi_1.csv", None)]
    assert (await site.find(nik_anak=NIK)).document["count"] == 2


async def test_a_marked_file_is_taken_when_its_marker_comes(open_site: OpenSite) -> None:
    site = open_site(ready="marker")
    site.drop("imunisasi_1.csv", GOOD.rstrip("\n"))
    await site.clock.advance(300)
    assert site.told() == []
    site.drop("imunisasi_1.csv.ok", b"")
    await site.clock.advance(10)
    assert site.told() == [("imunisasi_1.csv", None)]


async def test_a_file_that_changes_while_it_is_read_is_refused(open_site: OpenSite) -> None:
    site = open_site(ready="rename")
    site.task.cancel()
    site.drop("imunisasi_1.csv", "nik_anak;jenis\n" + "1;BCG\n" * 3000)
    batches = site.adapter.poll()
    first = await anext(batches)
    assert not first.last
    site.drop("imunisasi_1.csv", at=1)
    second = await anext(batches)
    assert second.last
    assert second.rejects[0].reasons[0].rule == "unfinished"
    await batches.aclose()


async def test_an_unreadable_file_is_reported_and_tried_again_later(tmp_path: Path) -> None:
    class Flaky(Folder):
        async def open(self, name: str, /) -> BinaryIO:
            if clock.monotonic() < 1060:
                raise Unavailable("could not open: stale handle", maybe_done=False)
            return await super().open(name)

    (tmp_path / "imunisasi_1.csv").write_text(GOOD)
    clock, drop = FakeClock(), Flaky(tmp_path)
    files = FeedFiles(
        name="imunisasi",
        feed=Feed(files="*", ready="rename"),
        columns=(),
        drop=drop,
        clock=clock,
        snapshots=MemorySnapshots(),
    )
    batches = poll([files], drop, clock, silent, 5.0)
    refused, taken = await anext(batches), await anext(batches)
    assert [reason.rule for reason in refused.rejects[0].reasons] == ["unreadable"]
    assert (len(taken.rows), clock.monotonic()) == (3, 1060.0)
    await batches.aclose()


async def test_a_drop_that_goes_away_and_comes_back_is_polled_on(open_site: OpenSite) -> None:
    site = open_site(ready="rename")
    away = site.folder.with_name("away")
    site.folder.rename(away)
    await site.clock.advance(30)
    with pytest.raises(Unavailable):
        await site.adapter.probe()
    away.rename(site.folder)
    site.drop("imunisasi_1.csv")
    await site.clock.advance(10)
    assert site.told() == [("imunisasi_1.csv", None)]
    (lost, facts), found = site.lines
    assert (lost, facts["level"], found) == ("drop-unreachable", "warning", ("drop-reachable-again", {}))
    assert "drop" in str(facts["error"])


async def test_a_document_becomes_a_row_file_named_by_its_message(open_site: OpenSite) -> None:
    site = open_site()
    asked = call("jadwal", {"tanggal": "05/03/2026", "nik": NIK})
    for _ in range(2):
        answer = await site.adapter.exchange(asked)
    name = f"jadwal_{asked.message_id}.csv"
    assert answer.document == {"file": name, "written": MONDAY_MORNING.isoformat()}
    assert [path.name for path in site.out.iterdir()] == [name]
    assert (site.out / name).read_text("utf-8") == f'"nik";"tanggal"\n"{NIK}";"05/03/2026"\n'


async def test_a_full_folder_is_unavailable_and_nothing_was_done(open_site: OpenSite) -> None:
    site = open_site()
    site.out.rmdir()
    with pytest.raises(Unavailable) as raised:
        await site.adapter.exchange(call("jadwal", {"nik": NIK}))
    assert not raised.value.maybe_done


async def test_a_disk_that_hangs_is_a_timeout_and_a_write_may_be_done(open_site: OpenSite) -> None:
    site = open_site()
    with pytest.raises(AgencyTimeout) as raised:
        await site.adapter.exchange(call("jadwal", {"nik": NIK}, timeout=0))
    assert raised.value.maybe_done
    await site.clock.settled()


async def test_a_condition_that_is_a_list_is_refused_in_the_callers_words(open_site: OpenSite) -> None:
    site = open_site()
    with pytest.raises(TranslationError) as raised:
        await site.find(anak={"nik": ["x"]})
    assert raised.value.errors[0].pointer == "anak.nik"


async def test_wrong_settings_say_what_to_write(tmp_path: Path) -> None:
    kept = {"clock": FakeClock(), "log": silent, "snapshots": MemorySnapshots()}
    feed, out = {"a": Feed(files="*")}, {"a": Out(folder=".", file="{id}")}
    for settings, said in (
        ({"feed": feed}, "feeds need a folder"),
        ({"feed": feed, "out": out, "drop": "x"}, "a feed is called a too"),
        ({"drop": "sftp://user@host/dir"}, "sftp:// is not supported"),
        ({"out": {"a": Out(folder="ftp://host", file="{id}")}}, r"out\.a\.folder: ftp:// is not supported"),
    ):
        with pytest.raises(ConfigError, match=said):
            CsvAdapter(**kept, **settings)
    with pytest.raises(ConfigError, match="did you mean imunisasi"):
        await CsvAdapter(**kept, drop="x", feed={"imunisasi": Feed(files="*")}).exchange(call("imunisas", {}))
