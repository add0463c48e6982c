"""The image's description, read and linted; tests/image builds it. What it says must fit the chart."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.chart.release import ROOT, released

TEXT = (ROOT / "Dockerfile").read_text("utf-8")
LINES = re.sub(r"\\\n\s*", " ", "".join(line for line in TEXT.splitlines(keepends=True) if not line.startswith("#")))
STEPS = [line.partition(" ")[::2] for line in LINES.splitlines() if line]
COPIED = [path for step, rest in STEPS if step == "COPY" and "--from" not in rest for path in rest.split()[:-1]]
LET_IN = [line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")]


def last(step: str) -> str:
    return [rest for name, rest in STEPS if name == step][-1]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    told = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (0, "")


def test_what_is_copied_is_there_and_nothing_else_gets_in() -> None:
    assert sorted(COPIED) == sorted(LET_IN)
    assert all((ROOT / path).exists() for path in COPIED)
    assert (ROOT / ".dockerignore").read_text("utf-8").splitlines()[1] == "*"


@pytest.mark.parametrize("command", re.findall(r"pip (?:install|wheel) [^&]*", LINES))
def test_every_package_is_pinned_by_its_hash_or_is_ours(command: str) -> None:
    ours = "--no-deps" in command and "--no-index" in command
    assert ours or "--require-hashes -r requirements/" in command


def test_no_address_stands_in_it() -> None:
    assert re.findall(r"https?://(?!127\.0\.0\.1)\S+|--(?:extra-)?index-url|--find-links", LINES) == []


def test_the_wheel_s_own_files_are_all_copied() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {*wheel["packages"], *wheel["force-include"]} <= set(COPIED)


def test_it_is_what_the_chart_expects() -> None:
    release = released({})
    user, _, group = last("USER").partition(":")
    security = release.pod["securityContext"]
    assert (int(user), int(group)) == (security["runAsUser"], security["runAsGroup"])
    assert last("EXPOSE").split() == [str(port["containerPort"]) for port in release.container["ports"]]
    assert last("WORKDIR") == release.container["workingDir"]
    assert (last("ENTRYPOINT"), last("CMD")) == ('["gateway"]', '["run"]')
    assert f"127.0.0.1:{release.container['ports'][0]['containerPort']}/livez" in last("HEALTHCHECK")
    (data,) = [mount["mountPath"] for mount in release.container["volumeMounts"] if mount["name"] == "ledger"]
    assert data in [rest for step, rest in STEPS if step == "RUN"][-1]
