"""`gateway messages reread`: a kept answer read again, after the mapping was mended."""

from pathlib import Path

import click

from gateway import operate
from gateway.cli.desk import Desk, by_option, field_line, plain, work
from gateway.cli.options import config_option
from gateway.message import MessageId
from gateway.records import State


@click.command(name="reread", help="Read an unknown message's kept answer again, with the mended mapping.")
@click.argument("message", metavar="ID")
@by_option
@config_option
def command(*, config: Path, message: str, by: str) -> None:
    """Reread; exits with 1 when it still can't be read."""

    async def act(desk: Desk) -> int:
        async with desk.operations() as operations:
            end = await operate.reread(desk.ledger, operations, MessageId(message), by=by)
        click.echo(f"{message} is {end.state}{f': {plain(end.why)}' if end.why else ''}")
        for error in end.errors:
            click.echo(f"  {field_line(error)}")
        return int(end.state is State.UNKNOWN)

    work(config, act)
