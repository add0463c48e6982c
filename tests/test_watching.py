"""Rules, dashboards and runbooks agree with each other, with the metrics and with the commands."""

import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import click
import pytest
import yaml

from gateway.cli import _cli
from gateway.metrics import TABLE
from tests.promql import asked
from tests.watched import ROOT, alerts, dashboards, expressions, of_dashboards, rules

RUNBOOKS = ROOT / "docs" / "runbooks"
LABELS = {metric.name: frozenset(metric.labels) for metric in TABLE}
RECORDED = {rule["record"]: frozenset({"agency"}) for rule in rules() if "record" in rule}
FOREIGN = {name: frozenset[str]() for name in ("up", "process_start_time_seconds", "process_cpu_seconds_total")}
FOREIGN |= {name: frozenset() for name in ("process_resident_memory_bytes", "process_open_fds", "process_max_fds")}
KNOWN = {**LABELS, **RECORDED, **FOREIGN}


@pytest.mark.parametrize(("where", "expression"), expressions(), ids=lambda text: text[:60])
def test_every_expression_asks_for_metrics_and_labels_that_exist(where: str, expression: str) -> None:
    for name, labels in asked(expression):
        assert name in KNOWN, where
        assert labels <= KNOWN[name], f"{where}: {name} has no {sorted(labels - KNOWN[name])}"


@pytest.mark.parametrize("name", alerts())
def test_every_alert_says_how_bad_it_is_in_both_languages_and_has_a_runbook(name: str) -> None:
    alert = alerts()[name]
    notes = alert["annotations"]
    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert set(notes) == {"summary", "summary_id", "runbook_url"}
    assert notes["summary"] != notes["summary_id"]
    assert notes["runbook_url"] == f"runbooks/{name}.md"
    assert alert["for"]


@pytest.mark.parametrize("name", alerts())
def test_every_runbook_says_what_to_look_at_and_which_command_mends_it(name: str) -> None:
    page = (RUNBOOKS / f"{name}.md").read_text("utf-8")
    assert page.startswith(f"# {name}\n\n*")
    _, looking, mending = re.split(r"^## (?:Look at|Mend it)$", page, flags=re.MULTILINE)
    assert "```" in looking
    assert "gateway " in looking + mending


def test_there_is_no_runbook_without_an_alert() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == alerts().keys()


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_every_command_in_a_runbook_exists_with_its_options(page: Path) -> None:
    for line in re.findall(r"^ *gateway (.*)$|`gateway ([^`]*)`", page.read_text("utf-8"), re.MULTILINE):
        command: click.Command | None = _cli
        words = next(filter(None, line)).split()
        context = click.Context(_cli)
        while isinstance(command, click.Group):
            command = command.get_command(context, words.pop(0))
        assert command is not None, line
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("name", alerts())
def test_every_alert_has_a_case_in_which_it_fires_and_a_near_miss(name: str) -> None:
    cases = [
        case["name"] for file in ROOT.glob("tests/rules/*.yaml") for case in yaml.safe_load(file.read_text())["tests"]
    ]
    assert any(case.startswith(f"{name} fires: ") for case in cases)
    assert any(case.startswith(f"{name} is silent: ") for case in cases)


@pytest.mark.parametrize("name", dashboards())
def test_every_dashboard_can_be_imported_beside_others(name: str) -> None:
    made = dashboards()[name]
    assert re.fullmatch(r"opd-gateway-[a-z]{1,28}", made["uid"])
    assert made["editable"] is False
    panels = made["panels"]
    assert max(Counter(panel["id"] for panel in panels).values()) == 1
    for panel in panels:
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["datasource"]["uid"] == "${datasource}"
    for one, other in combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert beside or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"], (one, other)


def test_every_metric_is_on_a_dashboard() -> None:
    shown = {name for _, expression in of_dashboards() for name, _ in asked(expression)}
    assert LABELS.keys() - shown == set()


def test_no_two_dashboards_share_an_identity() -> None:
    assert max(Counter(made["uid"] for made in dashboards().values()).values()) == 1
