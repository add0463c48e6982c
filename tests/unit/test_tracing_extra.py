"""Without OpenTelemetry everything works but tracing, and who asks for that is told what to install."""

import subprocess
import sys
from pathlib import Path

from gateway.config.load import load
from gateway.traces import untraceable

WITHOUT = """
import sys
sys.modules["opentelemetry"] = None  # as if it were not installed
from pathlib import Path
from gateway import app, serve  # noqa: F401
for finding in app.check(Path(sys.argv[1]), {}):
    print(finding)
"""
ENDPOINT = '\n[gateway.tracing]\nendpoint = "http://127.0.0.1:4318/v1/traces"\n'


def check(folder: Path, text: str) -> str:
    config = folder / "gateway.toml"
    config.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, str(config)], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_without_the_extra_a_gateway_that_traces_nothing_lacks_nothing(tmp_path: Path) -> None:
    assert check(tmp_path, "[gateway]\n") == ""


def test_without_the_extra_a_gateway_that_should_trace_is_told_what_to_install(tmp_path: Path) -> None:
    said = check(tmp_path, f"[gateway]\n{ENDPOINT}")
    assert "gateway.toml:3" in said
    assert "OpenTelemetry is not installed" in said
    assert "make .venv/tracing" in said


def test_with_the_extra_there_is_nothing_to_say(tmp_path: Path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f"[gateway]\n{ENDPOINT}", "utf-8")
    assert untraceable(load(config, {})) == ()
