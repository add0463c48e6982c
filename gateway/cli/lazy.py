"""A group of commands that imports one only when it is used, so that each starts at once."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Lazy(click.Group):
    """Commands by name with what they do; `place` (`x.{}_command`) names the module whose `command` each is."""

    def __init__(self, *, place: str, does: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._place = place
        self._does = does

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in order."""
        return sorted(self._does)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in self._does:
            return None
        command: click.Command = importlib.import_module(self._place.format(cmd_name.replace("-", "_"))).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self._does.items()))
