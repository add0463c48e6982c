"""PostgreSQL killed with all its children under two gateways that work: they stay up and catch up by themselves."""

import asyncio
from pathlib import Path

from tests.chaos import storm
from tests.chaos.storm import survived
from tests.postgres import Cluster, a_cluster

KILLS = min(storm.KILLS, 5)
DOWN = 1.0
"""Seconds."""


async def test_gateways_survive_the_end_of_postgresql(tmp_path: Path, postgres: Cluster) -> None:
    """The shared server only says whether there can be any; this one is the test's own."""
    assert postgres.socket.exists()
    with a_cluster("fsync=off") as cluster:

        async def kill() -> None:
            await asyncio.to_thread(cluster.kill)
            await asyncio.sleep(DOWN)
            await asyncio.to_thread(cluster.start)

        await survived(tmp_path, cluster.database(), others=1, kills=KILLS, kill=kill)
