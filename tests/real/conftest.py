"""What the tests against real programs share: finding the program, and what a skip means."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import pytest

from tests.real.php import serving

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.fixture(scope="session")
def program() -> Callable[[str], str]:
    """Return the path of a program on this machine, or skip the test that asks for it."""

    def find(name: str) -> str:
        if (path := shutil.which(name)) is None:
            pytest.skip(f"{name} is not installed")
        return path

    return find


@pytest.fixture(scope="session")
def url(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of the script that PHP serves."""
    with serving(program("php"), tmp_path_factory.mktemp("php")) as address:
        yield address


def must_run(report: Report) -> Report:
    """With REQUIRE_REAL=1 a skip is a failure: where everything is installed, a silent skip would be a lie."""
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("REQUIRE_REAL") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped although REQUIRE_REAL=1: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return must_run((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return must_run((yield))
