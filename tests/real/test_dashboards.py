"""The dashboards that are committed are those that their script makes."""

import subprocess
from pathlib import Path

import pytest

from tests.watched import ROOT

PYTHON = ROOT / ".venv-watch/bin/python"


def test_the_committed_dashboards_are_what_the_script_makes(tmp_path: Path) -> None:
    if not PYTHON.exists():
        pytest.skip("their environment isn't there: make watch")
    subprocess.run([PYTHON, "helm/dashboards", tmp_path], cwd=ROOT, check=True, timeout=60)
    made = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    kept = {file.name: file.read_text("utf-8") for file in (ROOT / "helm/opd-gateway/dashboards").iterdir()}
    assert made == kept, "make watch"
