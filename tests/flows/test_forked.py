"""A gateway that is forked for the tests is like one that was started."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from demo import ENVIRONMENT
from tests.flows.forked import Forked, started
from tests.flows.pilot import ROOT, pilot
from tests.flows.process import eventually


def ends(how: Callable[..., Forked | subprocess.Popen[bytes]], folder: Path, *words: str) -> tuple[int, str, str]:
    out, err = folder / "out", folder / "err"
    process = how(words, cwd=ROOT, environment={**os.environ, **ENVIRONMENT}, out=out, err=err)
    return process.wait(60), out.read_text("utf-8"), err.read_text("utf-8")


@pytest.mark.parametrize("words", [("--version",), ("tanya",), ("openapi", "--config", "tidak-ada.toml")])
def test_it_says_the_same_and_ends_with_the_same_code(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert ends(Forked, tmp_path, *words) == ends(started, tmp_path, *words)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_it_ends_by_the_same_signals(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    words = ("run", "--config", str(pilot(tmp_path, {})))
    for how in (Forked, started):
        process = how(words, cwd=ROOT, environment={**os.environ, **ENVIRONMENT}, out=out, err=err)
        eventually(lambda: "/docs, metrics at" in err.read_text("utf-8") or None, "its start")
        assert process.poll() is None
        process.send_signal(sent)
        assert process.wait(60) == code
