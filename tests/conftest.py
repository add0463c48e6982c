"""What every test shares."""

import pytest

from tests.delivery import rig
from tests.drops import open_site
from tests.postgres import postgres
from tests.recording import desk

__all__ = ["desk", "open_site", "postgres", "rig"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
