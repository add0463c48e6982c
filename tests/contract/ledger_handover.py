"""What every ledger promises of messages that go over together and are acknowledged later; a sibling of `ledger.py`."""

from datetime import timedelta

import pytest

from gateway.acknowledged import Heard, Word
from gateway.handover import HandedOver
from gateway.message import MessageId, OperationId, Reply, new_message_id
from gateway.records import Buried, Delivered, Filter, Postponed, Refused, State, Terms, Verdict
from tests.contract.ledger import FILE_PERMIT, LANE, Stage, a_message, an_entry, found
from tests.contract.ledger_deadlines import lane, now

WITHIN = 3600.0
REPLY = Reply(body={"file": "a.csv"})
OVER = HandedOver(reply=REPLY, seconds=WITHIN)
YES, NO = Delivered(), Refused(text="NIK tidak terdaftar")
BY = "puskesmas/jadwal (receipt 7)"


async def said(stage: Stage, message: MessageId, verdict: Delivered | Refused = YES) -> Heard:
    (result,) = await stage.ledger.acknowledge([FILE_PERMIT], [Word(message=message, verdict=verdict)], by=BY)
    return result


async def ended(stage: Stage, verdict: Verdict, **settings: object) -> MessageId:
    message = await stage.put(an_entry(**settings))
    await stage.end(message, verdict)
    return message


class BatchContract:
    """Design 11.25: claims of a whole batch, once there is one."""

    async def test_nothing_is_claimed_before_there_are_enough(self, stage: Stage) -> None:
        terms = Terms(least=3, patience=WITHIN)
        at = await now(stage)
        for _ in range(2):
            await stage.put(an_entry(message=a_message(accepted_at=at)))
        assert await stage.claim(terms=terms) == ()
        await stage.put(an_entry(message=a_message(accepted_at=at)))
        assert len(await stage.claim(terms=terms)) == 3

    async def test_the_oldest_waits_no_longer_than_it_must(self, stage: Stage) -> None:
        message = await stage.put(an_entry(message=a_message(accepted_at=await now(stage))))
        terms = Terms(least=3, patience=WITHIN)
        await stage.pass_time(WITHIN - 60)
        assert await stage.claim(terms=terms) == ()
        await stage.pass_time(61)
        assert [claim.ticket.id for claim in await stage.claim(terms=terms)] == [message]

    async def test_no_more_than_a_batch_are_claimed(self, stage: Stage) -> None:
        for _ in range(5):
            await stage.put()
        assert len(await stage.claim(3, terms=Terms(least=3))) == 3
        assert await stage.claim(3, terms=Terms(least=3, patience=1e9)) == ()


class HandoverContract:
    """Design 11.26: what was handed over waits for the agency's word."""

    async def test_rule_11_26_what_was_handed_over_waits(self, stage: Stage) -> None:
        message = await ended(stage, OVER, order_key="a", answer_by=None)
        record = await stage.record(message)
        assert (record.summary.state, record.answer, record.summary.settled_at) == (State.HANDED_OVER, REPLY, None)
        assert await stage.claim() == ()
        assert not await stage.ledger.cancel(message, by="sri")
        assert (await stage.ledger.unsettled())[FILE_PERMIT] == {State.HANDED_OVER: 1}

    async def test_rule_11_26_it_does_not_hold_those_of_its_order(self, stage: Stage) -> None:
        await ended(stage, OVER, order_key="a")
        later = await stage.put(an_entry(order_key="a"))
        assert await stage.claimed() == [later]

    async def test_it_is_overdue_after_a_while(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        at = await now(stage)
        assert (await stage.record(message)).summary.due == at + timedelta(seconds=WITHIN)
        stats = await lane(stage)
        assert (stats.depth, stats.overdue) == ({State.HANDED_OVER: 1}, 0)
        await stage.pass_time(WITHIN + 1)
        assert (await lane(stage)).overdue == 1
        assert await stage.state(message) is State.HANDED_OVER
        assert await found(stage, states=frozenset({State.HANDED_OVER})) == [message]

    @pytest.mark.parametrize(("verdict", "state"), [(YES, State.DELIVERED), (NO, State.REFUSED)])
    async def test_a_word_settles_it(self, stage: Stage, verdict: Delivered | Refused, state: State) -> None:
        message = await ended(stage, OVER)
        assert await said(stage, message, verdict) == "settled"
        record = await stage.record(message)
        assert record.summary.state is state
        assert record.answer == (REPLY if state is State.DELIVERED else NO)
        assert record.summary.settled_at is not None
        assert [(deed.act, deed.by) for deed in record.deeds] == [("acknowledge", BY)]
        assert not record.summary.uncertain

    async def test_rule_11_26_the_first_word_counts(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        assert await said(stage, message, NO) == "settled"
        assert await said(stage, message, Refused(text="lain")) == "again"
        assert await said(stage, message) == "contradicts"
        assert (await stage.record(message)).answer == NO

    async def test_of_two_words_in_one_file_the_first_counts(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        words = [Word(message=message, verdict=YES), Word(message=message, verdict=NO)]
        assert await stage.ledger.acknowledge([FILE_PERMIT], words, by=BY) == ("settled", "contradicts")

    async def test_rule_11_26_a_word_that_comes_before_the_write_is_known_to_be_done_shuts_its_writer_out(
        self, stage: Stage
    ) -> None:
        message = await stage.put()
        (claim,) = await stage.claim()
        assert await said(stage, message) == "settled"
        assert not await stage.settle(claim.ticket, OVER)
        assert await stage.state(message) is State.DELIVERED

    async def test_rule_11_26_a_word_tells_what_nobody_knew(self, stage: Stage) -> None:
        message = await stage.put(an_entry(repeat="never"))
        await stage.claim()
        await stage.pass_time(3600)
        await stage.ledger.sweep()
        assert await stage.state(message) is State.UNKNOWN
        assert await said(stage, message, NO) == "settled"
        assert await stage.state(message) is State.REFUSED

    async def test_a_word_keeps_what_may_have_been_done_from_being_sent_again(self, stage: Stage) -> None:
        message = await ended(stage, Postponed(seconds=0.0, maybe_done=True))
        assert await said(stage, message) == "settled"
        assert await stage.claim() == ()

    async def test_rule_11_26_what_was_never_handed_over_stays_as_it_is(self, stage: Stage) -> None:
        waits = await stage.put()
        assert await said(stage, waits) == "not-handed-over"
        buried = await ended(stage, Buried(reason="misfit"))
        assert await said(stage, buried) == "not-handed-over"
        gone = await stage.put()
        await stage.ledger.cancel(gone, by="sri")
        assert await said(stage, gone) == "cancelled"
        assert [await stage.state(one) for one in (waits, buried, gone)] == ["pending", "buried", "cancelled"]

    async def test_a_word_that_comes_late_settles_it_too_and_it_is_overdue_no_more(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        await stage.pass_time(WITHIN * 10)
        assert (await lane(stage)).overdue == 1
        assert await said(stage, message) == "settled"
        assert (await lane(stage)).overdue == 0
        assert await stage.state(message) is State.DELIVERED

    async def test_a_late_word_keeps_what_a_person_would_have_sent_again_from_going_out(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        assert await stage.ledger.replay([message], by="sri", unknown=True) == (message,)
        assert await said(stage, message) == "settled"
        assert await stage.claim() == ()
        assert await stage.state(message) is State.DELIVERED

    async def test_a_word_that_comes_while_it_is_written_once_more_counts(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        await stage.ledger.replay([message], by="sri", unknown=True)
        (claim,) = await stage.claim()
        assert await said(stage, message, NO) == "settled"
        assert not await stage.settle(claim.ticket, OVER)
        assert await stage.state(message) is State.REFUSED

    async def test_nobody_speaks_of_other_operations(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        word = Word(message=message, verdict=YES)
        assert await stage.ledger.acknowledge([OperationId("lain/lapor")], [word], by=BY) == ("unknown",)
        assert await said(stage, new_message_id()) == "unknown"
        assert await stage.state(message) is State.HANDED_OVER

    async def test_a_person_may_resolve_it_or_have_it_sent_again_for_sure(self, stage: Stage) -> None:
        one, other = await ended(stage, OVER), await ended(stage, OVER)
        assert await stage.ledger.resolve(one, NO, by="sri")
        assert await stage.state(one) is State.REFUSED
        assert await stage.ledger.replay([other], by="sri") == ()
        assert await stage.ledger.replay([other], by="sri", unknown=True) == (other,)
        assert await stage.claimed() == [other]

    async def test_the_clock_towards_an_answer_runs_until_then(self, stage: Stage) -> None:
        at = await now(stage)
        dates = {"near_at": at + timedelta(days=1), "answer_by": at + timedelta(days=2)}
        message = await ended(stage, OVER, **dates)
        assert (await stage.record(message)).summary.answered_at is None
        await said(stage, message)
        assert (await stage.record(message)).summary.answered_at is not None

    async def test_who_waits_hears_of_it(self, stage: Stage) -> None:
        message = await ended(stage, OVER)
        record = await stage.ledger.wait(message, 0.0)
        assert record is not None
        assert record.summary.state is State.HANDED_OVER
        assert (await stage.ledger.search(Filter(lane=LANE, states=frozenset({State.HANDED_OVER})))).rows
