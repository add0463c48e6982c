"""Prometheus' own tool on what is shipped for it: rules, their tests, every expression, and what a gateway shows."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from demo import testing
from tests.flows.command import gateway
from tests.flows.lively import lively
from tests.watched import ROOT, expressions

Tool = Callable[..., str]


@pytest.fixture(scope="session")
def promtool(program: Callable[[str], str]) -> Tool:
    path = program("promtool")

    def run(*arguments: str | Path, given: str = "") -> str:
        done = subprocess.run(
            [path, *map(str, arguments)], input=given, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_the_rules_as_they_lie_in_the_chart(promtool: Tool) -> None:
    said = promtool("check", "rules", *sorted(ROOT.glob("helm/opd-gateway/rules/*.yaml")))
    assert said.count("SUCCESS") == 5


@pytest.mark.parametrize("options", [(), ("--drill", "60"), ("--runbooks", "https://git.example.go.id/runbooks")])
def test_the_rules_as_they_are_exported(promtool: Tool, tmp_path: Path, options: tuple[str, ...]) -> None:
    exported = gateway("rules", "export", *options)
    assert exported.returncode == 0, exported.stderr
    (tmp_path / "rules.yml").write_text(exported.stdout)
    assert "29 rules found" in promtool("check", "rules", tmp_path / "rules.yml")


@pytest.mark.parametrize("file", sorted(ROOT.glob("tests/rules/*.yaml")), ids=lambda file: file.stem)
def test_each_alert_fires_when_it_should_and_is_silent_when_it_should_not(promtool: Tool, file: Path) -> None:
    assert "SUCCESS" in promtool("test", "rules", file)


def test_every_expression_of_rules_dashboards_and_the_manual(promtool: Tool, tmp_path: Path) -> None:
    asked = [{"record": f"a:b:c{number}", "expr": expression} for number, (_, expression) in enumerate(expressions())]
    (tmp_path / "all.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": asked}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", tmp_path / "all.yml")


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    drops = tmp_path_factory.mktemp("drops")
    with testing.running(drops) as agencies, lively(agencies, drops, tmp_path_factory.mktemp("busy")) as busy:
        yield busy.figures()


def test_what_a_gateway_shows_after_all_sorts_of_traffic(promtool: Tool, figures: str) -> None:
    assert promtool("check", "metrics", given=figures) == ""
