"""The embedded ledger keeps what every ledger promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from tests.contract.ledger import DirectContract, OrderContract, PutContract, Stage
from tests.contract.ledger_archive import CensusContract, PeopleContract, SearchContract, UpkeepContract
from tests.contract.ledger_claims import ClaimContract, LeaseContract, SettleContract, WaitContract
from tests.contract.ledger_deadlines import ClockContract, FinalContract, UrgencyContract
from tests.contract.ledger_lanes import BacklogContract, NudgeContract, OpenTimeContract, PauseContract, StatsContract
from tests.fakes import FakeClock


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


class TestSettling(SettleContract): ...


class TestWaiting(WaitContract): ...


class TestPauses(PauseContract): ...


class TestOpenTime(OpenTimeContract): ...


class TestStats(StatsContract): ...


class TestBacklog(BacklogContract): ...


class TestNudges(NudgeContract): ...


class TestSearch(SearchContract): ...


class TestCensus(CensusContract): ...


class TestPeople(PeopleContract): ...


class TestClocks(ClockContract): ...


class TestUrgency(UrgencyContract): ...


class TestFinal(FinalContract): ...


class TestUpkeep(UpkeepContract): ...
