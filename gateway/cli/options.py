"""What several commands share: which configuration, read from where it lies."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from gateway.config.load import Located, load

config_option = click.option(
    "--config",
    "-c",
    "config",
    type=click.Path(path_type=Path),
    default=Path("gateway.toml"),
    show_default=True,
    help="The configuration file.",
)


def read_config(path: Path, environment: Mapping[str, str] | None = None) -> Located:
    """Read a gateway.toml and go to its folder, which the paths in it are relative to; raises ConfigError."""
    located = load(path, os.environ if environment is None else environment)
    os.chdir(path.resolve().parent)
    return located
