"""Real gateways in front of the stand-ins, all on free ports; each test finds the agencies as on the first day."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import testing
from demo.testing import Running
from tests.flows import process
from tests.flows.flow import Flow
from tests.flows.lively import lively
from tests.flows.pilot import IMPATIENT, QUICK_RETRIES, UNBREAKABLE, defaults, dropped_in, pilot
from tests.flows.process import Gateway


@pytest.fixture(scope="session")
def drops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drops")


@pytest.fixture(scope="session")
def agencies(drops: Path) -> Iterator[Running]:
    with testing.running(drops) as here:
        yield here


@pytest.fixture(scope="session")
def usual(agencies: Running, drops: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("usual")
    changes = {**defaults(UNBREAKABLE, QUICK_RETRIES), **dropped_in(drops)}
    with process.running(pilot(folder, agencies.ports, changes)) as gateway:
        gateway.event("file-accepted")
        yield gateway


@pytest.fixture(scope="session")
def impatient(agencies: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("impatient")
    changes = {**defaults(UNBREAKABLE, QUICK_RETRIES), **IMPATIENT}
    with process.running(pilot(folder, agencies.ports, changes)) as gateway:
        yield gateway


@pytest.fixture
def flow(usual: Gateway, agencies: Running) -> Flow:
    return Flow(usual, agencies)


@pytest.fixture
def unlucky(impatient: Gateway, agencies: Running) -> Flow:
    """A gateway that waits for no longer than 0.6 s and never had a good answer it could serve again as stale."""
    return Flow(impatient, agencies)


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that has seen everything that is counted; a file can be taken in by one gateway only."""
    drops = tmp_path_factory.mktemp("busy-drops")
    with testing.running(drops) as agencies, lively(agencies, drops, tmp_path_factory.mktemp("busy")) as gateway:
        yield gateway
