"""What every ledger promises to the people who look at it and act; a sibling of `ledger.py`."""

import asyncio
import base64
from datetime import timedelta

import msgspec
import pytest

from gateway.errors import InvalidRequest
from gateway.message import MessageId, OperationId, Reply, new_message_id
from gateway.records import (
    Buried,
    Delivered,
    Filter,
    Postponed,
    Refused,
    Repeat,
    State,
    Unknown,
    Verdict,
)
from tests.contract.ledger import ACCEPTED, BODY, FILE_PERMIT, LANE, LEASE, Stage, a_message, an_entry, found, tried

DAY = 86400.0
NIK = "1405029001180001"


async def ended(stage: Stage, verdict: Verdict, **settings: object) -> MessageId:
    message = await stage.put(an_entry(**settings))
    await stage.end(message, verdict)
    return message


def closed(end: object) -> str:
    """Return a cursor as somebody might make one up."""
    return base64.urlsafe_b64encode(msgspec.json.encode(end)).decode().rstrip("=")


class SearchContract:
    async def test_the_newest_come_first(self, stage: Stage) -> None:
        messages = [await stage.put() for _ in range(3)]
        assert await found(stage) == messages[::-1]

    async def test_by_lane_operation_client_and_state(self, stage: Stage) -> None:
        one = await stage.put()
        lane = await stage.put(an_entry(lane="dinkes"))
        operation = await stage.put(an_entry(message=a_message(operation=OperationId("dpmptsp/lain"))))
        client = await stage.put(an_entry(message=a_message(client="lain")))
        buried = await ended(stage, Buried(reason="poison"))
        assert await found(stage, lane="dinkes") == [lane]
        assert await found(stage, operation=OperationId("dpmptsp/lain")) == [operation]
        assert await found(stage, client="lain") == [client]
        assert await found(stage, states=frozenset({State.BURIED, State.UNKNOWN})) == [buried]
        pending = frozenset({State.PENDING})
        assert await found(stage, lane=LANE, states=pending, client="klik-pelalawan") == [operation, one]

    async def test_by_the_time_of_acceptance(self, stage: Stage) -> None:
        days = [ACCEPTED + timedelta(days=day) for day in range(3)]
        messages = [await stage.put(an_entry(message=a_message(accepted_at=day))) for day in days]
        assert await found(stage, since=days[1]) == [messages[2], messages[1]]
        assert await found(stage, until=days[1]) == [messages[0]]
        assert await found(stage, since=days[1], until=days[2]) == [messages[1]]

    async def test_by_a_subject_that_is_given_plain(self, stage: Stage) -> None:
        message = await stage.put(an_entry(subject=NIK))
        await stage.put(an_entry(subject="1405029001180002"))
        await stage.put()
        assert await found(stage, subject=NIK) == [message]

    async def test_by_whether_it_was_direct(self, stage: Stage) -> None:
        waiting = await stage.put()
        direct = (await stage.ledger.begin(an_entry(), lease=LEASE)).id
        assert await found(stage, direct=True) == [direct]
        assert await found(stage, direct=False) == [waiting]

    async def test_by_the_day_an_answer_is_due(self, stage: Stage) -> None:
        near = await stage.put(an_entry(answer_by=ACCEPTED))
        await stage.put(an_entry(answer_by=ACCEPTED + timedelta(days=3)))
        await stage.put()
        assert await found(stage, answer_before=ACCEPTED + timedelta(days=1)) == [near]

    async def test_pages_follow_each_other_without_a_gap(self, stage: Stage) -> None:
        messages = [await stage.put() for _ in range(5)]
        seen: list[MessageId] = []
        cursor = None
        for _ in range(3):
            page = await stage.ledger.search(Filter(), cursor=cursor, limit=2)
            seen += [row.id for row in page.rows]
            cursor = page.cursor
            await stage.put(an_entry(lane="dinkes"))
        assert seen == messages[::-1]
        assert cursor is None

    @pytest.mark.parametrize(
        "cursor", ["'; drop table message", "e", closed(["x", 1]), closed([1.0, 10**30]), closed([1, 1 << 63])]
    )
    async def test_a_cursor_that_is_none_is_refused(self, stage: Stage, cursor: str) -> None:
        with pytest.raises(InvalidRequest):
            await stage.ledger.search(Filter(), cursor=cursor)

    @pytest.mark.parametrize("name", ["lane", "operation", "client", "subject"])
    async def test_words_that_nothing_is_named_are_refused(self, stage: Stage, name: str) -> None:
        with pytest.raises(InvalidRequest) as told:
            await found(stage, **{name: "dpmptsp\x00"})
        (error,) = told.value.errors
        assert (error.pointer, error.rule) == ("/agency" if name == "lane" else f"/{name}", "type")

    async def test_a_line_tells_what_people_ask_first(self, stage: Stage) -> None:
        await ended(stage, Refused(code="not-found", text="Siti tidak ada", why="HTTP 404"), repeat="ask")
        (line,) = (await stage.ledger.search(Filter())).rows
        assert (line.state, line.reason, line.text) == (State.REFUSED, "not-found", "HTTP 404")
        assert (line.repeat, line.direct, line.attempts, line.due) == ("ask", False, 0, None)
        assert line.settled_at is not None
        assert line.size > 0


class CensusContract:
    counts_replicas = True
    """False of a store that only processes of one machine share: there it is always 1."""

    async def test_replicas_that_say_they_live_are_counted(self, stage: Stage) -> None:
        two, three = (2, 3) if self.counts_replicas else (1, 1)
        second = await stage.another()
        assert await stage.ledger.replicas("a", 10.0) == 1
        assert await second.replicas("b", 10.0) == two
        assert await second.replicas("c", 10.0) == three
        assert await stage.ledger.replicas("a", 10.0) == three

    async def test_a_replica_is_counted_until_it_ends_or_says_nothing_more(self, stage: Stage) -> None:
        two = 2 if self.counts_replicas else 1
        second = await stage.another()
        await stage.ledger.replicas("a", 10.0)
        await second.replicas("b", 10.0)
        await second.replicas("c", 10.0)
        await second.replicas("c", 0.0)
        assert await stage.ledger.replicas("a", 10.0) == two
        await stage.pass_time(6.0)
        assert await stage.ledger.replicas("a", 10.0) == two
        await stage.pass_time(6.0)
        assert await stage.ledger.replicas("a", 10.0) == 1
        assert await second.replicas("b", 10.0) == two, "who comes back is counted again"

    async def test_others_hear_at_once_who_comes_and_goes_and_nothing_of_who_stays(self, stage: Stage) -> None:
        if not self.counts_replicas:
            return
        second = await stage.another()
        for seconds in (10.0, 0.0):
            await second.replicas("b", seconds)
            assert await stage.ledger.stirred(60.0)
        await second.replicas("b", 10.0)
        assert await stage.ledger.stirred(60.0)
        await second.replicas("b", 10.0)
        assert not await stage.ledger.stirred(0.2)

    async def test_other_leases_are_no_replicas(self, stage: Stage) -> None:
        await stage.ledger.hold("shed", by="b", seconds=60.0)
        assert await stage.ledger.replicas("a", 10.0) == 1

    async def test_it_counts_what_is_not_settled_by_operation(self, stage: Stage) -> None:
        assert await stage.ledger.unsettled() == {}
        other = OperationId("dinkes/lapor")
        for verdict in (Delivered(), Refused(), Buried(reason="poison"), Unknown()):
            await ended(stage, verdict)
        await stage.put()
        await stage.put(an_entry(lane="dinkes", message=a_message(operation=other)))
        await stage.ledger.begin(an_entry(lane="dinkes", message=a_message(operation=other)), lease=LEASE)
        assert await stage.ledger.unsettled() == {
            FILE_PERMIT: {State.BURIED: 1, State.UNKNOWN: 1, State.PENDING: 1},
            other: {State.PENDING: 1, State.DELIVERING: 1},
        }


class PeopleContract:
    async def test_an_unknown_id_is_nobodys(self, stage: Stage) -> None:
        nobody = new_message_id()
        assert await stage.ledger.get(nobody) is None
        assert await stage.ledger.replay([nobody], by="sri") == ()
        assert not await stage.ledger.resolve(nobody, Delivered(), by="sri")
        assert not await stage.ledger.cancel(nobody, by="sri")
        assert not await stage.ledger.edit(nobody, {}, by="sri")

    @pytest.mark.parametrize("verdict", [Buried(reason="poison"), Refused()])
    async def test_what_was_given_up_can_be_replayed_under_its_own_id(self, stage: Stage, verdict: Verdict) -> None:
        message = await stage.put()
        (claim,) = await stage.claim()
        await stage.settle(claim.ticket, Postponed(seconds=0.0), tried())
        await stage.end(message, verdict)
        assert await stage.ledger.replay([message], by="sri") == (message,)
        (claim,) = await stage.claim()
        assert (claim.ticket.id, claim.attempts, claim.failures) == (message, 1, 0)
        (deed,) = (await stage.record(message)).deeds
        assert (deed.by, deed.act) == ("sri", "replay")

    async def test_a_replayed_message_has_no_answer_until_it_gets_one(self, stage: Stage) -> None:
        message = await ended(stage, Refused(text="ditolak"))
        await stage.ledger.replay([message], by="sri")
        record = await stage.record(message)
        assert (record.answer, record.summary.settled_at, record.summary.reason) == (None, None, "")

    async def test_rule_11_2_an_unknown_message_is_replayed_only_when_that_is_confirmed(self, stage: Stage) -> None:
        message = await ended(stage, Unknown(), repeat="never")
        assert await stage.ledger.replay([message], by="sri") == ()
        assert await stage.ledger.replay([message], by="sri", unknown=True) == (message,)
        assert await stage.claimed() == [message]

    @pytest.mark.parametrize("repeat", ["never", "ask", "harmless"])
    async def test_rule_11_2_what_may_have_been_done_is_buried_and_replayed_only_when_that_is_confirmed(
        self, stage: Stage, repeat: Repeat
    ) -> None:
        message = await ended(stage, Unknown(), repeat=repeat)
        assert await stage.ledger.replay([message], by="sri", unknown=True) == (message,)
        await stage.end(message, Buried(reason="misfit"))
        summary = (await stage.record(message)).summary
        assert (summary.state, summary.uncertain) == (State.BURIED, True)
        assert await stage.ledger.replay([message], by="sri") == ((message,) if repeat == "harmless" else ())
        if repeat != "harmless":
            assert await stage.ledger.replay([message], by="sri", unknown=True) == (message,)

    async def test_a_direct_write_that_is_replayed_goes_through_its_lane(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(), lease=LEASE)
        await stage.settle(receipt.ticket, Unknown())
        assert await stage.ledger.replay([receipt.id], by="sri", unknown=True) == (receipt.id,)
        assert await stage.claimed() == [receipt.id]

    async def test_what_goes_on_by_itself_or_was_delivered_is_not_replayed(self, stage: Stage) -> None:
        delivered = await ended(stage, Delivered())
        pending = await stage.put()
        assert await stage.ledger.replay([delivered, pending], by="sri", unknown=True) == ()

    async def test_rule_11_14_a_replayed_message_keeps_its_place(self, stage: Stage) -> None:
        first = await ended(stage, Buried(reason="poison"), order_key="ani")
        await stage.put(an_entry(order_key="ani"))
        await stage.ledger.replay([first], by="sri")
        assert await stage.claimed() == [first]

    async def test_rule_11_2_an_unknown_message_is_resolved_by_a_person(self, stage: Stage) -> None:
        reply = Reply(body={"nomor": "503/1"})
        message = await ended(stage, Unknown(native=b"<html>"))
        assert await stage.ledger.resolve(message, Delivered(reply=reply), by="sri")
        assert not await stage.ledger.resolve(message, Refused(), by="budi")
        record = await stage.record(message)
        assert (record.summary.state, record.answer) == (State.DELIVERED, reply)
        assert [(deed.by, deed.act) for deed in record.deeds] == [("sri", "resolve")]

    async def test_only_what_is_unknown_is_resolved(self, stage: Stage) -> None:
        message = await stage.put()
        assert not await stage.ledger.resolve(message, Delivered(), by="sri")

    async def test_a_pending_message_is_cancelled_and_one_in_flight_is_not(self, stage: Stage) -> None:
        message = await stage.put()
        in_flight = await stage.put(an_entry(lane="dinkes"))
        await stage.claim(lane="dinkes")
        assert await stage.ledger.cancel(message, by="klik-pelalawan")
        assert not await stage.ledger.cancel(in_flight, by="klik-pelalawan")
        assert await stage.state(message) is State.CANCELLED
        assert await stage.claim() == ()

    async def test_what_may_have_been_done_is_unknown_when_cancelled(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.claim()
        await stage.pass_time(LEASE + 1)
        await stage.ledger.sweep()
        assert await stage.ledger.cancel(message, by="sri")
        assert await stage.state(message) is State.UNKNOWN

    async def test_a_buried_message_is_edited_its_difference_kept_and_sent_as_one_act(self, stage: Stage) -> None:
        message = await ended(stage, Buried(reason="poison"))
        mended = {**BODY, "pemohon": {"nik": NIK[::-1]}}
        assert await stage.ledger.edit(message, mended, by="sri")
        record = await stage.record(message)
        assert (record.body, record.summary.state) == (mended, State.PENDING)
        (deed,) = record.deeds
        assert (deed.by, deed.act, deed.detail) == ("sri", "edit", {"/pemohon/nik": [NIK, NIK[::-1]]})
        (claim,) = await stage.claim()
        assert claim.message.body == mended

    async def test_rule_11_2_what_may_have_been_done_is_edited_only_by_who_is_sure(self, stage: Stage) -> None:
        message = await stage.put(an_entry(repeat="never"))
        await stage.end(message, Unknown())
        assert await stage.ledger.replay([message], by="sri", unknown=True)
        await stage.end(message, Buried(reason="misfit"))
        assert not await stage.ledger.edit(message, {"lain": "isi"}, by="sri")
        record = await stage.record(message)
        assert (record.body, record.summary.state, len(record.deeds)) == (BODY, State.BURIED, 1)
        assert await stage.ledger.edit(message, {"lain": "isi"}, by="sri", sure=True)
        assert await stage.state(message) is State.PENDING

    async def test_only_what_is_buried_is_edited(self, stage: Stage) -> None:
        message = await stage.put()
        assert not await stage.ledger.edit(message, {}, by="sri")
        assert (await stage.record(message)).body == BODY

    async def test_an_edited_message_is_still_its_keys(self, stage: Stage) -> None:
        message = await ended(stage, Buried(reason="poison"), key="k-1")
        await stage.ledger.edit(message, {"lain": "isi"}, by="sri")
        assert await stage.put(an_entry(key="k-1")) == message

    async def test_a_look_at_what_is_masked_is_recorded(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.record(message)
        record = await stage.ledger.get(message, unmasked_by="sri")
        assert record is not None
        assert [(deed.by, deed.act) for deed in (await stage.record(message)).deeds] == [("sri", "unmask")]

    async def test_a_waiting_client_learns_of_a_cancellation(self, stage: Stage) -> None:
        message = await stage.put()
        waiting = asyncio.create_task(stage.ledger.wait(message, 1000.0))
        await stage.ledger.cancel(message, by="sri")
        record = await waiting
        assert record is not None
        assert record.summary.state is State.CANCELLED
