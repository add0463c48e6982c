"""`gateway messages reread`: a kept answer read again, after the mapping was mended."""

from pathlib import Path

import click

from gateway import operate, shown
from gateway.cli.desk import Desk, by_option, field_line, json_option, plain, tell, work
from gateway.cli.options import config_option
from gateway.message import MessageId
from gateway.records import State


@click.command(name="reread", help="Read an unknown message's kept answer again, with the mended mapping.")
@click.argument("message", metavar="ID")
@by_option
@json_option
@config_option
def command(*, config: Path, message: str, by: str, as_json: bool) -> None:
    """Reread; exits with 1 when it still can't be read."""

    async def act(desk: Desk) -> int:
        async with desk.operations() as operations:
            end = await operate.reread(desk.ledger, operations, MessageId(message), by=by)
        lines = [f"{message} is {end.state}{f': {plain(end.why)}' if end.why else ''}"]
        lines += [f"  {field_line(error)}" for error in end.errors]
        tell("\n".join(lines), {"id": message, **shown.reread(end)}, as_json=as_json)
        return int(end.state is State.UNKNOWN)

    work(config, act)
