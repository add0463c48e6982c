"""What every ledger promises about upkeep: what is shed, who holds a task, the next key; a sibling of `ledger.py`."""

from gateway.message import Reply
from gateway.records import (
    Buried,
    Delivered,
    Refused,
    Retention,
    Shed,
    State,
    Unknown,
)
from tests.contract.ledger import BODY, LANE, Stage, an_entry
from tests.contract.ledger_archive import ended

DAY = 86400.0


class UpkeepContract:
    async def test_the_key_goes_first_then_the_body_then_the_rest(self, stage: Stage) -> None:
        kept = Retention(keys=7 * DAY, bodies=30 * DAY, metadata=365 * DAY)
        message = await ended(stage, Delivered(reply=Reply(body={"nomor": "1"})), key="k-1")
        assert await stage.ledger.shed(LANE, kept) == Shed()
        await stage.pass_time(8 * DAY)
        assert await stage.ledger.shed(LANE, kept) == Shed(keys=1)
        assert (await stage.ledger.put(an_entry(key="k-1")))[0].fresh
        assert (await stage.record(message)).body == BODY
        await stage.pass_time(30 * DAY)
        assert await stage.ledger.shed(LANE, kept) == Shed(bodies=1)
        record = await stage.record(message)
        assert (record.shed, record.body, record.answer, record.readable) == (True, None, None, True)
        await stage.pass_time(365 * DAY)
        assert await stage.ledger.shed(LANE, kept) == Shed(rows=1)
        assert await stage.ledger.get(message) is None

    async def test_what_nobody_has_settled_is_kept_for_ever(self, stage: Stage) -> None:
        messages = [await ended(stage, Buried(reason="poison")), await ended(stage, Unknown()), await stage.put()]
        await stage.pass_time(1000 * DAY)
        assert await stage.ledger.shed(LANE, Retention()) == Shed()
        assert [await stage.state(message) for message in messages] == [State.BURIED, State.UNKNOWN, State.PENDING]

    async def test_it_takes_no_more_than_a_batch_and_no_other_lane(self, stage: Stage) -> None:
        for _ in range(3):
            await ended(stage, Delivered())
        other = await stage.put(an_entry(lane="dinkes"))
        await stage.end(other, Delivered(), lane="dinkes")
        await stage.pass_time(400 * DAY)
        taken = [await stage.ledger.shed(LANE, Retention(), limit=2) for _ in range(8)]
        assert max(shed.rows for shed in taken) <= 2
        assert sum(shed.rows for shed in taken) == 3
        assert taken[-1] == Shed()
        assert (await stage.record(other)).body == BODY

    async def test_a_message_whose_body_was_shed_can_not_be_replayed(self, stage: Stage) -> None:
        message = await ended(stage, Refused())
        await stage.pass_time(31 * DAY)
        for _ in range(3):
            await stage.ledger.shed(LANE, Retention())
        assert await stage.ledger.replay([message], by="sri") == ()

    async def test_a_named_lease_is_one_processes(self, stage: Stage) -> None:
        first = await stage.ledger.hold("retention", by="a", seconds=30.0)
        assert first is not None
        assert await stage.ledger.hold("retention", by="a", seconds=30.0) == first
        second = await stage.another()
        assert await second.hold("retention", by="b", seconds=30.0) is None
        assert await second.hold("feed", by="b", seconds=30.0) is not None
        await stage.pass_time(31.0)
        taken = await second.hold("retention", by="b", seconds=30.0)
        assert taken is not None
        assert taken > first

    async def test_a_named_lease_is_given_back_by_holding_it_for_no_time(self, stage: Stage) -> None:
        second = await stage.another()
        assert await stage.ledger.hold("retention", by="a", seconds=30.0) is not None
        assert await second.hold("retention", by="b", seconds=0.0) is None, "it is not its to give back"
        assert await second.hold("retention", by="b", seconds=30.0) is None
        assert await stage.ledger.hold("retention", by="a", seconds=0.0) is not None
        assert await second.hold("retention", by="b", seconds=30.0) is not None

    async def test_a_holder_that_let_its_lease_end_gets_a_new_token(self, stage: Stage) -> None:
        first = await stage.ledger.hold("retention", by="a", seconds=30.0)
        await stage.pass_time(31.0)
        again = await stage.ledger.hold("retention", by="a", seconds=30.0)
        assert first is not None
        assert again is not None
        assert again > first

    async def test_rule_11_19_everything_is_sealed_again_with_the_next_key(self, stage: Stage) -> None:
        delivered = await ended(stage, Delivered(reply=Reply(body={"nomor": "1"})))
        edited = await ended(stage, Buried(reason="poison"))
        await stage.ledger.edit(edited, {"lain": "isi"}, by="sri")
        pending = [edited, await stage.put()]
        await stage.ledger.renew_key()
        steps = [step async for step in stage.ledger.reseal(batch=2)]
        assert (steps[-1].done, steps[-1].total) == (3, 3)
        assert len(steps) == 2
        assert [step async for step in stage.ledger.reseal()] == []
        assert (await stage.record(delivered)).answer == Reply(body={"nomor": "1"})
        assert (await stage.record(edited)).deeds[0].detail is not None
        assert sorted(await stage.claimed()) == sorted(pending)

    async def test_what_another_process_sealed_after_the_renewal_can_be_read(self, stage: Stage) -> None:
        second = await stage.another()
        await stage.ledger.renew_key()
        message = await stage.put()
        record = await second.get(message)
        assert record is not None
        assert record.body == BODY
