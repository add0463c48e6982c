"""Policies set timers on the loop, so their tests run on a loop of virtual time."""

import pytest

from tests.virtual import LoopClock, VirtualLoop


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "asyncio", {"loop_factory": VirtualLoop}


@pytest.fixture
def clock() -> LoopClock:
    return LoopClock()
