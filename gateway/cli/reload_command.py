"""`gateway reload`: have the running gateway take its configuration again, and say how that went."""

import os
import signal
import sys
import time
from pathlib import Path

import click

from gateway.cli.options import config_option, enter
from gateway.config.load import beginning, examine
from gateway.errors import ConfigError, Finding
from gateway.ledger.opening import folder_of
from gateway.presence import Standing, find, look

PATIENCE = 60.0
"""Seconds; a big WSDL takes one or two."""
_NONE_RUNS = (
    "start it with: gateway run. One that runs, and began while `ledger` named another folder, keeps that ledger until "
    "it is started again: put the line back to reload it, or stop it and start it to move the ledger"
)


@click.command(
    name="reload",
    help="Have the running gateway take gateway.toml, mappings, WSDLs and certificates as they are now. Nothing is "
    "interrupted; what does not hold is refused, and then nothing changes.",
)
@config_option
def command(config: Path) -> None:
    """Reload."""
    file = enter(config)
    folder, listen, broken = _place(file)
    before = find(folder, listen, str(file.absolute()))
    if before is None:
        what = f"no gateway with this configuration runs here; it would listen on {listen}"
        raise ConfigError(*broken, Finding(where=file.name, what=what, remedy=_NONE_RUNS))
    os.kill(before.pid, signal.SIGHUP)
    after = _answer(folder, before)
    if after is None:
        what = f"process {before.pid} has not said in {PATIENCE:g} s how it went"
        raise ConfigError(Finding(where=file.name, what=what, remedy="read its log"))
    for finding in after.refused:
        click.echo(finding, err=True)
    if after.refused:
        click.echo(f"refused; the gateway on {before.listen} goes on with what it had", err=True)
        sys.exit(1)
    click.echo(f"reloaded at {after.at:%H:%M:%S}")
    for agency in after.unready:
        click.echo(f"can't be asked: {agency}", err=True)


def _place(file: Path) -> tuple[Path, str, tuple[Finding, ...]]:
    """Return the folder of the running gateway's file, where it listens unless that was changed, and what is broken.

    A file that is no TOML any more tells it as far as it can be read: the gateway shall see and refuse it itself.
    """
    try:
        # The secrets are in the running gateway's environment and need not be in this one.
        located, _ = examine(file, os.environ)
    except ConfigError as error:
        if not file.is_file():
            raise
        gateway, broken = beginning(file, os.environ), error.findings
    else:
        gateway, broken = located.config.gateway, ()
    return folder_of(gateway.ledger), gateway.listen, broken


def _answer(folder: Path, before: Standing) -> Standing | None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        after = look(folder, before.listen)
        if after is not None and (after.pid, after.loads) != (before.pid, before.loads):
            return after
        time.sleep(0.05)
    return None
