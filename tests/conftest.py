"""What every test shares."""

import gc

import pytest

from tests.delivery import rig
from tests.drops import open_site
from tests.postgres import postgres
from tests.recording import desk

__all__ = ["desk", "open_site", "postgres", "rig"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def pytest_collection_finish() -> None:
    """Keep what was collected out of the garbage collector's sight: there is much of it, and it stays to the end."""
    gc.collect()
    gc.freeze()
