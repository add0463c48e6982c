"""`gateway doctor`: what stands between here and each agency, in plain words and with the remedy."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

import click

from gateway.cli.desk import json_option, tell_json
from gateway.cli.options import config_option, demo_option, enter, environment
from gateway.doctor.examination import Wanted, diagnose
from gateway.doctor.found import Check, State

_COLOURS = {State.OK: "green", State.WARNING: "yellow", State.ERROR: "red", State.SKIPPED: "blue"}


@click.command(
    name="doctor",
    help="Look at everything between here and each agency: name, connection, TLS and certificate, clock, login, an "
    "answer, the WSDL, folders of files; and at the gateway's own ledger and disk. Nothing is changed; an agency is "
    "asked at most for its login and one read that needs no data. Exits with 1 when something must change.",
)
@click.argument("agencies", metavar="[AGENCY]...", nargs=-1)
@click.option(
    "--within", type=click.FloatRange(1.0), default=15.0, show_default=True, help="Seconds that each agency gets."
)
@json_option
@demo_option
@config_option
def command(*, config: Path, agencies: tuple[str, ...], within: float, as_json: bool, demo: bool) -> None:
    """Examine."""
    wanted = Wanted(config=enter(config), environment=environment(demo=demo), only=agencies, seconds=within)
    if sys.stderr.isatty():
        click.echo(f"looking, for {within:g} s at most ...", err=True)
    checks = asyncio.run(diagnose(wanted))
    if as_json:
        tell_json([asdict(check) for check in checks])
    else:
        _print(checks)
    sys.exit(any(check.state is State.ERROR for check in checks))


def _print(checks: Sequence[Check]) -> None:
    width = max(len(check.check) for check in checks)
    for agency, found in groupby(checks, lambda check: check.agency):
        click.echo(click.style(agency or "the gateway itself", bold=True))
        for check in found:
            state = click.style(f"{check.state:<7}", fg=_COLOURS[check.state])
            click.echo(f"  {state}  {check.check:<{width}}  {check.says}")
            if check.remedy:
                click.echo(f"  {'':<7}  {'':<{width}}  -> {check.remedy}")
    errors, warnings = (sum(check.state is state for check in checks) for state in (State.ERROR, State.WARNING))
    click.echo(f"{errors} to change, {warnings} to consider" if errors or warnings else "nothing to change")
