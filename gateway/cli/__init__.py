"""The command line: one file per command; each parses arguments and calls one function."""

import importlib
import sys
from collections.abc import Sequence

import click

from gateway.errors import ConfigError
from gateway.version import __version__

_COMMANDS = {
    "check": "Check gateway.toml and the mappings, offline, all in one go.",
    "demo": "Start eight stand-in agencies and the gateway before them, to try things out.",
    "key": "Make keys for client apps.",
    "openapi": "Print the OpenAPI document of what gateway.toml exposes.",
    "run": "Run the gateway.",
    "try": "Send one message through a mapping to its agency and show every step.",
}


class _Lazy(click.Group):
    """Imports a command only when it is used, so that `gateway run` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"gateway.cli.{cmd_name}_command").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
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
