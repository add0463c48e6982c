"""kill -9 at random moments of a gateway that sends rows of files on to a SOAP agency, on both stores."""

import asyncio
import os
from pathlib import Path

from tests.chaos.courier import delivered
from tests.chaos.killing import ENOUGH
from tests.postgres import Cluster

KILLS = int(os.environ.get("CHAOS_KILLS", "3"))
"""3 on each store in `make test`, 20 in `make real`, 200 in `make chaos`."""


async def test_rows_arrive_as_one_message_each_with_a_ledger_in_a_file(tmp_path: Path) -> None:
    tally = await delivered(tmp_path, f"sqlite:{tmp_path}/ledger.db", KILLS)
    assert tally.resumed > 0 or KILLS < ENOUGH


async def test_rows_arrive_as_one_message_each_with_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    tally = await delivered(tmp_path, await asyncio.to_thread(postgres.database), KILLS)
    assert tally.resumed > 0 or KILLS < ENOUGH
