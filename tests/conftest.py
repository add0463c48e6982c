"""What every test shares."""

import pytest

from tests.delivery import rig
from tests.postgres import postgres
from tests.recording import desk

__all__ = ["desk", "postgres", "rig"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
