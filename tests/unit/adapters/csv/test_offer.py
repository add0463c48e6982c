"""Whose a file is where several feeds share a drop, in the drop itself and where files are put away."""

import pytest

from adapters.csv.offer import FeedNames
from adapters.csv.settings import Feed

FEEDS = {
    "januari": Feed(files="imunisasi_01*.csv"),
    "imunisasi": Feed(files="imunisasi_*.csv"),
    "stok": Feed(files="stok.csv"),
}
PUT_AWAY = {
    "imunisasi_0101.csv": "januari",
    "imunisasi_0201.csv": "imunisasi",
    "IMUNISASI_0201.CSV": "imunisasi",
    "imunisasi_0201.csv.ok": "imunisasi",
    "imunisasi_0201.csv.receipt.json": "imunisasi",
    "imunisasi_0101.csv.receipt.txt": "januari",
    "imunisasi_0101.csv.rejected.csv": "januari",
    "imunisasi_0101.csv.rejected.xlsx": "januari",
    "imunisasi_0101.csv.r-0123456789ab.rejected.csv": "januari",
    "stok.csv": "stok",
    "stok.r-0123456789ab-3.csv": "stok",
    "stok.r-0123456789ab-3.2.csv": "stok",
    "stok.r-0123456789ab-3.csv.receipt.json": "stok",
    "stok.r-0123456789ab-3.csv.rejected.csv": "stok",
    "stok.lain.csv": None,
    "stok.csv.filepart": None,
    ".stok.csv.tmp": None,
    ".stok.csv.receipt.json.tmp": None,
    "receipt.json": None,
    ".rejected.csv": None,
    "": None,
}


@pytest.mark.parametrize("name", PUT_AWAY)
@pytest.mark.parametrize("folder", ["archive/2026-11-24", "rejected"])
def test_a_file_that_was_put_away_is_one_feeds_at_most(name: str, folder: str) -> None:
    owners = [feed for feed in FEEDS if FeedNames(feed, FEEDS).is_own(folder, name)]
    assert owners == ([PUT_AWAY[name]] if PUT_AWAY[name] else [])


@pytest.mark.parametrize("ending", ["", ".filepart", ".part", ".tmp", ".ok", ".done", ".FILEPART"])
def test_a_file_may_come_to_the_first_feed_that_it_fits(ending: str) -> None:
    comes = [feed for feed in FEEDS if FeedNames(feed, FEEDS).may_come(f"imunisasi_0102.csv{ending}")]
    assert comes == ["januari"]


@pytest.mark.parametrize(
    "name", ["lain.csv", ".imunisasi_02.csv.tmp", "~$imunisasi_02.csv", "imunisasi_02.csv.swp", ""]
)
def test_what_no_feed_takes_in_may_not_come(name: str) -> None:
    assert not any(FeedNames(feed, FEEDS).may_come(name) for feed in FEEDS)
