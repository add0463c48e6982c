"""What the chart's tests share; without Helm's library there is nothing to test here."""

import os
from collections.abc import Generator

import pytest

try:
    import helm_python  # noqa: F401 - is it there?
except ImportError:
    collect_ignore_glob = ["test_*.py"]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With REQUIRE_REAL=1 a skip is a failure."""
    report = yield
    if report.skipped and os.environ.get("REQUIRE_REAL") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped although REQUIRE_REAL=1: {report.longrepr}"
    return report
