"""kill -9 at random moments of one gateway beside another; a file of its own, so that both stores are tried at once."""

from pathlib import Path

from tests.chaos.storm import survived
from tests.postgres import Cluster


async def test_a_gateway_beside_another_on_postgresql_survives(tmp_path: Path, postgres: Cluster) -> None:
    await survived(tmp_path, postgres.database(), others=1)
