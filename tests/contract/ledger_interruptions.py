"""What every ledger promises of messages whose process went away while it sent them; a sibling of `ledger.py`."""

import asyncio

from gateway.ledger.verdicts import LONGEST_WAIT, POISON_INTERRUPTIONS
from gateway.message import MessageId, Outcome
from gateway.records import Delivered, Filter, Postponed, State
from tests.contract.ledger import LEASE, Stage, an_entry, tried

MANY = 40


async def interrupted(stage: Stage, message: MessageId) -> float:
    """Claim a message and let its lease end; returns the seconds for which it waits then."""
    await stage.pass_time(LONGEST_WAIT)
    assert message in await stage.claimed()
    await stage.pass_time(LEASE + 1)
    await stage.ledger.sweep()
    other = await stage.put(an_entry(lane="jam"))  # due now
    now, due = [(await stage.record(one)).summary.due for one in (other, message)]
    return 0.0 if now is None or due is None else (due - now).total_seconds()


class InterruptionContract:
    async def test_what_is_interrupted_again_and_again_waits_longer_each_time(self, stage: Stage) -> None:
        message = await stage.put()
        waits = [await interrupted(stage, message) for _ in range(POISON_INTERRUPTIONS - 1)]
        assert waits[0] == 0.0
        assert waits[1:] == sorted(set(waits[1:]))
        assert waits[1] >= 2.0
        assert LONGEST_WAIT / 20 <= waits[-1] <= LONGEST_WAIT

    async def test_what_was_interrupted_together_is_tried_apart(self, stage: Stage) -> None:
        """One of them ends the process, and the others must get away from it."""
        for _ in range(MANY):
            await stage.put()
        for _ in range(5):
            await stage.pass_time(LONGEST_WAIT)
            assert len(await stage.claim(MANY)) == MANY
            await stage.pass_time(LEASE + 1)
            await stage.ledger.sweep()
        assert len({row.due for row in (await stage.ledger.search(Filter())).rows}) > 5

    async def test_what_is_interrupted_ten_times_in_a_row_is_a_poison(self, stage: Stage) -> None:
        message = await stage.put(an_entry(order_key="ani"))
        later = await stage.put(an_entry(order_key="ani"))
        for _ in range(POISON_INTERRUPTIONS - 1):
            await interrupted(stage, message)
        await stage.pass_time(LONGEST_WAIT)
        assert await stage.claimed() == [message]
        waiting = asyncio.create_task(stage.ledger.wait(message, 1e6))
        await asyncio.sleep(0)
        await stage.pass_time(LEASE + 1)
        assert await stage.claimed() == []
        record = await waiting
        assert record is not None
        assert (record.summary.state, record.summary.reason) == (State.BURIED, "poison")
        assert len(record.attempts) == POISON_INTERRUPTIONS
        assert (await stage.record(later)).held == message
        assert await stage.ledger.replay([message], by="sri") == (message,)
        assert await interrupted(stage, message) == 0.0

    async def test_a_poison_that_is_to_be_skipped_lets_the_others_of_its_key_go_on(self, stage: Stage) -> None:
        message = await stage.put(an_entry(order_key="ani", skip_buried=True))
        for _ in range(POISON_INTERRUPTIONS):
            await interrupted(stage, message)
        later = await stage.put(an_entry(order_key="ani", skip_buried=True))
        assert await stage.claimed() == [later]

    async def test_an_end_that_was_told_ends_the_row_of_interruptions(self, stage: Stage) -> None:
        message = await stage.put()
        for _ in range(POISON_INTERRUPTIONS - 1):
            await interrupted(stage, message)
        await stage.pass_time(LONGEST_WAIT)
        await stage.end(message, Postponed(seconds=0.0))
        assert await interrupted(stage, message) == 0.0

    async def test_rule_11_2_what_must_not_be_sent_twice_is_unknown_at_the_first_interruption(
        self, stage: Stage
    ) -> None:
        message = await stage.put(an_entry(repeat="never"))
        await interrupted(stage, message)
        assert await stage.state(message) is State.UNKNOWN

    async def test_a_late_owners_attempt_takes_the_place_of_the_one_that_was_interrupted(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(), lease=LEASE)
        await stage.pass_time(LEASE + 1)
        await stage.ledger.sweep()
        assert [one.outcome for one in (await stage.record(receipt.id)).attempts] == [Outcome.UNKNOWN]
        assert await stage.settle(receipt.ticket, Delivered(), tried(Outcome.OK))
        record = await stage.record(receipt.id)
        assert record.summary.attempts == 1
        assert [(one.number, one.outcome, one.seconds) for one in record.attempts] == [(1, Outcome.OK, 0.25)]
