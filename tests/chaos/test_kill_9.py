"""kill -9 at random moments: nothing acknowledged is lost, nothing is done twice by guess.

CHAOS_KILLS says how often: 5 in `make test`, 20 in `make real`, 200 in `make chaos`.
"""

import os
from pathlib import Path

from tests.chaos.agency import CountingAgency
from tests.chaos.storm import Storm
from tests.postgres import Cluster

KILLS = int(os.environ.get("CHAOS_KILLS", "5"))


async def _survived(folder: Path, address: str, *, others: int = 0) -> None:
    agency = CountingAgency()
    async with agency.serving():
        tally = await Storm(folder, address, agency, others=others).rage(KILLS)
    print(f"\n{address.partition(':')[0]}: {tally}")  # noqa: T201 - the figures are what the long run is for
    assert tally.wrong == []
    assert tally.lost == 0
    assert tally.acknowledged == tally.submitted > 0


async def test_a_gateway_with_its_own_ledger_survives(tmp_path: Path) -> None:
    await _survived(tmp_path, f"sqlite:{tmp_path}/ledger.db")


async def test_a_gateway_beside_another_on_postgresql_survives(tmp_path: Path, postgres: Cluster) -> None:
    await _survived(tmp_path, postgres.database(), others=1)
