"""What was said of a file that is read again: receipts and rejects of before are kept, with what a clerk wrote in."""

import json
from typing import BinaryIO

import pytest

from adapters.csv.drop import Entry
from adapters.csv.folder import Folder
from gateway import Unavailable
from gateway.feeds import Keeping
from tests.drops import GOOD, OpenSite, Site

BAD = GOOD + "x;BCG\n"


def edit(site: Site, name: str) -> None:
    """Mend a row where it was handed back, and drop nothing."""
    path = site.folder / "rejected" / name
    path.write_text(path.read_text("utf-8-sig").replace('"x"', '"7"'), "utf-8")


def told(site: Site, place: str) -> int:
    return int(json.loads((site.folder / f"{place}.receipt.json").read_text("utf-8"))["receipt"])


async def test_what_was_said_before_a_retry_is_kept_with_what_a_clerk_wrote_into_it(open_site: OpenSite) -> None:
    site = await open_site(max_reject=0.0)
    site.drop("imunisasi_1.csv", BAD)
    await site.look()
    edit(site, "imunisasi_1.csv.rejected.csv")
    for number in (1, 2):
        await site.ledger.want_again(number, by="budi")
        await site.look()
    assert [state for _, state in site.told()] == ["max-reject"] * 3
    reference = site.news[0].receipt.reference
    first, second = (f"rejected/imunisasi_1.{reference}-{number}.csv" for number in (1, 2))
    assert site.files() == [
        "rejected/imunisasi_1.csv",
        "rejected/imunisasi_1.csv.rejected.csv",
        f"{first}.rejected.csv",
        f"{second}.rejected.csv",
    ]
    assert '"7"' in (site.folder / f"{first}.rejected.csv").read_text("utf-8")
    assert '"x"' in (site.folder / f"{second}.rejected.csv").read_text("utf-8-sig")
    assert [told(site, place) for place in (first, second, "rejected/imunisasi_1.csv")] == [1, 2, 3]
    assert (site.folder / f"{first}.receipt.txt").exists()
    site.drop(f"{first}.rejected.csv".removeprefix("rejected/"), (site.folder / f"{first}.rejected.csv").read_bytes())
    await site.look()
    assert site.told()[-1][1] == "superseded", "it is known as one of this feed, and the file was refused"


async def test_a_changed_mapping_keeps_what_was_said_by_the_one_before(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", BAD)
    await site.look()
    edit(site, "imunisasi_1.csv.rejected.csv")
    other = await site.again(keeping=Keeping(key=("nik_anak", "jenis"), indexes=site.keeping.indexes, mapping="m2"))
    await other.look(61)
    assert [state for _, state in other.told()] == ["accepted"]
    first = f"imunisasi_1.{site.news[0].receipt.reference}-1.csv"
    assert '"7"' in (site.folder / f"rejected/{first}.rejected.csv").read_text("utf-8")
    assert (told(site, f"archive/2026-03-02/{first}"), told(site, "archive/2026-03-02/imunisasi_1.csv")) == (1, 2)
    await other.close()


class Breaking(Folder):
    """A disk that breaks off at the n-th move or write below `rejected`."""

    left = 10**9

    async def move(self, name: str, to: str, /, seen: Entry | None = None) -> Entry | None:
        self._count(to)
        return await super().move(name, to, seen)

    async def put(self, name: str, content: bytes | BinaryIO, /) -> None:
        self._count(name)
        await super().put(name, content)

    def _count(self, place: str) -> None:
        if place.startswith("rejected/"):
            Breaking.left -= 1
            if Breaking.left == 0:
                raise Unavailable("away", maybe_done=False)


@pytest.mark.parametrize("after", range(1, 6))
async def test_what_breaks_off_is_gone_on_with_and_nothing_is_written_over(open_site: OpenSite, after: int) -> None:
    Breaking.left = 10**9
    site = await open_site(max_reject=0.0, drop=lambda folder: Breaking(folder.path))  # type: ignore[attr-defined]
    site.drop("imunisasi_1.csv", BAD)
    await site.look()
    edit(site, "imunisasi_1.csv.rejected.csv")
    await site.ledger.want_again(1, by="budi")
    Breaking.left = after
    await site.look(61, times=3)
    assert Breaking.left < 1, "it broke off"
    papers = {int(json.loads(path.read_text("utf-8"))["receipt"]) for path in site.folder.rglob("*.receipt.json")}
    assert papers == set(range(1, site.news[-1].receipt.number + 1))
    handed = [path.read_text("utf-8-sig") for path in site.folder.rglob("*.rejected.csv")]
    assert (len(handed), sum('"7"' in text for text in handed)) == (len(papers), 1)
    assert len([*site.folder.rglob("*.receipt.txt")]) == len(papers)
    assert told(site, "rejected/imunisasi_1.csv") == max(papers)
