"""One run of wrk against one server, and what it cost that server; knows no configuration."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from process import LOAD_CORE, Server, scraping

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: `@N` in the path or the body is a number of its own in each request."""

    method: str
    path: str
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run gave: microseconds of CPU for a request, requests a second, milliseconds."""

    cpu: float
    rate: float
    p50: float
    p99: float


def run(server: Server, asked: Asked, key: str, *, seconds: int, connections: int = CONNECTIONS) -> Run:
    """Load one server for some seconds; raises SystemExit when a request fails, since errors are cheap answers."""
    before = server.cpu_seconds()
    with scraping(server.scraped):
        told = _wrk(f"http://{server.address}", asked, key, seconds, connections)
    spent = server.cpu_seconds() - before
    if told["failed"] or not told["requests"]:
        raise SystemExit(f"{asked.method} {asked.path}: {told['failed']:.0f} of {told['requests']:.0f} requests failed")
    return Run(
        cpu=spent / told["requests"] * 1e6,
        rate=told["requests"] / told["seconds"],
        p50=told["p50"],
        p99=told["p99"],
    )


def _wrk(url: str, asked: Asked, key: str, seconds: int, connections: int) -> dict[str, float]:
    pinned = ["taskset", "-c", str(LOAD_CORE)]
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT)]
    arguments = [asked.method, asked.path, key, *([asked.body] if asked.body else [])]
    done = subprocess.run(
        [*pinned, "wrk", *options, url, "--", *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    told: dict[str, float] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return told
