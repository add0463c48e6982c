"""What every test shares."""

import pytest

from tests.postgres import postgres

__all__ = ["postgres"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
