"""Files in a local folder are noticed at once where that works, and looked for where it does not."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.csv.nudge import Nudge
from adapters.csv.settings import Ack, Feed, Out
from adapters.csv.watch import Watch
from gateway.intake import FileNews
from tests.drops import GOOD, OpenSite, Site


class Running:
    """A site that looks by itself; `told` waits for what became of the next file."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._before = set(threading.enumerate())
        self._news: asyncio.Queue[FileNews] = asyncio.Queue()
        site.intake.report = self._news.put_nowait
        self._task = asyncio.create_task(site.intake.run())

    async def told(self) -> str:
        news = await asyncio.wait_for(self._news.get(), 10)
        return news.receipt.state.value

    async def end(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._site.adapter.close()
        assert [each for each in set(threading.enumerate()) - self._before if each.name == "drop-watch"] == []


@pytest.mark.parametrize("ready", ["rename", "marker"])
async def test_a_complete_file_is_taken_in_without_waiting_for_the_next_look(open_site: OpenSite, ready: str) -> None:
    site = await open_site(ready=ready)
    running = Running(site)
    for number, content in ((1, GOOD), (2, GOOD.replace("BCG", "DPT"))):
        site.drop(f"imunisasi_{number}.csv.tmp", content).rename(site.folder / f"imunisasi_{number}.csv")
        if ready == "marker":
            site.drop(f"imunisasi_{number}.csv.ok", b"")
        assert await running.told() == "accepted"
    await running.end()


async def test_where_a_folder_can_not_be_watched_it_is_looked_into_all_the_same(open_site: OpenSite) -> None:
    site = await open_site()
    tried = threading.Event()

    def fails(_folder: Path) -> Any:
        tried.set()
        raise OSError(28, "OS file watch limit reached")

    nudge = Nudge(site.folder, lambda _name: True, watch=fails)
    object.__setattr__(site.adapter, "_nudge", nudge)
    running = Running(site)
    await asyncio.to_thread(tried.wait, 10)
    site.drop("imunisasi_1.csv")
    await site.clock.advance(site.adapter.pause)
    assert await running.told() == "accepted"
    await running.end()


@pytest.mark.parametrize(
    ("ready", "name", "expected"),
    [
        ("rename", "stok_1.csv", True),
        ("rename", "stok_1.csv.tmp", False),
        ("rename", "lain.csv", False),
        ("marker", "stok_1.csv", False),
        ("marker", "stok_1.csv.ok", True),
        ("marker", "lain.csv.ok", False),
        ("stable", "stok_1.csv", False),
    ],
)
def test_only_what_completes_a_file_is_worth_a_look(ready: str, name: str, *, expected: bool) -> None:
    watch = Watch(Feed.model_validate({"files": "stok_*.csv", "ready": ready}))
    assert watch.completes(name) is expected


@pytest.mark.parametrize(("ready", "noticed"), [("marker", True), ("rename", True), ("stable", False)])
async def test_acknowledgements_are_noticed_as_a_feed_s_files_are(
    open_site: OpenSite, ready: str, *, noticed: bool
) -> None:
    site = await open_site(ready="stable")
    ack = Ack.model_validate({"files": "ack_*.csv", "ready": ready, "delivered": ["OK"]})
    out = Out(folder=str(site.folder), file="jadwal_{id}.csv", ack=ack)
    adapter = replace(site.adapter, feed={}, out={"jadwal": out})
    assert (adapter._nudge is not None) == noticed
