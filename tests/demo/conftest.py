"""One set of stand-ins for all tests here, as on the first day for each."""

from collections.abc import Iterator

import httpx
import pytest

from demo.testing import Running, running


@pytest.fixture(scope="session")
def all_stand_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("drops")) as here:
        yield here


@pytest.fixture
def stand_ins(all_stand_ins: Running) -> Running:
    all_stand_ins.reset()
    return all_stand_ins


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=5) as client:
        yield client
