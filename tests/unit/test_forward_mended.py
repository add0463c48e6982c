"""Rows of a forward feed that come back mended, once or again and again: each is sent once over all its files."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from openpyxl import load_workbook

from adapters.csv.rejected_sheet import Sheet
from gateway.wording import say
from tests.drops import GOOD, OpenSite, Site, read
from tests.unit.test_forward import FORWARD, counts, forwarding, sent


async def test_mended_rows_are_sent_once_however_often_they_come_back(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\ny;BCG\n")
    await site.look()
    back = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_text("utf-8-sig")
    once = back.replace('"x"', '"7"')
    for number, content in enumerate((once, once, once + "\n", once.replace('"y"', '"8"')), 2):
        site.drop(f"imunisasi_{number}.csv", content)
        await site.look()
    assert [told for _, told in site.told()[1:]] == ["accepted", "duplicate", "accepted", "accepted"]
    assert [news.receipt.tally.accepted for news in site.news] == [3, 1, 0, 0, 1]
    assert (await sent(site))[3:] == [("7", "BCG"), ("8", "BCG")]


@pytest.mark.parametrize("mended_first", [False, True])
async def test_a_record_goes_out_once_though_it_is_tried_again_and_mended(
    open_site: OpenSite, mended_first: bool
) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", 'nik_anak;jenis\n1;"B\nG"\n\nx;BCG\n2;BCG\n3;BCG\n')
    await site.look()
    back = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_text("utf-8-sig").replace('"x"', '"7"')
    other = forwarding(await site.again(keeping=replace(FORWARD, mapping="m2")))
    other.plan = replace(other.plan, read=lambda row: {name: row[name] for name in ("nik_anak", "jenis")})
    other.intake.feeds = {"imunisasi": other.plan}
    if mended_first:
        other.drop("imunisasi_2.csv", back)
        await other.look()
    assert await other.ledger.want_again(1, by="budi")
    await other.look()
    assert not (other.folder / "rejected/imunisasi_1.csv.rejected.csv").exists()
    if not mended_first:
        other.drop("imunisasi_2.csv", back)
        await other.look()
    assert [told for _, told in other.told()] == ["accepted", "accepted"]
    assert [nik for nik, _ in await sent(other)] == ["1", "2", "3", "7" if mended_first else "x"]
    await other.close()


async def test_mended_rows_that_lost_their_lines_are_sent_once_though_saved_again(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    reference = (await site.receipt(1)).reference
    for number, ending in enumerate(("", "\n"), 2):
        site.drop(f"imunisasi_{number}.csv", f"_berkas;nik_anak;jenis\n{reference};7;BCG\n{ending}")
        await site.look()
    assert [news.receipt.tally.accepted for news in site.news] == [3, 1, 0]


async def test_mended_rows_of_a_file_that_was_refused_whole_are_refused(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD, max_reject=0.0))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    back = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_text("utf-8-sig")
    site.drop("imunisasi_2.csv", back.replace('"x"', '"7"'))
    await site.look()
    reason = site.news[-1].receipt.reason
    assert reason
    assert "ditolak seluruhnya" in say(reason, "id")
    assert await sent(site) == []


def _handed_back(site: Site, name: str, **changes: str) -> str:
    """Return the file of rejects of a file of the drop, mended by hand."""
    text = (site.folder / f"rejected/{name}.rejected.csv").read_text("utf-8-sig")
    for old, new in changes.items():
        assert f'"{old}"' in text
        text = text.replace(f'"{old}"', f'"{new}"')
    return text


def _judging(site: Site, *fit: str) -> Site:
    """Let a process take what others reject, as a mended mapping would."""

    def lenient(row: Mapping[str, str]) -> dict[str, str]:
        return dict(read(row)) if row["nik_anak"] not in fit else {name: row[name] for name in ("nik_anak", "jenis")}

    site.plan = replace(site.plan, read=lenient)
    site.intake.feeds = {"imunisasi": site.plan}
    return site


async def _chain(site: Site) -> tuple[str, str]:
    """Drop a file whose row x is mended to y, which is rejected too, and y to 7; returns the files of x and of y."""
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\nz;BCG\n")
    await site.look()
    first = _handed_back(site, "imunisasi_1.csv")
    site.drop("imunisasi_2.csv", first.replace('"x"', '"y"').replace('"z"', '"8"'))
    await site.look()
    second = _handed_back(site, "imunisasi_2.csv")
    assert second.count("\n") == 2
    site.drop("imunisasi_3.csv", second.replace('"y"', '"7"'))
    await site.look()
    assert [news.receipt.tally.accepted for news in site.news] == [3, 1, 1]
    return first, second


async def test_rows_that_are_mended_again_and_again_are_sent_once_over_the_whole_chain(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    first, second = await _chain(site)
    # Whichever of the files that were handed back is mended to the same once more, and whatever is dropped again.
    again = first.replace('"x"', '"7"').replace('"z"', '"8"')
    for number, content in enumerate((again, second.replace('"y"', '"7"') + "\n", again + "\n"), 4):
        site.drop(f"imunisasi_{number}.csv", content)
        await site.look()
    assert [news.receipt.tally.accepted for news in site.news[3:]] == [0, 0, 0]
    assert (await sent(site))[3:] == [("8", "BCG"), ("7", "BCG")]


@pytest.mark.parametrize("receipt", [1, 2])
async def test_any_file_of_a_chain_of_mends_is_tried_again_without_sending_what_was_mended_after_it(
    open_site: OpenSite, receipt: int
) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    await _chain(site)
    other = _judging(forwarding(await site.again(keeping=replace(FORWARD, mapping="m2"))), "x", "y", "z")
    assert await other.ledger.want_again(receipt, by="budi")
    await other.look()
    assert [told for _, told in other.told()] == ["accepted"]
    assert other.news[0].receipt.tally.accepted == 0
    assert len(await sent(other)) == 5
    await other.close()


@pytest.mark.parametrize("receipt", [1, 2])
async def test_what_was_sent_on_a_retry_is_not_sent_mended_however_often_it_was_handed_back(
    open_site: OpenSite, receipt: int
) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    site.drop("imunisasi_2.csv", _handed_back(site, "imunisasi_1.csv", x="y"))
    await site.look()
    mended = _handed_back(site, "imunisasi_2.csv", y="7")
    other = _judging(forwarding(await site.again(keeping=replace(FORWARD, mapping="m2"))), "x", "y")
    assert await other.ledger.want_again(receipt, by="budi")
    await other.look()
    other.drop("imunisasi_3.csv", mended)
    await other.look()
    assert [news.receipt.tally.accepted for news in other.news] == [1, 0]
    assert [nik for nik, _ in (await sent(other))[3:]] == ["x" if receipt == 1 else "y"]
    await other.close()


@pytest.mark.parametrize("header", ["_berkas;nik_anak;jenis", "nik_anak;_berkas;jenis", "nik_anak;jenis;_berkas"])
async def test_mended_rows_are_handed_back_under_our_columns_once_wherever_a_clerk_left_them(
    open_site: OpenSite, header: str
) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    cells = {"_berkas": (await site.receipt(1)).reference, "nik_anak": "y", "jenis": "BCG"}
    site.drop("imunisasi_2.csv", f"{header}\n{';'.join(cells[name] for name in header.split(';'))}\n")
    await site.look()
    names, row = site.handed_back("imunisasi_2.csv.rejected.csv")
    assert names == ["_baris", "_alasan", "_berkas", "nik_anak", "jenis"]
    assert row[3:] == ["y", "BCG"]
    site.drop("imunisasi_3.csv", _handed_back(site, "imunisasi_2.csv", y="7"))
    await site.look()
    assert [news.receipt.tally.accepted for news in site.news] == [3, 0, 1]


async def test_rows_of_several_files_are_mended_in_one_but_those_of_a_file_that_was_refused_whole(
    open_site: OpenSite,
) -> None:
    site = forwarding(await open_site(keeping=FORWARD, max_reject=0.5))
    for number, content in enumerate((GOOD + "x;BCG\n", GOOD + "y;DPT\n", "nik_anak;jenis\nz;BCG\n"), 1):
        site.drop(f"imunisasi_{number}.csv", content)
        await site.look()
    assert [told for _, told in site.told()] == ["accepted", "accepted", "max-reject"]
    parts = [_handed_back(site, f"imunisasi_{number}.csv").splitlines(keepends=True)[1:] for number in (1, 2, 3)]
    joined = "_baris;_alasan;_berkas;nik_anak;jenis\n" + "".join(line for part in parts for line in part)
    for old, new in (("x", "7"), ("y", "8"), ("z", "9")):
        joined = joined.replace(f'"{old}"', f'"{new}"')
    site.drop("imunisasi_4.csv", joined)
    await site.look()
    assert counts(site) == (2, 0, 1, 0)
    assert "ditolak seluruhnya" in site.handed_back("imunisasi_4.csv.rejected.csv")[1][1]
    assert (await sent(site))[6:] == [("7", "BCG"), ("8", "DPT")]


async def test_mends_come_in_under_the_name_that_they_were_handed_back_by_though_their_files_share_one(
    open_site: OpenSite,
) -> None:
    site = forwarding(await open_site(keeping=FORWARD, files="imunisasi.csv"))
    for number in (1, 2, 3):
        site.drop("imunisasi.csv", f"nik_anak;jenis\n{number};BCG\n{number}{number};BCG\nx{number};BCG\n", at=number)
        await site.look()
    handed = sorted((site.folder / "rejected").glob("*.rejected.csv"))
    assert len(handed) == 3
    for path in handed:
        site.drop(path.name, path.read_text("utf-8-sig").replace('"x', '"9'))
    await site.look()
    assert [news.receipt.tally.accepted for news in site.news] == [2, 2, 2, 1, 1, 1]
    assert sorted(nik for nik, _ in await sent(site))[-3:] == ["91", "92", "93"]


async def test_a_row_whose_quotes_broke_while_it_was_mended_is_still_the_row_that_it_was(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    broken = _handed_back(site, "imunisasi_1.csv", x="7").replace('"7";"BCG"', '"7";"BCG')
    site.drop("imunisasi_2.csv", broken)
    await site.look()
    _, (line, _, of, raw) = site.handed_back("imunisasi_2.csv.rejected.csv")
    assert '"7";"BCG' in raw
    site.drop("imunisasi_3.csv", f"_baris;_alasan;_berkas;nik_anak;jenis\n{line};;{of};7;BCG\n")
    await site.look()
    other = _judging(forwarding(await site.again(keeping=replace(FORWARD, mapping="m2"))), "x")
    assert await other.ledger.want_again(1, by="budi")
    await other.look()
    assert [nik for nik, _ in (await sent(other))[3:]] == ["7"]
    await other.close()


async def test_a_row_that_lost_what_it_was_is_not_sent_once_it_is_mended_again(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\ny;BCG\n")
    await site.look()
    back = _handed_back(site, "imunisasi_1.csv", x="7", y="8")
    of = (await site.receipt(1)).reference
    site.drop("imunisasi_2.csv", back.replace(f'"{of}";"8";"BCG"', f'"{of};"8";"BCG'))
    await site.look()
    assert [news.receipt.tally.accepted for news in site.news] == [3, 1]
    for number in (3, 4):
        again = site.handed_back(f"imunisasi_{number - 1}.csv.rejected.csv")[1]
        site.drop(f"imunisasi_{number}.csv", f"_baris;_alasan;_berkas;nik_anak;jenis\n{again[0]};;{again[2]};8;BCG\n")
        await site.look()
        assert site.news[-1].receipt.tally.rules == {"row-lost": 1}
    assert "perbaiki berkas sebelumnya" in site.handed_back("imunisasi_4.csv.rejected.csv")[1][1]
    assert [nik for nik, _ in (await sent(site))[3:]] == ["7"]


async def test_rows_of_a_further_sheet_are_others_than_those_beside_them_in_the_first(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD, files="imunisasi_*", rejected="xlsx", max_reject=1.0))
    site.drop("imunisasi_1.csv", GOOD + "v;BCG\nw;BCG\nx;BCG\ny;BCG\n")
    await site.look()
    reference = (await site.receipt(1)).reference
    book = Sheet(most_rows=3)
    for row in (
        ["_baris", "_alasan", "_berkas", "nik_anak", "jenis"],
        ["5", "", reference, "7", "BCG"],
        ["6", "", reference, "w2", "BCG"],
        ["7", "", reference, "8", "BCG"],
        ["8", "", reference, "y2", "BCG"],
    ):
        book.add(row)
    with book.end() as made:
        site.drop("imunisasi_2.xlsx", made.read())
    await site.look()
    assert counts(site)[0] == 2
    back = load_workbook(site.folder / "rejected/imunisasi_2.xlsx.rejected.xlsx")
    lines = [[cell.value for cell in row][:4:3] for row in back["rejected"].iter_rows(min_row=2)]
    assert lines == [["3", "w2"], ["3 (rejected 2)", "y2"]]
    for row in back["rejected"].iter_rows(min_row=2):
        row[3].value = {"w2": "9", "y2": "10"}[row[3].value]
    back.save(site.folder / "imunisasi_3.xlsx")
    await site.look()
    assert sorted(nik for nik, _ in (await sent(site))[3:]) == ["10", "7", "8", "9"]
    other = _judging(forwarding(await site.again(keeping=replace(FORWARD, mapping="m2"))), "w2", "y2")
    assert await other.ledger.want_again(2, by="budi")
    await other.look()
    assert len(await sent(other)) == 7
    await other.close()
