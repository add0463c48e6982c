"""`gateway check`: everything there is to say about the configuration, without asking an agency, all in one go."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
import msgspec

from gateway import app, dropped, trays
from gateway.cli.options import config_option, demo_option, enter, environment
from gateway.config.load import Located, examine
from gateway.errors import ConfigError, Finding, LedgerUnavailable
from gateway.ledger.census import census


@click.command(
    name="check",
    help="Check gateway.toml, the mappings and the pinned WSDLs, and that no operation is gone of which the ledger has "
    "messages; exits with 1 when something must change.",
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
        file = enter(config)
        located = examine(file, environment)[0]
        return [*app.check(file, environment), *trays.missing(located), *asyncio.run(_ledger(located))]
    except ConfigError as error:
        return error.findings


async def _ledger(located: Located) -> Sequence[Finding]:
    """Find the operations that must not go yet (design, 11.22); makes no ledger and locks none."""
    key = ("gateway", "ledger")
    unread = ("gateway",) in located.lines and "gateway" not in located.config.model_fields_set
    if unread or any(path == key for path, _ in located.absent):
        return []  # it has findings of its own, and which ledger is meant is not known
    try:
        return [*dropped.findings(await census(located.config.gateway.ledger), located)]
    except ConfigError as error:
        return error.findings
    except LedgerUnavailable as error:
        what = f"gateway.ledger: not looked into, so an operation may be gone that messages wait for: {error}"
        remedy = "where operations were taken away, check again with the ledger in reach"
        return [Finding(where=located.where(*key), what=what, remedy=remedy, warning=True)]


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        level = click.style("warning", fg="yellow") if finding.warning else click.style("error", fg="red")
        click.echo(f"{finding.where}: {level}: {finding.what}")
        if finding.remedy:
            click.echo(f"    {finding.remedy}")
    errors = sum(not finding.warning for finding in findings)
    warnings = len(findings) - errors
    click.echo(f"{errors} to change, {warnings} to consider" if findings else "nothing to change")
