"""What a lane takes before it says that it is overloaded, and when it says to come back; on a real ledger."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.errors import LedgerUnavailable, Overloaded
from gateway.hours import Calendar, Hours
from gateway.message import Message, new_message_id
from gateway.records import Backlog, Claim, Delivered, Entry, LaneStats, Settlement, State, Terms
from gateway.registry import Queue
from gateway.room import AGAIN, LONGEST, LOOK_EVERY, Rooms
from tests.delivery import FILE, LANE, Rig, open_ledger
from tests.fakes import JAKARTA, FakeClock

HOUR = 3600.0
OFFICE = Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Fri 08:00-16:00"))


@dataclass
class Lobby:
    """A lane's rooms, and a ledger whose time passes by hand; it is Monday, nine o'clock."""

    clock: FakeClock
    ledger: object
    rooms: Rooms
    looks: int = 0

    def limit(self, *, depth: int = 1000, age: float = HOUR, calendar: Calendar | None = None) -> None:
        queue = Queue(
            concurrency=1, waiting=lambda: 0, depth=depth, age=age, operations=frozenset({FILE}), calendar=calendar
        )
        self.rooms.queues = {LANE: queue}

    async def put(self, count: int) -> None:
        entries = (Entry(message=a_message(self.clock), lane=LANE, expires=100 * HOUR) for _ in range(count))
        await self.ledger.put(*entries)

    async def claim(self, limit: int) -> tuple[Claim, ...]:
        return await self.ledger.claim(LANE, limit, lease=60.0)

    async def deliver(self, count: int, *, every: float) -> None:
        for _ in range(count):
            await self.clock.advance(every)
            (claim,) = await self.claim(1)
            await self.ledger.settle(Settlement(ticket=claim.ticket, verdict=Delivered()))

    async def open_for(self, seconds: float) -> None:
        """Let the lane be open while all its slots are taken."""
        for _ in range(int(seconds // 20)):
            await self.claim(0)
            await self.clock.advance(20.0)

    async def full(self) -> Overloaded | None:
        await self.clock.advance(LOOK_EVERY)
        return await self.rooms.of(LANE)

    async def again(self) -> float:
        full = await self.full()
        assert full is not None
        assert full.retry_after is not None
        return full.retry_after


def a_message(clock: FakeClock) -> Message:
    return Message(
        id=new_message_id(),
        operation=FILE,
        body={"n": 1},
        client="klik",
        correlation_id="c",
        traceparent="",
        accepted_at=clock.now(),
        deadline=0.0,
    )


@pytest.fixture
async def lobby(tmp_path: Path) -> AsyncIterator[Lobby]:
    clock = FakeClock(autojump=False)
    ledger = await open_ledger(tmp_path, clock)
    made = Lobby(clock, ledger, Rooms(lanes=ledger, clock=clock))
    made.limit()
    await made.claim(0)
    yield made
    await ledger.close()


class Counting:
    """A ledger's lanes that count how often they are asked, and answer when they may."""

    def __init__(self, ledger: object) -> None:
        self._ledger = ledger
        self.may = asyncio.Event()
        self.asked: list[str] = []
        self.away = False

    async def stats(self) -> Sequence[LaneStats]:
        self.asked.append("stats")
        await self.may.wait()
        if self.away:
            raise LedgerUnavailable("it is away")
        return await self._ledger.stats()

    async def backlog(self, lane: str, terms: Terms) -> Backlog:
        self.asked.append("backlog")
        return await self._ledger.backlog(lane, terms)


@pytest.fixture
def counting(lobby: Lobby) -> Counting:
    lobby.rooms.lanes = Counting(lobby.ledger)
    return lobby.rooms.lanes


async def test_however_many_ask_at_once_it_is_counted_once(lobby: Lobby, counting: Counting) -> None:
    lobby.limit(depth=1)
    await lobby.put(2)
    asking = [asyncio.create_task(lobby.rooms.of(LANE)) for _ in range(50)]
    await lobby.clock.settled()
    counting.may.set()
    answers = await asyncio.gather(*asking)
    assert counting.asked == ["stats", "backlog"]
    assert all(answer is not None for answer in answers)
    assert await lobby.rooms.of(LANE) is answers[0]
    await lobby.full()
    assert counting.asked == ["stats", "backlog"] * 2


async def test_who_leaves_while_it_is_counted_takes_it_from_nobody(lobby: Lobby, counting: Counting) -> None:
    first, second = [asyncio.create_task(lobby.rooms.of(LANE)) for _ in range(2)]
    await lobby.clock.settled()
    first.cancel()
    await lobby.clock.settled()
    counting.may.set()
    assert await second is None
    assert (first.cancelled(), counting.asked) == (True, ["stats"])


async def test_a_count_that_fails_is_told_to_all_who_asked_and_made_again_for_the_next(
    lobby: Lobby, counting: Counting
) -> None:
    counting.away = True
    counting.may.set()
    told = await asyncio.gather(*(lobby.rooms.of(LANE) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in told] == [LedgerUnavailable] * 3
    counting.away = False
    assert await lobby.rooms.of(LANE) is None
    assert counting.asked == ["stats"] * 2


async def test_a_pause_is_known_from_the_next_look_on_until_it_ends(lobby: Lobby) -> None:
    lobby.limit()
    seen = [lobby.rooms.paused(LANE)]
    await lobby.ledger.pause(LANE, "operator", by="sri")
    await lobby.full()
    seen.append(lobby.rooms.paused(LANE))
    await lobby.ledger.resume(LANE, by="sri")
    await lobby.full()
    assert [*seen, lobby.rooms.paused(LANE)] == [False, True, False]


async def test_a_lane_takes_messages_up_to_its_depth(lobby: Lobby) -> None:
    lobby.limit(depth=3)
    await lobby.put(2)
    assert await lobby.full() is None
    await lobby.put(1)
    assert "3 messages wait already" in str(await lobby.full())
    await lobby.claim(1)
    assert await lobby.full() is not None, "what is under way has not left yet"


async def test_a_lane_that_does_not_keep_up_takes_nothing_once_its_oldest_waited_too_long(lobby: Lobby) -> None:
    await lobby.put(2)
    await lobby.open_for(HOUR - 60)
    assert await lobby.full() is None
    await lobby.open_for(120)
    assert "1.0 h of open time" in str(await lobby.full())
    await lobby.deliver(1, every=1.0)
    assert await lobby.full() is None, "what is left is what the lane takes next"


async def test_no_night_weekend_pause_or_outage_makes_a_lane_too_old(lobby: Lobby) -> None:
    lobby.limit(age=HOUR, calendar=OFFICE)
    await lobby.put(5)
    await lobby.ledger.pause(LANE, "hours", by="gateway")
    await lobby.clock.advance(63 * HOUR)
    assert await lobby.full() is None
    await lobby.ledger.resume(LANE, by="gateway")
    await lobby.ledger.pause(LANE, "operator", by="sri")
    await lobby.clock.advance(24 * HOUR)
    await lobby.ledger.resume(LANE, by="sri")
    await lobby.claim(0)
    await lobby.ledger.idle(LANE)
    await lobby.clock.advance(72 * HOUR)
    await lobby.claim(0)
    assert await lobby.full() is None
    assert (await lobby.ledger.stats())[0].depth == {State.PENDING: 5}


async def test_a_lane_within_its_limits_costs_no_second_look(lobby: Lobby) -> None:
    class Once:
        """Knows how lanes stand, and no more."""

        stats = lobby.ledger.stats

        async def backlog(self, _lane: str, _terms: Terms) -> Backlog:
            raise AssertionError

    await lobby.put(5)
    lobby.rooms.lanes = Once()
    await lobby.clock.advance(HOUR - 60)
    assert await lobby.full() is None


async def test_it_says_to_come_back_when_a_closed_agency_opens(lobby: Lobby) -> None:
    lobby.limit(depth=1, calendar=OFFICE)
    await lobby.put(1)
    await lobby.clock.advance(9 * HOUR)
    assert await lobby.again() == 14 * HOUR - LOOK_EVERY


async def test_it_says_to_come_back_when_a_pause_ends(lobby: Lobby) -> None:
    lobby.limit(depth=1)
    await lobby.put(1)
    await lobby.ledger.pause(LANE, "operator", by="sri", until=lobby.clock.now() + timedelta(hours=2))
    assert await lobby.again() == 2 * HOUR - LOOK_EVERY
    await lobby.ledger.pause(LANE, "operator", by="sri")
    assert await lobby.again() == AGAIN


async def test_it_says_to_come_back_when_a_hundredth_is_free_at_the_pace_of_late(lobby: Lobby) -> None:
    lobby.limit(depth=200)
    await lobby.put(210)
    await lobby.deliver(10, every=30.0)
    # 10 in 272 s, of which two for the look; two have to go.
    assert await lobby.again() == pytest.approx(2 * 272 / 10)


async def test_it_says_to_come_back_when_all_that_wait_too_long_are_delivered(lobby: Lobby) -> None:
    lobby.limit(age=120.0)
    await lobby.put(30)
    await lobby.deliver(10, every=15.0)
    assert await lobby.again() == pytest.approx(20 * (9 * 15 + LOOK_EVERY) / 10)


async def test_a_time_to_come_back_passes_over_the_night(lobby: Lobby) -> None:
    lobby.limit(depth=90, calendar=OFFICE)
    await lobby.put(100)
    await lobby.clock.advance(7 * HOUR - 10 * 20.0 - 2 * LOOK_EVERY)
    await lobby.deliver(10, every=20.0)
    again = await lobby.again()
    assert lobby.clock.now().strftime("%a %H:%M:%S") == "Mon 15:59:58"
    assert again == pytest.approx(16 * HOUR + (9 * 20.0 + LOOK_EVERY) / 10, abs=1.0)


async def test_where_nothing_was_delivered_lately_nobody_can_tell(lobby: Lobby) -> None:
    lobby.limit(depth=1)
    await lobby.put(1)
    assert await lobby.again() == AGAIN


async def test_no_pace_however_slow_keeps_anybody_away_for_longer_than_an_hour(lobby: Lobby) -> None:
    lobby.limit(depth=1)
    await lobby.put(2)
    await lobby.deliver(1, every=1.0)
    await lobby.clock.advance(10 * HOUR)
    assert await lobby.again() == LONGEST


async def test_a_real_lane_that_is_too_slow_says_so_until_it_has_caught_up(rig: Rig) -> None:
    rig.having(concurrency=1)
    rig.agency.seconds = 15.0
    rooms = Rooms(lanes=rig.ledger, clock=rig.clock)
    queue = Queue(concurrency=1, waiting=lambda: 0, depth=1000, age=120.0, operations=frozenset({FILE}))
    rooms.queues = {LANE: queue}
    await rig.put(*range(20), expires=HOUR)
    told: list[tuple[float, float | None]] = []

    async def look() -> bool:
        full = await rooms.of(LANE)
        told.append((rig.clock.monotonic(), full.retry_after if full is not None else None))
        return await rig.depth(State.PENDING) == 0

    async with rig.delivering():
        await rig.comes(look)
    promised = [at + seconds for at, seconds in told if seconds is not None]
    free = max(at for at, seconds in told if seconds is not None)
    assert (told[0][1], told[-1][1]) == (None, None)
    assert len(promised) > 10
    assert min(promised) >= free, "whoever came back when it was told to found room"
    # A third of the whole drain: the pace of so few is a rough guess.
    assert max(promised) <= free + 100.0


async def test_rows_of_files_fill_half_of_a_lane_and_leave_the_rest_to_apps(lobby: Lobby) -> None:
    lobby.limit(depth=10)
    assert await lobby.rooms.for_rows(LANE) == 5
    await lobby.put(2)
    lobby.rooms.filled(LANE, 2)
    assert await lobby.rooms.for_rows(LANE) == 3
    await lobby.clock.advance(LOOK_EVERY)
    assert await lobby.rooms.for_rows(LANE) == 3
    await lobby.put(4)
    await lobby.clock.advance(LOOK_EVERY)
    assert await lobby.rooms.for_rows(LANE) <= 0
    assert await lobby.full() is None
    await lobby.deliver(4, every=1.0)
    await lobby.clock.advance(LOOK_EVERY)
    assert await lobby.rooms.for_rows(LANE) == 3


async def test_rows_of_files_stay_out_of_a_lane_that_is_full_and_of_one_that_is_not_there(lobby: Lobby) -> None:
    lobby.limit(depth=1)
    assert await lobby.rooms.for_rows(LANE) == 1
    await lobby.put(1)
    assert await lobby.full() is not None
    assert await lobby.rooms.for_rows(LANE) == 0
    assert await lobby.rooms.for_rows("lain") == 0
