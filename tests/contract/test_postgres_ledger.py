"""The PostgreSQL ledger against what every ledger promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from tests.contract.ledger import DirectContract, OrderContract, PutContract, Stage
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
from tests.postgres import Cluster, StandingClock, emptied


@pytest.fixture(scope="module")
def url(postgres: Cluster) -> str:
    return postgres.database()


@pytest.fixture
async def stage(url: str, tmp_path: Path) -> AsyncIterator[Stage]:
    await emptied(url)
    opened: list[PostgresLedger] = []

    async def another() -> PostgresLedger:
        opened.append(await PostgresLedger.open(url, KeySource(path=tmp_path / "ledger.key"), SystemClock()))
        return opened[-1]

    first = await another()
    clock = await StandingClock.put_into(url)
    yield Stage(ledger=first, another=another, pass_time=clock.advance)
    for one in opened:
        await one.close()
    await clock.close()


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


class TestCensus(CensusContract): ...


class TestPeople(PeopleContract): ...


class TestClocks(ClockContract): ...


class TestUrgency(UrgencyContract): ...


class TestFinal(FinalContract): ...


class TestUpkeep(UpkeepContract): ...


class TestLookUps(LookUpContract): ...


class TestSnapshots(SnapshotContract): ...


class TestModes(ModeContract): ...


class TestForwarding(ForwardContract): ...


class TestBatches(BatchContract): ...


class TestHandover(HandoverContract): ...
