"""`gateway reload`: have the running gateway take its configuration again, and say how that went."""

import os
import signal
import sys
import time
from pathlib import Path

import click

from gateway.cli.options import config_option, enter
from gateway.config.load import examine
from gateway.errors import ConfigError, Finding
from gateway.ledger.opening import folder_of
from gateway.presence import Standing, look

PATIENCE = 60.0
"""Seconds; a big WSDL takes one or two."""


@click.command(
    name="reload",
    help="Have the running gateway take gateway.toml, mappings, WSDLs and certificates as they are now. Nothing is "
    "interrupted; what does not hold is refused, and then nothing changes.",
)
@config_option
def command(config: Path) -> None:
    """Reload."""
    # The secrets are in the running gateway's environment and need not be in this one.
    located, _ = examine(enter(config), os.environ)
    gateway = located.config.gateway
    folder, listen = folder_of(gateway.ledger), gateway.listen
    before = look(folder, listen)
    if before is None:
        what = f"no gateway with this configuration runs here (it would listen on {listen})"
        raise ConfigError(Finding(where=located.file, what=what, remedy="start it with: gateway run"))
    os.kill(before.pid, signal.SIGHUP)
    after = _answer(folder, listen, before)
    if after is None:
        what = f"process {before.pid} has not said in {PATIENCE:g} s how it went"
        raise ConfigError(Finding(where=located.file, what=what, remedy="read its log"))
    for finding in after.refused:
        click.echo(finding, err=True)
    if after.refused:
        click.echo("refused; the gateway goes on with what it had", err=True)
        sys.exit(1)
    click.echo(f"reloaded at {after.at:%H:%M:%S}")


def _answer(folder: Path, listen: str, before: Standing) -> Standing | None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        after = look(folder, listen)
        if after is not None and (after.pid, after.loads) != (before.pid, before.loads):
            return after
        time.sleep(0.05)
    return None
