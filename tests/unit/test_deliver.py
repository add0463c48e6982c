"""The rules of delivery (docs/design.md, section 11), each tested by its number."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.deliver import FIRST_WAIT, LONGEST_WAIT
from gateway.errors import (
    AgencyTimeout,
    BreakerOpen,
    FieldError,
    InvalidAnswer,
    LedgerUnavailable,
    Refused,
    TranslationError,
    Unavailable,
)
from gateway.message import Message, Outcome, Reply
from gateway.records import State
from tests.delivery import LANE, Rig, once

DONE = Reply(body={"nomor": "1"})
TIMEOUT = AgencyTimeout("no answer", maybe_done=True)


async def test_what_was_put_is_delivered_under_its_own_id_with_one_attempt_on_record(rig: Rig) -> None:
    async with rig.delivering():
        (message,) = await rig.put()
        await rig.until(State.DELIVERED, message)
    record = await rig.record(message)
    assert [sent.id for sent in rig.agency.arrived] == [message]
    assert rig.agency.arrived[0].once
    assert [attempt.outcome for attempt in record.attempts] == [Outcome.OK]
    assert record.answer == DONE


async def test_rule_11_2_a_harmless_one_is_sent_again_with_the_same_id_until_it_gets_through(rig: Rig) -> None:
    rig.agency.answers = once(TIMEOUT)
    async with rig.delivering():
        (message,) = await rig.put()
        await rig.until(State.DELIVERED, message)
    assert [sent.id for sent in rig.agency.arrived] == [message, message]


async def test_rule_11_2_a_never_that_may_have_been_done_is_unknown_and_not_sent_again(rig: Rig) -> None:
    rig.agency.answers = lambda _: TIMEOUT
    async with rig.delivering():
        (message,) = await rig.put(repeat="never")
        await rig.until(State.UNKNOWN, message)
        await rig.clock.sleep(900)
    assert len(rig.agency.arrived) == 1


async def test_rule_11_2_a_never_that_was_not_sent_is_sent_again(rig: Rig) -> None:
    rig.agency.answers = once(Unavailable("HTTP 503", maybe_done=False))
    async with rig.delivering():
        (message,) = await rig.put(repeat="never")
        await rig.until(State.DELIVERED, message)


async def test_rule_11_2_the_tenth_failure_of_a_never_that_may_have_been_done_is_unknown_and_no_poison(
    rig: Rig,
) -> None:
    def answer(message: Message) -> Reply | Exception:
        if message.body["n"] != 1:
            return DONE
        tries = sum(sent.id == message.id for sent in rig.agency.arrived)
        return Unavailable("HTTP 503", maybe_done=False) if tries < 10 else TIMEOUT

    rig.agency.answers = answer
    async with rig.delivering():
        (message,) = await rig.put(1, repeat="never")
        await rig.clock.sleep(5)
        await rig.put(2)
        await rig.until(State.UNKNOWN, message, within=7200)


async def test_rule_11_2_an_ask_asks_by_our_id_and_is_sent_again_only_if_it_is_not_there(rig: Rig) -> None:
    rig.delivering_by(ask=rig.asking(), harmless=False)
    rig.agency.answers = once(TIMEOUT)
    async with rig.delivering():
        (message,) = await rig.put(repeat="ask")
        await rig.until(State.DELIVERED, message)
    assert [question.body for question in rig.agency.asked] == [{"ref": message}]
    assert [sent.id for sent in rig.agency.arrived] == [message, message]


async def test_rule_11_2_an_answer_that_has_too_little_of_the_messages_own_reply_is_not_kept_as_one(rig: Rig) -> None:
    missing = FieldError(pointer="/diajukan", rule="required")
    asking = replace(rig.asking(), check=lambda body: () if "diajukan" in body else (missing,))
    rig.delivering_by(ask=asking, harmless=False)

    def done_but_silent(message: Message) -> Exception:
        rig.agency.has[message.id] = message.id
        return TIMEOUT

    rig.agency.answers = done_but_silent
    async with rig.delivering():
        (message,) = await rig.put(repeat="ask")
        await rig.until(State.DELIVERED, message)
    assert len(rig.agency.arrived) == 1
    assert (await rig.record(message)).answer is None


async def test_rule_11_2_an_ask_that_is_there_is_delivered_with_what_the_agency_says(rig: Rig) -> None:
    rig.delivering_by(ask=rig.asking(), harmless=False)

    def done_but_silent(message: Message) -> Exception:
        rig.agency.has[message.id] = message.id
        return TIMEOUT

    rig.agency.answers = done_but_silent
    async with rig.delivering():
        (message,) = await rig.put(repeat="ask")
        await rig.until(State.DELIVERED, message)
    assert len(rig.agency.arrived) == 1
    record = await rig.record(message)
    assert record.answer == Reply(body={"nomor": "1"})
    assert [attempt.outcome for attempt in record.attempts] == [Outcome.TIMEOUT, Outcome.DUPLICATE]


@pytest.mark.parametrize("blank", ["", None, False])
async def test_rule_11_2_a_blank_where_a_number_should_be_does_not_say_that_it_was_done(
    rig: Rig, blank: object
) -> None:
    rig.delivering_by(ask=rig.asking(), harmless=False)

    def taken_but_silent(message: Message) -> Exception:
        rig.agency.has[message.id] = message.id
        return TIMEOUT

    rig.agency.answers, rig.agency.number = taken_but_silent, blank
    async with rig.delivering():
        (message,) = await rig.put(repeat="ask")
        await rig.clock.sleep(1800)
        assert await rig.state(message) in {State.PENDING, State.DELIVERING}
        assert len(rig.agency.asked) > 2
        rig.agency.number = "1"
        await rig.until(State.DELIVERED, message)
    assert len(rig.agency.arrived) == 1


async def test_rule_11_2_an_ask_that_is_given_out_again_while_it_is_being_sent_is_not_asked_about_before_it_ended(
    rig: Rig,
) -> None:
    """However long a lease is, a stalled machine or a clock that is set may end it under a call."""
    rig.delivering_by(ask=rig.asking(), harmless=False)
    rig.agency.seconds = 15.0
    async with rig.delivering():
        (message,) = await rig.put(repeat="ask")
        await rig.clock.sleep(1)
        await rig.end_leases()
        await rig.until(State.DELIVERED, message)
    assert [sent.id for sent in rig.agency.arrived] == [message]
    assert len(rig.agency.asked) == 1


async def test_rule_11_4_a_stop_hands_back_what_was_given_out_again_once_it_was_sent(rig: Rig) -> None:
    rig.delivering_by(ask=rig.asking(), harmless=False)
    rig.agency.seconds = 15.0
    (message,) = await rig.put(repeat="ask")
    async with rig.delivering():
        await rig.clock.sleep(1)
        await rig.end_leases()
        await rig.clock.sleep(7)
    assert (len(rig.agency.arrived), rig.agency.asked) == (1, [])
    assert rig.agency.has
    assert await rig.state(message) is State.PENDING
    (claim,) = await rig.ledger.claim(LANE, 1, lease=60.0)
    assert claim.uncertain


@pytest.mark.parametrize(
    "error",
    [
        Refused("maaf", maybe_done=False),
        InvalidAnswer("what is this", maybe_done=True),
        Unavailable("HTTP 500", maybe_done=True),
        BreakerOpen("resting", maybe_done=False, retry_after=30.0),
    ],
)
async def test_rule_11_2_while_asking_fails_nothing_is_sent_and_nothing_is_settled(rig: Rig, error: Exception) -> None:
    rig.delivering_by(ask=rig.asking(), harmless=False)
    rig.agency.answers, rig.agency.asking = once(TIMEOUT), error
    async with rig.delivering():
        (message,) = await rig.put(repeat="ask")
        await rig.clock.sleep(1800)
        assert len(rig.agency.arrived) == 1
        assert await rig.state(message) in {State.PENDING, State.DELIVERING}
        assert 2 <= len(rig.agency.asked) < 200
        rig.agency.asking = None
        await rig.until(State.DELIVERED, message)


async def test_rule_11_2_an_ask_that_nobody_can_be_asked_about_any_more_is_unknown(rig: Rig) -> None:
    rig.agency.answers = lambda _: TIMEOUT
    async with rig.delivering():
        (message,) = await rig.put(repeat="ask")
        await rig.until(State.UNKNOWN, message)
    assert len(rig.agency.arrived) == 1


async def test_rule_11_3_an_answer_that_cant_be_read_is_kept_and_nothing_is_sent_again(rig: Rig) -> None:
    unread = InvalidAnswer("the answer does not fit the mapping", maybe_done=True)
    unread.native = b'{"kode": "77"}'
    rig.agency.answers = lambda _: unread
    async with rig.delivering():
        (message,) = await rig.put()
        await rig.until(State.UNKNOWN, message)
        await rig.clock.sleep(900)
    assert (await rig.record(message)).native == b'{"kode": "77"}'
    assert len(rig.agency.arrived) == 1


async def test_rule_11_3_a_request_that_cant_be_translated_is_buried(rig: Rig) -> None:
    rig.agency.answers = lambda _: TranslationError("request", [FieldError(pointer="/n", rule="required")])
    async with rig.delivering():
        (message,) = await rig.put()
        await rig.until(State.BURIED, message)
    summary = (await rig.record(message)).summary
    assert (summary.reason, summary.attempts) == ("misfit", 0)


async def test_rule_11_4_a_stop_finishes_a_write_in_flight(rig: Rig) -> None:
    rig.agency.seconds = 8.0
    async with rig.delivering():
        (message,) = await rig.put()
        await rig.clock.sleep(1)
    assert await rig.state(message) is State.DELIVERED


async def test_rule_11_4_a_stop_hands_back_what_was_claimed_and_not_begun(rig: Rig) -> None:
    """Else a `never` would be unknown though nothing was sent."""

    class Slow:
        """The ledger, with a claim that is still on its way when the stop comes."""

        def __init__(self) -> None:
            self.claiming = asyncio.Event()

        def __getattr__(self, name: str) -> Any:
            return getattr(rig.ledger, name)

        async def claim(self, *args: Any, **more: Any) -> Any:
            claims = await rig.ledger.claim(*args, **more)
            self.claiming.set()
            await rig.clock.sleep(0.5)
            return claims

    rig.outbox = Slow()
    (message,) = await rig.put(repeat="never")
    async with rig.delivering():
        await rig.outbox.claiming.wait()
    assert rig.agency.arrived == []
    assert await rig.state(message) is State.PENDING
    rig.outbox = None
    async with rig.delivering():
        await rig.until(State.DELIVERED, message)


async def test_leases_are_extended_while_an_attempt_takes_longer_than_it_should(rig: Rig) -> None:
    rig.agency.seconds = 10 * rig.lane.lease
    (message,) = await rig.put()
    async with rig.delivering():
        for _ in range(20):
            await rig.clock.sleep(rig.lane.lease / 2)
            assert await rig.ledger.sweep() == 0
        await rig.until(State.DELIVERED, message)
    assert len(rig.agency.arrived) == 1


async def test_a_lease_that_may_be_over_is_not_sent(rig: Rig) -> None:
    """A process that was suspended between its claim and its call must not send what another has taken up."""
    real = rig.ledger.claim

    class Suspended:
        def __getattr__(self, name: str) -> Any:
            return getattr(rig.ledger, name)

        async def claim(self, *args: Any, **more: Any) -> Any:
            claims = await real(*args, **more)
            rig.clock._monotonic += rig.lane.lease + 1
            return claims

    rig.outbox = Suspended()
    deadlines: list[float] = []

    async def too_late(message: Message) -> Reply:
        deadlines.append(message.deadline - rig.clock.monotonic())
        raise AgencyTimeout("the deadline passed before anything was sent", maybe_done=False)

    rig.delivering_by(pipeline=too_late)
    await rig.put()
    async with rig.delivering():
        await rig.clock.sleep(60)
    assert deadlines
    assert max(deadlines) <= 0


async def test_backoff_is_between_a_second_and_five_minutes_and_grows(rig: Rig) -> None:
    asked: list[tuple[float, float]] = []

    def jitter(least: float, most: float) -> float:
        asked.append((least, most))
        return most

    rig.jitter = jitter
    rig.agency.answers = lambda _: Unavailable("HTTP 503", maybe_done=False)
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.clock.sleep(2000)
        assert await rig.state(message) is State.PENDING
    assert {least for least, _ in asked} == {FIRST_WAIT}
    assert [most for _, most in asked[:10]] == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert max(most for _, most in asked) == LONGEST_WAIT
    gaps = [later - earlier for earlier, later in zip(rig.agency.times, rig.agency.times[1:], strict=False)]
    assert all(wait <= gap <= wait + 6 for wait, gap in zip([2, 4, 8, 16, 32, 64, 128], gaps, strict=False))


async def test_a_ledger_that_goes_away_does_not_end_the_loop_nor_lose_an_end(rig: Rig) -> None:
    class Flaky:
        away = False

        def __getattr__(self, name: str) -> Any:
            found = getattr(rig.ledger, name)

            async def call(*args: Any, **more: Any) -> Any:
                if self.away:
                    raise LedgerUnavailable("the server is away")
                return await found(*args, **more)

            return call

    rig.outbox = flaky = Flaky()
    rig.agency.seconds = 5.0
    first, second = await rig.put(1, 2, key="siti")
    async with rig.delivering():
        await rig.clock.sleep(1)
        flaky.away = True
        await rig.clock.sleep(8)
        flaky.away = False
        await rig.until(State.DELIVERED, first, second)
    assert rig.agency.numbers() == [1, 2]
    assert rig.bugs == []


async def test_a_bug_over_one_message_does_not_end_the_lane(rig: Rig) -> None:
    rig.agency.answers = lambda message: KeyError("1405029001180001") if message.body["n"] == 1 else DONE
    broken, other = [*await rig.put(1, repeat="never"), *await rig.put(2)]
    async with rig.delivering():
        await rig.until(State.DELIVERED, other)
        await rig.until(State.UNKNOWN, broken)  # it may have been sent
    assert len(rig.bugs) == 1
    assert "1405029001180001" not in (await rig.record(broken)).summary.text


async def test_a_bug_of_the_lane_itself_is_told_and_it_goes_on(rig: Rig) -> None:
    bugs = iter([ZeroDivisionError()])

    def waiting() -> int:
        if (bug := next(bugs, None)) is not None:
            raise bug
        return 0

    rig.having(waiting=waiting)
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.until(State.DELIVERED, message)
    assert [type(error) for error in rig.bugs] == [ZeroDivisionError]


async def test_rule_11_22_a_replica_delivers_no_more_at_once_than_its_part_of_the_slots(rig: Rig) -> None:
    rig.agency.seconds = 1.0
    rig.having(slots=lambda: 2)
    messages = await rig.put(1, 2, 3, 4, 5)
    async with rig.delivering():
        await rig.until(State.DELIVERED, *messages)
    assert rig.agency.most_inside == 2
