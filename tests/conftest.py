"""What every test shares."""

import pytest

from tests.delivery import rig
from tests.desk import desk
from tests.postgres import postgres

__all__ = ["desk", "postgres", "rig"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
