"""The chart rendered as a release, offline, by Helm's own library; the value sets of ci/ and the pilot's own files."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

helm = __import__("helm_python")

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm/opd-gateway"
NAME, NAMESPACE = "pelalawan", "layanan"
Values = Mapping[str, Any]


def ci() -> dict[str, Values]:
    """Return the value sets that the chart ships, by name, and its defaults."""
    found = {path.name.removesuffix("-values.yaml"): path for path in sorted(CHART.glob("ci/*-values.yaml"))}
    return {"defaults": {}, **{name: yaml.safe_load(path.read_text("utf-8")) for name, path in found.items()}}


def pilot() -> Values:
    """Return the pilot's configuration as values: the repository's own files, with the addresses that a pod needs."""
    config = (ROOT / "gateway.toml").read_text("utf-8")
    lines = (
        'listen   = "0.0.0.0:8080"\nmetrics = "0.0.0.0:9090"\n'
        'ledger = "${GATEWAY_LEDGER}"\nledger_key = "${GATEWAY_KEY}"'
    )
    config, changes = re.subn(r'(?m)^listen   = "127\.0\.0\.1:8080"', lambda _: lines, config)
    assert changes == 1
    return {
        "config": config,
        "mappings": {path.name: path.read_text("utf-8") for path in (ROOT / "mappings").glob("*.toml")},
        "wsdl": {
            str(path.relative_to(ROOT / "wsdl")): path.read_text("utf-8") for path in (ROOT / "wsdl").glob("*/*.wsdl")
        },
        "secrets": ["agencies"],
    }


@dataclass(frozen=True)
class Release:
    """The objects that a release consists of."""

    objects: list[dict[str, Any]]

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, suffix: str = "") -> dict[str, Any]:
        """Return the only object of a kind whose name ends so."""
        (found,) = [each for each in self.all(kind) if each["metadata"]["name"].endswith(suffix)]
        return found

    @property
    def workload(self) -> dict[str, Any]:
        (found,) = self.all("StatefulSet") + self.all("Deployment")
        return found

    @property
    def pod(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.workload["spec"]["template"]["spec"]
        return spec

    @property
    def container(self) -> dict[str, Any]:
        (found,) = self.pod["containers"]
        container: dict[str, Any] = found
        return container


def released(values: Values, chart: Path = CHART, name: str = NAME) -> Release:
    """Render; raises helm's errors."""
    return Release(list(documents(texts(values, chart, name))))


def texts(values: Values, chart: Path = CHART, name: str = NAME) -> dict[str, str]:
    """Render every template to its text."""
    made: dict[str, str] = helm.Chart.load(str(chart)).render(dict(values), name=name, namespace=NAMESPACE)
    return made


def documents(rendered: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for path, text in rendered.items():
        if path.endswith(".yaml"):
            yield from (each for each in yaml.safe_load_all(text) if each)
