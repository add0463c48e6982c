"""Files while drops, disks, ledgers and processes fail: nothing is lost, doubled or in anybody's way."""

import asyncio
from typing import Any, BinaryIO

import pytest

from adapters.csv.drop import Drop
from gateway.errors import LedgerUnavailable, Unavailable
from gateway.feeds import FileState, lease_of
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from tests.drops import FEED, GOOD, OpenSite, rows, with_mode
from tests.unit.test_forward import FORWARD, forwarding

DAY = "archive/2026-03-02"


class Faulty:
    """A Drop that fails when told: `fails` names methods and what they raise."""

    def __init__(self, drop: Drop) -> None:
        self._drop = drop
        self.fails: dict[str, Exception] = {}

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._drop, name)
        if name == "disk":
            return real

        async def act(*arguments: Any) -> Any:
            if name in self.fails:
                raise self.fails[name]
            return await real(*arguments)

        return act


def read_only() -> Unavailable:
    error = Unavailable("could not move: read-only", maybe_done=False)
    error.__cause__ = OSError(30, "Read-only file system")
    return error


async def test_a_file_that_can_not_be_moved_is_taken_once_and_stays(open_site: OpenSite) -> None:
    faulty: list[Faulty] = []
    site = await open_site(drop=lambda drop: faulty.append(Faulty(drop)) or faulty[0])
    faulty[0].fails = {"move": read_only(), "put": read_only()}
    waiting, left = list[int](), list[str]()
    site.intake.waiting, site.intake.left = lambda _feed, files: waiting.append(files), left.append
    site.drop("imunisasi_1.csv")
    await site.look(times=3)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == ["imunisasi_1.csv"]
    assert [event for event, _ in site.lines] == ["file-stays"]
    assert (waiting, left) == ([1, 0, 0], ["imunisasi"])
    other = await site.again()
    other.adapter._inbox.drop = faulty[0]
    other.drop("imunisasi_0.csv", rows(3))
    await other.look(times=2)
    assert other.told() == [("imunisasi_0.csv", "accepted")], "what stayed is known to whoever comes later"
    await other.close()


async def test_a_full_disk_lets_the_file_wait_and_nothing_is_taken_twice(open_site: OpenSite) -> None:
    faulty: list[Faulty] = []
    site = await open_site(drop=lambda drop: faulty.append(Faulty(drop)) or faulty[0])
    faulty[0].fails = {"put": Unavailable("could not write: no space left", maybe_done=False)}
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look(times=3)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert len(await site.rows()) == 3
    assert site.files() == [".taking/imunisasi_1.csv"]
    assert [event for event, _ in site.lines] == ["file-waits"]
    faulty[0].fails = {}
    await site.look(61)
    assert site.files() == [f"{DAY}/imunisasi_1.csv", "rejected/imunisasi_1.csv.rejected.csv"]
    assert len(site.told()) == 1


async def test_a_drop_that_breaks_off_in_mid_file_is_gone_on_with_at_the_next_row(open_site: OpenSite) -> None:
    class Short:
        """A file whose reading fails after so many bytes."""

        def __init__(self, file: BinaryIO, left: int) -> None:
            self._file, self._left = file, left

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def read1(self, size: int = -1) -> bytes:
            self._left -= max(size, 0)
            if self._left < 0:
                raise OSError(5, "Input/output error")
            return self._file.read1(size)  # type: ignore[attr-defined]

    class Breaking(Faulty):
        opened = 0

        async def open(self, name: str) -> Any:
            file = await self._drop.open(name)
            self.opened += 1
            return Short(file, 200_000) if self.opened == 2 else file

    drops: list[Breaking] = []
    site = await open_site(drop=lambda drop: drops.append(Breaking(drop)) or drops[0])
    site.drop("imunisasi_1.csv", rows(40_000))
    await site.look()
    assert site.told() == []
    reached = (await site.ledger.receipts(FEED))[0]
    assert reached.state is FileState.TAKING
    await site.look(61)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert len(await site.rows()) == 40_000


async def test_a_ledger_that_is_away_lets_files_wait(open_site: OpenSite) -> None:
    site = await open_site()
    real = site.intake.ledger

    class Away:
        def __getattr__(self, name: str) -> Any:
            raise LedgerUnavailable("away")

    site.drop("imunisasi_1.csv")
    site.intake.ledger = Away()  # type: ignore[assignment]
    await site.look()
    assert site.files() == ["imunisasi_1.csv"]
    site.intake.ledger = real
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]


async def test_rule_11_20_one_process_takes_a_feeds_files_at_a_time(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv")
    assert await site.ledger.hold(lease_of(FEED), by="another", seconds=4.0) is not None
    await site.look()
    assert site.files() == ["imunisasi_1.csv"]
    await site.look(10)
    assert site.told() == [("imunisasi_1.csv", "accepted")]


async def test_rule_11_20_a_reader_that_is_overtaken_leaves_the_file_to_the_other(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", rows(12_000))
    chunks, real = 0, site.ledger.add_rows

    async def add_rows(*arguments: Any) -> Any:
        nonlocal chunks
        chunks += 1
        if chunks == 2:
            site.clock._monotonic += 30
            assert await site.ledger.hold(lease_of(FEED), by="another", seconds=1.0) is not None
        return await real(*arguments)

    site.ledger.add_rows = add_rows  # type: ignore[method-assign]
    await site.look()
    assert site.told() == []
    assert [event for event, _ in site.lines] == ["feed-overtaken"]
    await site.look(30)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert len(await site.rows()) == 12_000


async def test_rule_11_21_a_changed_mapping_reads_the_archived_file_again_behind_the_old_snapshot(
    open_site: OpenSite,
) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    back = (site.folder / "rejected/imunisasi_1.csv.rejected.csv").read_text("utf-8-sig")
    site.drop("imunisasi_1.rejected.csv", back.replace('"x"', '"7"'))
    await site.look()
    keeping = with_mode("snapshot", mapping="m2")
    other = await site.again(keeping=keeping)
    await other.look(times=2)
    assert [event for event, _ in other.lines] == ["feed-made-anew"]
    assert other.told() == [], "no file came"
    assert len(await other.rows()) == 4
    live = (await other.ledger.standing(FEED)).live
    assert live is not None
    assert (live.mapping, live.place) == ("m2", f"{DAY}/imunisasi_1.rejected.csv")
    await other.close()


async def test_a_snapshot_that_is_missing_is_made_again_of_its_file(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv")
    await site.look()
    (site.place / "ledger-feeds/1.db").unlink()
    other = await site.again()
    with pytest.raises(Unavailable):
        await other.rows()
    await other.look()
    assert len(await other.rows()) == 3
    await other.close()


async def test_an_archived_file_that_is_gone_is_told_and_not_asked_for_again(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", rows(10))
    await site.look()
    (site.folder / DAY / "imunisasi_1.csv").unlink()
    assert await site.ledger.want_again(1, by="budi")
    await site.look(times=2)
    assert [event for event, _ in site.lines] == ["file-gone"]
    assert len(await site.rows()) == 10


async def test_a_strange_file_keeps_no_other_waiting(open_site: OpenSite) -> None:
    class Strange(Faulty):
        async def open(self, name: str) -> Any:
            if "strange" in name:
                raise RuntimeError("whatever")
            return await self._drop.open(name)

    site = await open_site(drop=Strange)
    site.drop("imunisasi_0strange.csv", rows(5))
    site.drop("imunisasi_1.csv")
    await site.look(times=3)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    ((event, facts),) = site.lines
    assert (event, facts["level"]) == ("file-waits", "error")
    assert "RuntimeError, test_intake_interrupted.py" in str(facts["why"])


async def test_a_link_out_of_the_drop_is_no_file(open_site: OpenSite) -> None:
    site = await open_site()
    (site.place / "secret").write_text(GOOD)
    (site.folder / "imunisasi_1.csv").symlink_to(site.place / "secret")
    await site.look()
    assert site.told() == []


async def test_rule_11_20_two_gateways_on_one_folder_take_each_file_once(open_site: OpenSite) -> None:
    site = await open_site(keeping=with_mode("append"))
    other = await site.again()
    for number in range(6):
        site.drop(f"imunisasi_{number}.csv", rows(3000, first=1 + 3000 * number))
    while len(site.news) + len(other.news) < 6:
        await asyncio.gather(site.intake.once(), other.intake.once())
    assert sorted(site.told() + other.told()) == [(f"imunisasi_{number}.csv", "accepted") for number in range(6)]
    assert len(await site.rows()) == 18_000
    assert len(await site.ledger.receipts(FEED)) == 6
    await other.close()


async def test_what_was_tried_again_is_found_where_it_lay_by_whoever_goes_on(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv", rows(10))
    await site.look()
    await site.clock.advance(86_400)
    real, site.ledger.filed = site.ledger.filed, no_more  # type: ignore[method-assign]
    assert await site.ledger.want_again(1, by="budi")
    await site.look()
    site.ledger.filed = real  # type: ignore[method-assign]
    assert (await site.receipt(2)).settled is False
    other = await site.again()
    await other.look()
    receipt = await other.receipt(2)
    assert (receipt.settled, receipt.place) == (True, f"{DAY}/imunisasi_1.csv")
    assert other.files() == [f"{DAY}/imunisasi_1.csv"]
    await other.close()


async def no_more(*_: object) -> None:
    raise LedgerUnavailable("gone in the middle")


async def test_a_copy_of_the_ledger_answers_from_its_own_snapshots(open_site: OpenSite) -> None:
    site = await open_site()
    site.drop("imunisasi_1.csv")
    await site.look()
    (site.place / "copy").mkdir()
    await site.ledger.backup(site.place / "copy/ledger.db")
    copy = await SqliteLedger.open(site.place / "copy/ledger.db", KeySource(path=site.place / "ledger.key"), site.clock)
    found = await copy.look_up(FEED, {"jenis": "BCG"}, limit=10)
    assert len(found.rows) == 2
    await copy.close()


async def test_rule_11_21_a_process_with_the_old_mapping_leaves_reading_anew_to_the_one_with_the_new(
    open_site: OpenSite,
) -> None:
    old = await open_site()
    old.drop("imunisasi_1.csv")
    await old.look()
    new = await old.again(keeping=with_mode("snapshot", mapping="m2"))
    await new.intake._examine(FEED, new.plan)
    await old.look(times=2)
    assert len(old.news) == 1
    await new.look()
    assert new.told() == [("imunisasi_1.csv", "accepted")]
    old.drop("imunisasi_2.csv", GOOD.replace("BCG", "DPT"))
    await old.look()
    assert old.told()[1:] == [("imunisasi_2.csv", "accepted")], "files that come are anybody's"
    await new.look(61, times=2)
    live = (await new.ledger.standing(FEED)).live
    assert live is not None
    assert (live.file, live.mapping) == ("imunisasi_2.csv", "m2")
    await new.close()


@pytest.mark.parametrize("mode", ["snapshot", "forward"])
async def test_rejects_are_handed_back_though_later_files_came_before_theirs_could_be_put_away(
    open_site: OpenSite, mode: str
) -> None:
    faulty: list[Faulty] = []
    keeping = FORWARD if mode == "forward" else None
    site = await open_site(keeping=keeping, drop=lambda drop: faulty.append(Faulty(drop)) or faulty[0])
    site = forwarding(site) if mode == "forward" else site
    faulty[0].fails = {"put": Unavailable("no space left", maybe_done=False)}
    for number in range(1, 5):
        site.drop(f"imunisasi_{number}.csv", GOOD + f"{number + 3};BCG\nx{number};BCG\n")
        await site.look()
    assert [told for _, told in site.told()] == ["accepted"] * 4
    faulty[0].fails = {}
    await site.look(61.0)
    handed = [site.handed_back(f"imunisasi_{number}.csv.rejected.csv")[1:] for number in range(1, 5)]
    assert [[row[3] for row in file] for file in handed] == [["x1"], ["x2"], ["x3"], ["x4"]]
