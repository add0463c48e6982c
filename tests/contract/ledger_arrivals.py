"""What every ledger promises about when files came, and about what it forgets of them; a sibling of `ledger_feeds`."""

from dataclasses import replace
from datetime import datetime, timedelta

from gateway.errors import FieldError
from gateway.feeds import FileReceipt, Tally
from gateway.message import Document
from tests.contract.ledger import Stage
from tests.contract.ledger_feeds import FEED, KEYED, ROWS, chunk, held, reject, taken, turn

DAY = 86400.0
APPENDED = replace(KEYED, mode="append")


def near(one: datetime, other: datetime | None) -> bool:
    """Two reads of a real database's clock."""
    return other is not None and abs(one - other) < timedelta(seconds=30)


async def forgotten(stage: Stage, *numbers: int) -> list[int]:
    """Which of these receipts are there no more."""
    return [number for number in numbers if await stage.ledger.receipt(number) is None]


async def shed(stage: Stage, days: float = 400) -> int:
    """Forget what is as old as that, until nothing is left to be forgotten."""
    total = 0
    while gone := await stage.ledger.shed_files(FEED, days * DAY, limit=2):
        total += gone
    return total


async def refused(stage: Stage, name: str = "b.csv") -> FileReceipt:
    mine = await turn(stage.ledger)
    receipt = await stage.ledger.take_up(mine, held(name), KEYED)
    await stage.ledger.add_rows(mine, receipt.number, KEYED, chunk(rejects=(reject(1),)))
    why = FieldError(pointer="", rule="max-reject", params={"rejected": "1", "total": "1", "max": "0%"})
    ended = await stage.ledger.refuse(mine, receipt.number, Tally(position=1, rejected=1), why)
    await stage.ledger.filed(mine, receipt.number, "rejected/b.csv")
    return ended


class ArrivalContract:
    async def test_a_feed_that_never_had_a_file_counts_from_when_it_was_first_asked_for(self, stage: Stage) -> None:
        first = await stage.ledger.last_came(FEED)
        await stage.pass_time(3 * DAY)
        assert await stage.ledger.last_came(FEED) == first
        assert await (await stage.another()).last_came(FEED) == first
        other = await stage.ledger.last_came("puskesmas/stok")
        assert near(other - timedelta(days=3), first)

    async def test_a_file_came_when_it_was_taken_or_was_known_already(self, stage: Stage) -> None:
        await stage.ledger.last_came(FEED)
        await stage.pass_time(3 * DAY)
        file = held()
        done = await taken(stage.ledger, *ROWS, file=file)
        assert await stage.ledger.last_came(FEED) == done.ended_at
        await stage.pass_time(DAY)
        again = await taken(stage.ledger, file=file)
        assert again.original == done.number
        assert await stage.ledger.last_came(FEED) == again.ended_at

    async def test_refused_files_and_mended_rejects_and_what_is_read_again_by_itself_did_not_come(
        self, stage: Stage
    ) -> None:
        done = await taken(stage.ledger, *ROWS, rejects=(reject(4),))
        await stage.pass_time(DAY)
        await refused(stage)
        await taken(stage.ledger, *ROWS, file=held("c.csv", repairs=done.reference))
        await taken(stage.ledger, *ROWS, file=held("a.csv", sha=done.sha256), keeping=replace(KEYED, mapping="m2"))
        assert await stage.ledger.last_came(FEED) != done.ended_at  # a person had it read again
        mine = await turn(stage.ledger)
        newer = replace(KEYED, mapping="m3")
        file = held("a.csv", sha=done.sha256)
        before = await stage.ledger.last_came(FEED)
        await stage.pass_time(DAY)
        mine = await turn(stage.ledger)
        again = await stage.ledger.take_up(mine, file, newer, confirmed="gateway", afresh=True)
        await stage.ledger.add_rows(mine, again.number, newer, chunk(*ROWS))
        await stage.ledger.publish(mine, again.number, newer)
        assert await stage.ledger.last_came(FEED) == before


class ForgettingContract:
    async def test_receipts_are_forgotten_when_their_time_is_over_and_no_sooner(self, stage: Stage) -> None:
        one, two = await refused(stage), await refused(stage, "c.csv")
        assert await stage.ledger.feeds_kept() == (FEED,)
        await stage.pass_time(399 * DAY)
        assert await shed(stage) == 0
        await stage.pass_time(2 * DAY)
        assert await shed(stage) == 2
        assert await forgotten(stage, one.number, two.number) == [one.number, two.number]
        assert not await stage.ledger.rejects(one.number)
        assert await stage.ledger.feeds_kept() == ()

    async def test_the_live_and_the_previous_snapshot_keep_their_receipts_and_rows(self, stage: Stage) -> None:
        receipts = [await taken(stage.ledger, row, rejects=(reject(2),)) for row in ROWS]
        await stage.pass_time(500 * DAY)
        assert await shed(stage) == 1
        oldest, previous, live = (receipt.number for receipt in receipts)
        assert await forgotten(stage, oldest, previous, live) == [oldest]
        assert [one.number for one in await stage.ledger.rejects(live)] == [2]
        assert (await stage.ledger.look_up(FEED, {}, limit=9)).rows == (ROWS[2],)
        assert await stage.ledger.roll_back(FEED, by="budi") is not None
        assert (await stage.ledger.look_up(FEED, {}, limit=9)).rows == (ROWS[1],)

    async def test_what_rows_in_use_were_added_to_stays_as_far_back_as_it_goes(self, stage: Stage) -> None:
        receipts = [await taken(stage.ledger, row, keeping=APPENDED) for row in ROWS]
        await stage.pass_time(500 * DAY)
        assert await shed(stage) == 0
        assert await forgotten(stage, *(receipt.number for receipt in receipts)) == []

    async def test_the_original_of_a_duplicate_and_what_is_wanted_again_or_not_put_away_stays(
        self, stage: Stage
    ) -> None:
        row: Document = ROWS[0]
        original = await taken(stage.ledger, row, file=(file := held()))
        await stage.pass_time(200 * DAY)
        duplicate = await taken(stage.ledger, file=file)
        await stage.ledger.filed(await turn(stage.ledger), duplicate.number, "rejected/a.csv")
        wanted, unfiled = await refused(stage), await unfinished(stage)
        for each in (ROWS[1], ROWS[2]):
            await taken(stage.ledger, each)
        assert await stage.ledger.want_again(wanted.number, by="budi")
        await stage.pass_time(250 * DAY)
        assert await shed(stage) == 0
        await stage.pass_time(200 * DAY)
        assert await shed(stage) == 2
        numbers = [original.number, duplicate.number, wanted.number, unfiled.number]
        assert await forgotten(stage, *numbers) == numbers[:2]


async def unfinished(stage: Stage) -> FileReceipt:
    """Return the receipt of a file that was refused and is not put away."""
    mine = await turn(stage.ledger)
    receipt = await stage.ledger.take_up(mine, held("d.csv"), KEYED)
    return await stage.ledger.refuse(mine, receipt.number, Tally(), FieldError(pointer="", rule="unfinished"))
