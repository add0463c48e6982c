"""A client and an agency for the adapters' tests."""

from collections.abc import AsyncIterator

import pytest

from adapters.http import HttpClient
from tests.unit.adapters.json_agency import JsonAgency


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient("dinkes")
    yield client
    await client.close()


@pytest.fixture
async def agency() -> AsyncIterator[JsonAgency]:
    async with JsonAgency() as agency:
        yield agency
