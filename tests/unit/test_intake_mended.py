"""Rows of a snapshot that come back mended are added to those of their file, and no row is lost by that."""

from gateway.errors import LedgerUnavailable
from gateway.feeds import Keeping
from tests.drops import FEED, GOOD, OpenSite, Site, rows

ONE_FIELD = Keeping(key=("nik_anak",), indexes=(("nik_anak",),), mapping="m1")
BAD = GOOD + "x;BCG\n"


def handed_back(site: Site, name: str, **changes: str) -> str:
    """Return the file of rejects of a file of the drop, mended by hand."""
    text = (site.folder / f"rejected/{name}.rejected.csv").read_text("utf-8-sig")
    for old, new in changes.items():
        assert f'"{old}"' in text
        text = text.replace(f'"{old}"', f'"{new}"')
    return text


async def mend(site: Site, name: str = "imunisasi_1.csv", **changes: str) -> None:
    site.drop(f"{name}.rejected.csv", handed_back(site, name, **changes))
    await site.look()


async def test_rule_11_21_a_file_copied_again_once_its_rejects_were_mended_is_a_duplicate(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", BAD)
    await site.look()
    await mend(site, x="7")
    before = await site.rows()
    site.drop("imunisasi_1.csv", BAD)
    await site.look()
    assert [told for _, told in site.told()] == ["accepted", "accepted", "duplicate"]
    assert await site.rows() == before
    assert ("7", "BCG") in before
    assert site.news[-1].receipt.original == 1


async def test_a_mended_row_whose_key_another_row_has_is_handed_back_again(open_site: OpenSite) -> None:
    site = await open_site(keeping=ONE_FIELD)
    site.drop("imunisasi_1.csv", rows(3) + "x;POLIO\n")
    await site.look()
    await mend(site, x="2")
    assert await site.rows() == [("1", "BCG"), ("2", "BCG"), ("3", "BCG")]
    assert site.news[-1].receipt.tally.rules == {"key-taken": 1}
    (again,) = site.handed_back("imunisasi_1.csv.rejected.csv.rejected.csv")[1:]
    assert again[1] == "kuncinya sudah ada dengan isi lain; berkas ini hanya boleh menambah"
    assert again[3:] == ["2", "POLIO"]
    await mend(site, "imunisasi_1.csv.rejected.csv", **{"2": "4"})
    assert (await site.rows())[3:] == [("4", "POLIO")]


async def test_the_same_record_may_be_mended_again_and_again_and_no_other_takes_its_place(open_site: OpenSite) -> None:
    site = await open_site(keeping=ONE_FIELD, max_reject=1.0)
    site.drop("imunisasi_1.csv", rows(2) + "x;POLIO\ny;DPT\n")
    await site.look()
    await mend(site, x="7")
    await mend(site, x="7", POLIO="HB")
    assert (await site.rows())[2:] == [("7", "HB")]
    await mend(site, "imunisasi_1.csv", y="7", x="z")
    assert (await site.rows())[2:] == [("7", "HB")]
    # A chain of mends is one record: the first line that it had.
    site.drop("imunisasi_2.csv", handed_back(site, "imunisasi_1.csv", x="w"))
    await site.look()
    site.drop("imunisasi_3.csv", handed_back(site, "imunisasi_2.csv", w="7", POLIO="TT"))
    await site.look()
    assert (await site.rows())[2:] == [("7", "TT")]


async def test_a_row_of_one_key_that_lost_to_a_later_one_is_mended_by_its_key(open_site: OpenSite) -> None:
    site = await open_site(keeping=ONE_FIELD)
    site.drop("imunisasi_1.csv", rows(3) + "2;POLIO\n")
    await site.look()
    assert ("2", "POLIO") in await site.rows()
    await mend(site)
    assert site.news[-1].receipt.tally.rules == {"key-taken": 1}
    await mend(site, **{"2": "8"})
    assert sorted(await site.rows()) == [("1", "BCG"), ("2", "POLIO"), ("3", "BCG"), ("8", "BCG")]


async def test_mends_that_were_begun_go_into_no_other_snapshot_once_a_person_went_back(open_site: OpenSite) -> None:
    site = await open_site(max_reject=1.0)
    site.drop("imunisasi_1.csv", rows(5, 500))
    await site.look()
    site.drop("imunisasi_2.csv", rows(5) + "x;BCG\n")
    await site.look()
    real = site.ledger.add_rows

    async def away(*_: object) -> object:
        raise LedgerUnavailable("away")

    site.ledger.add_rows = away  # type: ignore[assignment, method-assign]
    await mend(site, "imunisasi_2.csv", x="7")
    site.ledger.add_rows = real  # type: ignore[method-assign]
    await site.ledger.roll_back(FEED, by="budi")
    await site.look(61)
    assert site.told()[-1] == ("imunisasi_2.csv.rejected.csv", "superseded")
    assert [nik for nik, _ in await site.rows()] == [str(number) for number in range(500, 505)]
