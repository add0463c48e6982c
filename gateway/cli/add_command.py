"""`gateway add`: an agency from what describes its system."""

import click

from gateway.cli.lazy import Lazy

_COMMANDS = {
    "csv": "Take in an agency that leaves CSV files, from one of them.",
    "soap": "Take in an agency that speaks SOAP, from its WSDL.",
}


@click.group(name="add", cls=Lazy, place="gateway.cli.add_{}", does=_COMMANDS)
def command() -> None:
    """Take an agency in: what describes its system is pinned, a first mapping and examples are written."""
