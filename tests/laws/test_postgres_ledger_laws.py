"""PostgreSQL's ledger does what the model does, by a clock of its own that stands still between the steps."""

import tempfile
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings

from gateway.clock import SystemClock
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from tests.contract.ledger import Stage
from tests.laws.longer import LONGER
from tests.laws.test_ledger_laws import LedgerMachine
from tests.postgres import Cluster, StandingClock, emptied


class PostgresMachine(LedgerMachine):
    url: ClassVar[str]
    leases_move = False

    async def open(self) -> Stage:
        self.folder = tempfile.TemporaryDirectory()
        self.opened: list[PostgresLedger] = []
        await emptied(self.url)
        source = KeySource(path=Path(self.folder.name) / "ledger.key")

        async def another() -> PostgresLedger:
            self.opened.append(await PostgresLedger.open(self.url, source, SystemClock()))
            return self.opened[-1]

        ledger = await another()
        self.clock = await StandingClock.put_into(self.url)
        return Stage(ledger, another, self.clock.advance)

    async def jump(self, seconds: int) -> None:
        await self.clock.advance(seconds)

    def teardown(self) -> None:
        for ledger in self.opened:
            self.runner.run(ledger.close())
        self.runner.run(self.clock.close())
        self.runner.close()
        self.folder.cleanup()


@pytest.fixture(scope="module", autouse=True)
def server(postgres: Cluster) -> None:
    PostgresMachine.url = postgres.database()


TestPostgres = PostgresMachine.TestCase
TestPostgres.settings = settings(
    max_examples=8 * LONGER, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
