"""What every ledger promises of claims: leases, tickets, settlements and attempts; a sibling of `ledger.py`."""

import asyncio

import pytest

from gateway.errors import LedgerUnavailable
from gateway.ledger import Ledger
from gateway.ledger.verdicts import LONGEST_LEASE, LONGEST_WAIT
from gateway.message import OperationId, Outcome, Reply, new_message_id
from gateway.records import (
    Buried,
    Delivered,
    Expired,
    Filter,
    Postponed,
    Refused,
    Settlement,
    State,
    Terms,
    Ticket,
    Unknown,
)
from tests.contract.ledger import LANE, LEASE, Stage, a_message, an_entry, tried

MANY = 40
YEAR = 365 * 86400.0


class ClaimContract:
    async def test_a_claimed_message_is_not_claimed_again(self, stage: Stage) -> None:
        await stage.put()
        assert len(await stage.claim()) == 1
        assert await stage.claim() == ()

    async def test_the_oldest_come_first_and_no_more_than_asked_for(self, stage: Stage) -> None:
        messages = [await stage.put() for _ in range(5)]
        assert [claim.ticket.id for claim in await stage.claim(2)] == messages[:2]
        assert [claim.ticket.id for claim in await stage.claim(10)] == messages[2:]

    async def test_a_limit_of_zero_claims_nothing(self, stage: Stage) -> None:
        await stage.put()
        assert await stage.claim(0) == ()

    async def test_rule_11_22_only_operations_that_are_known_are_claimed(self, stage: Stage) -> None:
        await stage.put()
        other = OperationId("dpmptsp/lapor")
        known = await stage.put(an_entry(message=a_message(operation=other)))
        claims = await stage.claim(terms=Terms(operations=[other]))
        assert [claim.ticket.id for claim in claims] == [known]
        assert await stage.claim(terms=Terms(operations=[])) == ()

    async def test_the_lanes_claims_are_bounded_over_all_processes(self, stage: Stage) -> None:
        for _ in range(5):
            await stage.put()
        terms = Terms(most=3)
        assert len(await stage.claim(2, terms=terms)) == 2
        second = await stage.another()
        assert len(await second.claim(LANE, 5, lease=LEASE, terms=terms)) == 1
        assert await stage.claim(5, terms=terms) == ()

    async def test_a_direct_write_takes_no_place_in_the_lane(self, stage: Stage) -> None:
        await stage.ledger.begin(an_entry(), lease=LEASE)
        await stage.put()
        assert len(await stage.claim(5, terms=Terms(most=1))) == 1

    async def test_a_postponed_message_is_claimed_when_it_is_due(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.end(message, Postponed(seconds=100.0))
        assert await stage.claimed() == []
        await stage.pass_time(101.0)
        (claim,) = await stage.claim()
        assert not claim.uncertain

    @pytest.mark.parametrize("seconds", [99999999999.0, 1e20, float("inf"), float("nan")])
    async def test_nothing_is_postponed_for_longer_than_the_longest_wait(self, stage: Stage, seconds: float) -> None:
        message = await stage.put()
        await stage.end(message, Postponed(seconds=seconds))
        (line,) = (await stage.ledger.search(Filter())).rows
        assert line.due is not None
        assert await stage.claimed() == []
        await stage.pass_time(LONGEST_WAIT + 1)
        assert await stage.claimed() == [message]

    async def test_what_is_postponed_into_the_past_is_due(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.end(message, Postponed(seconds=-1e20))
        assert await stage.claimed() == [message]

    async def test_a_probe_takes_what_is_not_yet_due(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.end(message, Postponed(seconds=100.0))
        claims = await stage.claim(1, terms=Terms(probe=True))
        assert [claim.ticket.id for claim in claims] == [message]

    async def test_many_claimers_never_get_the_same_message(self, stage: Stage) -> None:
        messages = {(await stage.put(an_entry(order_key=str(number % 7)))) for number in range(MANY)}
        second = await stage.another()

        taken: list[str] = []

        async def take(ledger: Ledger) -> None:
            idle = 0
            while idle < 20:
                claims = await ledger.claim(LANE, 3, lease=LEASE)
                idle = 0 if claims else idle + 1
                taken.extend(claim.ticket.id for claim in claims)
                assert all(
                    await ledger.settle(*(Settlement(ticket=claim.ticket, verdict=Delivered()) for claim in claims))
                )

        await asyncio.gather(take(stage.ledger), take(second), take(stage.ledger))
        assert len(taken) == MANY
        assert set(taken) == messages


class LeaseContract:
    async def test_an_ended_lease_is_taken_up_as_uncertain(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.claim()
        await stage.pass_time(LEASE + 1)
        (claim,) = await stage.claim()
        assert claim.ticket.id == message
        assert claim.uncertain
        assert (claim.attempts, claim.failures) == (1, 1)
        (attempt,) = (await stage.record(message)).attempts
        assert (attempt.number, attempt.outcome, attempt.seconds) == (1, Outcome.UNKNOWN, None)

    async def test_another_process_takes_up_the_work_of_a_dead_one(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.claim()
        await stage.pass_time(LEASE + 1)
        claims = await (await stage.another()).claim(LANE, 1, lease=LEASE)
        assert [claim.ticket.id for claim in claims] == [message]

    async def test_rule_11_2_what_must_never_be_sent_twice_becomes_unknown_instead(self, stage: Stage) -> None:
        message = await stage.put(an_entry(repeat="never"))
        await stage.claim()
        await stage.pass_time(LEASE + 1)
        assert await stage.claim() == ()
        assert await stage.state(message) is State.UNKNOWN

    async def test_a_stale_ticket_changes_nothing(self, stage: Stage) -> None:
        message = await stage.put()
        (stale,) = await stage.claim()
        await stage.pass_time(LEASE + 1)
        (fresh,) = await stage.claim()
        assert not await stage.settle(stale.ticket, Buried(reason="poison"), tried())
        record = await stage.record(message)
        assert record.summary.state is State.DELIVERING
        assert len(record.attempts) == 1
        assert await stage.settle(fresh.ticket, Delivered())

    async def test_a_lease_that_ended_but_was_not_taken_up_can_still_be_settled(self, stage: Stage) -> None:
        await stage.put()
        (claim,) = await stage.claim()
        await stage.pass_time(LEASE + 1)
        assert await stage.settle(claim.ticket, Delivered())

    async def test_settling_twice_counts_once(self, stage: Stage) -> None:
        message = await stage.put()
        (claim,) = await stage.claim()
        assert await stage.settle(claim.ticket, Delivered(), tried(Outcome.OK))
        assert not await stage.settle(claim.ticket, Delivered(), tried(Outcome.OK))
        assert len((await stage.record(message)).attempts) == 1

    async def test_an_extended_lease_is_held(self, stage: Stage) -> None:
        await stage.put()
        (claim,) = await stage.claim()
        await stage.pass_time(LEASE - 1)
        assert await stage.ledger.extend(claim.ticket, lease=LEASE) == {claim.ticket.id}
        await stage.pass_time(LEASE - 1)
        assert await stage.claim() == ()

    async def test_no_lease_is_longer_than_the_longest(self, stage: Stage) -> None:
        await stage.put()
        (claim,) = await stage.ledger.claim(LANE, 1, lease=1e20)
        assert await stage.ledger.extend(claim.ticket, lease=1e20) == {claim.ticket.id}
        direct = await stage.ledger.begin(an_entry(), lease=1e20)
        await stage.pass_time(LONGEST_LEASE + 1)
        assert await stage.ledger.sweep() == 2
        assert await stage.state(direct.id) is State.UNKNOWN

    async def test_what_was_put_when_the_clock_was_far_ahead_is_due_once_it_is_set_right(self, stage: Stage) -> None:
        message = await stage.put()
        postponed = await stage.put()
        await stage.end(postponed, Postponed(seconds=LONGEST_WAIT))
        await stage.pass_time(-YEAR)
        assert await stage.claimed() == [message, postponed]

    async def test_what_was_claimed_when_the_clock_was_far_ahead_is_taken_up(self, stage: Stage) -> None:
        messages = [await stage.put() for _ in range(2)]
        direct = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert await stage.claimed() == messages
        await stage.pass_time(-YEAR)
        again = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert (again.id, again.state) == (direct.id, State.UNKNOWN)
        assert await stage.claimed() == messages
        await stage.pass_time(-YEAR)
        assert await stage.ledger.sweep() == 2

    async def test_a_named_lease_of_when_the_clock_was_far_ahead_is_over(self, stage: Stage) -> None:
        first = await stage.ledger.hold("retention", by="a", seconds=LEASE)
        await stage.pass_time(-YEAR)
        second = await stage.ledger.hold("retention", by="b", seconds=LEASE)
        assert first is not None
        assert second is not None
        assert second > first
        await stage.pass_time(LEASE - 1)
        assert await stage.ledger.hold("retention", by="a", seconds=LEASE) is None

    async def test_a_lost_lease_can_not_be_extended(self, stage: Stage) -> None:
        await stage.put()
        (stale,) = await stage.claim()
        await stage.pass_time(LEASE + 1)
        (fresh,) = await stage.claim()
        assert await stage.ledger.extend(stale.ticket, fresh.ticket, lease=LEASE) == {fresh.ticket.id}
        assert await stage.ledger.extend(stale.ticket, lease=LEASE) == frozenset()

    async def test_an_intents_lease_is_extended_too(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(), lease=LEASE)
        assert receipt.ticket is not None
        await stage.pass_time(LEASE - 1)
        assert await stage.ledger.extend(receipt.ticket, lease=LEASE) == {receipt.id}
        await stage.pass_time(LEASE - 1)
        assert await stage.ledger.sweep() == 0


class SettleContract:
    async def test_settlements_are_told_apart(self, stage: Stage) -> None:
        for _ in range(2):
            await stage.put()
        one, two = await stage.claim()
        unheard_of = Ticket(id=new_message_id(), token=1)
        tickets = [one.ticket, unheard_of, two.ticket]
        done = await stage.ledger.settle(*(Settlement(ticket=ticket, verdict=Delivered()) for ticket in tickets))
        assert done == (True, False, True)

    async def test_every_attempt_is_recorded_and_its_error_masked(self, stage: Stage) -> None:
        message = await stage.put()
        for error in ("NIK 1405029001180001 terkunci", "padam"):
            (claim,) = await stage.claim()
            await stage.settle(claim.ticket, Postponed(seconds=0.0), tried(error=error))
        (claim,) = await stage.claim()
        assert (claim.attempts, claim.failures) == (2, 2)
        attempts = (await stage.record(message)).attempts
        assert [(one.number, one.error) for one in attempts] == [(1, "NIK 140502******0001 terkunci"), (2, "padam")]
        assert (attempts[0].seconds, attempts[0].status, attempts[0].outcome) == (0.25, 503, Outcome.UNAVAILABLE)

    async def test_what_an_agency_says_is_kept_without_what_nobody_can_see(self, stage: Stage) -> None:
        message = await stage.put()
        said = "ditolak\x00 \ud800karena\r\nNIK 14050290\x00\u200b01180001"
        (claim,) = await stage.claim()
        assert await stage.settle(claim.ticket, Refused(why=said), tried(Outcome.REFUSED, error=said))
        record = await stage.record(message)
        assert record.summary.text == "ditolak karena  NIK 140502******0001"
        assert record.attempts[0].error == record.summary.text

    async def test_what_can_never_be_recorded_is_said_to_be_and_keeps_back_no_other(self, stage: Stage) -> None:
        for _ in range(4):
            await stage.put()
        bad, *good = await stage.claim()
        no_json = Settlement(ticket=bad.ticket, verdict=Delivered(reply=Reply(body={"x": object()})))
        others = [Settlement(ticket=claim.ticket, verdict=Delivered()) for claim in good]
        done = await asyncio.gather(*map(stage.ledger.settle, [*others, no_json, *others]), return_exceptions=True)
        assert all({one, two} == {(True,), (False,)} for one, two in zip(done[:3], done[4:], strict=True))
        assert isinstance(done[3], Exception)
        assert not isinstance(done[3], LedgerUnavailable)
        assert await stage.settle(bad.ticket, Unknown())

    async def test_nothing_attempted_is_no_attempt(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.end(message, Postponed(seconds=0.0))
        assert (await stage.record(message)).attempts == ()

    async def test_what_may_have_been_done_stays_uncertain(self, stage: Stage) -> None:
        message = await stage.put(an_entry(repeat="ask"))
        await stage.end(message, Postponed(seconds=0.0, maybe_done=True))
        await stage.end(message, Postponed(seconds=0.0))
        (claim,) = await stage.claim()
        assert claim.uncertain

    async def test_rule_11_2_a_never_that_may_have_been_done_is_not_postponed_but_unknown(self, stage: Stage) -> None:
        message = await stage.put(an_entry(repeat="never"))
        await stage.end(message, Postponed(seconds=0.0, maybe_done=True))
        assert await stage.state(message) is State.UNKNOWN

    async def test_an_uncertain_message_that_its_deliverer_lets_expire_is_unknown(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.end(message, Postponed(seconds=0.0, maybe_done=True))
        await stage.end(message, Expired())
        assert await stage.state(message) is State.UNKNOWN

    async def test_rule_11_2_a_never_that_was_not_done_is_tried_again(self, stage: Stage) -> None:
        message = await stage.put(an_entry(repeat="never"))
        await stage.end(message, Postponed(seconds=0.0))
        assert await stage.claimed() == [message]

    async def test_rule_11_3_an_answer_that_could_not_be_read_is_kept(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.end(message, Unknown(code="agency-invalid-answer", text="tidak terbaca", native=b"<html>"))
        record = await stage.record(message)
        assert (record.summary.state, record.summary.reason) == (State.UNKNOWN, "agency-invalid-answer")
        assert record.native == b"<html>"


class WaitContract:
    async def test_it_returns_when_the_message_is_settled(self, stage: Stage) -> None:
        message = await stage.put()
        waiting = asyncio.create_task(stage.ledger.wait(message, 1000.0))
        await stage.end(message, Delivered(reply=Reply(body={"nomor": "1"})))
        record = await waiting
        assert record is not None
        assert record.answer == Reply(body={"nomor": "1"})

    @pytest.mark.parametrize("verdict", [Buried(reason="poison"), Unknown()])
    async def test_what_needs_a_person_ends_the_wait_too(self, stage: Stage, verdict: Buried | Unknown) -> None:
        message = await stage.put()
        await stage.end(message, verdict)
        assert await stage.ledger.wait(message, 1000.0) is not None

    async def test_it_returns_what_there_is_when_the_time_is_up(self, stage: Stage) -> None:
        message = await stage.put()
        record = await stage.ledger.wait(message, 0.0)
        assert record is not None
        assert record.summary.state is State.PENDING

    async def test_an_unknown_id_is_not_waited_for(self, stage: Stage) -> None:
        assert await stage.ledger.wait(new_message_id(), 1000.0) is None
