"""What every ledger promises of its lanes: pauses, the clock of open time, expiry, how things stand."""

import asyncio
from datetime import timedelta

import pytest

from gateway.ledger import Ledger
from gateway.message import MessageId, OperationId
from gateway.records import BY_GATEWAY, Buried, Delivered, LaneStats, Postponed, Refused, State, Terms
from tests.contract.ledger import ACCEPTED, FILE_PERMIT, LANE, LEASE, Stage, a_message, an_entry, tried

HOUR = 3600.0
BEAT = 20.0


async def open_for(stage: Stage, seconds: float, *, lane: str = LANE) -> None:
    """Let a lane be open for so long, its deliverer claiming nothing as often as it must."""
    await stage.claim(0, lane=lane)
    for _ in range(int(seconds // BEAT)):
        await stage.pass_time(BEAT)
        await stage.claim(0, lane=lane)
    await stage.pass_time(seconds % BEAT)
    await stage.claim(0, lane=lane)


async def lane(ledger: Ledger, name: str = LANE) -> LaneStats:
    return {stats.lane: stats for stats in await ledger.stats()}[name]


class PauseContract:
    """Design 11.13: an operator's pause, maintenance and hours are shared through the ledger."""

    async def test_rule_11_13_a_paused_lane_is_not_claimed_from_anywhere(self, stage: Stage) -> None:
        await stage.put()
        await stage.ledger.pause(LANE, "operator", by="sri")
        assert await stage.claim() == ()
        assert await stage.claim(terms=Terms(probe=True)) == ()
        assert await (await stage.another()).claim(LANE, 1, lease=LEASE) == ()

    async def test_other_lanes_go_on(self, stage: Stage) -> None:
        message = await stage.put(an_entry(lane="dinkes"))
        await stage.ledger.pause(LANE, "operator", by="sri")
        assert await stage.claimed(lane="dinkes") == [message]

    async def test_a_resumed_lane_goes_on(self, stage: Stage) -> None:
        message = await stage.put()
        await stage.ledger.pause(LANE, "operator", by="sri")
        assert await stage.ledger.resume(LANE, "operator", by="sri")
        assert not await stage.ledger.resume(LANE, "operator", by="sri")
        assert await stage.claimed() == [message]

    async def test_a_pause_ends_by_itself(self, stage: Stage) -> None:
        await stage.put()
        (receipt,) = await stage.ledger.put(an_entry(message=a_message(accepted_at=ACCEPTED)))
        await stage.ledger.pause(LANE, "hours", by="gateway", until=receipt.accepted_at - timedelta(days=1))
        assert await stage.ledger.list() == ()
        assert len(await stage.claim()) == 2

    async def test_rule_11_13_one_reason_ends_and_the_other_stays(self, stage: Stage) -> None:
        await stage.put()
        await stage.ledger.pause(LANE, "hours", by="gateway")
        await stage.ledger.pause(LANE, "operator", by="sri")
        await stage.ledger.pause("dinkes", "maintenance", by="budi")
        pauses = await stage.ledger.list()
        assert [(pause.lane, pause.reason, pause.by) for pause in pauses] == [
            ("dinkes", "maintenance", "budi"),
            (LANE, "operator", "sri"),
            (LANE, "hours", "gateway"),
        ]
        assert await stage.ledger.resume(LANE, "operator", by="sri")
        assert await stage.claim() == ()
        assert await stage.ledger.resume(LANE, by="sri")
        assert len(await stage.claim()) == 1

    async def test_a_pause_for_the_same_reason_replaces_the_earlier_one(self, stage: Stage) -> None:
        await stage.ledger.pause(LANE, "operator", by="sri")
        await stage.ledger.pause(LANE, "operator", by="budi")
        (pause,) = await stage.ledger.list()
        assert (pause.by, pause.until) == ("budi", None)

    async def test_rule_11_13_the_gateway_does_not_end_what_a_person_paused(self, stage: Stage) -> None:
        await stage.put()
        await stage.ledger.pause(LANE, "maintenance", by="sri")
        assert not await stage.ledger.resume(LANE, "maintenance", by=BY_GATEWAY)
        assert [pause.by for pause in await stage.ledger.list()] == ["sri"]
        assert await stage.claim() == ()
        assert await stage.ledger.resume(LANE, "maintenance", by="budi")
        assert len(await stage.claim()) == 1

    async def test_rule_11_13_the_gateways_pause_does_not_replace_a_persons(self, stage: Stage) -> None:
        await stage.ledger.pause(LANE, "maintenance", by=BY_GATEWAY)
        await stage.ledger.pause(LANE, "maintenance", by="sri")
        await stage.ledger.pause(LANE, "maintenance", by=BY_GATEWAY, until=ACCEPTED - timedelta(days=1))
        (pause,) = await stage.ledger.list()
        assert (pause.by, pause.until) == ("sri", None)

    async def test_the_gateways_pause_replaces_its_own_and_one_that_is_over(self, stage: Stage) -> None:
        await stage.ledger.pause(LANE, "maintenance", by="sri", until=ACCEPTED - timedelta(days=1))
        await stage.ledger.pause(LANE, "maintenance", by=BY_GATEWAY, until=ACCEPTED - timedelta(days=1))
        await stage.ledger.pause(LANE, "maintenance", by=BY_GATEWAY)
        (pause,) = await stage.ledger.list()
        assert (pause.by, pause.until) == (BY_GATEWAY, None)
        assert await stage.ledger.resume(LANE, "maintenance", by=BY_GATEWAY)


class OpenTimeContract:
    """Design 11.15: `expires` counts only time the lane was open to delivery."""

    async def test_rule_11_15_a_message_expires_when_its_open_time_is_used_up(self, stage: Stage) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=HOUR))
        await open_for(stage, HOUR - 1)
        assert await stage.state(message) is State.PENDING
        await open_for(stage, 2)
        assert await stage.state(message) is State.EXPIRED

    async def test_a_message_without_expiry_waits_for_ever(self, stage: Stage) -> None:
        message = await stage.put()
        await open_for(stage, HOUR)
        assert await stage.claimed() == [message]

    async def test_rule_11_15_paused_time_does_not_count(self, stage: Stage) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=HOUR))
        await open_for(stage, HOUR / 2)
        await stage.ledger.pause(LANE, "hours", by="gateway")
        await stage.pass_time(15 * HOUR)
        await stage.claim(0)
        await stage.ledger.resume(LANE, "hours", by="gateway")
        await open_for(stage, HOUR / 2 - 1)
        assert await stage.state(message) is State.PENDING
        await open_for(stage, 2)
        assert await stage.state(message) is State.EXPIRED

    async def test_rule_11_15_an_outage_does_not_count(self, stage: Stage) -> None:
        await stage.claim(0)
        before = (await lane(stage.ledger)).open_seconds
        await stage.pass_time(5.0)
        await stage.ledger.idle(LANE)
        await stage.pass_time(72 * HOUR)
        await stage.claim(0, terms=Terms(probe=True))
        await stage.pass_time(10.0)
        assert (await lane(stage.ledger)).open_seconds == pytest.approx(before + 5.0, abs=1.0)

    async def test_rule_11_15_time_in_which_no_gateway_runs_does_not_count(self, stage: Stage) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=HOUR))
        await stage.pass_time(100 * HOUR)
        assert await stage.claimed() == [message]

    @pytest.mark.parametrize("back", [5.0, HOUR])
    async def test_rule_11_15_a_clock_that_is_set_back_takes_no_open_time_away(self, stage: Stage, back: float) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=HOUR))
        await open_for(stage, HOUR / 2)
        before = (await lane(stage.ledger)).open_seconds
        await stage.pass_time(-back)
        assert (await lane(stage.ledger)).open_seconds == pytest.approx(before, abs=2.0)
        await open_for(stage, HOUR / 2 - 5)
        assert await stage.state(message) is State.PENDING
        await open_for(stage, 10)
        assert await stage.state(message) is State.EXPIRED

    async def test_rule_11_15_a_lane_that_is_shut_after_its_clock_was_set_back_keeps_its_open_time(
        self, stage: Stage
    ) -> None:
        await stage.claim(0)
        await open_for(stage, HOUR)
        before = (await lane(stage.ledger)).open_seconds
        await stage.pass_time(-HOUR)
        await stage.ledger.idle(LANE)
        assert (await lane(stage.ledger)).open_seconds == pytest.approx(before, abs=2.0)

    async def test_several_deliverers_are_not_counted_twice(self, stage: Stage) -> None:
        second = await stage.another()
        await stage.claim(0)
        before = (await lane(stage.ledger)).open_seconds
        for _ in range(10):
            await stage.pass_time(BEAT / 2)
            await second.claim(LANE, 0, lease=LEASE)
            await stage.pass_time(BEAT / 2)
            await stage.claim(0)
        assert (await lane(stage.ledger)).open_seconds == pytest.approx(before + 10 * BEAT, abs=2.0)

    async def test_a_message_that_may_have_been_done_is_unknown_rather_than_expired(self, stage: Stage) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(repeat="ask", expires=HOUR))
        await stage.end(message, Postponed(seconds=0.0, maybe_done=True))
        await open_for(stage, HOUR + 1)
        assert await stage.state(message) is State.UNKNOWN

    async def test_rule_11_15_what_is_taken_up_when_its_open_time_is_used_up_is_not_sent_again(
        self, stage: Stage
    ) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=LEASE / 2))
        assert await stage.claimed() == [message]
        await open_for(stage, LEASE - 5)
        assert await stage.state(message) is State.DELIVERING
        await stage.pass_time(10.0)
        assert await stage.claimed() == []
        assert await stage.state(message) is State.UNKNOWN

    async def test_a_message_in_flight_does_not_expire(self, stage: Stage) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=BEAT))
        (claim,) = await stage.claim()
        await open_for(stage, 2 * BEAT)
        assert await stage.state(message) is State.DELIVERING
        assert await stage.settle(claim.ticket, Delivered())

    async def test_rule_11_15_a_replayed_message_has_its_open_time_anew(self, stage: Stage) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=HOUR))
        await open_for(stage, HOUR + 1)
        assert await stage.ledger.replay([message], by="sri") == (message,)
        await open_for(stage, HOUR - 1)
        assert await stage.state(message) is State.PENDING
        await open_for(stage, 2)
        assert await stage.state(message) is State.EXPIRED


class StatsContract:
    async def test_it_says_how_many_wait_and_since_when(self, stage: Stage) -> None:
        early = ACCEPTED - timedelta(hours=1)
        for key in ("ani", "ani", "budi"):
            await stage.put(an_entry(order_key=key))
        await stage.put(an_entry(message=a_message(accepted_at=early)))
        await stage.put(an_entry(lane="dinkes"))
        stats = await stage.ledger.stats()
        assert [one.lane for one in stats] == ["dinkes", LANE]
        assert stats[1].depth[State.PENDING] == 4
        assert (stats[1].held, stats[1].oldest) == (1, early)

    async def test_who_is_behind_a_replayed_one_and_does_not_wait_is_not_held(self, stage: Stage) -> None:
        first, second = [await stage.put(an_entry(order_key="ani")) for _ in range(2)]
        await stage.end(first, Refused())
        await stage.end(second, Buried(reason="poison"))
        assert await stage.ledger.replay([first], by="sri") == (first,)
        assert [stats.held for stats in await stage.ledger.stats()] == [0]
        await stage.put(an_entry(order_key="ani"))
        assert [stats.held for stats in await stage.ledger.stats()] == [1]

    async def test_it_counts_what_needs_a_person(self, stage: Stage) -> None:
        await stage.end(await stage.put(), Buried(reason="poison"))
        await stage.put()
        await stage.claim(1)
        await stage.end(await stage.put(), Delivered())
        await stage.ledger.pause(LANE, "operator", by="sri")
        stats = await lane(stage.ledger)
        assert {state: count for state, count in stats.depth.items() if count} == {
            State.BURIED: 1,
            State.DELIVERING: 1,
        }
        assert [pause.reason for pause in stats.pauses] == ["operator"]
        assert stats.oldest is None


class BacklogContract:
    """How far a lane is behind, by its own clock: what a lane's limit of age is about."""

    async def waited(self, stage: Stage, **terms: object) -> float:
        return (await stage.ledger.backlog(LANE, Terms(**terms))).waited

    async def test_an_empty_lane_is_not_behind(self, stage: Stage) -> None:
        assert await self.waited(stage) == 0.0

    async def test_it_says_for_how_much_open_time_what_could_be_claimed_waits(self, stage: Stage) -> None:
        await stage.claim(0)
        await stage.put(an_entry(expires=100 * HOUR))
        await open_for(stage, HOUR)
        assert await self.waited(stage) == pytest.approx(HOUR, abs=2.0)

    async def test_neither_a_night_nor_an_outage_counts(self, stage: Stage) -> None:
        await stage.claim(0)
        await stage.put(an_entry(expires=100 * HOUR))
        await stage.ledger.pause(LANE, "hours", by="gateway")
        await stage.pass_time(15 * HOUR)
        await stage.ledger.resume(LANE, "hours", by="gateway")
        await stage.ledger.idle(LANE)
        await stage.pass_time(72 * HOUR)
        await open_for(stage, 60.0)
        assert await self.waited(stage) == pytest.approx(60.0, abs=2.0)

    async def test_what_the_lane_takes_at_once_is_not_behind(self, stage: Stage) -> None:
        """The last of a long chain of one key, set free after days, says nothing of the others."""
        await stage.claim(0)
        await stage.ledger.put(*(an_entry(expires=100 * HOUR) for _ in range(2)))
        await open_for(stage, HOUR)
        assert await self.waited(stage, most=2) == 0.0
        assert await self.waited(stage, most=1) > 0.0

    async def test_what_fails_by_itself_is_held_or_is_nobodys_does_not_count(self, stage: Stage) -> None:
        await stage.claim(0)
        await stage.put(an_entry(expires=100 * HOUR, order_key="ani"))
        (claim,) = await stage.claim()
        assert await stage.settle(claim.ticket, Buried(reason="poison"))
        await stage.put(an_entry(expires=100 * HOUR, order_key="ani"))
        await stage.put(an_entry(expires=100 * HOUR))
        (claim,) = await stage.claim()
        assert await stage.settle(claim.ticket, Postponed(seconds=0.0), tried())
        gone = OperationId("dpmptsp/tak-ada-lagi")
        await stage.put(an_entry(message=a_message(operation=gone), expires=100 * HOUR))
        await open_for(stage, HOUR)
        assert await self.waited(stage, operations=[FILE_PERMIT]) == 0.0
        assert await self.waited(stage, operations=[FILE_PERMIT, gone]) > 0.0

    async def test_what_was_replayed_waits_anew(self, stage: Stage) -> None:
        await stage.claim(0)
        message = await stage.put(an_entry(expires=100 * HOUR))
        (claim,) = await stage.claim()
        assert await stage.settle(claim.ticket, Buried(reason="poison"))
        await open_for(stage, HOUR)
        await stage.ledger.replay([message], by="sri")
        await open_for(stage, 60.0)
        assert await self.waited(stage) == pytest.approx(60.0, abs=2.0)

    async def test_it_says_how_many_came_through_the_queue_lately(self, stage: Stage) -> None:
        empty = await stage.ledger.backlog(LANE)
        assert (empty.ended, empty.since) == (0, None)
        first = await stage.put()
        await stage.end(first, Delivered())
        await stage.pass_time(60.0)
        await stage.end(await stage.put(), Delivered())
        direct = await stage.ledger.begin(an_entry(), lease=LEASE)
        assert await stage.settle(direct.ticket, Delivered())
        lately = await stage.ledger.backlog(LANE)
        assert lately.ended == 2
        assert lately.since == (await stage.record(first)).summary.settled_at


class NudgeContract:
    async def test_a_put_wakes_the_lanes_deliverer(self, stage: Stage) -> None:
        waiting = await self.waiting(stage)
        await stage.put()
        assert await waiting

    async def test_a_resume_wakes_it(self, stage: Stage) -> None:
        await stage.ledger.pause(LANE, "operator", by="sri")
        waiting = await self.waiting(stage)
        await stage.ledger.resume(LANE, by="sri")
        assert await waiting

    async def test_a_replay_wakes_it(self, stage: Stage) -> None:
        message = await self.buried(stage)
        waiting = await self.waiting(stage)
        await stage.ledger.replay([message], by="sri")
        assert await waiting

    async def test_a_settlement_wakes_it_because_a_key_may_be_free(self, stage: Stage) -> None:
        await stage.put()
        (claim,) = await stage.claim()
        waiting = await self.waiting(stage)
        await stage.settle(claim.ticket, Delivered())
        assert await waiting

    async def test_another_lane_sleeps_on(self, stage: Stage) -> None:
        waiting = await self.waiting(stage, "dinkes")
        await stage.put()
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()

    async def test_it_returns_false_when_the_time_is_up(self, stage: Stage) -> None:
        assert not await stage.ledger.nudged(LANE, 0.0)

    async def waiting(self, stage: Stage, name: str = LANE) -> asyncio.Task[bool]:
        task = asyncio.create_task(stage.ledger.nudged(name, 1000.0))
        await asyncio.sleep(0)
        return task

    async def buried(self, stage: Stage) -> MessageId:
        message = await stage.put()
        await stage.end(message, Buried(reason="poison"))
        return message
