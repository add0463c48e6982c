"""What every ledger promises about the dates by which people must have an answer; a sibling of `ledger.py`."""

from datetime import datetime, timedelta

import pytest

from gateway.message import MessageId, OperationId, Reply
from gateway.records import (
    Buried,
    Delivered,
    Expired,
    Filter,
    LaneStats,
    Postponed,
    Refused,
    Released,
    Retention,
    Shed,
    State,
    Unknown,
    Verdict,
)
from tests.contract.ledger import ACCEPTED, BODY, FILE_PERMIT, LANE, LEASE, Stage, a_message, an_entry, found

DAY = 86400.0
AGAIN = 1800.0
DONE = Delivered(reply=Reply(body={"nomor": "1"}))
FOLLOWED = (FILE_PERMIT,)


async def now(stage: Stage) -> datetime:
    """Return the store's own time, by what it writes."""
    message = await stage.put(an_entry(lane="jam"))
    await stage.ledger.cancel(message, by="sri")
    at = (await stage.record(message)).summary.settled_at
    assert at is not None
    return at


async def put(stage: Stage, **settings: object) -> MessageId:
    """Record a message that people must have an answer to in three days."""
    at = await now(stage)
    dates = {"near_at": at + timedelta(days=2), "answer_by": at + timedelta(days=3)}
    return await stage.put(an_entry(**{**dates, **settings}))


async def ended(stage: Stage, *verdicts: Verdict, **settings: object) -> MessageId:
    message = await put(stage, **settings)
    for verdict in verdicts:
        await stage.end(message, verdict)
    return message


async def answered_at(stage: Stage, message: MessageId) -> datetime | None:
    return (await stage.record(message)).summary.answered_at


async def runs(stage: Stage, message: MessageId) -> bool:
    """Whether the clock of a message runs: in its record, and for those who look for what is due."""
    due = await found(stage, answer_before=ACCEPTED + timedelta(days=365 * 100))
    told = (await answered_at(stage, message)) is None
    assert (message in due) is told
    return told


async def lane(stage: Stage, name: str = LANE) -> LaneStats:
    return next(stats for stats in await stage.ledger.stats() if stats.lane == name)


async def asked(stage: Stage, *operations: OperationId, name: str = LANE) -> MessageId | None:
    message = await stage.ledger.to_ask(name, operations or FOLLOWED, again=AGAIN)
    return None if message is None else message.id


class ClockContract:
    """Design 11.17: when the clock towards an answer's date stops."""

    @pytest.mark.parametrize("verdict", [DONE, Refused(text="ditolak")])
    async def test_it_stops_when_the_agency_answered(self, stage: Stage, verdict: Verdict) -> None:
        message = await ended(stage, verdict)
        assert not await runs(stage, message)
        summary = (await stage.record(message)).summary
        assert summary.answered_at == summary.settled_at

    async def test_it_stops_when_who_asked_gives_up(self, stage: Stage) -> None:
        message = await put(stage)
        assert await stage.ledger.cancel(message, by="klik-pelalawan")
        assert not await runs(stage, message)

    async def test_it_stops_for_a_direct_write_that_was_told_it_failed(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(answer_by=ACCEPTED), lease=LEASE)
        await stage.settle(receipt.ticket, Released(text="connection refused"))
        assert not await runs(stage, receipt.id)

    @pytest.mark.parametrize("verdict", [Buried(reason="poison"), Unknown(), Expired(), Postponed(seconds=0.0)])
    async def test_it_runs_on_while_nobody_answered(self, stage: Stage, verdict: Verdict) -> None:
        assert await runs(stage, await ended(stage, verdict))

    async def test_it_runs_on_when_the_open_time_is_used_up(self, stage: Stage) -> None:
        message = await put(stage, expires=10.0)
        await stage.claim(0)
        await stage.pass_time(11.0)
        await stage.claim(0)
        assert await stage.state(message) is State.EXPIRED
        assert await runs(stage, message)

    @pytest.mark.parametrize("verdict", [DONE, Refused()])
    async def test_a_person_who_resolves_an_unknown_stops_it(self, stage: Stage, verdict: Delivered | Refused) -> None:
        message = await ended(stage, Unknown())
        assert await stage.ledger.resolve(message, verdict, by="sri")
        assert not await runs(stage, message)

    async def test_a_replay_starts_it_again_towards_the_same_date(self, stage: Stage) -> None:
        message = await ended(stage, Refused())
        before = (await stage.record(message)).summary.answer_by
        await stage.ledger.replay([message], by="sri")
        assert await runs(stage, message)
        assert (await stage.record(message)).summary.answer_by == before

    async def test_without_a_date_there_is_no_clock(self, stage: Stage) -> None:
        message = await stage.put(an_entry(until_final=True))
        await stage.end(message, DONE)
        assert await answered_at(stage, message) is None
        assert not await stage.ledger.answered(message, by="sri")
        assert await asked(stage) is None
        assert (await lane(stage)).answer_by is None

    async def test_a_person_stops_it_once_and_that_is_recorded(self, stage: Stage) -> None:
        message = await ended(stage, Expired())
        assert await stage.ledger.answered(message, by="sri")
        assert not await stage.ledger.answered(message, by="budi")
        assert not await runs(stage, message)
        record = await stage.record(message)
        assert (record.summary.state, [(deed.by, deed.act) for deed in record.deeds]) == (
            State.EXPIRED,
            [("sri", "answered")],
        )

    async def test_what_was_answered_before_it_was_delivered_keeps_its_time(self, stage: Stage) -> None:
        message = await put(stage, until_final=True)
        await stage.ledger.answered(message, by="sri")
        at = await answered_at(stage, message)
        await stage.pass_time(60.0)
        await stage.end(message, DONE)
        assert await answered_at(stage, message) == at
        assert await asked(stage) is None

    async def test_nobodys_clock_is_not_stopped(self, stage: Stage) -> None:
        assert not await stage.ledger.answered(MessageId("tidak-ada"), by="sri")


class UrgencyContract:
    """What is near its date, and what is past it."""

    async def test_it_is_found_near_and_past_its_date_and_not_before(self, stage: Stage) -> None:
        start = await now(stage)
        message = await put(stage)
        await ended(stage, DONE)
        seen = []
        for days in (1, 2.5, 3.5):
            at = start + timedelta(days=days)
            urgent = await found(stage, urgent_at=at)
            late = await found(stage, answer_before=at)
            seen.append(((await stage.record(message)).summary.urgency(at), urgent == [message], late == [message]))
        assert seen == [(None, False, False), ("near", True, False), ("past", True, True)]

    async def test_a_lane_counts_them_and_knows_the_earliest(self, stage: Stage) -> None:
        start = await now(stage)
        for hours in (1, 2, 30, 80):
            at = start + timedelta(hours=hours)
            await stage.put(an_entry(near_at=at - timedelta(hours=24), answer_by=at))
        await ended(stage, DONE)
        await stage.put(an_entry(lane="dinkes"))
        await stage.pass_time(1.5 * 3600)
        stats, other = await lane(stage), await lane(stage, "dinkes")
        assert (stats.past, stats.near) == (1, 1)
        assert stats.answer_by is not None
        assert abs((stats.answer_by - start).total_seconds() - 3600) < 1
        assert (other.past, other.near, other.answer_by) == (0, 0, None)

    async def test_it_is_found_within_one_lane_and_state(self, stage: Stage) -> None:
        late = [await stage.put(an_entry(lane=name, answer_by=ACCEPTED)) for name in (LANE, "dinkes")]
        buried = await stage.put(an_entry(answer_by=ACCEPTED))
        await stage.end(buried, Buried(reason="poison"))
        at = ACCEPTED + timedelta(days=1)
        assert await found(stage, urgent_at=at, lane="dinkes") == [late[1]]
        assert await found(stage, urgent_at=at, states=frozenset({State.BURIED})) == [buried]
        assert await found(stage, urgent_at=at, states=frozenset({State.DELIVERED})) == []


class FinalContract:
    """Design 11.17: a clock that goes on after delivery, and whom to ask about it."""

    async def test_delivered_is_not_the_end_of_it(self, stage: Stage) -> None:
        message = await ended(stage, DONE, until_final=True)
        assert await stage.state(message) is State.DELIVERED
        assert await runs(stage, message)
        assert await stage.ledger.answered(message, by="dpmptsp/cari-permohonan")
        assert not await runs(stage, message)
        assert await asked(stage) is None

    async def test_refused_is_the_end_of_it(self, stage: Stage) -> None:
        assert not await runs(stage, await ended(stage, Refused(), until_final=True))

    async def test_what_a_person_says_was_delivered_is_asked_about_too(self, stage: Stage) -> None:
        message = await ended(stage, Unknown(), until_final=True)
        assert await asked(stage) is None
        await stage.ledger.resolve(message, Delivered(), by="sri")
        assert await asked(stage) == message

    async def test_it_is_asked_about_with_everything_it_came_with_and_not_again_for_a_while(self, stage: Stage) -> None:
        message = await ended(stage, DONE, until_final=True)
        given = await stage.ledger.to_ask(LANE, FOLLOWED, again=AGAIN)
        assert given is not None
        assert (given.id, given.operation, given.body, given.client) == (message, FILE_PERMIT, BODY, "klik-pelalawan")
        assert await asked(stage) is None
        second = await stage.another()
        assert await second.to_ask(LANE, FOLLOWED, again=AGAIN) is None
        await stage.pass_time(AGAIN + 1)
        assert await asked(stage) == message

    async def test_the_one_not_asked_about_for_longest_comes_first(self, stage: Stage) -> None:
        first = await ended(stage, DONE, until_final=True)
        await stage.pass_time(1.0)
        second = await ended(stage, DONE, until_final=True)
        assert [await asked(stage), await asked(stage), await asked(stage)] == [first, second, None]

    async def test_only_these_operations_of_this_lane(self, stage: Stage) -> None:
        other = OperationId("dpmptsp/lain")
        message = await ended(stage, DONE, until_final=True, message=a_message(operation=other))
        assert await asked(stage) is None
        assert await asked(stage, other, name="dinkes") is None
        assert await asked(stage, other) == message

    async def test_while_it_is_asked_about_it_is_kept(self, stage: Stage) -> None:
        message = await ended(stage, DONE, until_final=True)
        await stage.pass_time(400 * DAY)
        assert await stage.ledger.shed(LANE, Retention()) == Shed()
        assert (await stage.record(message)).body == BODY
        await stage.ledger.answered(message, by="dpmptsp/cari-permohonan")
        kept = Retention(keys=DAY, bodies=DAY)
        assert await stage.ledger.shed(LANE, kept) != Shed()

    async def test_pages_of_what_is_due_hold_what_was_delivered(self, stage: Stage) -> None:
        message = await ended(stage, DONE, until_final=True)
        wanted = Filter(urgent_at=ACCEPTED + timedelta(days=365 * 100), states=frozenset({State.DELIVERED}))
        assert [row.id for row in (await stage.ledger.search(wanted)).rows] == [message]
