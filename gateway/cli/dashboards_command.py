"""`gateway dashboards export`: the dashboards, for Grafana."""

from pathlib import Path

import click

from gateway.cli.options import put
from gateway.shipped import shipped


@click.group(name="dashboards", help="The dashboards, for Grafana.")
def command() -> None:
    """Hold what can be done with dashboards."""


@command.command(help="Write the dashboards into a folder, from which Grafana can be provisioned or each imported.")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="The folder to write them into.")
def export(folder: Path) -> None:
    """Write the dashboards."""
    put(folder, shipped("dashboards"))
