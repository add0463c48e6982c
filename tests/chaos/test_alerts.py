"""A real Prometheus watches the demo: SIPOLAN goes down, the alerts fire; it returns, they resolve."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from demo import testing
from tests.chaos.prometheus import Prometheus, watching
from tests.flows.asks import FACILITIES, FILE_PERMIT, MY_PERMITS, PERMIT_STATUS, VERIFY
from tests.flows.command import gateway as command
from tests.flows.lively import ask, lively
from tests.flows.process import Gateway, eventually
from tests.promql import asked
from tests.watched import expressions, of_dashboards

DRILL = "60"
"""A quarter of an hour becomes fifteen seconds."""
FIRES, RESOLVES = 90.0, 90.0
EVERY = 0.2
SIPOLAN = "dpmptsp"
WANTED = {("BreakerOpen", SIPOLAN), ("LaneStuck", SIPOLAN)}
# Neither the stand-ins nor this gateway speak TLS, and no clerk brings files over SFTP.
NEVER_HERE = {
    "gateway_agency_certificate_expiry_timestamp_seconds",
    "gateway_agency_own_certificate_expiry_timestamp_seconds",
    "gateway_certificate_expiry_timestamp_seconds",
    "gateway_sftp_logins_total",
    "gateway_sftp_uploads_total",
}

pytestmark = pytest.mark.skipif(
    "CHAOS_KILLS" not in os.environ, reason="takes a minute and a half: make real and make chaos run it"
)


@pytest.fixture
def program() -> str:
    if (path := shutil.which("prometheus")) is None:
        if os.environ.get("REQUIRE_REAL") == "1":
            pytest.fail("prometheus is not installed")
        pytest.skip("prometheus is not installed")
    return path


@contextmanager
def apps(gateway: Gateway) -> Iterator[None]:
    """Apps go on asking, whatever they are told."""
    ending = threading.Event()

    def go_on() -> None:
        with httpx.Client(base_url=gateway.url, headers=gateway.http.headers, timeout=30) as http:
            while not ending.wait(EVERY):
                for each in (PERMIT_STATUS, MY_PERMITS, FACILITIES, VERIFY):
                    http.request(each.method, each.path, json=each.body)

    asking = threading.Thread(target=go_on, name="apps")
    asking.start()
    try:
        yield
    finally:
        ending.set()
        asking.join()


def without_data(prometheus: Prometheus) -> list[str]:
    """Return what would be an empty panel."""
    possible = [
        (where, expression)
        for where, expression in of_dashboards()
        if not {name for name, _ in asked(expression)} & NEVER_HERE
    ]
    assert len(possible) > 50
    return [where for where, expression in possible if not prometheus.ask(expression)]


def test_an_outage_of_sipolan_is_told_and_so_is_its_end(
    program: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = command("rules", "export", "--drill", DRILL).stdout
    folders = {name: tmp_path / name for name in ("drops", "gateway", "prometheus")}
    for folder in folders.values():
        folder.mkdir()
    with (
        testing.running(folders["drops"]) as agencies,
        lively(agencies, folders["drops"], folders["gateway"]) as gateway,
        watching(program, folders["prometheus"], gateway.metrics_url, rules) as prometheus,
        apps(gateway),
    ):
        agencies.switch(SIPOLAN, "down")
        started = time.monotonic()
        locations = [ask(gateway, FILE_PERMIT, prefer="respond-async").headers["location"] for _ in range(3)]
        eventually(lambda: prometheus.firing() >= WANTED or None, f"{WANTED} fire", FIRES)
        fired = time.monotonic() - started
        others = {agency for _, agency in prometheus.firing()} - {SIPOLAN}
        assert not others, f"alerts about {others}, which are well"
        eventually(lambda: not without_data(prometheus) or None, f"data for {without_data(prometheus)}", 20.0)
        assert prometheus.exemplars("gateway_request_duration_seconds_bucket")

        agencies.switch(SIPOLAN, "up")
        returned = time.monotonic()
        eventually(lambda: not prometheus.firing() & WANTED or None, f"{WANTED} resolve", RESOLVES)
        resolved = time.monotonic() - returned
        assert {gateway.http.get(location).json()["state"] for location in locations} == {"delivered"}
        with capsys.disabled():
            sys.stdout.write(f"\nBreakerOpen and LaneStuck fired after {fired:.0f} s (drill {DRILL}), ")
            sys.stdout.write(f"resolved {resolved:.0f} s after SIPOLAN was back; {len(expressions())} expressions\n")
