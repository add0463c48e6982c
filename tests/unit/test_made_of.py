"""A mapping that changed: what was added file by file is made anew of all its files, behind what is live."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway import Document
from gateway.feeds import Batch, FileReceipt, FileState, Keeping, lease_of
from gateway.ledger.sqlite import SqliteLedger
from gateway.made_of import as_one
from tests.drops import FEED, NIK, OpenSite, Site, read, rows, with_mode


@dataclass(frozen=True)
class Numbered:
    """Of a receipt, what is asked here."""

    number: int


MONDAY, TUESDAY = (NIK, "BCG"), (NIK, "Polio")


def file(*rows: tuple[str, str]) -> str:
    return "nik_anak;jenis\n" + "".join(f"{nik};{kind}\n" for nik, kind in rows)


def shouting(row: Document) -> Document:
    """Read a row as another mapping does."""
    found = read(row)
    return {**found, "jenis": found["jenis"].upper()}


async def three_days(open_site: OpenSite, mode: str, **settings: Any) -> Site:
    site = await open_site(keeping=with_mode(mode), **settings)
    for day, content in enumerate((file(MONDAY, ("7", "BCG"), ("x", "BCG")), file(TUESDAY), file(("7", "BCG")))):
        site.drop(f"imunisasi_{day}.csv", content, at=day)
        await site.look()
    return site


async def mended(site: Site, mode: str, mapping: str = "m2", **changes: Any) -> Site:
    """Return another process, whose mapping reads rows otherwise."""
    other = await site.again(keeping=with_mode(mode, mapping=mapping), **changes)
    other.plan = replace(other.plan, read=shouting)
    other.intake.feeds = {"imunisasi": other.plan}
    return other


async def live_of(site: Site) -> FileReceipt:
    live = (await site.ledger.standing(FEED)).live
    assert live is not None
    return live


async def mended_day(open_site: OpenSite, **settings: Any) -> Site:
    """Take in a whole file with two rejects, then each of them mended, the first one twice."""
    keeping = Keeping(key=("nik_anak",), indexes=(("nik_anak",),), mapping="m1")
    site = await open_site(keeping=keeping, **settings)
    site.drop("imunisasi_0.csv", file(("1", "BCG"), ("x", "BCG"), ("y", "BCG"), ("2", "BCG")))
    await site.look()
    back = (site.folder / "rejected/imunisasi_0.csv.rejected.csv").read_text("utf-8-sig")
    for name, content in (
        ("imunisasi_1.csv", back.replace('"x"', '"7"')),
        ("imunisasi_2.csv", back.replace('"x"', '"7"').replace("BCG", "Polio").replace('"y"', '"8"')),
    ):
        site.drop(name, content)
        await site.look()
    assert await site.rows() == [("1", "BCG"), ("2", "BCG"), ("7", "Polio"), ("8", "Polio")]
    return site


async def read_otherwise(site: Site, mapping: str = "m2", by: Callable[[Document], Document] = shouting) -> Site:
    other = await site.again(keeping=replace(site.keeping, mapping=mapping))
    other.plan = replace(other.plan, read=by)
    other.intake.feeds = {"imunisasi": other.plan}
    return other


async def test_rule_11_21_a_mended_snapshot_is_made_anew_with_its_mended_rows_behind_the_old_one(
    open_site: OpenSite,
) -> None:
    site = await mended_day(open_site)
    before, lay = await live_of(site), site.files()
    other = await read_otherwise(site)
    seen, real = list[list[tuple[str, str]]](), other.ledger.publish

    async def publish(*arguments: Any) -> FileReceipt:
        seen.append(await other.rows())
        done = await real(*arguments)
        seen.append(await other.rows())
        return done

    other.ledger.publish = publish  # type: ignore[method-assign]
    await other.look(61, times=3)
    assert seen == [
        [("1", "BCG"), ("2", "BCG"), ("7", "Polio"), ("8", "Polio")],
        [("1", "BCG"), ("2", "BCG"), ("7", "POLIO"), ("8", "POLIO")],
    ]
    live = await live_of(other)
    assert (live.mapping, live.original, live.base, live.place) == ("m2", before.number, None, before.place)
    assert [event for event, _ in other.lines] == ["feed-made-anew"]
    assert other.files() == lay
    # It still is what these files became: they are duplicates, and its rejects can be mended.
    whole = next(path for path in other.folder.rglob("imunisasi_0.csv"))
    other.drop("imunisasi_3.csv", whole.read_text("utf-8"))
    await other.look()
    back = (other.folder / "rejected/imunisasi_0.csv.rejected.csv").read_text("utf-8-sig")
    other.drop("imunisasi_4.csv", back.replace('"x"', '"7"').replace("BCG", "dpt").replace('"y"', '"2"'))
    await other.look()
    assert other.told() == [("imunisasi_3.csv", "duplicate"), ("imunisasi_4.csv", "accepted")]
    assert await other.rows() == [("1", "BCG"), ("2", "BCG"), ("7", "DPT"), ("8", "POLIO")]
    third = await read_otherwise(other, mapping="m3")
    await third.look(61, times=2)
    assert await third.rows() == [("1", "BCG"), ("2", "BCG"), ("7", "DPT"), ("8", "POLIO")]
    assert (await live_of(third)).mapping == "m3"
    await third.close()
    await other.close()


async def test_rule_11_21_where_a_mended_file_is_gone_the_snapshot_stays_as_it_was_read(open_site: OpenSite) -> None:
    site = await mended_day(open_site)
    (gone,) = site.folder.rglob("archive/*/imunisasi_1.csv")
    shutil.move(gone, site.place)
    other = await read_otherwise(site)
    await other.look(61, times=3)
    assert [facts["what"] for _, facts in other.lines] == [
        "its rows stay as they were read: 1 of its 3 files are not there"
    ]
    assert await other.rows() == [("1", "BCG"), ("2", "BCG"), ("7", "Polio"), ("8", "Polio")]
    await other.close()


async def test_rule_11_21_a_mended_snapshot_that_the_mapping_as_it_is_now_takes_too_few_rows_of_stays(
    open_site: OpenSite,
) -> None:
    site = await mended_day(open_site)

    def strict(row: Document) -> Document:
        return read({**row, "nik_anak": "?"}) if row["nik_anak"] in {"1", "7", "8"} else read(row)

    other = await read_otherwise(site, by=strict)
    await other.look(61, times=2)
    assert "of 8 rows rejected" in str(other.lines[0][1]["what"])
    assert len(await other.rows()) == 4
    await other.close()


async def test_what_was_added_up_stays_until_a_file_comes_where_files_are_whole_by_now(open_site: OpenSite) -> None:
    site = await three_days(open_site, "append")
    other = await mended(site, "snapshot")
    await other.look(61, times=2)
    assert "the next one replaces them all" in str(other.lines[0][1]["what"])
    assert len(await other.rows()) == 3
    await other.close()


@pytest.mark.parametrize("mode", ["append", "upsert"])
async def test_rule_11_21_what_was_added_file_by_file_is_made_anew_by_a_changed_mapping(
    open_site: OpenSite, mode: str
) -> None:
    site = await three_days(open_site, mode)
    before, lay = await live_of(site), site.files()
    papers = {path: path.read_bytes() for path in site.folder.rglob("*.receipt.*")}
    other = await mended(site, mode)
    await other.look(times=3)
    assert sorted(await other.rows()) == [(NIK, "BCG"), (NIK, "POLIO"), ("7", "BCG")]
    live = await live_of(other)
    assert (live.mapping, live.original, live.base, live.place) == ("m2", before.number, None, before.place)
    assert (live.tally.position, live.tally.accepted, live.tally.unchanged, live.tally.rejected) == (5, 3, 1, 1)
    assert [event for event, _ in other.lines] == ["feed-made-anew"]
    assert other.told() == [], "no file came"
    assert other.files() == lay
    assert {path: path.read_bytes() for path in site.folder.rglob("*.receipt.*")} == papers
    third = await mended(other, mode, mapping="m3")
    await third.look(times=2)
    assert (await live_of(third)).tally.position == 5, "it is made of what its original was made of"
    await third.close()
    await other.close()


async def test_rule_11_21_a_later_file_is_added_to_what_was_made_anew(open_site: OpenSite) -> None:
    site = await three_days(open_site, "append")
    other = await mended(site, "append")
    await other.look(times=2)
    other.drop("imunisasi_9.csv", file(("9", "dpt")))
    await other.look()
    assert (await live_of(other)).tally.kept == 4
    third = await mended(other, "append", mapping="m3")
    await third.look(times=2)
    assert (await live_of(third)).tally.position == 6
    assert max(await third.rows()) == ("9", "DPT")
    await third.close()
    await other.close()


async def test_rule_11_21_where_a_file_is_gone_the_rows_stay_as_they_were_read_and_that_is_said(
    open_site: OpenSite,
) -> None:
    site = await three_days(open_site, "append")
    before = await live_of(site)
    (gone,) = site.folder.rglob("imunisasi_1.csv")
    shutil.move(gone, site.place)
    other = await mended(site, "append")
    await other.look(times=3)
    assert [facts["what"] for _, facts in other.lines] == [
        "its rows stay as they were read: 1 of its 3 files are not there"
    ]
    assert await live_of(other) == replace(before, again="", shrink=False)
    assert await other.ledger.wanted_again(FEED) == ()
    await other.close()


async def test_rule_11_21_where_the_mapping_as_it_is_now_takes_too_few_rows_the_old_ones_stay(
    open_site: OpenSite,
) -> None:
    site = await three_days(open_site, "append")
    other = await mended(site, "append", max_reject=0.1)
    await other.look(times=2)
    assert "1 of 5 rows rejected" in str(other.lines[0][1]["what"])
    assert (await live_of(other)).mapping == "m1"
    assert len(await other.rows()) == 3
    assert other.files() == site.files()
    await other.close()


async def test_rule_11_21_what_is_read_anew_never_comes_before_a_file_that_came_meanwhile(open_site: OpenSite) -> None:
    site = await open_site(keeping=with_mode("snapshot"))
    site.drop("imunisasi_1.csv", file(MONDAY))
    await site.look()
    other = await mended(site, "snapshot")
    token = await site.ledger.hold(lease_of(FEED), by="a", seconds=60.0)
    await other.look()  # it wants Monday's file read anew, and it is not its turn
    assert token is not None
    await site.ledger.hold(lease_of(FEED), by="a", seconds=0.0)
    site.drop("imunisasi_2.csv", file(TUESDAY))
    await site.look()  # by the mapping as it was
    assert await site.rows() == [TUESDAY]
    for _ in range(3):
        await other.look()
        assert [kind.upper() for _, kind in await other.rows()] == ["POLIO"]
    await other.look(61.0, times=2)
    assert await other.rows() == [(NIK, "POLIO")]
    await other.close()


class Dying(SqliteLedger):
    """A ledger whose process ends before the n-th chunk, or before what is ended is said to be put away."""

    chunks = 1_000
    files = True

    async def add_rows(self, *arguments: Any) -> Any:
        self.chunks -= 1
        if self.chunks < 0:
            raise SystemExit
        return await super().add_rows(*arguments)

    async def filed(self, *arguments: Any) -> Any:
        if not self.files:
            raise SystemExit
        return await super().filed(*arguments)


@pytest.mark.parametrize("chunks", [1, 3, 4])
async def test_a_gateway_that_dies_meanwhile_goes_on_where_it_was(open_site: OpenSite, chunks: int) -> None:
    site = await open_site(keeping=with_mode("append"))
    for day in range(2):
        site.drop(f"imunisasi_{day}.csv", rows(1_001, 1 + day * 1_001), at=day)
        await site.look()
    dying = await mended(site, "append")
    dying.ledger.__class__ = Dying
    dying.ledger.chunks = chunks  # type: ignore[attr-defined]
    dying.ledger.files = False  # type: ignore[attr-defined]
    with pytest.raises(SystemExit):
        await dying.look()
    assert (await live_of(site)).mapping == ("m1" if chunks < 4 else "m2")
    other = await mended(dying, "append")
    await other.look(times=2)
    live = await live_of(other)
    assert (live.mapping, live.settled, live.tally.position, live.tally.accepted) == ("m2", True, 2_002, 2_002)
    receipts = await other.ledger.receipts(FEED)
    assert len(receipts) == 3, "it went on with the same receipt"
    assert all(receipt.state is FileState.ACCEPTED for receipt in receipts)
    await other.close()
    await dying.close()


async def test_a_file_that_comes_first_begins_it_anew(open_site: OpenSite) -> None:
    site = await three_days(open_site, "append")
    dying = await mended(site, "append")
    dying.ledger.__class__ = Dying
    dying.ledger.chunks = 1  # type: ignore[attr-defined]
    with pytest.raises(SystemExit):
        await dying.look()
    site.clock._monotonic += 60
    site.drop("imunisasi_9.csv", file(("9", "dpt")))
    await site.look()  # by the mapping as it was
    assert len(await site.rows()) == 4
    other = await mended(dying, "append")
    await other.look(times=3)
    assert (await live_of(other)).tally.position == 6
    assert max(await other.rows()) == ("9", "DPT")
    assert not [receipt for receipt in await other.ledger.receipts(FEED) if receipt.state is FileState.TAKING]
    await other.close()
    await dying.close()


class Pages:
    """A source whose files are lists of rows, read in portions of a size."""

    def __init__(self, size: int) -> None:
        self.size = size

    async def batches(self, held: Any, /, *, after: int = 0) -> Any:
        numbered = list(enumerate(held, 1))
        done = after
        for number, _ in numbered[after:]:
            if number % self.size == 0:
                yield Batch(rows=numbered[done:number], done=number)
                done = number
        yield Batch(rows=numbered[done:], done=max(done, len(numbered)), last=True)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 50])
@pytest.mark.parametrize("lengths", [(0,), (3,), (4, 0, 6), (2, 2), (1, 5, 3)])
async def test_files_that_are_read_as_one_are_gone_on_with_anywhere(size: int, lengths: tuple[int, ...]) -> None:
    files = [[{"a": f"{place}.{row}"} for row in range(length)] for place, length in enumerate(lengths)]
    every = [row for each in files for row in each]
    parts: Any = [(Numbered(place), each) for place, each in enumerate(files)]
    for after in range(len(every) + 1):
        position, found = after, []
        async for batch in as_one(Pages(size), parts, after):  # type: ignore[arg-type]
            found += batch.rows
            assert [number for number, _ in batch.rows] == list(range(position + 1, position + 1 + len(batch.rows)))
            assert all(row["a"].startswith(f"{batch.source}.") for _, row in batch.rows)
            position = batch.done
        assert batch.last
        assert position == len(every)
        assert [row for _, row in found] == every[after:]
