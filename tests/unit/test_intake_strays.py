"""Files in a drop whose name fits no feed: said once each, and never more than somebody reads."""

from adapters.csv.stray import AFTER, MOST
from tests.drops import OpenSite, Site


def strays(site: Site) -> list[object]:
    return [facts["file"] for event, facts in site.lines if event == "file-of-no-feed"]


async def test_a_file_of_no_feed_is_told_once_when_it_has_lain_there_for_a_while(open_site: OpenSite) -> None:
    site = await open_site()
    for name in ("imunisasi_2.csv.part", ".x.csv", "~$x.xlsx", "Thumbs.db", "imunisasi_1.csv.ok", "jadwal_7.csv"):
        site.drop(name)
    site.drop("imunisai_1.csv")
    await site.look(AFTER - 1, times=1)
    assert strays(site) == [], "it may get its name yet"
    await site.look(AFTER, times=5)
    assert strays(site) == ["imunisai_1.csv"]
    level, what = site.lines[-1][1]["level"], str(site.lines[-1][1]["what"])
    assert (level, "fits no feed" in what, "mend `files`" in what) == ("warning", True, True)


async def test_more_names_than_anybody_reads_are_not_told(open_site: OpenSite) -> None:
    site = await open_site()
    for number in range(MOST + 5):
        site.drop(f"salah_{number:03}.csv", "")
    await site.look(AFTER, times=3)
    assert len(strays(site)) == MOST
    assert "no further names" in str(site.lines[-1][1]["what"])
