"""Gateways forked from a process that has imported all of it: each starts without the second that importing takes.

Only where GATEWAYS=forked, as `make test` has it; else each is `python -m gateway`, as people start it.
"""

import gc
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

WANTED = os.environ.get("GATEWAYS") == "forked"
_FORKS = multiprocessing.get_context("forkserver")
_IMPORTED = ["tests.flows.imported"]


class Forked:
    """As much of Popen as tests use of it."""

    def __init__(
        self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], out: Path, err: Path
    ) -> None:
        _FORKS.set_forkserver_preload(_IMPORTED)
        self.args = arguments
        for place in (out, err):
            place.write_bytes(b"")
        self._process = _FORKS.Process(target=_be_a_gateway, args=(arguments, cwd, dict(environment), out, err))
        self._process.start()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """Return its exit code once it has ended, minus the signal where one ended it."""
        return self._process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end."""
        self._process.join(seconds)
        if (code := self.poll()) is None:
            raise subprocess.TimeoutExpired(self.args, seconds or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it without warning."""
        self.send_signal(signal.SIGKILL)


def begun(
    words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], out: Path, err: Path
) -> "Forked | subprocess.Popen[bytes]":
    """Begin `gateway ...` as a process, the one way or the other; what it says goes into files."""
    if WANTED and words[:1] != ["demo"]:  # which takes its ports from the environment while it is imported
        return Forked(words, cwd=cwd, environment=environment, out=out, err=err)
    return started(words, cwd=cwd, environment=environment, out=out, err=err)


def started(
    words: Sequence[str], *, cwd: Path, environment: Mapping[str, str], out: Path, err: Path
) -> "subprocess.Popen[bytes]":
    """Start `python -m gateway ...`."""
    with out.open("wb") as said, err.open("wb") as told:
        command = [sys.executable, "-m", "gateway", *words]
        return subprocess.Popen(command, cwd=cwd, env=environment, stdout=said, stderr=told)


def _be_a_gateway(arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], out: Path, err: Path) -> None:
    """Become what `python -m gateway` would be: its words, folder, environment, and files for what it says."""
    for number, place, how in ((0, Path(os.devnull), "rb"), (1, out, "wb"), (2, err, "wb")):
        with place.open(how) as file:
            os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115 - the process's own
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(cwd)
    sys.argv = ["gateway", *arguments]
    gc.enable()
    runpy.run_module("gateway", run_name="__main__", alter_sys=True)
