"""What files are called: whatever a disk takes as a name is put aside and away under one that is fit for it."""

import errno
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from adapters.csv.fitting import LONGEST, fitting, readable
from adapters.csv.folder import Folder
from gateway import Unavailable
from tests.drops import GOOD, OpenSite, rows

LONG = "imunisasi_" + "x" * 240 + ".csv"


def drop_raw(folder: Path, name: bytes, content: str) -> None:
    with open(os.fsencode(folder) + b"/" + name, "wb") as file:  # noqa: PTH123 - no Path holds such a name
        file.write(content.encode())


async def test_names_that_are_no_text_or_of_two_lines_are_put_away_escaped(open_site: OpenSite) -> None:
    site = await open_site(ready="marker")
    for name, content in ((b"imunisasi_\xe9.csv", GOOD), (b"imunisasi_a\nb.csv", GOOD.replace("BCG", "DPT"))):
        drop_raw(site.folder, name, content)
        drop_raw(site.folder, name + b".ok", "")
    await site.look(60)
    assert sorted(site.told()) == [("imunisasi_%E9.csv", "accepted"), ("imunisasi_a%0Ab.csv", "accepted")]
    day = "archive/2026-03-02/"
    names = ("imunisasi_%E9.csv", "imunisasi_%E9.csv.ok", "imunisasi_a%0Ab.csv", "imunisasi_a%0Ab.csv.ok")
    assert site.files() == [day + name for name in names]
    assert (site.folder / day / "imunisasi_%E9.csv.receipt.json").exists()


async def test_a_name_as_long_as_a_disk_takes_leaves_room_for_receipt_and_rejects(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop(LONG, GOOD + "x;BCG\n")
    await site.look(60)
    ((name, state),) = site.told()
    assert (state, len(name.encode()) <= LONGEST, name[:11], name[-5:]) == ("accepted", True, "imunisasi_x", "x.csv")
    handed = f"rejected/{name}.rejected.csv"
    assert site.files() == [f"archive/2026-03-02/{name}", handed]
    text = (site.folder / handed).read_text("utf-8-sig")
    for _ in range(4):
        site.drop(site.files()[-1].rpartition("/")[2], text)
        await site.look(60)
        text = (site.folder / max(site.files(), key=lambda one: one.count("rejected"))).read_text("utf-8-sig")
    assert {state for _, state in site.told()} <= {"accepted", "duplicate"}
    assert not any(line for line in site.lines if line[0] == "file-waits")


async def test_what_lies_aside_under_such_a_name_already_is_taken_from_there(open_site: OpenSite) -> None:
    site = await open_site()
    (site.folder / ".taking").mkdir()
    drop_raw(site.folder / ".taking", b"imunisasi_\xe9.csv", GOOD)
    await site.look(60)
    assert site.files() == ["archive/2026-03-02/imunisasi_%E9.csv"]


class Narrow(Folder):
    """A disk that takes short names only, as some encrypted ones do."""

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        if ".receipt." in name:
            error = OSError(errno.ENAMETOOLONG, "File name too long")
            raise Unavailable(f"could not write {name}", maybe_done=False) from error
        await super().put(name, content)


async def test_a_file_whose_papers_have_no_name_that_is_short_enough_is_taken_once(open_site: OpenSite) -> None:
    site = await open_site(drop=lambda folder: Narrow(folder.path))  # type: ignore[attr-defined]
    site.drop("imunisasi_1.csv", rows(3))
    await site.look(61, times=3)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert [event for event, _ in site.lines] == ["file-stays"]


@pytest.mark.parametrize("name", ["imunisasi_1.csv", "imunisasi_é 2.csv", "x" * LONGEST])
def test_a_name_that_is_fit_stays_as_it_is(name: str) -> None:
    assert fitting(name, lambda _: False) == readable(name) == name


def test_a_name_is_shortened_so_that_it_is_still_one_of_its_feed() -> None:
    for ending in ("_" + "akhir" * 20 + ".csv", ".csv.rejected.csv", "é" * 50 + ".csv"):
        short = fitting("a" * 300 + ending, lambda one, ending=ending: one.endswith(ending))  # type: ignore[misc]
        assert short is not None
        assert len(short.encode()) <= LONGEST
    assert fitting("a" * 300, lambda _: False) is None
    assert fitting("a" * 299 + "b", lambda _: True) != fitting("a" * 298 + "cb", lambda _: True)
