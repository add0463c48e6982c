"""Files that people move, rename or write on while they are taken in: no row is lost, none is there twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.csv.drop import Drop
from tests.drops import GOOD, OpenSite, Site, rows


class Meddled:
    """A drop in which somebody does something once a file was opened to be read."""

    def __init__(self, drop: Drop, meddle: Callable[[Path], object], times: int) -> None:
        self._drop, self._meddle, self._left = drop, meddle, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._drop, name)

    async def open(self, name: str) -> Any:
        file = await self._drop.open(name)
        self._left -= 1
        if self._left == 0:
            self._meddle(self._drop.path / name)  # type: ignore[attr-defined]
        return file


async def meddled(
    open_site: OpenSite, meddle: Callable[[Path], object], *, times: int, content: str = GOOD, **settings: Any
) -> Site:
    """Take in a file that somebody meddles with as it is hashed (1) or read (2), and all that comes of it."""
    site = await open_site(drop=lambda drop: Meddled(drop, meddle, times), **settings)
    site.drop("imunisasi_1.csv", content)
    await site.look(61.0, times=6)
    return site


def renamed(path: Path) -> None:
    path.rename(path.parent.parent / "imunisasi_2.csv")


def taken_back(path: Path) -> None:
    path.rename(path.parent.parent / path.name)


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("meddle", [renamed, taken_back])
async def test_a_file_that_is_renamed_while_it_is_taken_in_is_there_once(
    open_site: OpenSite, meddle: Callable[[Path], object], times: int
) -> None:
    site = await meddled(open_site, meddle, times=times)
    name = "imunisasi_2.csv" if meddle is renamed else "imunisasi_1.csv"
    assert len(await site.rows()) == 3
    assert [state for _, state in site.told()].count("accepted") == 1
    other = await site.again()  # one that was put back where it was dropped stays there as long as its reader lives
    await other.look(times=2)
    (left,) = other.files()
    assert left.rpartition("/")[2].startswith(name.removesuffix(".csv"))
    assert left.startswith(("archive/", "rejected/"))
    assert len(await other.rows()) == 3
    await other.close()


@pytest.mark.parametrize("times", [1, 2])
async def test_a_file_that_is_taken_away_while_it_is_taken_in_is_there_once_when_it_is_put_back(
    open_site: OpenSite, tmp_path: Path, times: int
) -> None:
    aside = tmp_path / "aside.csv"
    site = await meddled(open_site, lambda path: path.rename(aside), times=times)
    aside.rename(site.folder / "imunisasi_1.csv")
    await site.look(61.0, times=3)
    assert len(await site.rows()) == 3
    assert [state for _, state in site.told()].count("accepted") == 1
    assert len(site.files()) == 1


@pytest.mark.parametrize("times", [1, 2])
async def test_a_file_that_grows_while_it_is_taken_in_is_never_taken_in_part(open_site: OpenSite, times: int) -> None:
    def grow(path: Path) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{number};DPT\n" for number in range(20_000, 40_000)))

    site = await meddled(open_site, grow, times=times, content=rows(6_000))
    told = [state for _, state in site.told()]
    if "accepted" in told:
        assert len(await site.rows()) == 26_000
    else:
        assert told == ["unfinished"]
        assert site.files() == ["rejected/imunisasi_1.csv"]
        assert len((site.folder / "rejected/imunisasi_1.csv").read_text("utf-8").splitlines()) == 26_001
