"""`gateway sftp host-key`: the key by which clients know the gateway's SFTP server again, and its fingerprint."""

from pathlib import Path

import click

from gateway.cli.options import config_option, read_config
from gateway.errors import ConfigError, Finding


@click.group(name="sftp", help="Prepare the SFTP server of the gateway's own.")
def command() -> None:
    """Group the SFTP commands."""


@command.command(name="host-key", help="Make the server's key where there is none yet, and print its fingerprint.")
@config_option
def host_key(config: Path) -> None:
    """Make it once; a key that is there is never replaced."""
    located = read_config(config)
    settings = located.config.gateway.sftp
    if settings is None:
        what = "gateway.sftp: there is no such section, so no key is wanted"
        raise ConfigError(Finding(where=located.file, what=what, remedy='write [gateway.sftp] with host_key = "..."'))
    where, file = located.where("gateway", "sftp", "host_key"), Path(settings.host_key)
    try:
        from gateway.offered import keys  # noqa: PLC0415 - needs asyncssh
    except ModuleNotFoundError as error:
        what, remedy = (
            "gateway.sftp: needs asyncssh, which is not installed here",
            "install the extra: make .venv/drops",
        )
        raise ConfigError(Finding(where=where, what=what, remedy=remedy)) from error
    try:
        made = keys.made(file)
        shown = keys.fingerprint(file)
    except (OSError, ValueError) as error:
        what = f"gateway.sftp.host_key: {file}: {error}"
        raise ConfigError(Finding(where=where, what=what, remedy="name a file that the gateway may write")) from error
    click.echo(f"{'made' if made else 'kept'} {file}; give this to whoever connects, to compare at the first time:")
    click.echo(f"  {keys.ALGORITHM} {shown}")
