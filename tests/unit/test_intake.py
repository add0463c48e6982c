"""Files from the drop into the ledger and away, whatever they hold."""

import pytest

from gateway.wording import say
from tests.drops import FEED, GOOD, NIK, OpenSite, rows, with_mode

DAY = "archive/2026-03-02"


async def test_a_file_is_taken_in_and_archived_with_its_receipt(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == [f"{DAY}/imunisasi_1.csv", "rejected/imunisasi_1.csv.rejected.csv"]
    paper = site.paper(f"{DAY}/imunisasi_1.csv")
    counts = ("state", "records", "accepted", "rejected", "unchanged", "rows_before", "rows_after", "encoding")
    assert [paper[name] for name in counts] == ["accepted", 4, 3, 1, 0, 0, 3, "utf-8"]
    assert paper["rejected_by_rule"] == {"rounded-number": 1}
    line = (site.folder / DAY / "imunisasi_1.csv.receipt.txt").read_text("utf-8").strip()
    assert "3 baris diterima, 1 ditolak" in line
    assert "14050" not in line
    receipt = await site.receipt(1)
    assert (receipt.place, receipt.settled) == (f"{DAY}/imunisasi_1.csv", True)


async def test_rejects_are_handed_back_as_they_were_with_line_and_reasons(open_site: OpenSite) -> None:
    site = await open_site(max_reject=1.0)
    content = (
        "nik_anak;jenis\r\n"
        '1405029001180001;"dua\r\nbaris"\r\n'
        "\r\n"
        '1,40502E+15;=HYPERLINK("x")\r\n'
        '2;"rusak\r\n'
        ";\r\n"
        " ; \t;\r\n"
        "3;BCG;lebih\r\n"
        "nik_anak;jenis\r\n"
        "@;-5\r\n"
        "x;Jos\xe9\r\n"
    )
    site.drop("imunisasi_1.csv", content.encode("cp1252"))
    await site.look()
    (news,) = site.news
    tally = news.receipt.tally
    assert (tally.position, tally.accepted, tally.rejected, tally.skipped) == (7, 1, 5, 1)
    assert tally.encoding == "cp1252"
    header, *back = site.handed_back("imunisasi_1.csv.rejected.csv")
    reference = news.receipt.reference
    rounded = (
        "nik_anak sudah dibulatkan aplikasi spreadsheet, digitnya hilang; jadikan kolom bertipe Teks, lalu isi ulang"
    )
    assert header == ["_baris", "_alasan", "_berkas", "nik_anak", "jenis"]
    assert back == [
        ["5", rounded, reference, "1,40502E+15", '\'=HYPERLINK("x")'],
        ["6", "tanda kutip rusak", reference, '2;"rusak'],
        ["9", "jumlah kolom 3, seharusnya 2", reference, "3", "BCG", "lebih"],
        ["11", rounded, reference, "'@", "-5"],
        ["12", rounded, reference, "x", "José"],
    ]
    assert await site.rows() == [(NIK, "dua\r\nbaris")]


async def test_mended_rows_are_dropped_again_and_only_those_are_taken(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", GOOD + "x;=1+1\ny;BCG\n")
    await site.look()
    back = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_text("utf-8-sig")
    site.drop("imunisasi_1.rejected.csv", back.replace('"x"', '"7"'))
    await site.look()
    assert site.told()[1:] == [("imunisasi_1.rejected.csv", "accepted")]
    assert len(await site.rows()) == 4
    assert (await site.rows())[-1] == ("7", "=1+1")
    (again,) = site.handed_back("imunisasi_1.rejected.csv.rejected.csv")[1:]
    assert again[3:] == ["y", "BCG"]
    site.drop("imunisasi_2.csv", GOOD)
    await site.look()
    site.drop("imunisasi_1.rejected.csv", back.replace('"y"', '"8"'))
    await site.look()
    assert site.told()[-1] == ("imunisasi_1.rejected.csv", "superseded")
    assert len(await site.rows()) == 3


async def test_a_broken_quote_in_the_first_mended_row_costs_that_row_alone(open_site: OpenSite) -> None:
    site = await open_site(max_reject=1.0)
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\ny;BCG\n")
    await site.look()
    back = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_text("utf-8-sig")
    header, first, second = back.splitlines()
    mended = [header, first.replace('"BCG"', '"BCG'), second.replace('"y"', '"8"')]
    site.drop("imunisasi_1.csv.rejected.csv", "\n".join(mended) + "\n")
    await site.look()
    assert site.told()[1:] == [("imunisasi_1.csv.rejected.csv", "accepted")]
    assert [*await site.rows()][-1] == ("8", "BCG")
    assert (await site.receipt(2)).tally.rejected == 1


async def test_rule_11_20_a_mended_file_dropped_again_doubles_nothing(open_site: OpenSite) -> None:
    site = await open_site(keeping=with_mode("append"))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    site.drop("imunisasi_1.csv", GOOD + "9;BCG\n")
    await site.look()
    tally = site.news[1].receipt.tally
    assert (tally.accepted, tally.unchanged, tally.rejected) == (1, 3, 0)
    assert len(await site.rows()) == 4


async def test_too_many_rejects_refuse_the_file_and_the_old_snapshot_stays(open_site: OpenSite) -> None:
    site = await open_site(max_reject=0.1)
    site.drop("imunisasi_1.csv")
    await site.look()
    site.drop("imunisasi_2.csv", rows(8) + "x;BCG\n")
    await site.look()
    assert site.told()[1:] == [("imunisasi_2.csv", "max-reject")]
    (_, news) = site.news
    assert news.receipt.reason
    assert say(news.receipt.reason, "id") == "1 dari 9 baris ditolak; paling banyak 10%"
    assert len(await site.rows()) == 3
    assert site.files() == [
        f"{DAY}/imunisasi_1.csv",
        "rejected/imunisasi_2.csv",
        "rejected/imunisasi_2.csv.rejected.csv",
    ]
    assert site.paper("rejected/imunisasi_2.csv")["state"] == "refused"
    assert [path.suffix for path in (site.place / "ledger-feeds").iterdir()] == [".db"]


@pytest.mark.parametrize(("bad", "told"), [(1, "accepted"), (2, "max-reject")])
async def test_exactly_the_share_that_may_be_rejected_is_accepted(open_site: OpenSite, bad: int, told: str) -> None:
    site = await open_site(max_reject=0.1)
    site.drop("imunisasi_1.csv", rows(10 - bad) + "x;BCG\n" * bad)
    await site.look()
    assert site.told() == [("imunisasi_1.csv", told)]


@pytest.mark.parametrize(("after", "told"), [(5, "accepted"), (4, "shrunk"), (0, "no-rows")])
async def test_rule_11_21_a_file_that_shrank_by_over_half_is_refused(
    open_site: OpenSite, after: int, told: str
) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", rows(10))
    await site.look()
    site.drop("imunisasi_2.csv", rows(after))
    await site.look()
    assert site.told()[1:] == [("imunisasi_2.csv", told)]
    assert len(await site.rows()) == (after if told == "accepted" else 10)


async def test_rule_11_21_a_person_may_confirm_that_a_file_shrinks(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", rows(10))
    await site.look()
    site.drop("imunisasi_2.csv", rows(1))
    await site.look()
    refused = site.news[1].receipt.number
    assert await site.ledger.want_again(refused, by="budi")
    await site.look()
    assert site.told()[2:] == [("imunisasi_2.csv", "shrunk")]
    assert await site.ledger.want_again(site.news[2].receipt.number, by="budi", shrink=True)
    await site.look()
    assert site.told()[3:] == [("imunisasi_2.csv", "accepted")]
    assert (await site.receipt(4)).confirmed == "budi"
    assert site.files() == [f"{DAY}/imunisasi_1.csv", f"{DAY}/imunisasi_2.csv"]
    assert await site.ledger.wanted_again(FEED) == ()


async def test_an_empty_first_file_is_a_snapshot_of_nothing(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", "nik_anak;jenis\n")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert await site.rows() == []


async def test_a_bug_met_by_one_file_refuses_it_without_its_data_and_the_next_is_taken(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", "nik_anak;jenis\n1;bug\n")
    site.drop("imunisasi_2.csv")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "intake"), ("imunisasi_2.csv", "accepted")]
    reason = site.news[0].receipt.reason
    assert reason
    assert "KeyError, drops.py:" in reason.params["error"]
    assert NIK not in str(site.news[0])


async def test_a_second_name_for_the_same_content_is_put_aside_as_a_duplicate(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv")
    await site.look()
    site.drop("imunisasi_2.csv")
    await site.look()
    assert site.told()[1:] == [("imunisasi_2.csv", "duplicate")]
    paper = site.paper("rejected/imunisasi_2.csv")
    assert (paper["duplicate_of"], len(await site.rows())) == (1, 3)
    assert "tanda terima 1" in str(paper["keterangan"])


async def test_of_one_file_under_two_names_at_once_one_is_taken(open_site: OpenSite) -> None:
    site = await open_site()
    (site.folder / "imunisasi_2.csv").hardlink_to(site.drop("imunisasi_1.csv"))
    await site.look(times=2)
    assert site.told() == [("imunisasi_1.csv", "accepted"), ("imunisasi_2.csv", "duplicate")]
    assert site.files() == [f"{DAY}/imunisasi_1.csv", "rejected/imunisasi_2.csv"]
    assert len(await site.rows()) == 3


async def test_two_files_of_one_name_on_one_day_are_both_kept(open_site: OpenSite) -> None:
    site = await open_site()
    for content in (GOOD, GOOD.replace("BCG", "DPT")):
        site.drop("imunisasi_1.csv", content)
        await site.look()
    second = site.news[1].receipt
    name = f"{DAY}/imunisasi_1.{second.reference}-{second.number}.csv"
    assert site.files() == [f"{DAY}/imunisasi_1.csv", name]
    assert (await site.receipt(second.number)).place == name


async def test_a_duplicate_that_comes_every_day_is_put_aside_every_day(open_site: OpenSite) -> None:
    site = await open_site()
    for _ in range(4):
        site.drop("imunisasi_1.csv")
        await site.look()
    assert [told for _, told in site.told()] == ["accepted", "duplicate", "duplicate", "duplicate"]
    assert len(site.files()) == 4
    assert site.lines == []


async def test_rejects_of_files_of_one_name_are_all_handed_back(open_site: OpenSite) -> None:
    site = await open_site()
    for bad in "xy":
        site.drop("imunisasi_1.csv", f"{GOOD}{bad};BCG\n")
        await site.look()
    reference = site.news[1].receipt.reference
    backs = ["imunisasi_1.csv.rejected.csv", f"imunisasi_1.{reference}-2.csv.rejected.csv"]
    assert [site.handed_back(name)[1][3] for name in backs] == ["x", "y"]
    await site.clock.advance(86_400)
    site.drop("imunisasi_1.csv", f"{GOOD}z;BCG\n")
    await site.look()
    third = site.news[2].receipt.reference
    assert site.handed_back(f"imunisasi_1.csv.{third}.rejected.csv")[1][3] == "z"
    assert site.handed_back(backs[0])[1][3] == "x"


async def test_the_trailer_is_no_row_and_a_file_without_it_was_cut_short(open_site: OpenSite) -> None:
    site = await open_site(trailer="TOTAL")
    site.drop("imunisasi_1.csv", GOOD + "Total baris;3\n")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.news[0].receipt.tally.skipped == 1
    site.drop("imunisasi_2.csv", GOOD.replace("BCG", "DPT"))
    site.drop("imunisasi_3.csv", GOOD + "TOTAL;3\n" + GOOD)
    await site.look()
    assert site.told()[1:] == [("imunisasi_2.csv", "no-trailer"), ("imunisasi_3.csv", "trailer-early")]


async def test_no_trailer_is_asked_of_rows_that_were_mended_and_one_that_is_there_is_no_row(
    open_site: OpenSite,
) -> None:
    site = await open_site(trailer="TOTAL")
    site.drop("imunisasi_1.csv", GOOD + "x;DPT\ny;DPT\nTotal baris;5\n")
    await site.look()
    handed = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_text("utf-8-sig")
    site.drop("imunisasi_1.csv.rejected.csv", handed.replace('"x"', '"7"'))
    await site.look()
    receipt = site.news[-1].receipt
    assert (receipt.state.value, receipt.tally.accepted, receipt.tally.rejected) == ("accepted", 1, 1)
    header, row, other = handed.splitlines()
    totals = (row.replace('"x"', '"8"'), ";;;TOTAL;1", other.replace('"y"', '"9"'), "Total;2;;;")
    site.drop("imunisasi_2.csv", "\n".join([header, *totals]) + "\n")
    await site.look()
    receipt = site.news[-1].receipt
    assert (receipt.state.value, receipt.tally.accepted, receipt.tally.skipped) == ("accepted", 2, 2)
    assert len(await site.rows()) == 6


async def test_what_is_handed_back_twice_is_guarded_once_and_comes_in_as_it_was(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", GOOD + "x;=1+1\n")
    await site.look()
    for number, name in ((2, "imunisasi_1.csv"), (3, "imunisasi_2.csv")):
        assert site.handed_back(f"{name}.rejected.csv")[1][3:] == ["x", "'=1+1"]
        site.drop(f"imunisasi_{number}.csv", (site.folder / f"rejected/{name}.rejected.csv").read_bytes())
        await site.look()
    mended = (site.folder / "rejected/imunisasi_3.csv.rejected.csv").read_text("utf-8-sig").replace('"x"', '"7"')
    site.drop("imunisasi_4.csv", mended)
    await site.look()
    assert site.told()[-1] == ("imunisasi_4.csv", "accepted")
    assert ("7", "=1+1") in await site.rows()


@pytest.mark.parametrize("of", ["", "r-12", "berkas kemarin"])
async def test_rows_that_do_not_say_any_more_what_they_mend_are_refused_for_that(open_site: OpenSite, of: str) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    site.drop("imunisasi_2.csv", f"_baris;_alasan;_berkas;nik_anak;jenis\n5;;{of};7;BCG\n")
    await site.look()
    assert site.told()[-1] == ("imunisasi_2.csv", "mends-unknown")
    assert "kolom _berkas kosong atau berubah" in str(site.paper("rejected/imunisasi_2.csv")["keterangan"])


async def test_our_own_columns_are_no_columns_that_a_header_has_too_many(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    reference = site.news[0].receipt.reference
    site.drop("imunisasi_2.csv", f"_baris;_alasan;_berkas;nik_anak\n5;;{reference};7\n")
    await site.look()
    (reason,) = [site.news[-1].receipt.reason]
    assert reason
    assert (reason.rule, reason.params) == ("header", {"difference": "-jenis"})
