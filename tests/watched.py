"""Every expression that is shipped or documented, with where it stands: rules, dashboards, the manual."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from gateway.shipped import shipped
from tests.promql import without_variables

ROOT = Path(__file__).parent.parent


def rules() -> list[Mapping[str, Any]]:
    """Return every rule."""
    files = (yaml.safe_load(text) for text in shipped("rules").values())
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alerts() -> dict[str, Mapping[str, Any]]:
    """Return the alerts by name."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def dashboards() -> dict[str, Mapping[str, Any]]:
    """Return the dashboards by file."""
    return {name: json.loads(text) for name, text in shipped("dashboards").items()}


def of_dashboards() -> Iterator[tuple[str, str]]:
    """Yield each panel's expressions."""
    for name, made in dashboards().items():
        for panel in made["panels"]:
            for target in panel.get("targets", ()):
                yield f"{name}: {panel['title']}", without_variables(target["expr"])


def of_the_manual() -> Iterator[tuple[str, str]]:
    """Yield each line of the fences `promql`."""
    for page in sorted(ROOT.glob("docs/**/*.md")):
        for fence in re.findall(r"^ *```promql\n(.*?)^ *```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            yield from ((str(page.relative_to(ROOT)), line.strip()) for line in fence.splitlines())


def expressions() -> list[tuple[str, str]]:
    """Return all of them."""
    named = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    return [*named, *of_dashboards(), *of_the_manual()]
