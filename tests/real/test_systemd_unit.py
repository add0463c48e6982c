"""The unit for systemd: read by systemd itself; and the gateway needs nothing that it forbids."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGTERM

import httpx

from demo import ENVIRONMENT, PORTS
from tests.flows.asks import FILE_PERMIT
from tests.flows.pilot import KEY, pilot
from tests.flows.process import START, STOP, eventually

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "docs/opd-gateway.service"
MOST_EXPOSED = 15
"""Tenths of systemd's scale, on which 0 can do nothing and 100 everything; a network service can't be at 0."""

NOBODY = 9
"""A port at which nobody listens."""

NO_CODE_IN_WRITABLE_MEMORY = """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0  # what MemoryDenyWriteExecute= does
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
Program = Callable[[str], str]


def analyze(program: Program, *arguments: str | Path) -> str:
    """Run systemd's own judge of units; returns what it said, and fails with it when it was not content."""
    command = [program("systemd-analyze"), "--no-pager", *map(str, arguments)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout + told.stderr


def test_systemd_understands_every_line(program: Program, tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/opd-gateway/.venv/bin/python", sys.executable), "utf-8")
    assert analyze(program, "verify", "--man=no", unit) == ""


def test_systemd_finds_it_hardened(program: Program) -> None:
    analyze(program, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", UNIT)


def test_a_stop_takes_no_longer_than_systemd_waits() -> None:
    (seconds,) = re.findall(r"(?m)^TimeoutStopSec=(\d+)$", UNIT.read_text("utf-8"))
    assert int(seconds) > 20 + 2  # the deadline that holds by default, and what is added to it


def calls_of(program: Program, group: str) -> set[str]:
    """Return the system calls of one of systemd's groups, those of the groups inside it included."""
    lines = [line.strip() for line in analyze(program, "syscall-filter", group).splitlines()[1:]]
    names = {line for line in lines if line and not line.startswith("#")}
    inner = {name for name in names if name.startswith("@")}
    return (names - inner).union(*(calls_of(program, each) for each in inner))


def allowed(program: Program) -> set[str]:
    """Return the system calls that the unit leaves."""
    left: set[str] = set()
    for line in re.findall(r"(?m)^SystemCallFilter=(.*)$", UNIT.read_text("utf-8")):
        named = set().union(*(calls_of(program, group) for group in line.lstrip("~").split()))
        left = left - named if line.startswith("~") else left | named
    return left


def traced(strace: str, config: Path, calls: Path) -> subprocess.Popen[bytes]:
    command = [strace, "-f", "-qq", "-o", calls, sys.executable, "-c", NO_CODE_IN_WRITABLE_MEMORY]
    with (config.parent / "said").open("wb") as said:
        return subprocess.Popen(
            [*command, "-m", "gateway", "run", "--config", config],
            cwd=ROOT,
            env={**os.environ, **ENVIRONMENT},
            stdout=said,
            stderr=said,
        )


def test_the_gateway_needs_nothing_that_the_unit_forbids(program: Program, tmp_path: Path) -> None:
    config, calls = pilot(tmp_path, dict.fromkeys(PORTS, NOBODY), stored=True), tmp_path / "calls"
    process = traced(program("strace"), config, calls)
    try:
        said = tmp_path / "said"
        url = eventually(lambda: re.search(r"http://\S+(?=/docs)", said.read_text("utf-8")), "the start", START * 2)
        permit = {"json": FILE_PERMIT.body, "headers": {"x-api-key": KEY, "prefer": "respond-async"}}
        assert httpx.post(f"{url[0]}{FILE_PERMIT.path}", **permit, timeout=START).status_code == 202
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii").split()
        os.kill(int(child), SIGTERM)
        assert process.wait(STOP) == 0
    finally:
        process.kill()
        process.wait()
    made = set(re.findall(r"(?m)^\d+ +(\w+)\(", calls.read_text("utf-8", "replace")))
    assert {"fdatasync", "accept4", "connect", "prctl"} <= made
    by_root = {"fchown"} if os.geteuid() == 0 else set()  # SQLite keeps a file's owner, when it may
    assert made - allowed(program) - by_root == set()
