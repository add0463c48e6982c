"""`gateway rules export`: the rules of the alerts, for Prometheus."""

from pathlib import Path

import click

from gateway.cli.options import put
from gateway.shipped import as_one, hurried, shipped, with_runbooks


@click.group(name="rules", help="The rules of the alerts, for Prometheus.")
def command() -> None:
    """Hold what can be done with rules."""


@command.command(help="Print the rules as one file for Prometheus, or write them one by one into a folder.")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="The folder to write them into.")
@click.option("--runbooks", metavar="URL", help="Where the runbooks are read; without it the links stay relative.")
@click.option(
    "--drill",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Make all durations N times shorter, to see the alerts come and go; not for service.",
)
def export(folder: Path | None, runbooks: str | None, drill: int) -> None:
    """Print or write the rules."""
    files = {
        name: hurried(with_runbooks(text, runbooks) if runbooks else text, drill)
        for name, text in shipped("rules").items()
    }
    if folder is None:
        click.echo(as_one(files), nl=False)
    else:
        put(folder, files)
