"""What an installed gateway brings for those who watch it is what lies in the chart."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from gateway.shipped import hurried
from tests.flows.command import gateway
from tests.flows.pilot import ROOT

CHART = ROOT / "helm" / "opd-gateway"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as a wheel installs them."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True, timeout=60)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(wheel) as packed:
        packed.extractall(folder / "installed")
    return folder / "installed"


def exported(installed: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "gateway", *arguments]
    return subprocess.run(command, cwd=installed, capture_output=True, check=True, text=True, timeout=60).stdout


@pytest.mark.parametrize("kind", ["rules", "dashboards"])
def test_an_installed_gateway_exports_what_lies_in_the_chart(installed: Path, tmp_path: Path, kind: str) -> None:
    said = exported(installed, kind, "export", "--to", str(tmp_path / kind))
    files = {file.name: file.read_text("utf-8") for file in (CHART / kind).iterdir()}
    assert {file.name: file.read_text("utf-8") for file in (tmp_path / kind).iterdir()} == files
    assert said.split() == [str(tmp_path / kind / name) for name in sorted(files)]


def test_all_rules_come_as_one_file_on_standard_output(installed: Path) -> None:
    groups = yaml.safe_load(exported(installed, "rules", "export"))["groups"]
    assert groups == yaml.safe_load(gateway("rules", "export").stdout)["groups"]
    files = [yaml.safe_load(file.read_text()) for file in sorted((CHART / "rules").iterdir())]
    assert groups == [group for file in files for group in file["groups"]]


def test_runbooks_get_the_address_where_they_are_read() -> None:
    address = "https://git.example.go.id/runbooks/"
    said = yaml.safe_load(gateway("rules", "export", "--runbooks", address).stdout)
    rules = [rule for group in said["groups"] for rule in group["rules"] if "alert" in rule]
    assert {rule["annotations"]["runbook_url"] for rule in rules} == {f"{address}{rule['alert']}.md" for rule in rules}


@pytest.mark.parametrize(
    ("usual", "drill"),
    [
        ("for: 15m", "for: 15s"),
        ("rate(x[1h])", "rate(x[60s])"),
        ("rate(x[30s])", "rate(x[1s])"),
        ("> 900  # seconds", "> 15  # seconds"),
        ("> 900", "> 900"),
        ("summary: in 15m", "summary: in 15m"),
    ],
)
def test_a_drill_is_as_much_shorter_as_it_is_said(usual: str, drill: str) -> None:
    assert hurried(usual, 60) == drill


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = gateway("dashboards", "export", "--to", tmp_path / "file")
    assert done.returncode == 1
    assert "can't be written" in done.stderr
