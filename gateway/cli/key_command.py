"""`gateway key new`: a fresh client key, printed once, and the hash that goes into gateway.toml."""

import hashlib
import secrets

import click


@click.group(name="key", help="Make keys for client apps and operators.")
def command() -> None:
    """Group the key commands."""


@command.command(name="new", help="Print a fresh 256-bit key, once, and the line that goes into gateway.toml.")
def new() -> None:
    """Make a key; nothing is stored."""
    key = secrets.token_urlsafe(32)
    digest = hashlib.sha256(key.encode()).hexdigest()
    click.echo(f"key (give it to whom it is for; it is not shown again):\n  {key}\n")
    click.echo("in gateway.toml, under [client.<name>] or [operator.<name>]:")
    click.echo(f'  keys = [{{ sha256 = "{digest}" }}]')
