"""`gateway openapi`: the document that /openapi.json serves, for those who generate clients from it."""

from pathlib import Path

import click
import msgspec

from gateway import app
from gateway.cli.options import config_option, read_config
from gateway.edge.openapi import document
from gateway.edge.requests import OWN
from gateway.metrics import Metrics
from gateway.version import __version__


@click.command(name="openapi", help="Print the OpenAPI 3.1 document; needs no secrets and no network.")
@config_option
def command(config: Path) -> None:
    """Print the document."""
    located = read_config(config)
    assembled = app.assemble(located, clock=app.clock_of(located), metrics=Metrics())
    made = document(assembled.registry.exposed, located.config.gateway.name, __version__, own=OWN)
    text = msgspec.json.Encoder(decimal_format="number").encode(made)
    click.echo(msgspec.json.format(text, indent=2))
