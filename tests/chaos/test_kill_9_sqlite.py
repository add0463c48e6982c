"""kill -9 at random moments of a gateway with its own ledger."""

from pathlib import Path

from tests.chaos.storm import survived


async def test_a_gateway_with_its_own_ledger_survives(tmp_path: Path) -> None:
    await survived(tmp_path, f"sqlite:{tmp_path}/ledger.db")
