"""The command line as a person uses it: a process, its exit code and what it printed."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from demo import ENVIRONMENT
from tests.flows.forked import begun
from tests.flows.pilot import ROOT

PATIENCE = 60.0
"""Seconds, far more than any of them takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command that has ended."""

    returncode: int
    stdout: str
    stderr: str


def gateway(*arguments: str | Path, environment: Mapping[str, str] = ENVIRONMENT) -> Done:
    """Run `gateway ...` with nothing of ours in its environment but `environment`."""
    clean = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    words = [str(word) for word in arguments]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = begun(words, cwd=ROOT, environment={**clean, **environment}, out=out, err=err)
        try:
            code = process.wait(PATIENCE)
        finally:
            process.kill()
        return Done(returncode=code, stdout=out.read_text("utf-8"), stderr=err.read_text("utf-8"))
