"""Files whose rows become messages: what is put, what waits, and what is told, whatever comes between."""

from dataclasses import replace

import pytest

from gateway.feeds import Held, Keeping, Turn, lease_of
from gateway.forward import AGAIN
from gateway.message import Message, OperationId, Origin
from gateway.portion import Portion
from gateway.records import Entry, Filter
from gateway.registry import Forward
from tests.drops import FEED, GOOD, NIK, OpenSite, Site, rows

LANE = "dpmptsp"
TO = OperationId("dpmptsp/lapor")
DAY = "archive/2026-03-02"
FORWARD = Keeping(mode="forward", mapping="m1")
KEYED = replace(FORWARD, key=("nik_anak",))


def entry(message: Message, origin: Origin) -> Entry:
    return Entry(message=message, lane=LANE, repeat="harmless", origin=origin)


class Lane:
    """A lane that has room for so many rows, and hears of those that came."""

    def __init__(self, room: int = 10**9) -> None:
        self.room = room

    async def for_rows(self, lane: str) -> int:
        assert lane == LANE
        return self.room

    def filled(self, lane: str, count: int) -> None:
        assert lane == LANE
        self.room -= count


def forwarding(site: Site, room: int = 10**9) -> Site:
    site.plan = replace(site.plan, forward=Forward(to=TO, lane=LANE, entry=entry))
    site.intake.feeds = {"imunisasi": site.plan}
    site.settings = site.settings.model_copy(update={"mode": "forward", "to": "dpmptsp/lapor"})
    site.adapter._inbox.feeds = {"imunisasi": site.settings}
    site.intake.room = Lane(room)
    return site


async def sent(site: Site) -> list[tuple[str, str]]:
    """Return the rows that were put, in the order in which they are delivered."""
    claims = await site.ledger.claim(LANE, 10_000, lease=0.001)
    return [(claim.message.body["nik_anak"], claim.message.body["jenis"]) for claim in claims]


def counts(site: Site) -> tuple[int, int, int, int]:
    tally = site.news[-1].receipt.tally
    return tally.accepted, tally.unchanged, tally.rejected, tally.skipped


async def test_each_row_is_a_message_of_the_feed_and_the_receipt_says_so(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", GOOD + "nik_anak;jenis\nx;BCG\n")
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert counts(site) == (3, 0, 1, 1)
    claims = await site.ledger.claim(LANE, 10, lease=60.0)
    assert [claim.message.operation for claim in claims] == [TO] * 3
    assert {claim.message.client for claim in claims} == {FEED}
    receipt = await site.receipt(1)
    assert [claim.message.correlation_id for claim in claims] == [f"{receipt.reference}.{n}" for n in (1, 2, 3)]
    found = await site.ledger.search(Filter(receipt=1, client=FEED))
    assert [row.origin for row in found.rows] == [Origin(receipt=1, record=n) for n in (3, 2, 1)]
    line = (site.folder / DAY / "imunisasi_1.csv.receipt.txt").read_text("utf-8")
    assert "3 baris diteruskan, 1 ditolak (angka dibulatkan: 1), 0 sudah pernah" in line
    assert NIK not in line
    assert site.handed_back("imunisasi_1.csv.rejected.csv")[1][0] == "6"


@pytest.mark.parametrize(("max_reject", "trailer"), [(0.0, None), (0.2, None), (1.0, "TOTAL")])
async def test_a_file_is_judged_whole_before_any_of_it_is_put(
    open_site: OpenSite, max_reject: float, trailer: str | None
) -> None:
    site = forwarding(await open_site(keeping=FORWARD, max_reject=max_reject, trailer=trailer))
    site.drop("imunisasi_1.csv", GOOD + "x;BCG\n")
    await site.look()
    (news,) = site.news
    assert news.receipt.reason
    assert news.receipt.reason.rule == ("no-trailer" if trailer else "max-reject")
    assert await sent(site) == []
    assert "Tidak ada yang diteruskan." in str(site.paper("rejected/imunisasi_1.csv")["keterangan"])


async def test_many_rows_keep_their_order_over_batches_and_portions(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", rows(5_700))
    await site.look()
    assert [int(nik) for nik, _ in await sent(site)] == [*range(1, 5_701)]
    assert counts(site) == (5_700, 0, 0, 0)


async def test_rows_wait_while_their_lane_is_full_and_go_on_before_later_files(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD), room=700)
    site.drop("imunisasi_1.csv", rows(1_000))
    site.drop("imunisasi_2.csv", rows(2, first=5_000))
    await site.look(times=3)
    assert site.told() == []
    assert [event for event, _ in site.lines] == ["file-waits"]
    assert (await site.ledger.receipts(FEED))[0].tally.put == 700
    site.intake.room = Lane(302)
    await site.look(AGAIN)
    assert site.told() == [("imunisasi_1.csv", "accepted"), ("imunisasi_2.csv", "accepted")]
    assert [int(nik) for nik, _ in await sent(site)] == [*range(1, 1_001), 5_000, 5_001]
    assert [event for event, _ in site.lines] == ["file-waits"]


async def test_each_file_that_waits_is_told_though_another_process_ended_the_one_before(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD), room=1)
    site.drop("imunisasi_1.csv", rows(2))
    await site.look()
    other = forwarding(await site.again())
    await other.look()
    assert other.told() == [("imunisasi_1.csv", "accepted")]
    site.intake.room = Lane(0)
    site.drop("imunisasi_2.csv", rows(2, first=7))
    await site.look(AGAIN, times=3)
    assert [event for event, _ in site.lines] == ["file-waits", "file-waits"]
    await other.close()


async def test_a_file_that_waits_in_the_middle_goes_before_one_that_is_wanted_again(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    site.drop("imunisasi_1.csv", rows(1))
    await site.look()
    site.intake.room = Lane(1)
    site.drop("imunisasi_2.csv", rows(2, first=7))
    await site.look()
    assert await site.ledger.want_again(1, by="budi")
    site.intake.room = Lane(10)
    await site.look(AGAIN)
    assert [name for name, _ in site.told()] == ["imunisasi_1.csv", "imunisasi_2.csv", "imunisasi_1.csv"]


async def test_another_feed_goes_on_while_one_waits_for_room(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD), room=0)
    site.drop("imunisasi_1.csv")
    kept = replace(site.plan, forward=None, keeping=Keeping(mapping="m1"))
    site.intake.feeds = {"imunisasi": site.plan, "lain": kept}
    await site.look()
    assert site.told() == []
    files = site.adapter._inbox
    files._watches["lain"] = type(files._watches["imunisasi"])(site.settings.model_copy(update={"files": "lain_*.csv"}))
    files.feeds = {**files.feeds, "lain": site.settings}
    files.columns = {**files.columns, "lain": ("nik_anak", "jenis")}
    site.drop("lain_1.csv")
    await site.look()
    assert site.told() == [("lain_1.csv", "accepted")]


class CutOff(Exception):
    """The process ends here."""


@pytest.mark.parametrize(("last", "before"), [(1, True), (1, False), (2, True), (2, False), (3, True), (3, False)])
async def test_rule_11_20_a_process_that_ends_between_two_portions_doubles_and_loses_nothing(
    open_site: OpenSite, last: int, before: bool
) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    put, count = site.ledger.forward, 0

    async def forward(turn: object, number: int, portion: Portion) -> object:
        nonlocal count
        count += 1
        if count == last and before:
            raise CutOff
        tally = await put(turn, number, portion)
        if count == last:
            raise CutOff
        return tally

    site.ledger.forward = forward
    site.drop("imunisasi_1.csv", rows(1_200))
    await site.look()
    assert site.told() == []
    assert len(await sent(site)) == min(500 * (last - before), 1_200)
    other = forwarding(await site.again())
    await other.look()
    assert other.told() == [("imunisasi_1.csv", "accepted")]
    assert counts(other) == (1_200, 0, 0, 0)
    assert (await other.receipt(1)).tally.put == 1_200
    found = await other.ledger.search(Filter(receipt=1), limit=5_000)
    assert [row.origin.record for row in found.rows if row.origin] == [*range(1_200, 0, -1)]
    await other.close()


async def test_a_mapping_that_is_mended_midway_reads_anew_and_puts_nothing_twice(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=FORWARD), room=2)
    site.drop("imunisasi_1.csv", GOOD)
    await site.look()
    other = forwarding(await site.again(keeping=replace(FORWARD, mapping="m2")))
    await other.look()
    assert other.told() == [("imunisasi_1.csv", "accepted")]
    assert counts(other) == (1, 2, 0, 0)
    assert len((await other.ledger.search(Filter(client=FEED))).rows) == 3
    await other.close()


async def test_the_same_content_again_is_a_duplicate_and_tried_again_it_puts_only_what_is_missing(
    open_site: OpenSite,
) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    for name in ("imunisasi_1.csv", "imunisasi_2.csv"):
        site.drop(name, GOOD)
        await site.look()
    assert site.told()[1:] == [("imunisasi_2.csv", "duplicate")]
    assert "sudah pernah diteruskan (tanda terima 1)" in str(site.paper("rejected/imunisasi_2.csv")["keterangan"])
    assert await site.ledger.want_again(1, by="budi")
    await site.look()
    assert site.told()[2:] == [("imunisasi_1.csv", "accepted")]
    assert counts(site) == (0, 3, 0, 0)
    assert len((await site.ledger.search(Filter(client=FEED))).rows) == 3


async def test_with_a_key_tomorrows_file_sends_only_what_changed(open_site: OpenSite) -> None:
    site = forwarding(await open_site(keeping=KEYED))
    for number, content in enumerate(("1;BCG\n2;BCG\n", "1;BCG\n2;Polio\n3;BCG\n", "1;BCG\n2;BCG\n3;BCG\n")):
        site.drop(f"imunisasi_{number}.csv", f"nik_anak;jenis\n{content}")
        await site.look()
    assert [news.receipt.tally.unchanged for news in site.news] == [0, 1, 2]
    assert await sent(site) == [("1", "BCG"), ("2", "BCG"), ("2", "Polio"), ("3", "BCG"), ("2", "BCG")]


async def test_a_file_that_grows_between_its_two_readings_is_refused_and_never_put_twice(
    open_site: OpenSite,
) -> None:
    site = forwarding(await open_site(keeping=FORWARD))
    put = site.ledger.forward

    async def forward(turn: object, number: int, portion: Portion) -> object:
        with (site.folder / ".taking/imunisasi_1.csv").open("a") as file:
            file.write("9;BCG\n")
        return await put(turn, number, portion)

    site.ledger.forward = forward
    site.drop("imunisasi_1.csv", rows(6_000))
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "unfinished")]
    count = site.news[0].receipt.tally.accepted
    assert 0 < count <= 6_000
    site.ledger.forward = put
    plan, site.intake.feeds = site.intake.feeds, {}
    turn = Turn(feed=FEED, by="b", token=await site.ledger.hold(lease_of(FEED), by="b", seconds=60.0) or 0)
    for number in range(60):
        other = Held(
            feed="imunisasi", name=f"n{number}.csv", folder="x", size=1, as_of=site.clock.now(), sha256=f"{number:064}"
        )
        one = await site.ledger.take_up(turn, other, FORWARD)
        await site.ledger.publish(turn, one.number, FORWARD)
        await site.ledger.filed(turn, one.number, "archive/n.csv")
    await site.ledger.hold(lease_of(FEED), by="b", seconds=0.0)
    site.intake.feeds = plan
    await site.look(times=2)
    assert site.told()[1:] == [("imunisasi_1.csv", "changed-after")]
    paper = site.paper("rejected/imunisasi_1.csv")
    assert f"berubah setelah {count} barisnya diteruskan (tanda terima 1)" in str(paper["keterangan"])
    assert len(await sent(site)) == count
    site.drop("imunisasi_1.csv", rows(1, first=9_000))
    await site.look()
    assert site.told()[2:] == [("imunisasi_1.csv", "accepted")]
