"""Every object of every value set against the schemas of Kubernetes, prometheus-operator and the Gateway API."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.chart.crds import schema_of
from tests.chart.release import CHART, ci, pilot, released

CASES = {**ci(), "pilot": pilot()}
CUSTOM = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}
OLDEST, NEWEST = "1.28", kubernetes_validate.latest_version()


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", CASES)
def test_kubernetes_knows_every_field(name: str, version: str) -> None:
    objects = [each for each in released(CASES[name]).objects if each["kind"] not in CUSTOM]
    assert objects
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


def test_the_oldest_kubernetes_is_the_one_that_the_chart_names() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["kubeVersion"] == f">={OLDEST}.0-0"


def test_a_misspelt_field_would_be_found() -> None:
    service = released({}).one("Service", "-metrics")
    service["spec"]["publishNotReadyAdresses"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, NEWEST, strict=True)


def with_files(folder: Path) -> Path:
    """Return the chart with a rule and a dashboard of our own in it, whatever it ships."""
    chart = folder / "opd-gateway"
    chart.mkdir()
    for path in CHART.rglob("*"):
        if path.is_file() and path.parent.name not in {"rules", "dashboards"}:
            target = chart / path.relative_to(CHART)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    for name in ("rules", "dashboards"):
        (chart / name).mkdir()
    (chart / "rules/first.yaml").write_text(FIRST, "utf-8")
    (chart / "rules/second.yaml").write_text(FIRST.replace("name: first", "name: second"), "utf-8")
    (chart / "dashboards/overview.json").write_text('{"title": "{{ agency }}"}', "utf-8")
    return chart


FIRST = """\
groups:
  - name: first
    rules:
      - alert: GatewayDown
        expr: up{job="gateway"} == 0
        for: 2m
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} is down, {{ $value | humanize }}"}
"""


def test_rules_and_dashboards_come_as_they_are_written(tmp_path: Path) -> None:
    release = released(ci()["everything"], with_files(tmp_path))
    rule = release.one("PrometheusRule")
    assert [group["name"] for group in rule["spec"]["groups"]] == ["first", "second"]
    assert rule["spec"]["groups"][0] == yaml.safe_load(FIRST)["groups"][0]
    board = release.one("ConfigMap", "-dashboards")
    assert board["data"] == {"overview.json": '{"title": "{{ agency }}"}'}
    assert board["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_the_rules_and_dashboards_that_ship_come_whole_and_for_the_job_as_it_is_scraped() -> None:
    release = released(ci()["everything"])
    files = [yaml.safe_load(path.read_text("utf-8")) for path in sorted((CHART / "rules").iterdir())]
    groups = release.one("PrometheusRule")["spec"]["groups"]
    assert groups == [group for file in files for group in file["groups"]]
    assert len(groups) >= len(files) > 0
    boards = {path.name: path.read_text("utf-8") for path in (CHART / "dashboards").iterdir()}
    assert release.one("ConfigMap", "-dashboards")["data"] == boards
    (endpoint,) = release.one("ServiceMonitor")["spec"]["endpoints"]
    (job,) = [each["replacement"] for each in endpoint["relabelings"] if each["targetLabel"] == "job"]
    asked = re.findall(r'job="([^"]*)"', "".join(rule["expr"] for group in groups for rule in group["rules"]))
    assert {*asked} <= {job}
    assert all('"name": "job"' in board for board in boards.values())


@pytest.mark.parametrize(
    "address", ["https://git.example.go.id/docs/runbooks", "https://git.example.go.id/docs/runbooks/"]
)
def test_alerts_link_to_where_the_runbooks_are_read(address: str) -> None:
    values = ci()["everything"]
    release = released({**values, "prometheusRule": {**values["prometheusRule"], "runbooks": address}})
    rules = [rule for group in release.one("PrometheusRule")["spec"]["groups"] for rule in group["rules"]]
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in rules if "alert" in rule}
    assert len(links) >= 18
    assert links == {name: f"https://git.example.go.id/docs/runbooks/{name}.md" for name in links}


def test_custom_objects_are_what_their_owners_declare(tmp_path: Path) -> None:
    objects = released(ci()["everything"], with_files(tmp_path)).objects
    custom = [each for each in objects if each["kind"] in CUSTOM]
    assert {each["kind"] for each in custom} == CUSTOM
    for each in custom:
        jsonschema.validate(each, schema_of(each["apiVersion"], each["kind"]))


@pytest.mark.parametrize("name", CASES)
def test_the_custom_objects_that_ship_are_what_their_owners_declare(name: str) -> None:
    for each in released(CASES[name]).objects:
        if each["kind"] in CUSTOM:
            jsonschema.validate(each, schema_of(each["apiVersion"], each["kind"]))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("ServiceMonitor", ("spec", "endpoints", 0)),
        ("PrometheusRule", ("spec", "groups", 0)),
        ("HTTPRoute", ("spec", "rules", 0)),
    ],
)
def test_a_misspelt_field_of_a_custom_object_would_be_found(
    kind: str, path: tuple[str | int, ...], tmp_path: Path
) -> None:
    made = released(ci()["everything"], with_files(tmp_path)).one(kind)
    place: Any = made
    for step in path:
        place = place[step]
    place["reday"] = "15s"
    with pytest.raises(jsonschema.ValidationError, match="reday"):
        jsonschema.validate(made, schema_of(made["apiVersion"], kind))
