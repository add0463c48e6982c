"""Helm's own opinion of the chart."""

from typing import Any

import pytest
import yaml

from tests.chart.release import CHART, ROOT, ci, helm, pilot, texts

CASES = {**ci(), "pilot": pilot()}


@pytest.mark.parametrize("name", CASES)
def test_helm_finds_nothing(name: str) -> None:
    told = helm.lint(str(CHART), dict(CASES[name]), strict=True, kube_version="v1.31.0")
    assert [found for found in told["messages"] if found["severity"] > 1] == []


def test_helm_would_find_a_mistake() -> None:
    told = helm.lint(str(CHART), {"mode": "distributed"}, strict=True)
    assert [found for found in told["messages"] if found["severity"] > 1]


def test_the_chart_and_the_program_have_one_version() -> None:
    chart: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    said = (ROOT / "gateway/version.py").read_text("utf-8")
    assert f'__version__ = "{chart["appVersion"]}"' in said


@pytest.mark.parametrize("name", CASES)
def test_what_is_said_after_an_installation_names_things_that_are_there(name: str) -> None:
    rendered = texts(CASES[name])
    (notes,) = [text for path, text in rendered.items() if path.endswith("NOTES.txt")]
    kind = "statefulset" if "StatefulSet" in "".join(rendered.values()) else "deployment"
    full = CASES[name].get("fullnameOverride", "pelalawan-opd-gateway")
    assert f"exec {kind}/{full} -- gateway check" in notes
    assert f"create secret generic {CASES[name].get('ledger', {}).get('keySecret', 'opd-gateway-ledger')}" in notes
    assert all(len(line) < 160 for line in notes.splitlines())
