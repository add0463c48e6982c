"""kill -9 at random moments of a gateway that takes files in, on both stores."""

import asyncio
from pathlib import Path

from tests.chaos.clerk import survived
from tests.postgres import Cluster


async def test_files_survive_with_a_ledger_in_a_file(tmp_path: Path) -> None:
    await survived(tmp_path, f"sqlite:{tmp_path}/ledger.db")


async def test_files_survive_with_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    await survived(tmp_path, await asyncio.to_thread(postgres.database))
