import subprocess
import sys
from pathlib import Path

import pytest

from adapters.csv.drop import Entry
from adapters.csv.folder import Folder
from adapters.csv.settings import Feed
from adapters.csv.watch import Watch
from gateway import Unavailable

ROOT = Path(__file__).parents[4]
CRASH_BEFORE_RENAME = """
import asyncio, os, sys
from pathlib import Path
from adapters.csv.folder import Folder
sys.addaudithook(lambda event, _: os._exit(9) if event == "os.rename" else None)
asyncio.run(Folder(Path(sys.argv[1])).put("jadwal.csv", b"whole"))
"""


async def names(drop: Folder) -> list[str]:
    return sorted(entry.name for entry in await drop.list())


async def test_a_put_file_is_there_whole_and_nothing_else_is(tmp_path: Path) -> None:
    drop = Folder(tmp_path)
    await drop.put("jadwal.csv", b"first")
    await drop.put("jadwal.csv", b"second")
    assert await names(drop) == ["jadwal.csv"]
    assert (tmp_path / "jadwal.csv").read_bytes() == b"second"


async def test_a_crash_between_writing_and_renaming_leaves_nothing_visible(tmp_path: Path) -> None:
    crashed = subprocess.run([sys.executable, "-c", CRASH_BEFORE_RENAME, tmp_path], cwd=ROOT, check=False)  # noqa: ASYNC221
    assert crashed.returncode == 9
    drop = Folder(tmp_path)
    assert await names(drop) == [".jadwal.csv.tmp"]
    assert not Watch(Feed(files="*", ready="rename")).candidates(await drop.list(), 0)
    await drop.put("jadwal.csv", b"whole")
    assert await names(drop) == ["jadwal.csv"]


async def test_a_refused_rename_is_not_maybe_done_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "jadwal.csv").mkdir()
    drop = Folder(tmp_path)
    with pytest.raises(Unavailable) as raised:
        await drop.put("jadwal.csv", b"x")
    assert not raised.value.maybe_done
    assert await names(drop) == []


async def test_a_missing_folder_is_unavailable_and_its_path_stays_inside(tmp_path: Path) -> None:
    drop = Folder(tmp_path / "gone")
    for doing in (drop.list(), drop.tail("a"), drop.open("a"), drop.put("a", b"")):
        with pytest.raises(Unavailable) as raised:
            await doing
        assert not raised.value.maybe_done
        assert str(tmp_path) not in str(raised.value)


@pytest.mark.parametrize(("content", "tail"), [(b"", b""), (b"a", b"a"), (b"abc\n", b"c\n")])
async def test_the_tail_is_the_last_two_bytes(tmp_path: Path, content: bytes, tail: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert await Folder(tmp_path).tail("a") == tail


def entry(name: str, mtime: float = 100.0, size: int = 10) -> Entry:
    return Entry(name=name, size=size, mtime=mtime)


def quiet(watch: Watch, entries: list[Entry], now: float) -> list[str]:
    return [each.name for each in watch.candidates(entries, now) if watch.is_quiet(each, entries, now)]


def test_only_the_feeds_files_are_candidates_and_none_in_the_making() -> None:
    found = [
        entry(name)
        for name in (
            "IMUNISASI_2.CSV", "imunisasi_1.csv", "stok.csv", ".imunisasi_3.csv", "~$imunisasi_4.csv",
            "imunisasi_5.csv.tmp", "imunisasi_6.csv.part", "imunisasi_7.csv.FILEPART", "imunisasi_1.csv.ok",
        )
    ]  # fmt: skip
    for files, expected in (
        ("imunisasi_*.csv", {"IMUNISASI_2.CSV", "imunisasi_1.csv"}),
        ("*_1.*", {"imunisasi_1.csv"}),
    ):
        watch = Watch(Feed(files=files))
        assert {each.name for each in watch.candidates(found, 0)} == expected


def test_a_stable_file_looks_the_same_in_two_scans_far_enough_apart() -> None:
    watch = Watch(Feed(files="*", stable_for=10.0))
    assert quiet(watch, [entry("a")], 0) == []
    assert quiet(watch, [entry("a")], 9) == []
    assert quiet(watch, [entry("a", size=11)], 10) == []
    assert quiet(watch, [entry("a", size=11)], 19) == []
    assert quiet(watch, [entry("a", size=11)], 20) == ["a"]


@pytest.mark.parametrize("ending", [".ok", ".done"])
def test_a_marker_completes_a_file_at_once_but_not_a_younger_one(ending: str) -> None:
    watch = Watch(Feed(files="*.csv", ready="marker", stable_for=10.0))
    assert quiet(watch, [entry("a.csv")], 0) == []
    assert quiet(watch, [entry("a.csv"), entry(f"a.csv{ending}", mtime=101)], 5) == ["a.csv"]
    rewritten = [entry("a.csv", mtime=200), entry(f"a.csv{ending}", mtime=101)]
    assert quiet(watch, rewritten, 10) == []
    assert quiet(watch, rewritten, 20) == []
    again = [entry("a.csv", mtime=200), entry(f"a.csv{ending}", mtime=102)]
    assert quiet(watch, again, 30) == ["a.csv"], "it came when the file was there, by whatever clock"


def test_a_renamed_file_is_complete_when_it_appears() -> None:
    assert quiet(Watch(Feed(files="*", ready="rename")), [entry("c"), entry("b"), entry("a.tmp")], 0) == ["b", "c"]


@pytest.mark.parametrize(
    ("content", "closed"),
    [(b"a\n1\n", True), (b"a\r\n1\r\n", True), (b"a\n1", False), (b"", False), ("a\n".encode("utf-16"), True)],
)
async def test_a_stable_file_without_its_last_line_break_is_not_closed(
    tmp_path: Path, content: bytes, closed: bool
) -> None:
    (tmp_path / "a").write_bytes(content)
    assert await Watch(Feed(files="*")).is_closed(entry("a"), Folder(tmp_path)) is closed


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("imunisasi_1.xlsx", True),
        ("imunisasi_1.xlsx.rejected.csv", True),
        ("Imunisasi_1.XLSX.rejected.xlsx.rejected.csv", True),
        ("imunisasi_1.xlsx.r-0123456789ab.rejected.csv", True),
        ("imunisasi_1.csv", False),
        ("stok_1.xlsx.rejected.csv", False),
        ("imunisasi_1.xlsx.rejected.csv.tmp", False),
    ],
)
def test_rows_that_were_handed_back_come_again_under_the_name_they_were_given(name: str, ours: bool) -> None:
    assert Watch(Feed(files="imunisasi_*.xlsx")).is_ours(name) is ours


@pytest.mark.parametrize(
    ("name", "closed"), [("a.csv", False), ("a.csv.gz", True), ("a.ZIP", True), ("a.xlsx", True), ("a.xls", True)]
)
async def test_only_a_text_file_s_end_tells_that_it_is_whole(tmp_path: Path, name: str, closed: bool) -> None:
    (tmp_path / name).write_bytes(b"no end of line")
    entry = Entry(name=name, size=14, mtime=1.0)
    assert await Watch(Feed(files="a.*")).is_closed(entry, Folder(tmp_path)) is closed
