"""`gateway run`: serve what gateway.toml says until Ctrl-C or SIGTERM."""

import asyncio
from pathlib import Path

import click
import uvloop

from gateway import serve
from gateway.cli.options import config_option, read_config


@click.command(name="run", help="Run the gateway until Ctrl-C or SIGTERM; requests under way are finished.")
@click.option(
    "--lost-key",
    is_flag=True,
    help="Once, when the ledger's key is lost: take the one there is, or a new one. What the old one sealed stays "
    "unreadable for ever.",
)
@config_option
def command(config: Path, *, lost_key: bool) -> None:
    """Serve."""
    place = config.absolute()  # reading it goes to its folder, and it is read again at each reload
    located = read_config(place)

    def started(listen: str, metrics: str) -> None:
        gateway = located.config.gateway
        scheme = "http" if gateway.tls is None else "https"
        click.echo(f"{gateway.name}: {scheme}://{listen}/docs, metrics at http://{metrics}/metrics", err=True)

    def control_started(control: str) -> None:
        click.echo(f"control API for operators: http://{control}", err=True)

    told = serve.Told(started=started, control=control_started)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve.run(located, lambda: read_config(place), lost_key=lost_key, told=told))
