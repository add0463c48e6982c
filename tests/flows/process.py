"""A real `gateway run` as a child process on ports of its own; its log lines are kept for looking at."""

import json
import os
import re
import signal
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from demo import ENVIRONMENT
from tests.flows.forked import begun
from tests.flows.pilot import KEY, ROOT

T = TypeVar("T")

_STARTED = re.compile(r"(https?://\S+)/docs, metrics at (http://\S+)/metrics")
START, STOP, PATIENCE = 60.0, 60.0, 60.0
"""Seconds, far more than any of it takes."""


def eventually(look: Callable[[], T | None], what: str, seconds: float = PATIENCE) -> T:
    """Return what `look` finds as soon as it finds something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if (found := look()) is not None:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {seconds} s: {what}")


class Gateway:
    """One running gateway: `http` is a client with a key for everything."""

    def __init__(
        self, config: Path, environment: Mapping[str, str], *options: str, trust: ssl.SSLContext | None = None
    ) -> None:
        self.folder = config.parent
        self.out, self.err = self.folder / "out.log", self.folder / "err.log"
        words = ["run", "--config", str(config), *options]
        self.process = begun(words, cwd=ROOT, environment={**os.environ, **environment}, out=self.out, err=self.err)
        self.url, self.metrics_url = eventually(self._addresses, f"the start of the gateway: {self.err}", START)
        verify = True if trust is None else trust
        self.http = httpx.Client(base_url=self.url, headers={"x-api-key": KEY}, timeout=30, verify=verify)

    def lines(self) -> list[dict[str, Any]]:
        """All log lines that are complete."""
        return [json.loads(line) for line in self.out.read_bytes().split(b"\n")[:-1]]

    def line(self, answer: httpx.Response) -> dict[str, Any]:
        """The log line of one answer."""
        identity = answer.headers["x-correlation-id"]
        found = eventually(
            lambda: [each for each in self.lines() if each.get("correlation_id") == identity] or None,
            f"a log line about {identity}",
        )
        assert len(found) == 1, found
        return found[0]

    def event(self, name: str, *, after: int = 0, **facts: str) -> dict[str, Any]:
        """The first line of a change of state beyond the first `after` lines."""

        def look() -> dict[str, Any] | None:
            lines = self.lines()[after:]
            return next((each for each in lines if each.get("event") == name and facts.items() <= each.items()), None)

        return eventually(look, f"a log line {name} with {facts}")

    def figures(self) -> str:
        """What Prometheus would read."""
        return httpx.get(f"{self.metrics_url}/metrics").text

    def ask_to_stop(self) -> None:
        """Send SIGTERM."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Stop it as an init system would; returns its exit code."""
        self.ask_to_stop()
        return self.process.wait(STOP)

    def _addresses(self) -> tuple[str, str] | None:
        said = self.err.read_text("utf-8")
        assert self.process.poll() is None, said
        found = _STARTED.search(said)
        return (found[1], found[2]) if found else None


@contextmanager
def running(
    config: Path, environment: Mapping[str, str] = ENVIRONMENT, *options: str, trust: ssl.SSLContext | None = None
) -> Iterator[Gateway]:
    """Run a gateway; whatever happens to it, it is gone afterwards, and none of it may have been a bug."""
    gateway = Gateway(config, environment, *options, trust=trust)
    try:
        yield gateway
        assert [line for line in gateway.lines() if line.get("event") == "bug"] == []
    finally:
        gateway.http.close()
        if gateway.process.poll() is None:
            gateway.stop()
