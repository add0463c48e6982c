"""What every test shares."""

import pytest

from tests.delivery import rig
from tests.postgres import postgres

__all__ = ["postgres", "rig"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
