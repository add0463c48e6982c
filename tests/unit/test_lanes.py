"""The rules of lanes (docs/design.md, section 11), each tested by its number."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gateway.condition import LONGEST_REST, Condition
from gateway.errors import (
    AgencyTimeout,
    BreakerOpen,
    FieldError,
    Overloaded,
    Refused,
    TranslationError,
    Unavailable,
)
from gateway.hours import Calendar, Hours, Maintenance
from gateway.message import Message, OperationId, Reply
from gateway.records import Buried, Filter, Postponed, Settlement, State, Terms
from gateway.records import Refused as RefusedVerdict
from tests.delivery import FILE, LANE, Rig, once, refused_connection
from tests.fakes import JAKARTA, MONDAY_MORNING

DONE = Reply(body={"nomor": "1"})
TIMEOUT = AgencyTimeout("no answer", maybe_done=True)


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
    no = Refused("Siti menunggak", maybe_done=False, by="code '05'")
    rig.agency.answers = lambda message: no if message.body["n"] == 2 else DONE
    one, two, three = await rig.put(1, 2, 3, key="siti")
    async with rig.delivering():
        await rig.until(State.DELIVERED, one, three)
        assert await rig.state(two) is State.REFUSED
    assert rig.news == []
    record = await rig.record(two)
    assert (record.summary.text, record.answer) == ("code '05'", RefusedVerdict(text="Siti menunggak"))
    assert [attempt.error for attempt in record.attempts] == ["code '05'"]


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


async def test_rule_11_13_maintenance_that_a_person_began_outlives_a_start_and_a_window_of_the_calendar(
    rig: Rig,
) -> None:
    window = Maintenance(start=MONDAY_MORNING, until=MONDAY_MORNING + timedelta(hours=2))
    await rig.ledger.pause(LANE, "maintenance", by="sri")
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.clock.sleep(60)
    rig.having(calendar=Calendar(zone=JAKARTA, maintenance=[window]))
    async with rig.delivering():
        await rig.clock.sleep(3 * 3600)
        assert [(pause.by, pause.until) for pause in await rig.ledger.list()] == [("sri", None)]
        assert await rig.state(message) is State.PENDING
        await rig.ledger.resume(LANE, "maintenance", by="sri")
        await rig.until(State.DELIVERED, message, within=60)


async def test_rule_11_13_a_lane_that_stops_tells_of_no_outage_because_nobody_here_would_tell_of_its_end(
    rig: Rig,
) -> None:
    async def failing(_: Message) -> Reply:
        await rig.clock.sleep(5.0)
        raise refused_connection()

    rig.delivering_by(pipeline=failing)
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.clock.sleep(1)
    assert await rig.state(message) is State.PENDING
    assert (await rig.record(message)).summary.attempts == 1
    assert rig.news == []


@pytest.mark.parametrize("probe", [True, False])
async def test_rule_11_13_an_operators_pause_does_not_end_an_outage(rig: Rig, probe: bool) -> None:
    if not probe:
        rig.having(probe=None)
    rig.agency.down = True
    messages = await rig.put(1, 2, 3)
    async with rig.delivering():
        await rig.clock.sleep(120)
        await rig.ledger.pause(LANE, "operator", by="budi")
        await rig.clock.sleep(600)
        rig.agency.down = not probe  # a probe that passes has not seen it work
        await rig.clock.sleep(600)
        assert rig.news == [True]
        await rig.ledger.resume(LANE, "operator", by="budi")
        rig.agency.down = False
        await rig.until(State.DELIVERED, *messages)
    assert rig.news == [True, False]


async def test_rule_11_13_another_process_that_is_finding_out_does_not_end_an_outage(rig: Rig) -> None:
    rig.having(probe=None)
    rig.agency.down = True
    messages = await rig.put(1, 2, key="siti")
    async with rig.delivering():
        await rig.clock.sleep(120)
        (claim,) = await rig.ledger.claim(LANE, 1, lease=300.0, terms=Terms(probe=True))
        await rig.clock.sleep(200)
        assert rig.news == [True]
        await rig.ledger.settle(Settlement(ticket=claim.ticket, verdict=Postponed(seconds=1.0)))
        rig.agency.down = False
        await rig.until(State.DELIVERED, *messages)
    assert rig.news == [True, False]


async def test_rule_11_13_an_outage_that_nobody_waits_for_any_more_is_over(rig: Rig) -> None:
    rig.having(probe=None)
    rig.agency.down = True
    first, held = await rig.put(1, 2, key="siti")
    async with rig.delivering():
        await rig.clock.sleep(120)
        assert rig.news == [True]
        (claim,) = await rig.ledger.claim(LANE, 1, lease=300.0, terms=Terms(probe=True))
        await rig.ledger.settle(Settlement(ticket=claim.ticket, verdict=Buried(reason="misfit")))
        await rig.clock.sleep(60)
        assert (await rig.state(first), await rig.state(held)) == (State.BURIED, State.PENDING)
        assert rig.news == [True, False]


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


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("HTTP 503", maybe_done=False, retry_after=99_999_999_999.0),
        Unavailable("HTTP 503", maybe_done=False, retry_after=float("inf")),
        Overloaded("the month's quota is spent", retry_after=20 * 86400.0),
    ],
)
async def test_rule_11_9_however_long_an_agency_wants_to_be_left_alone_it_is_asked_again_in_minutes(
    rig: Rig, error: Exception
) -> None:
    rig.agency.answers = once(error)
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.until(State.DELIVERED, message, within=600)
    first, second = rig.agency.times
    assert LONGEST_REST <= second - first < LONGEST_REST + 10


async def test_rule_11_22_a_body_that_fits_no_more_is_buried_without_an_attempt(rig: Rig) -> None:
    rig.delivering_by(check=lambda _body: (FieldError(pointer="/nik", rule="required"),))
    (message,) = await rig.put()
    async with rig.delivering():
        await rig.until(State.BURIED, message)
    record = await rig.record(message)
    assert (record.summary.reason, record.attempts, rig.agency.arrived) == ("misfit", (), [])


async def test_rule_11_22_only_known_operations_are_claimed(rig: Rig) -> None:
    entry = rig.entry(1)
    strange = replace(entry, message=entry.message.but(operation=OperationId("dpmptsp/baru")))
    (receipt,) = await rig.ledger.put(strange)
    (known,) = await rig.put(2)
    async with rig.delivering():
        await rig.until(State.DELIVERED, known)
    assert await rig.state(receipt.id) is State.PENDING
    assert set(rig.lane.operations) == {FILE}
