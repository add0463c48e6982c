"""Three days of outage on PostgreSQL: what holds on SQLite holds there too."""

import os
from pathlib import Path

from tests.delivery import a_rig_on_postgres
from tests.laws.test_delivery_laws import down_for_72_hours
from tests.postgres import Cluster

# 1,000 in `make test`, in a few seconds; 10,000 in `make chaos`, in a minute.
MANY = 10_000 if int(os.environ.get("CHAOS_KILLS", "2")) >= 200 else 1000


async def test_72_hours_of_outage_leave_nothing_behind_on_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    async with a_rig_on_postgres(tmp_path, postgres.database()) as rig:
        await down_for_72_hours(rig, MANY)
