"""The command line as a person uses it: a process, its exit code and what it printed."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from demo import ENVIRONMENT
from tests.flows.pilot import ROOT


def gateway(*arguments: str | Path, environment: Mapping[str, str] = ENVIRONMENT) -> subprocess.CompletedProcess[str]:
    """Run `gateway ...` with nothing of ours in its environment but `environment`."""
    clean = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *map(str, arguments)],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
