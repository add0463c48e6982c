"""Drops on disks of their own: one that is full, one that goes away under a file and comes back."""

import os
import subprocess
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import LedgerUnavailable
from tests.drops import FEED, GOOD, OpenSite, rows

SMALL = "2m"


def run(*words: str | Path) -> None:
    subprocess.run([*map(str, words)], check=True, capture_output=True, timeout=30)


@pytest.fixture
def mount(program: Callable[[str], str]) -> Iterator[Callable[..., None]]:
    """Return what mounts something at a folder, until the test is over."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    mounted: list[Path] = []

    def at(folder: Path, *how: str | Path) -> None:
        folder.mkdir(exist_ok=True)
        try:
            run(program("mount"), *how, folder)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"nothing can be mounted here: {error.stderr.decode().strip()}")
        mounted.append(folder)

    yield at
    for folder in reversed(mounted):
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True, timeout=30)


def filled(folder: Path) -> Path:
    """Fill a disk to the last byte; returns what fills it."""
    ballast = folder / "ballast.bin"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 16, 1):
            while True:
                try:
                    file.write(b"\0" * size)
                except OSError:
                    break
    return ballast


async def wait_all(asked: Iterable[Awaitable[object]]) -> None:
    for one in asked:
        await one


async def test_a_full_drop_lets_files_wait_and_they_are_put_away_when_there_is_room(
    tmp_path: Path, mount: Callable[..., None], open_site: OpenSite
) -> None:
    mount(tmp_path / "drop", "-t", "tmpfs", "-o", f"size={SMALL}", "none")
    site = await open_site()
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    ballast = filled(site.folder)
    await site.look(times=3)
    assert [event for event, _ in site.lines] == ["file-waits"]
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == [".taking/imunisasi_1.csv", "ballast.bin"]
    assert not [*site.folder.rglob("*.tmp")], "what could not be written whole is not left in part"
    ballast.unlink()
    await site.look(61.0)
    assert site.files() == ["archive/2026-03-02/imunisasi_1.csv", "rejected/imunisasi_1.csv.rejected.csv"]
    assert site.paper("archive/2026-03-02/imunisasi_1.csv")["accepted"] == 3
    assert (len(site.told()), len(await site.rows())) == (1, 3)


async def test_a_full_disk_under_the_ledger_lets_a_file_wait_and_it_is_gone_on_with(
    tmp_path: Path, mount: Callable[..., None], open_site: OpenSite
) -> None:
    mount(tmp_path / "ledger-feeds", "-t", "tmpfs", "-o", f"size={SMALL}", "none")
    site = await open_site()
    site.drop("imunisasi_1.csv", rows(30_000))
    await site.look(times=3)
    assert site.told() == []
    assert site.files() == [".taking/imunisasi_1.csv"]
    (receipt,) = await site.ledger.receipts(FEED)
    run("mount", "-o", "remount,size=64m", tmp_path / "ledger-feeds")
    await site.look(times=2)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    done = await site.receipt(receipt.number)
    assert (done.tally.position, done.tally.accepted, done.tally.kept) == (30_000, 30_000, 30_000)
    assert len(await site.rows()) == 30_000
    assert await site.ledger.receipts(FEED) == (done,)


async def test_a_full_disk_under_the_ledger_itself_lets_files_wait(
    tmp_path: Path, mount: Callable[..., None], open_site: OpenSite
) -> None:
    mount(tmp_path, "-t", "tmpfs", "-o", "size=4m", "none")
    site = await open_site()
    site.drop("imunisasi_1.csv")
    ballast = filled(tmp_path)
    names = (f"{'x' * 4000}{number}" for number in range(1000))
    with pytest.raises(LedgerUnavailable):
        await wait_all(site.ledger.hold(name, by="a", seconds=60.0) for name in names)
    await site.look(times=3)
    assert site.told() == []
    ballast.unlink()
    await site.look(61.0, times=2)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == ["archive/2026-03-02/imunisasi_1.csv"]
    assert len(await site.rows()) == 3


class Leaving:
    """A drop whose disk is unmounted before something is done there."""

    def __init__(self, drop: Any, name: str, folder: Path) -> None:
        self._drop, self._name, self._folder = drop, name, folder
        self.left = False

    def __getattr__(self, name: str) -> Any:
        if name == self._name and not self.left:
            run("umount", "-l", self._folder)
            self.left = True
        return getattr(self._drop, name)


@pytest.mark.parametrize("before", ["move", "open", "put"])
async def test_a_drop_that_goes_away_under_a_file_and_comes_back_loses_and_doubles_nothing(
    tmp_path: Path, mount: Callable[..., None], open_site: OpenSite, before: str
) -> None:
    share = tmp_path / "share"
    share.mkdir()
    mount(tmp_path / "drop", "--bind", share)
    site = await open_site(drop=lambda drop: Leaving(drop, before, tmp_path / "drop"))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look(61.0, times=3)
    assert not [*(tmp_path / "drop").rglob("*.csv")]
    assert len([*share.rglob("imunisasi_1.csv")]) == 1
    mount(tmp_path / "drop", "--bind", share)
    await site.look(61.0, times=3)
    assert len(await site.rows()) == 3
    assert [state for _, state in site.told()].count("accepted") == 1
    (file,) = [name for name in site.files() if name.endswith("imunisasi_1.csv")]
    assert file.startswith(("archive/", "rejected/"))
