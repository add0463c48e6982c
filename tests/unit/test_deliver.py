"""The rules of delivery (docs/design.md, section 11), each tested by its number."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.condition import Condition
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
from gateway.hours import Calendar, Hours, Maintenance
from gateway.message import Message, OperationId, Outcome, Reply
from gateway.records import Filter, State
from tests.delivery import FILE, LANE, Rig, a_rig, refused_connection
from tests.fakes import JAKARTA, MONDAY_MORNING

DONE = Reply(body={"nomor": "1"})
TIMEOUT = AgencyTimeout("no answer", maybe_done=True)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with a_rig(tmp_path) as made:
        yield made


def once(error: Exception) -> Any:
    """Answer with an error first, then as it should be."""
    seen: set[str] = set()

    def answer(message: Message) -> Reply | Exception:
        if message.id in seen:
            return DONE
        seen.add(message.id)
        return error

    return answer


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


async def test_rule_11_13_a_refused_connection_pauses_the_lane_and_a_probe_wakes_it(rig: Rig) -> None:
    rig.agency.down = True
    messages = await rig.put(*range(40))
    async with rig.delivering():
        await rig.clock.sleep(600)
        assert rig.news == [True]
        assert sum([(await rig.record(message)).summary.attempts for message in messages]) <= rig.lane.concurrency
        rig.agency.down = False
        await rig.until(State.DELIVERED, *messages, within=600)
    assert rig.news == [True, False]


async def test_rule_11_13_without_a_probe_the_oldest_harmless_message_finds_out(rig: Rig) -> None:
    rig.having(probe=None, concurrency=1)
    rig.agency.down = True
    first, *others = await rig.put(1, 2, 3)
    async with rig.delivering():
        await rig.clock.sleep(600)
        assert rig.news == [True]
        assert [(await rig.record(other)).summary.attempts for other in others] == [0, 0]
        assert (await rig.record(first)).summary.attempts == 1  # its knocking in vain is no history
        rig.agency.down = False
        await rig.until(State.DELIVERED, first, *others)
    assert rig.agency.numbers() == [1, 2, 3]
    assert rig.news == [True, False]


async def test_rule_11_13_a_breaker_that_two_messages_fed_pauses_the_lane(rig: Rig) -> None:
    failures = iter([Unavailable("HTTP 500", maybe_done=True)] * 5)
    open_until = 0.0

    def answer(_: Message) -> Reply | Exception:
        nonlocal open_until
        if rig.clock.monotonic() < open_until:
            return BreakerOpen("resting", maybe_done=False, retry_after=open_until - rig.clock.monotonic())
        if (failure := next(failures, None)) is None:
            return DONE
        open_until = rig.clock.monotonic() + 30
        return failure

    rig.agency.answers = answer
    messages = await rig.put(*range(20))
    async with rig.delivering():
        await rig.until(State.DELIVERED, *messages, within=3600)
    assert rig.news == [True, False]  # although the probe passes all the time
    assert len(rig.agency.arrived) < 60


async def test_rule_11_13_a_breaker_that_one_message_fed_does_not(rig: Rig) -> None:
    rig.agency.answers = lambda message: (
        BreakerOpen("resting", maybe_done=False, retry_after=1.0) if message.body["n"] == 1 else DONE
    )
    (poison,) = await rig.put(1)
    async with rig.delivering():
        others = await rig.put(*range(2, 20))
        await rig.until(State.DELIVERED, *others)
        assert await rig.state(poison) is State.PENDING
    assert rig.news == []


async def test_rule_11_13_a_refusal_settles_one_message_and_the_lane_goes_on(rig: Rig) -> None:
    rig.agency.answers = lambda message: Refused("tunggakan", maybe_done=False) if message.body["n"] == 2 else DONE
    one, two, three = await rig.put(1, 2, 3, key="siti")
    async with rig.delivering():
        await rig.until(State.DELIVERED, one, three)
        assert await rig.state(two) is State.REFUSED
    assert rig.news == []
    assert (await rig.record(two)).summary.text == "tunggakan"


async def test_rule_11_13_a_poison_is_buried_after_ten_failures_while_others_get_through(rig: Rig) -> None:
    bad = Unavailable("HTTP 500", maybe_done=True)
    rig.agency.answers = lambda message: bad if message.body["n"] == 1 else DONE
    async with rig.delivering():
        (poison,) = await rig.put(1)
        await rig.clock.sleep(5)
        others = await rig.put(2, 3, 4)
        await rig.until(State.BURIED, poison, within=7200)
        assert {await rig.state(other) for other in others} == {State.DELIVERED}
    summary = (await rig.record(poison)).summary
    assert (summary.reason, summary.attempts) == ("poison", 10)


async def test_rule_11_13_nothing_is_buried_while_nothing_gets_through(rig: Rig) -> None:
    rig.agency.answers = lambda _: Unavailable("HTTP 500", maybe_done=True)
    messages = await rig.put(1, 2, 3)
    async with rig.delivering():
        await rig.clock.sleep(3600)
        assert {await rig.state(message) for message in messages} == {State.PENDING}


async def test_rule_11_13_failures_of_an_outage_do_not_count_towards_a_poison(rig: Rig) -> None:
    condition = Condition(clock=rig.clock, news=rig.news.append)
    await rig.put(1, 2)
    one, other = await rig.ledger.claim(LANE, 2, lease=60.0)
    own = Unavailable("HTTP 500", maybe_done=True)
    for failures in range(30):
        assert not condition.poisonous(replace(one, failures=failures), refused_connection())
        condition.answered(other, through=True)
    assert not any(condition.poisonous(replace(one, failures=failures), own) for failures in range(30, 39))
    assert condition.poisonous(replace(one, failures=39), own)


async def test_rule_11_13_hours_pause_the_lane_and_open_it(rig: Rig) -> None:
    rig.having(calendar=Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Thu 07:30-16:00")))
    rig.clock._start = datetime(2026, 3, 2, 20, 0, tzinfo=JAKARTA)
    rig.agency.down = True  # outside its hours nobody knocks
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.clock.sleep(3600)
        (pause,) = await rig.ledger.list()
        assert (pause.reason, pause.by, pause.until) == (
            "hours",
            "gateway",
            datetime(2026, 3, 3, 7, 30, tzinfo=JAKARTA),
        )
        assert (rig.agency.knocks, rig.news) == (0, [])
        rig.agency.down = False
        await rig.until(State.DELIVERED, message, within=24 * 3600)
        assert await rig.ledger.list() == ()
    opened = timedelta(seconds=rig.agency.times[0] - 1000.0) + rig.clock._start
    assert datetime(2026, 3, 3, 7, 30, tzinfo=JAKARTA) <= opened < datetime(2026, 3, 3, 7, 31, tzinfo=JAKARTA)
    assert len((await rig.record(message)).attempts) == 1


async def test_rule_11_13_maintenance_is_told_from_hours(rig: Rig) -> None:
    window = Maintenance(start=MONDAY_MORNING, until=MONDAY_MORNING + timedelta(hours=2))
    rig.having(calendar=Calendar(zone=JAKARTA, maintenance=[window]))
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.clock.sleep(60)
        assert [pause.reason for pause in await rig.ledger.list()] == ["maintenance"]
        await rig.until(State.DELIVERED, message, within=3 * 3600)


async def test_rule_11_13_a_pause_of_hours_that_do_not_hold_any_more_is_ended_at_the_start(rig: Rig) -> None:
    await rig.ledger.pause(LANE, "hours", by="gateway", until=MONDAY_MORNING + timedelta(days=3))
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.until(State.DELIVERED, message, within=60)


async def test_rule_11_13_an_operators_pause_holds_whatever_the_hours_say(rig: Rig) -> None:
    rig.having(calendar=Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Fri 07:30-09:02; Mon-Fri 09:04-16:00")))
    await rig.ledger.pause(LANE, "operator", by="budi")
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.clock.sleep(600)
        assert await rig.state(message) is State.PENDING
        await rig.ledger.resume(LANE, "operator", by="budi")
        await rig.until(State.DELIVERED, message, within=24 * 3600)


async def test_rule_11_14_messages_of_one_key_arrive_in_order_whatever_fails_and_other_keys_go_on(rig: Rig) -> None:
    rig.agency.answers = once(Unavailable("HTTP 503", maybe_done=False))
    rig.agency.seconds = 0.5
    messages = [message for n in range(10) for message in await rig.put(n, key="siti" if n % 2 else "budi")]
    async with rig.delivering():
        await rig.until(State.DELIVERED, *messages)
    done = list(rig.agency.has)
    for parity in (0, 1):
        assert [message for message in done if message in messages[parity::2]] == messages[parity::2]
    assert rig.agency.most_inside == 2


async def test_rule_11_14_a_buried_one_holds_its_key_unless_it_says_skip(rig: Rig) -> None:
    misfit = TranslationError("request", [FieldError(pointer="/n", rule="required")])
    rig.agency.answers = lambda message: misfit if message.body["n"] == 1 else DONE
    _, held = [*await rig.put(1, key="siti"), *await rig.put(2, key="siti")]
    _, free = [*await rig.put(1, key="budi", skip_buried=True), *await rig.put(2, key="budi")]
    async with rig.delivering():
        await rig.until(State.DELIVERED, free)
        await rig.clock.sleep(600)
        assert await rig.state(held) is State.PENDING


async def test_rule_11_15_expires_counts_only_while_the_lane_was_open(rig: Rig) -> None:
    rig.having(calendar=Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Fri 07:30-16:00")))
    rig.agency.answers = lambda _: Unavailable("HTTP 503", maybe_done=False)
    async with rig.delivering():
        await rig.clock.sleep(60)
        rig.agency.down = True
        patient, short = [*await rig.put(1, expires=6 * 3600.0), *await rig.put(2, expires=120.0)]
        await rig.clock.sleep(20 * 3600)  # an outage, and nights
        assert {await rig.state(patient), await rig.state(short)} == {State.PENDING}


async def test_rule_11_15_open_time_is_used_up_while_all_slots_are_taken(rig: Rig) -> None:
    rig.having(concurrency=1)
    rig.delivering_by(deadline=400.0)
    rig.agency.seconds = 300.0
    async with rig.delivering():
        await rig.put(1)
        await rig.clock.sleep(1)
        (waiting,) = await rig.put(2, expires=100.0)
        await rig.until(State.EXPIRED, waiting, within=250)


async def test_rule_11_15_expired_can_be_replayed(rig: Rig) -> None:
    bad = Unavailable("HTTP 503", maybe_done=False)
    rig.agency.answers = lambda _: bad
    async with rig.delivering():
        (message,) = await rig.put(expires=60.0)
        await rig.until(State.EXPIRED, message)
        rig.agency.answers = lambda _: DONE
        await rig.ledger.replay([message], by="budi")
        await rig.until(State.DELIVERED, message)
    assert rig.agency.arrived[-1].id == message


async def test_rule_11_17_the_due_date_stops_at_delivered(rig: Rig) -> None:
    due = MONDAY_MORNING + timedelta(days=3)
    done, waiting = [*await rig.put(1, answer_by=due), *await rig.put(2, answer_by=due)]
    rig.agency.answers = lambda message: DONE if message.body["n"] == 1 else Unavailable("HTTP 503", maybe_done=False)
    async with rig.delivering():
        await rig.until(State.DELIVERED, done)
        page = await rig.ledger.search(Filter(answer_before=due + timedelta(seconds=1)))
    assert [row.id for row in page.rows] == [waiting]


async def test_rule_11_9_delivery_takes_half_the_slots_while_direct_calls_wait(rig: Rig) -> None:
    rig.having(waiting=lambda: 3)
    rig.agency.seconds = 1.0
    messages = await rig.put(*range(12))
    async with rig.delivering():
        await rig.until(State.DELIVERED, *messages)
    assert rig.agency.most_inside == rig.lane.concurrency // 2


async def test_rule_11_9_all_slots_are_used_when_nobody_else_wants_them(rig: Rig) -> None:
    rig.agency.seconds = 1.0
    messages = await rig.put(*range(12))
    async with rig.delivering():
        await rig.until(State.DELIVERED, *messages)
    assert rig.agency.most_inside == rig.lane.concurrency


async def test_rule_11_9_a_retry_after_keeps_the_whole_lane_away(rig: Rig) -> None:
    rig.having(concurrency=1)
    asked = iter([Unavailable("HTTP 429", maybe_done=False, retry_after=60.0)])
    rig.agency.answers = lambda _: next(asked, DONE)
    messages = await rig.put(1, 2)
    async with rig.delivering():
        await rig.until(State.DELIVERED, *messages)
    first, second, _ = rig.agency.times
    assert second - first >= 60


async def test_rule_11_22_a_body_that_fits_no_more_is_buried_without_an_attempt(rig: Rig) -> None:
    rig.delivering_by(check=lambda _body: (FieldError(pointer="/nik", rule="required"),))
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.until(State.BURIED, message)
    record = await rig.record(message)
    assert (record.summary.reason, record.attempts, rig.agency.arrived) == ("misfit", (), [])


async def test_rule_11_22_only_known_operations_are_claimed(rig: Rig) -> None:
    entry = rig.entry(1)
    strange = replace(entry, message=replace(entry.message, operation=OperationId("dpmptsp/baru")))
    (receipt,) = await rig.ledger.put(strange)
    (known,) = await rig.put(2)
    async with rig.delivering():
        await rig.until(State.DELIVERED, known)
    assert await rig.state(receipt.id) is State.PENDING
    assert set(rig.lane.operations) == {FILE}


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
