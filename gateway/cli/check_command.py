"""`gateway check`: everything there is to say about the configuration, offline, all in one go."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from gateway import app
from gateway.cli.options import config_option, demo_option, enter, environment
from gateway.errors import ConfigError, Finding


@click.command(
    name="check", help="Check gateway.toml, the mappings and the pinned WSDLs; exits with 1 when something must change."
)
@config_option
@demo_option
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON, for scripts.")
def command(config: Path, *, demo: bool, as_json: bool) -> None:
    """Print the findings."""
    findings = _findings(config, environment(demo=demo))
    if as_json:
        click.echo(msgspec.json.encode([asdict(finding) for finding in findings]))
    else:
        _print(findings)
    sys.exit(any(not finding.warning for finding in findings))


def _findings(config: Path, environment: Mapping[str, str]) -> Sequence[Finding]:
    try:
        return app.check(enter(config), environment)
    except ConfigError as error:
        return error.findings


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        level = click.style("warning", fg="yellow") if finding.warning else click.style("error", fg="red")
        click.echo(f"{finding.where}: {level}: {finding.what}")
        if finding.remedy:
            click.echo(f"    {finding.remedy}")
    errors = sum(not finding.warning for finding in findings)
    warnings = len(findings) - errors
    click.echo(f"{errors} to change, {warnings} to consider" if findings else "nothing to change")
