"""`gateway messages cancel`: a message is given up."""

from pathlib import Path

import click

from gateway import operate
from gateway.cli.desk import Desk, by_option, json_option, tell, work
from gateway.cli.options import config_option
from gateway.message import MessageId
from gateway.records import State


@click.command(name="cancel", help="Give up a pending or buried message; one that may have been done becomes unknown.")
@click.argument("message", metavar="ID")
@by_option
@json_option
@config_option
def command(*, config: Path, message: str, by: str, as_json: bool) -> None:
    """Cancel."""

    async def act(desk: Desk) -> int:
        state = await operate.cancel(desk.ledger, MessageId(message), by=by)
        doubt = ": an earlier attempt may have been done; ask the agency, then resolve it"
        words = f"{message} is {state}{doubt if state is State.UNKNOWN else ''}"
        tell(words, {"id": message, "state": state.value}, as_json=as_json)
        return 0

    work(config, act)
