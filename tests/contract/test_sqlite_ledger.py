"""The embedded ledger keeps what every ledger promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.records import Postponed, State
from tests.contract.ledger import LANE, LEASE, DirectContract, OrderContract, PutContract, Stage, an_entry
from tests.contract.ledger_archive import CensusContract, PeopleContract, SearchContract
from tests.contract.ledger_arrivals import ArrivalContract, ForgettingContract
from tests.contract.ledger_claims import ClaimContract, LeaseContract, SettleContract, WaitContract
from tests.contract.ledger_deadlines import ClockContract, FinalContract, UrgencyContract
from tests.contract.ledger_feed_modes import ModeContract
from tests.contract.ledger_feeds import LookUpContract, SnapshotContract
from tests.contract.ledger_forward import ForwardContract
from tests.contract.ledger_handover import BatchContract, HandoverContract
from tests.contract.ledger_interruptions import InterruptionContract
from tests.contract.ledger_lanes import BacklogContract, NudgeContract, OpenTimeContract, PauseContract, StatsContract
from tests.contract.ledger_upkeep import UpkeepContract
from tests.fakes import FakeClock, Settable


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    clock = FakeClock(autojump=False)
    opened: list[SqliteLedger] = []

    async def another() -> Ledger:
        ledger = await SqliteLedger.open(tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), clock)
        opened.append(ledger)
        return ledger

    yield Stage(await another(), another, clock.advance)
    for ledger in opened:
        await ledger.close()


class TestPut(PutContract): ...


class TestDirect(DirectContract): ...


class TestOrder(OrderContract): ...


class TestClaims(ClaimContract): ...


class TestLeases(LeaseContract): ...


class TestInterruptions(InterruptionContract): ...


class TestSettling(SettleContract): ...


class TestWaiting(WaitContract): ...


class TestPauses(PauseContract): ...


class TestOpenTime(OpenTimeContract): ...


class TestStats(StatsContract): ...


class TestBacklog(BacklogContract): ...


class TestNudges(NudgeContract): ...


class TestArrivals(ArrivalContract): ...


class TestForgetting(ForgettingContract): ...


class TestSearch(SearchContract): ...


class TestCensus(CensusContract):
    counts_replicas = False


class TestPeople(PeopleContract): ...


class TestClocks(ClockContract): ...


class TestUrgency(UrgencyContract): ...


class TestFinal(FinalContract): ...


class TestUpkeep(UpkeepContract): ...


class TestLookUps(LookUpContract): ...


class TestSnapshots(SnapshotContract): ...


class TestModes(ModeContract): ...


class TestForwarding(ForwardContract): ...


HOUR = 3600.0


@pytest.fixture
async def settable(tmp_path: Path) -> AsyncIterator[tuple[Stage, Settable]]:
    clock = Settable(autojump=False)
    opened: list[SqliteLedger] = []

    async def another() -> Ledger:
        opened.append(await SqliteLedger.open(tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), clock))
        return opened[-1]

    yield Stage(await another(), another, clock.advance), clock
    for ledger in opened:
        await ledger.close()


@pytest.mark.parametrize("by", [2.0 * LEASE, 365 * 24 * HOUR, -HOUR / 2, -365 * 24 * HOUR])
class TestAClockThatIsSet:
    async def test_what_is_held_is_held_as_long_as_it_would_have_been(
        self, settable: tuple[Stage, Settable], by: float
    ) -> None:
        stage, clock = settable
        await stage.put()
        (claim,) = await stage.claim()
        direct = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert await stage.ledger.hold("retention", by="a", seconds=LEASE) is not None
        second = await stage.another()
        clock.ahead = by
        assert await stage.claim() == ()
        assert await second.claim(LANE, 10, lease=LEASE) == ()
        assert await second.sweep() == 0
        assert await second.hold("retention", by="b", seconds=LEASE) is None
        assert (await second.begin(an_entry(key="k-1"), lease=LEASE)).state is State.DELIVERING
        await stage.pass_time(LEASE - 1)
        assert await stage.claim() == ()
        await stage.pass_time(2.0)
        assert await second.hold("retention", by="b", seconds=LEASE) is not None
        assert await stage.ledger.sweep() == 2
        assert await stage.state(direct.id) is State.UNKNOWN
        (again,) = await stage.claim()
        assert again.ticket.id == claim.ticket.id

    async def test_a_process_that_begins_after_it_takes_nothing_that_is_held(
        self, settable: tuple[Stage, Settable], by: float
    ) -> None:
        stage, clock = settable
        await stage.put()
        (claim,) = await stage.claim()
        clock.ahead = by
        second = await stage.another()
        assert await second.claim(LANE, 10, lease=LEASE) == ()
        await stage.pass_time(LEASE + 1)
        (again,) = await second.claim(LANE, 10, lease=LEASE)
        assert again.ticket.id == claim.ticket.id

    async def test_a_repeat_is_the_first_to_see_it(self, settable: tuple[Stage, Settable], by: float) -> None:
        stage, clock = settable
        await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        (put,) = await stage.ledger.put(an_entry(key="k-2"))
        assert await stage.claimed() == [put.id]
        clock.ahead = by
        assert (await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)).state is State.DELIVERING
        clock.ahead *= 3
        assert (await stage.ledger.put(an_entry(key="k-2")))[0].state is State.DELIVERING

    async def test_what_is_postponed_waits_no_longer_than_it_was_to(
        self, settable: tuple[Stage, Settable], by: float
    ) -> None:
        stage, clock = settable
        message = await stage.put()
        await stage.end(message, Postponed(seconds=100.0))
        fresh = await stage.put()
        clock.ahead = by
        at_once = await stage.claimed()
        assert fresh in at_once
        await stage.pass_time(50.0)
        clock.ahead *= 2
        await stage.pass_time(51.0)
        assert message in [*at_once, *await stage.claimed()]

    async def test_a_process_that_begins_later_moves_nothing(self, settable: tuple[Stage, Settable], by: float) -> None:
        stage, clock = settable
        clock.ahead = by
        second = await stage.another()
        await stage.put()
        (claim,) = await stage.claim()
        assert await second.claim(LANE, 10, lease=LEASE) == ()
        await stage.pass_time(LEASE + 1)
        (again,) = await second.claim(LANE, 10, lease=LEASE)
        assert again.ticket.id == claim.ticket.id


async def test_a_clock_that_is_steered_has_not_been_set(settable: tuple[Stage, Settable]) -> None:
    stage, clock = settable
    await stage.put()
    await stage.claim()
    for _ in range(int(LEASE)):
        clock.ahead += 0.001
        await stage.pass_time(1.0)
        assert len(await stage.claim()) == (clock.monotonic() >= 1000.0 + LEASE)


class TestBatches(BatchContract): ...


class TestHandover(HandoverContract): ...
