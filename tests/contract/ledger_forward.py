"""What every ledger promises about rows that become messages: each is put once, in order, with how far its file is."""

from dataclasses import replace

import pytest

from gateway.errors import FieldError
from gateway.feeds import FileReceipt, FileState, Held, Keeping, Overtaken, Tally, Turn
from gateway.ledger import Ledger
from gateway.message import Origin
from gateway.portion import Forwarded, Portion
from gateway.records import Delivered, Filter, State
from tests.contract.ledger import Stage, a_message, an_entry
from tests.contract.ledger_feeds import FEED, chunk, held, reject, rows_of, taken, turn

FORWARD = Keeping(mode="forward", mapping="m1")


def portion(
    receipt: FileReceipt, *rows: str, after: int = 0, keyed: bool = False, position: int | None = None
) -> Portion:
    """Return rows such as "ani:1": under the key ani the content 1."""
    made = [
        Forwarded(
            number=number,
            entry=an_entry(
                message=a_message(body={"nama": row}, client=FEED, idempotency_key=f"{receipt.sha256}:{number}"),
                origin=Origin(receipt=receipt.number, record=number),
            ),
            place=f"{receipt.sha256}:{number}",
            key=row.partition(":")[0] if keyed else None,
        )
        for number, row in enumerate(rows, after + 1)
    ]
    return Portion(after=after, position=position or after + len(rows), rows=made)


async def read(
    ledger: Ledger, count: int, *, file: Held | None = None, keeping: Keeping = FORWARD, afresh: bool = False
) -> tuple[Turn, FileReceipt]:
    """Take a file up and go through it once."""
    mine = await turn(ledger)
    receipt = await ledger.take_up(mine, file or held(), keeping, afresh=afresh)
    if receipt.state is FileState.TAKING and not receipt.tally.whole:
        rows = chunk(*[{"nama": str(number)} for number in range(count)])
        receipt = replace(receipt, tally=await ledger.add_rows(mine, receipt.number, keeping, rows))
    return mine, receipt


async def sent(
    ledger: Ledger, *rows: str, file: Held | None = None, keyed: bool = False, afresh: bool = False
) -> Tally:
    """Take a file in, all of it."""
    mine, receipt = await read(ledger, len(rows), file=file, afresh=afresh)
    if receipt.state is not FileState.TAKING:
        return receipt.tally
    await ledger.forward(mine, receipt.number, portion(receipt, *rows, keyed=keyed))
    done = await ledger.publish(mine, receipt.number, FORWARD)
    await ledger.filed(mine, receipt.number, "archive/a.csv")
    return done.tally


async def mended(  # noqa: PLR0913 - what a row is known by
    ledger: Ledger, row: str, *, place: str, record: str, mends: tuple[str, ...] = (), key: str | None = None
) -> Tally:
    """Take a file in of one row that is known by these."""
    mine, receipt = await read(ledger, 1)
    made = portion(receipt, row)
    rows = [replace(one, place=place, record=record, mends=mends, key=key) for one in made.rows]
    await ledger.forward(mine, receipt.number, replace(made, rows=rows))
    return (await ledger.publish(mine, receipt.number, FORWARD)).tally


async def bodies(stage: Stage) -> list[str]:
    """Return what waits in the lane, in the order in which it would be sent."""
    return [str(claim.message.body["nama"]) for claim in await stage.claim(1000)]


def counts(tally: Tally) -> tuple[int, int, int]:
    return tally.accepted, tally.unchanged, tally.put


class ForwardContract:
    async def test_rows_are_messages_in_the_order_of_the_file_that_know_where_they_come_from(
        self, stage: Stage
    ) -> None:
        mine, receipt = await read(stage.ledger, 3)
        assert counts(receipt.tally) == (3, 0, 0)
        assert await bodies(stage) == []
        tally = await stage.ledger.forward(mine, receipt.number, portion(receipt, "a", "b", "c"))
        assert counts(tally) == (3, 0, 3)
        claims = await stage.claim()
        assert [(claim.message.body["nama"], claim.message.client) for claim in claims] == [
            (name, FEED) for name in "abc"
        ]
        await stage.settle(claims[0].ticket, Delivered())
        assert await stage.ledger.forwarded(receipt.number) == {State.DELIVERED: 1, State.DELIVERING: 2}
        assert await stage.ledger.forwarded(receipt.number + 1) == {}
        found = await stage.ledger.search(Filter(receipt=receipt.number))
        assert [row.origin for row in found.rows] == [Origin(receipt=receipt.number, record=n) for n in (3, 2, 1)]
        assert (await stage.ledger.search(Filter(receipt=receipt.number + 1))).rows == ()
        assert (await stage.record(claims[0].ticket.id)).summary.origin == Origin(receipt=receipt.number, record=1)
        assert (await stage.record(await stage.put())).summary.origin is None

    async def test_rows_of_one_order_key_go_one_after_the_other_in_the_order_of_the_file(self, stage: Stage) -> None:
        mine, receipt = await read(stage.ledger, 3)
        rows = portion(receipt, "a", "b", "c")
        keyed = [
            replace(row, entry=replace(row.entry, order_key="ani" if row.number < 3 else "budi")) for row in rows.rows
        ]
        await stage.ledger.forward(mine, receipt.number, replace(rows, rows=keyed))
        first = await stage.claim()
        assert [claim.message.body["nama"] for claim in first] == ["a", "c"]
        await stage.settle(first[0].ticket, Delivered())
        assert await bodies(stage) == ["b"]

    async def test_a_portion_is_put_with_its_position_or_not_at_all(self, stage: Stage) -> None:
        mine, receipt = await read(stage.ledger, 4)
        await stage.ledger.forward(mine, receipt.number, portion(receipt, "a", "b"))
        for wrong in (portion(receipt, "a", "b"), portion(receipt, "d", after=3)):
            with pytest.raises(Overtaken):
                await stage.ledger.forward(mine, receipt.number, wrong)
        (going,) = [await stage.ledger.take_up(mine, held(sha=receipt.sha256), FORWARD)]
        assert (going.number, going.tally.whole, counts(going.tally)) == (receipt.number, True, (4, 0, 2))
        await stage.ledger.forward(mine, receipt.number, portion(receipt, "c", after=2, position=4))
        assert await bodies(stage) == ["a", "b", "c"]

    async def test_another_ones_turn_puts_nothing(self, stage: Stage) -> None:
        mine, receipt = await read(stage.ledger, 1)
        other = await stage.another()
        await stage.pass_time(1000)
        theirs = await turn(other, by="b")
        await other.take_up(theirs, held(sha=receipt.sha256), FORWARD)
        with pytest.raises(Overtaken):
            await stage.ledger.forward(mine, receipt.number, portion(receipt, "a"))
        await other.forward(theirs, receipt.number, portion(receipt, "a"))
        assert await bodies(stage) == ["a"]

    async def test_a_file_that_was_forwarded_before_is_a_duplicate_however_many_came_between(
        self, stage: Stage
    ) -> None:
        first = held()
        await sent(stage.ledger, "a", file=first)
        await sent(stage.ledger, "b")
        _, again = await read(stage.ledger, 1, file=first)
        assert (again.state, again.original) == (FileState.DUPLICATE, 1)
        assert await bodies(stage) == ["a", "b"]

    async def test_a_file_that_is_tried_again_puts_only_what_was_not(self, stage: Stage) -> None:
        file = held()
        mine, receipt = await read(stage.ledger, 2, file=file)
        await stage.ledger.forward(mine, receipt.number, portion(receipt, "a", position=2))
        await stage.ledger.publish(mine, receipt.number, FORWARD)
        await stage.ledger.filed(mine, receipt.number, "archive/a.csv")
        assert counts(await sent(stage.ledger, "a", "b", file=file, afresh=True)) == (1, 1, 2)
        # What a mended mapping makes of a record that was put is not put once more.
        mended = replace(FORWARD, mapping="m2")
        mine, receipt = await read(stage.ledger, 3, file=file, keeping=mended)
        tally = await stage.ledger.forward(mine, receipt.number, portion(receipt, "A", "B", "c"))
        assert counts(tally) == (1, 2, 3)
        assert await bodies(stage) == ["a", "b", "c"]

    async def test_rows_alike_are_a_message_each_where_no_key_says_that_they_are_one(self, stage: Stage) -> None:
        assert counts(await sent(stage.ledger, "a", "a")) == (2, 0, 2)
        assert counts(await sent(stage.ledger, "a")) == (1, 0, 1)
        assert await bodies(stage) == ["a", "a", "a"]

    async def test_under_a_key_only_what_changed_is_put_and_a_change_back_is_one(self, stage: Stage) -> None:
        assert counts(await sent(stage.ledger, "ani:1", "budi:1", "ani:1", keyed=True)) == (2, 1, 3)
        assert counts(await sent(stage.ledger, "ani:1", "budi:2", keyed=True)) == (1, 1, 2)
        assert counts(await sent(stage.ledger, "budi:1", keyed=True)) == (1, 0, 1)
        file = held()
        assert counts(await sent(stage.ledger, "ani:2", "ani:3", keyed=True, file=file)) == (2, 0, 2)
        assert counts(await sent(stage.ledger, "ani:2", "ani:3", keyed=True, file=file, afresh=True)) == (0, 2, 2)
        assert await bodies(stage) == ["ani:1", "budi:1", "budi:2", "budi:1", "ani:2", "ani:3"]

    async def test_rejects_are_kept_until_their_file_is_put_away_and_another_is_forwarded(self, stage: Stage) -> None:
        ledger, mine = stage.ledger, await turn(stage.ledger)
        receipt = await ledger.take_up(mine, held(), FORWARD)
        tally = await ledger.add_rows(mine, receipt.number, FORWARD, chunk({"nama": "a"}, rejects=(reject(2),)))
        assert (tally.accepted, tally.rejected, tally.kept, tally.rules) == (1, 1, 0, {"digits": 1})
        assert await ledger.rejects(receipt.number) == [reject(2)]
        await ledger.forward(mine, receipt.number, portion(receipt, "a", position=2))
        await ledger.publish(mine, receipt.number, FORWARD)
        refused = await ledger.take_up(mine, held("b.csv"), FORWARD)
        tally = await ledger.add_rows(mine, refused.number, FORWARD, chunk(rejects=(reject(1),)))
        await ledger.refuse(mine, refused.number, tally, FieldError(pointer="", rule="max-reject"))
        assert await ledger.rejects(refused.number) == [reject(1)]
        await ledger.filed(mine, refused.number, "rejected/b.csv")
        assert not await ledger.rejects(refused.number)
        assert await ledger.rejects(receipt.number) == [reject(2)]
        await sent(ledger, "c")
        assert await ledger.rejects(receipt.number) == [reject(2)], "they are not handed back yet"
        await ledger.filed(mine, receipt.number, "archive/a.csv")
        assert not await ledger.rejects(receipt.number)

    async def test_receipts_of_files_of_one_name_are_found_however_many_came_since(self, stage: Stage) -> None:
        for name in ("a.csv", "b.csv", "a.csv", "c.csv"):
            await sent(stage.ledger, "x", file=held(name))
        assert [one.number for one in await stage.ledger.receipts(FEED, file="a.csv", limit=2)] == [3, 1]
        assert [one.number for one in await stage.ledger.receipts(FEED, limit=2)] == [4, 3]

    async def test_what_was_forwarded_can_not_be_rolled_back_nor_looked_up(self, stage: Stage) -> None:
        await sent(stage.ledger, "a")
        await sent(stage.ledger, "b")
        standing = await stage.ledger.standing(FEED)
        assert standing.live is not None
        assert (standing.live.number, standing.previous) == (2, None)
        assert await stage.ledger.roll_back(FEED, by="budi") is None

    async def test_a_feed_may_change_between_forwarding_and_a_snapshot(self, stage: Stage) -> None:
        rows = [{"nik": "1", "jenis": "BCG"}]
        await taken(stage.ledger, *rows)
        await sent(stage.ledger, "a")
        done = await taken(stage.ledger, *rows, keeping=Keeping(mode="append", mapping="m3"))
        assert (done.base, done.tally.kept) == (None, 1)
        assert await rows_of(stage.ledger) == rows

    async def test_a_row_that_was_mended_more_than_once_is_put_once_for_all_that_it_was(self, stage: Stage) -> None:
        assert counts(await mended(stage.ledger, "7", place="a:5:7", record="c:2", mends=("b:3", "a:5"))) == (1, 0, 1)
        # The first file, the second and the third again, and the first mended to the same.
        for number, record in enumerate(("a:5", "b:3", "c:2")):
            tally = await mended(stage.ledger, "x", place=record, record=record, mends=("a:5",) if number == 1 else ())
            assert counts(tally) == (0, 1, 1)
        assert counts(await mended(stage.ledger, "7", place="a:5:7", record="d:2", mends=("a:5",))) == (0, 1, 1)
        assert counts(await mended(stage.ledger, "8", place="a:5:8", record="e:2", mends=("b:3", "a:5"))) == (1, 0, 1)
        assert await bodies(stage) == ["7", "8"]

    @pytest.mark.parametrize("as_it_was", ["a:5", "b:3"])
    async def test_a_row_that_was_put_as_it_was_is_not_put_mended_however_often_it_was_handed_back(
        self, stage: Stage, as_it_was: str
    ) -> None:
        assert counts(await mended(stage.ledger, "x", place=as_it_was, record=as_it_was)) == (1, 0, 1)
        tally = await mended(stage.ledger, "7", place="a:5:7", record="c:2", mends=("b:3", "a:5"))
        assert counts(tally) == (0, 1, 1)
        assert await bodies(stage) == ["x"]

    async def test_a_mended_row_whose_key_has_its_content_already_is_not_put_and_counts_as_mended(
        self, stage: Stage
    ) -> None:
        await sent(stage.ledger, "ani:1", keyed=True)
        assert counts(await mended(stage.ledger, "ani:1", place="a:5:h", record="c:2", mends=("a:5",), key="ani")) == (
            0,
            1,
            1,
        )
        assert counts(await mended(stage.ledger, "ani:2", place="a:5", record="a:5", key="ani")) == (0, 1, 1)
        assert await bodies(stage) == ["ani:1"]

    async def test_what_would_be_put_is_told_beside_what_was_and_nothing_is(self, stage: Stage) -> None:
        ledger = stage.ledger
        await sent(ledger, "ani:1", "budi:1", keyed=True)
        _, receipt = await read(ledger, 4)
        rows, seen = portion(receipt, "ani:1", "ani:2", "ani:2", "citra:1", keyed=True).rows, dict[bytes, bytes]()
        for _ in range(2):
            assert await ledger.foresee(FEED, rows[:2], seen) == 1
            assert await ledger.foresee(FEED, rows[2:], seen) == 1
            seen.clear()
        plain = portion(receipt, "x", "x").rows
        assert await ledger.foresee(FEED, plain, seen) == 2
        assert seen == {}
        assert await ledger.foresee("rsud/lain", rows[:1], {}) == 1
        again = [replace(row, mends=("a:5",), place=f"a:5:{row.number}") for row in plain]
        assert await ledger.foresee(FEED, [again[0], again[0], again[1]], seen) == 2
        assert await bodies(stage) == ["ani:1", "budi:1"]

    async def test_a_file_that_was_accepted_is_known_by_its_content_and_by_its_reference(self, stage: Stage) -> None:
        ledger, file = stage.ledger, held()
        _, receipt = await read(ledger, 1, file=file)
        assert await ledger.sent_as(FEED, file.sha256, "m1") is None
        assert await ledger.were_accepted(FEED, [receipt.reference]) == set()
        await sent(ledger, "a", file=file)
        assert await ledger.sent_as(FEED, file.sha256, "m1") == receipt.number
        assert await ledger.sent_as(FEED, file.sha256, "m2") is None
        asked = [receipt.reference, "r-000000000000", "?", "r-", "%"]
        assert await ledger.were_accepted(FEED, asked) == {receipt.reference}
        assert await ledger.were_accepted("rsud/lain", asked) == set()

    @pytest.mark.parametrize("accepted", [True, False])
    async def test_mended_rows_are_put_where_their_file_was_accepted(self, stage: Stage, accepted: bool) -> None:
        file = held()
        mine, receipt = await read(stage.ledger, 1, file=file)
        if accepted:
            await stage.ledger.publish(mine, receipt.number, FORWARD)
        else:
            await stage.ledger.refuse(mine, receipt.number, Tally(), FieldError(pointer="", rule="max-reject"))
        _, mended = await read(stage.ledger, 1, file=held("m.csv", repairs=receipt.reference))
        assert mended.state is (FileState.TAKING if accepted else FileState.REFUSED)
        assert (mended.reason.rule if mended.reason else None) == (None if accepted else "not-accepted")
