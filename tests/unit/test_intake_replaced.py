"""Files that are written anew between the look that found them whole and their turn: never half of one is the truth."""

import errno
import os
from collections.abc import Callable
from pathlib import Path, PosixPath
from typing import Any

import pytest

from adapters.csv.drop import Drop, Entry
from adapters.csv.folder import Folder
from gateway import Unavailable
from tests.drops import OpenSite, Site, rows

WHOLE = rows(100).replace("BCG", "Polio")
HALF = WHOLE[: len(WHOLE) * 7 // 10]
DAY = "archive/2026-03-02"


class Meddled:
    """A drop in which somebody does something, once, just before a file is moved or as it is opened to be read."""

    def __init__(self, drop: Drop, at: str, name: str, meddle: Callable[[Path], object]) -> None:
        self._drop, self._at, self._name, self._meddle = drop, at, name, meddle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._drop, name)

    async def move(self, name: str, to: str, seen: Entry | None = None) -> Any:
        self._now("move", name)
        return await self._drop.move(name, to, seen)

    async def open(self, name: str) -> Any:
        self._now("open", name)
        return await self._drop.open(name)

    def _now(self, at: str, name: str) -> None:
        if (at, name) == (self._at, self._name):
            self._at = ""
            self._meddle(self._drop.path / name)  # type: ignore[attr-defined]


def begun_anew(path: Path) -> None:
    """Copy a newer file over it, as far as that has come."""
    path.write_text(HALF, "utf-8")


@pytest.mark.parametrize(
    ("at", "name"), [("move", "imunisasi_2.csv"), ("open", ".taking/imunisasi_2.csv")], ids=["moved", "hashed"]
)
@pytest.mark.parametrize("ready", ["stable", "rename"])
async def test_a_file_that_is_overwritten_before_its_turn_waits_until_it_is_whole_again(
    open_site: OpenSite, at: str, name: str, ready: str
) -> None:
    site = await open_site(drop=lambda drop: Meddled(drop, at, name, begun_anew), ready=ready, stable_for="10s")
    site.drop("imunisasi_1.csv", rows(8))
    site.drop("imunisasi_2.csv", rows(100))
    await site.look()
    if ready == "stable":
        await site.look(11.0)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == [f"{DAY}/imunisasi_1.csv", "imunisasi_2.csv"]
    assert (site.folder / "imunisasi_2.csv").read_text("utf-8") == HALF
    site.drop("imunisasi_2.csv", WHOLE)
    await site.look()
    await site.look(11.0)
    assert site.told()[1:] == [("imunisasi_2.csv", "accepted")]
    assert await site.rows() == [(str(number), "Polio") for number in range(1, 101)]


class Slow(PosixPath):
    """A disk on which somebody writes a file anew in the moment in which it is renamed."""

    def rename(self, target: Any) -> Any:
        if self.name == "imunisasi_1.csv" and Slow.content:
            self.write_text(Slow.content, "utf-8")
            Slow.content = ""
        return super().rename(target)

    content = ""


async def test_a_file_that_is_overwritten_as_it_is_moved_goes_back(tmp_path: Path) -> None:
    drop = Folder(Slow(tmp_path))
    (tmp_path / "imunisasi_1.csv").write_text(WHOLE, "utf-8")
    (seen,) = await drop.list()
    Slow.content = HALF
    assert await drop.move("imunisasi_1.csv", ".taking/imunisasi_1.csv", seen) is None
    assert [entry.name for entry in await drop.list()] == ["imunisasi_1.csv"]
    assert list(await drop.list(".taking")) == []
    (seen,) = await drop.list()
    assert await drop.move("imunisasi_1.csv", ".taking/imunisasi_1.csv", seen) == seen


async def test_a_file_that_cannot_be_moved_and_is_overwritten_is_not_taken_where_it_lies(open_site: OpenSite) -> None:
    class Fixed(Meddled):
        async def move(self, name: str, to: str, seen: Entry | None = None) -> Any:
            raise Unavailable(f"{name} {to} {seen}", maybe_done=False) from PermissionError(errno.EACCES, "no")

    site = await open_site(drop=lambda drop: Fixed(drop, "open", "imunisasi_1.csv", begun_anew))
    site.drop("imunisasi_1.csv", rows(100))
    await site.look()
    assert site.told() == []
    site.drop("imunisasi_1.csv", WHOLE)
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]


async def test_a_file_put_aside_by_one_that_was_killed_is_taken_when_it_stands_still(open_site: OpenSite) -> None:
    name = ".taking/imunisasi_1.csv"
    site = await open_site(drop=lambda drop: Meddled(drop, "open", name, begun_anew))
    (site.folder / ".taking").mkdir()
    site.drop(name, rows(100))
    await site.look()
    assert site.told() == []
    site.drop(name, WHOLE)
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert len(await site.rows()) == 100


def killed_between_a_file_and_its_marker(site: Site) -> None:
    site.drop("imunisasi_1.csv", rows(10))
    site.drop("imunisasi_1.csv.ok", b"")
    (site.folder / ".taking").mkdir()
    (site.folder / "imunisasi_1.csv").rename(site.folder / ".taking/imunisasi_1.csv")


async def test_the_marker_of_a_file_whose_taker_was_killed_vouches_for_no_other(open_site: OpenSite) -> None:
    site = await open_site(ready="marker", stable_for="10s")
    killed_between_a_file_and_its_marker(site)
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == [f"{DAY}/imunisasi_1.csv", f"{DAY}/imunisasi_1.csv.ok"]
    site.drop("imunisasi_1.csv", HALF, at=86400)
    await site.look(11.0, times=3)
    assert len(site.told()) == 1
    site.drop("imunisasi_1.csv", WHOLE, at=86500)
    site.drop("imunisasi_1.csv.ok", b"", at=86500)
    await site.look()
    assert site.told()[1:] == [("imunisasi_1.csv", "accepted")]
    assert len(await site.rows()) == 100


@pytest.mark.parametrize("marked", [False, True])
async def test_what_has_come_meanwhile_has_a_marker_of_its_own_or_none(open_site: OpenSite, *, marked: bool) -> None:
    site = await open_site(ready="marker", stable_for="10s")
    killed_between_a_file_and_its_marker(site)
    site.drop("imunisasi_1.csv", WHOLE if marked else HALF, at=86400)
    if marked:
        site.drop("imunisasi_1.csv.ok", b"", at=86400)
    await site.look(11.0, times=3)
    assert site.told() == [("imunisasi_1.csv", "accepted")] * (1 + marked)
    assert ("imunisasi_1.csv" in site.files()) is not marked


async def test_a_marker_that_is_older_than_its_file_is_told_once(open_site: OpenSite) -> None:
    site = await open_site(ready="marker", stable_for="10s")
    site.drop("imunisasi_1.csv", HALF)
    site.drop("imunisasi_1.csv.ok", b"", at=-60)
    await site.look(6.0, times=5)
    assert site.told() == []
    ((event, facts),) = site.lines
    assert (event, facts["file"]) == ("file-waits", "imunisasi_1.csv")
    os.utime(site.folder / "imunisasi_1.csv.ok")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]


async def test_a_file_whose_marker_has_an_older_time_is_taken_once_both_have_been_as_they_are_for_long(
    open_site: OpenSite,
) -> None:
    site = await open_site(ready="marker", stable_for="10s")
    site.drop("imunisasi_1.csv", WHOLE)
    site.drop("imunisasi_1.csv.ok", b"", at=-60)
    await site.look(33.0, times=4)
    assert site.told() == []
    await site.look(2.0)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
