from pathlib import Path

import pytest

from adapters.csv.adapter import CsvAdapter
from adapters.csv.folder import Folder
from adapters.csv.settings import Feed, Out
from gateway import Adapter, AgencyTimeout, ConfigError, Described, Probe, Source, TranslationError, Unavailable
from gateway.snapshots import MemorySnapshots
from tests.drops import GOOD, NIK, OpenSite, call, with_mode
from tests.fakes import MONDAY_MORNING, FakeClock


def silent(_event: str, /, **_facts: object) -> None:
    """Write nothing."""


async def test_the_adapter_has_every_capability_it_claims(open_site: OpenSite) -> None:
    adapter: Adapter = (await open_site()).adapter
    assert isinstance(adapter, Source)
    assert isinstance(adapter, Described)
    assert isinstance(adapter, Probe)
    await adapter.probe()


async def test_a_lookup_is_answered_from_the_newest_file_with_its_time(open_site: OpenSite) -> None:
    site = await open_site()
    with pytest.raises(Unavailable) as raised:
        await site.find(nik_anak=NIK)
    assert not raised.value.maybe_done
    site.drop("imunisasi_20260301.csv", GOOD.replace("BCG", "DPT"))
    site.drop("imunisasi_20260302.csv")
    await site.look()
    assert await site.find(nik_anak=NIK) == {
        "rows": [{"nik_anak": NIK, "jenis": "BCG"}, {"nik_anak": NIK, "jenis": "Polio"}],
        "count": 2,
        "as_of": MONDAY_MORNING.isoformat(),
    }
    assert await site.find(nik_anak="x") == {"rows": [], "count": 0, "as_of": MONDAY_MORNING.isoformat()}
    assert site.told() == [("imunisasi_20260301.csv", "accepted"), ("imunisasi_20260302.csv", "accepted")]


async def test_rows_are_found_by_their_beginning_page_by_page(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv")
    await site.look()
    first = await site.find()
    assert (first["count"], first["further"]) == (2, "1-2")
    second = await site.find(after=first["further"])
    assert (second["count"], "further" in second) == (1, False)
    page = await site.find(limit=1, jenis={"starts": "B"})
    assert (page["rows"], page["further"]) == ([{"nik_anak": NIK, "jenis": "BCG"}], "1-1")
    assert (await site.find(limit=1, jenis={"starts": "B"}, after="1-1"))["count"] == 1
    assert (await site.find(limit=100))["count"] == 2, "no more than the agency's limit"
    for wrong in ({"after": "x"}, {"limit": -1}, {"after": "9" * 30}, {"after": "2-1"}):
        with pytest.raises(TranslationError):
            await site.find(**wrong)


async def test_a_file_is_taken_once_and_again_when_it_comes_with_other_rows(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv")
    await site.look(times=5)
    assert len(site.news) == 1
    site.drop("imunisasi_1.csv", GOOD.replace("BCG", "DPT"), at=30)
    await site.look(times=5)
    assert len(site.news) == 2


async def test_rule_11_21_mondays_file_returning_later_wins_over_tuesdays(open_site: OpenSite) -> None:
    site = await open_site()
    for name, content in (("1mon", GOOD), ("2tue", GOOD.replace("Polio", "DPT")), ("1mon", GOOD)):
        site.drop(f"imunisasi_{name}.csv", content)
        await site.look()
    assert [told for _, told in site.told()] == ["accepted"] * 3
    assert (await site.find(jenis="Polio"))["count"] == 1


async def test_a_half_written_file_is_not_taken_and_said_so_when_it_stays_half(open_site: OpenSite) -> None:
    site = await open_site(ready="stable", stable_for="10s")
    site.drop("imunisasi_1.csv", GOOD[:-4])
    await site.look(5, times=12)
    assert site.told() == []
    await site.look(60, times=2)
    assert site.told() == [("imunisasi_1.csv", "unclosed")]
    assert site.files() == ["rejected/imunisasi_1.csv"]
    said = (site.folder / "rejected/imunisasi_1.csv.receipt.txt").read_text("utf-8")
    assert "simpan lagi dari aplikasi spreadsheet; bila ekspornya selalu begini, minta staf TI memakai ready" in said
    site.drop("imunisasi_1.csv", at=400)
    await site.look(5, times=4)
    assert site.told()[1:] == [("imunisasi_1.csv", "accepted")]


@pytest.mark.parametrize(
    ("content", "told", "words"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "kind", "isinya berkas zip atau Excel, bukan teks CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old-excel", "berkas Excel lama (.xls)"),
        (b"<html><table>", "kind", "isinya halaman web atau XML, bukan teks CSV"),
        (b"", "empty-file", "berkas kosong"),
        (b"nik_anak;je", "unclosed", "baris terakhir tidak ditutup"),
    ],
)
async def test_a_file_without_lines_is_refused_as_what_it_is_once_nobody_closes_it(
    open_site: OpenSite, content: bytes, told: str, words: str
) -> None:
    site = await open_site(ready="stable", stable_for="10s")
    site.drop("imunisasi_1.csv", content)
    await site.look(5, times=40)
    assert site.told() == [("imunisasi_1.csv", told)]
    assert site.files() == ["rejected/imunisasi_1.csv"]
    assert words in (site.folder / "rejected/imunisasi_1.csv.receipt.txt").read_text("utf-8")


async def test_a_half_written_newest_file_does_not_hide_the_complete_one_before(open_site: OpenSite) -> None:
    site = await open_site(ready="stable", stable_for="10s")
    site.drop("imunisasi_1.csv")
    site.drop("imunisasi_2.csv", GOOD[:-4])
    await site.look(5, times=4)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    site.drop("imunisasi_2.csv", GOOD.replace("BCG", "DPT"), at=60)
    await site.look(5, times=4)
    assert site.told()[1:] == [("imunisasi_2.csv", "accepted")]


async def test_a_bad_newest_file_leaves_the_one_before(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_0.csv")
    site.drop("imunisasi_1.csv", GOOD.replace("BCG", "DPT"))
    site.drop("imunisasi_2.csv", "nik;jenis\n1;BCG\n")
    await site.look()
    assert [told for _, told in site.told()] == ["accepted", "accepted", "header"]
    assert (await site.find(jenis="DPT"))["count"] == 2


async def test_a_marked_file_is_taken_when_its_marker_comes_and_the_marker_with_it(open_site: OpenSite) -> None:
    site = await open_site(ready="marker")
    site.drop("imunisasi_1.csv", GOOD.rstrip("\n"))
    await site.look(60, times=5)
    assert site.told() == []
    site.drop("imunisasi_1.csv.ok", b"")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == ["archive/2026-03-02/imunisasi_1.csv", "archive/2026-03-02/imunisasi_1.csv.ok"]


async def test_a_file_that_changes_while_it_is_read_is_refused(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", "nik_anak;jenis\n" + "1;BCG\n" * 12_000)
    (ready,) = await site.adapter.look()
    held = await site.adapter.take(ready)
    assert held is not None
    batches = site.adapter.batches(held)
    assert not (await anext(batches)).last
    with (site.folder / ".taking/imunisasi_1.csv").open("ab") as file:
        file.write(b"2;BCG\n")
    found = [batch async for batch in batches]
    assert found[-1].last
    assert found[-1].rejects[0].reasons[0].rule == "unfinished"


async def test_a_file_that_takes_its_place_while_it_is_read_is_another(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv")
    (ready,) = await site.adapter.look()
    held = await site.adapter.take(ready)
    assert held is not None
    site.drop("imunisasi_1.csv", GOOD.replace("BCG", "DPT"))
    assert [one.folder for one in await site.adapter.look()] == [".taking"]
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")] * 2
    assert (await site.find(jenis="DPT"))["count"] == 2


async def test_a_drop_that_goes_away_and_comes_back_is_looked_into_again(open_site: OpenSite) -> None:
    site = await open_site()
    away = site.folder.with_name("away")
    site.folder.rename(away)
    await site.look(times=3)
    with pytest.raises(Unavailable):
        await site.adapter.probe()
    away.rename(site.folder)
    site.drop("imunisasi_1.csv")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    (lost, facts), found = site.lines
    assert (lost, facts["level"], found) == ("drop-unreachable", "warning", ("drop-reachable-again", {}))
    assert "drop" in str(facts["error"])


async def test_a_drop_that_goes_away_between_two_looks_is_not_made_anew(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "unmounted")
    with pytest.raises(Unavailable):
        await folder.put("archive/2026-03-02/a.csv", b"x")
    with pytest.raises(Unavailable):
        await folder.move("a.csv", "archive/a.csv")
    assert not (tmp_path / "unmounted").exists()


async def test_a_move_never_takes_anothers_place(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    with pytest.raises(Unavailable, match="could not move a"):
        await folder.move("a", "b")
    assert (tmp_path / "b").read_text() == "b"


async def test_an_upsert_feed_keeps_what_a_file_does_not_name(open_site: OpenSite) -> None:
    site = await open_site(keeping=with_mode("upsert"))
    site.drop("imunisasi_1.csv")
    await site.look()
    site.drop("imunisasi_2.csv", f"nik_anak;jenis\n{NIK};DPT\n")
    await site.look()
    assert len(await site.rows()) == 4


async def test_a_document_becomes_a_row_file_named_by_its_message(open_site: OpenSite) -> None:
    site = await open_site()
    asked = call("jadwal", {"tanggal": "05/03/2026", "nik": NIK})
    for _ in range(2):
        answer = await site.adapter.exchange(asked)
    name = f"jadwal_{asked.message_id}.csv"
    assert answer.document == {"file": name, "written": MONDAY_MORNING.isoformat()}
    assert [path.name for path in site.out.iterdir()] == [name]
    assert (site.out / name).read_text("utf-8") == f'"nik";"tanggal"\n"{NIK}";"05/03/2026"\n'


async def test_a_full_folder_is_unavailable_and_nothing_was_done(open_site: OpenSite) -> None:
    site = await open_site()
    site.out.rmdir()
    with pytest.raises(Unavailable) as raised:
        await site.adapter.exchange(call("jadwal", {"nik": NIK}))
    assert not raised.value.maybe_done


async def test_a_disk_that_hangs_is_a_timeout_and_what_was_not_begun_is_not_done(open_site: OpenSite) -> None:
    site = await open_site()
    with pytest.raises(AgencyTimeout) as raised:
        await site.adapter.exchange(call("jadwal", {"nik": NIK}, timeout=0))
    assert not raised.value.maybe_done
    assert list(site.out.iterdir()) == []
    await site.clock.settled()


async def test_a_condition_that_is_a_list_is_refused_in_the_callers_words(open_site: OpenSite) -> None:
    site = await open_site()
    with pytest.raises(TranslationError) as raised:
        await site.find(anak={"nik": ["x"]})
    assert raised.value.errors[0].pointer == "anak.nik"


async def test_wrong_settings_say_what_to_write(tmp_path: Path) -> None:
    kept = {"clock": FakeClock(), "log": silent, "snapshots": MemorySnapshots()}
    feed, out = {"a": Feed(files="*")}, {"a": Out(folder=".", file="{id}")}
    for settings, said in (
        ({"feed": feed}, "feeds need a folder"),
        ({"feed": feed, "out": out, "drop": "x"}, "a feed is called a too"),
        ({"drop": "smb://user@host/dir"}, "smb:// is not supported"),
        ({"out": {"a": Out(folder="ftp://host", file="{id}")}}, r"out\.a\.folder: is not of the form"),
    ):
        with pytest.raises(ConfigError, match=said):
            CsvAdapter(**kept, **settings)
    with pytest.raises(ConfigError, match="did you mean imunisasi"):
        await CsvAdapter(**kept, drop="x", feed={"imunisasi": Feed(files="*")}).exchange(call("imunisas", {}))
