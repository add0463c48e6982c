"""The command line: one file per command; each parses arguments and calls one function."""

import sys
from collections.abc import Sequence

import click

from gateway.cli.lazy import Lazy
from gateway.errors import ConfigError, LedgerUnavailable
from gateway.version import __version__

_COMMANDS = {
    "add": "Take an agency in: its contract, a first mapping, examples.",
    "backup": "Copy the ledger and the configuration while the gateway runs.",
    "check": "Check gateway.toml, the mappings and what the ledger still needs, all in one go.",
    "dashboards": "Write the dashboards, for Grafana.",
    "demo": "Start eight stand-in agencies and the gateway before them, to try things out.",
    "doctor": "Look at everything between here and each agency, and say what to mend.",
    "feed": "See what became of agencies' files, and try one before it is dropped.",
    "key": "Make keys for client apps and operators.",
    "lane": "See how the lanes stand; pause and resume them.",
    "ledger": "Change the ledger's encryption key.",
    "messages": "Look for recorded messages, and act on them.",
    "openapi": "Print the OpenAPI document of what gateway.toml exposes.",
    "reload": "Have the running gateway take its configuration again.",
    "rules": "Print the rules of the alerts, for Prometheus.",
    "run": "Run the gateway.",
    "sftp": "Prepare the SFTP server that the gateway offers to those who drop files.",
    "top": "Show live how each agency is doing.",
    "try": "Send one message through a mapping to its agency and show every step.",
}


@click.group(
    cls=Lazy,
    place="gateway.cli.{}_command",
    does=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="gateway")
def _cli() -> None:
    """One clean HTTP API in front of the systems a regency's agencies already run."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0 fine, 1 findings, 2 usage."""
    try:
        _cli.main(arguments, prog_name="gateway", standalone_mode=True)
    except ConfigError as error:
        for finding in error.findings:
            click.echo(str(finding), err=True)
        sys.exit(1)
    except LedgerUnavailable as error:
        click.echo(str(error), err=True)
        sys.exit(1)
