"""`gateway messages resolve`: a person says how a message ended that is unknown or handed over."""

from pathlib import Path
from typing import Literal

import click

from gateway import operate
from gateway.cli.desk import Desk, by_option, json_option, tell, work
from gateway.cli.options import config_option
from gateway.message import MessageId
from gateway.records import Delivered, Refused


@click.command(name="resolve", help="Say how a message ended, unknown or handed over, after having asked the agency.")
@click.argument("message", metavar="ID")
@click.option("--delivered", "outcome", flag_value="delivered", help="The agency has done it.")
@click.option("--refused", "outcome", flag_value="refused", help="The agency has not done it, and will not.")
@click.option("--text", default="", help="The agency's words, for the app that sent it; with --refused.")
@by_option
@json_option
@config_option
def command(  # noqa: PLR0913 - its options
    *, config: Path, message: str, outcome: Literal["delivered", "refused"] | None, text: str, by: str, as_json: bool
) -> None:
    """Resolve."""
    if outcome is None:
        raise click.UsageError("say --delivered or --refused; to have it sent again, replay it with --unknown")
    if text and outcome == "delivered":
        raise click.UsageError("--text goes with --refused")
    verdict = Delivered() if outcome == "delivered" else Refused(text=text)

    async def act(desk: Desk) -> int:
        state = await operate.resolve(desk.ledger, MessageId(message), verdict, by=by)
        tell(f"{message} is {state}", {"id": message, "state": state.value}, as_json=as_json)
        return 0

    work(config, act)
