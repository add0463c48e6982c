"""Options that several commands share."""

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "-c",
    "config",
    type=click.Path(path_type=Path),
    default=Path("gateway.toml"),
    show_default=True,
    help="The configuration file.",
)
