"""Files that are wanted again, or come again as they were, beside what came since."""

from dataclasses import replace

from gateway.arrivals import THOUGH_OLDER
from tests.drops import FEED, OpenSite, rows
from tests.unit.test_forward import FORWARD, forwarding, sent

DAY = 86_400.0


async def test_a_refused_file_that_is_tried_again_replaces_no_newer_rows_unless_that_is_meant(
    open_site: OpenSite,
) -> None:
    site = await open_site(max_reject=0.0)
    site.drop("imunisasi_1.csv", rows(8) + "x;BCG\n")
    await site.look()
    site.drop("imunisasi_2.csv", rows(8, 100), at=DAY)
    await site.look()
    site.plan = replace(site.plan, max_reject=1.0)
    site.intake.feeds = {"imunisasi": site.plan}
    before = await site.rows()
    assert await site.ledger.want_again(1, by="budi")
    await site.look(61, times=2)
    assert await site.rows() == before
    ((event, facts),) = site.lines
    assert (event, facts["file"]) == ("file-older", "imunisasi_1.csv")
    assert "imunisasi_2.csv, receipt 2, is newer and stays" in str(facts["what"])
    assert await site.ledger.wanted_again(FEED) == ()
    assert await site.ledger.want_again(1, by=f"budi{THOUGH_OLDER}", shrink=True)
    await site.look(61)
    assert (await site.rows())[0] == ("1", "BCG")
    assert (await site.receipt(3)).confirmed == "budi (--yes)"


async def test_a_forwarded_file_that_comes_again_as_it_was_is_a_copy_and_any_other_sends_what_changed_back(
    open_site: OpenSite,
) -> None:
    site = forwarding(await open_site(keeping=replace(FORWARD, key=("nik_anak",))))
    first, second = "nik_anak;jenis\n1;BCG\n2;BCG\n", "nik_anak;jenis\n1;BCG\n2;Polio\n"
    for day, content in enumerate((first, second, first, first + "\n")):
        site.drop(f"imunisasi_{day}.csv", content, at=day * DAY)
        await site.look()
    assert [told for _, told in site.told()] == ["accepted", "accepted", "duplicate", "accepted"]
    assert await sent(site) == [("1", "BCG"), ("2", "BCG"), ("2", "Polio"), ("2", "BCG")]
