"""A hundred reloads under load, and not one request that fails."""

import os
from pathlib import Path

from demo import testing
from tests.flows.test_reload import reloading

# Half as many as kills: a hundred in `make chaos`.
RELOADS = int(os.environ.get("CHAOS_KILLS", "5")) // 2


async def test_no_request_fails_in_a_hundred_reloads(tmp_path: Path) -> None:
    (tmp_path / "drops").mkdir()
    (tmp_path / "gateway").mkdir()
    with testing.running(tmp_path / "drops") as agencies:
        seen = await reloading(agencies, tmp_path / "gateway", RELOADS)
    print(f"{RELOADS} reloads, {seen.total()} requests: {dict(seen)}")  # noqa: T201 - the figures are what the long run is for
