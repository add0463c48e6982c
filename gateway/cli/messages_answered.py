"""`gateway messages answered`: a person says that people have their answer, by whatever way it came."""

from pathlib import Path

import click

from gateway import operate
from gateway.cli.desk import Desk, by_option, json_option, tell, work
from gateway.cli.options import config_option
from gateway.message import MessageId


@click.command(name="answered", help="Say that people have their answer: its date is no matter any more.")
@click.argument("message", metavar="ID")
@by_option
@json_option
@config_option
def command(*, config: Path, message: str, by: str, as_json: bool) -> None:
    """Stop the clock; nothing else about the message changes."""

    async def act(desk: Desk) -> int:
        at = await operate.answered(desk.ledger, desk.ledger, MessageId(message), by=by)
        tell(f"{message} is answered, at {at:%Y-%m-%d %H:%M:%S}", {"id": message, "answered_at": at}, as_json=as_json)
        return 0

    work(config, act)
