"""`gateway messages edit`: a buried message's body corrected in an editor or from a file, and sent."""

import sys
from decimal import Decimal
from pathlib import Path
from typing import BinaryIO

import click
import msgspec

from gateway import operate
from gateway.cli.desk import Desk, by_option, complain, confirmed, json_option, tell, work
from gateway.cli.options import config_option
from gateway.errors import InvalidRequest
from gateway.message import Document, MessageId
from gateway.operate import Operations
from gateway.records import State

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


@click.command(
    name="edit",
    help="Correct a buried message's canonical body in $EDITOR, and send it. What was changed, and by whom, is "
    "recorded; so is that its body was seen. With --body FILE (or -) it is replaced unseen.",
)
@click.argument("message", metavar="ID")
@click.option("--body", type=click.File("rb"), help="The whole new body, as JSON; - reads standard input.")
@by_option
@json_option
@config_option
def command(*, config: Path, message: str, body: BinaryIO | None, by: str, as_json: bool) -> None:
    """Edit."""
    given = None if body is None else body.read()

    async def act(desk: Desk) -> int:
        one = MessageId(message)
        async with desk.operations() as operations:
            if given is None:
                state = await _in_editor(desk, operations, one, by)
            else:
                said = confirmed(operate.just(await operate.editable(desk.ledger, one)))
                state = await operate.edit(desk.ledger, operations, one, _document(given), by=by, confirm=said)
        if state is None:
            return 1
        tell(f"{message} is {state}, with its new body", {"id": message, "state": state.value}, as_json=as_json)
        return 0

    work(config, act)


async def _in_editor(desk: Desk, operations: Operations, message: MessageId, by: str) -> State | None:
    """Edit until the body fits or the person gives up (None): what was typed is not thrown away for one mistake."""
    record = await operate.editable(desk.ledger, message, unmasked_by=by)
    before = text = msgspec.json.format(_encode(record.body or {}), indent=2).decode()
    while True:
        edited = click.edit(text, extension=".json")
        if edited is None or edited.strip() == before.strip():
            click.echo("nothing was changed, and nothing sent", err=True)
            return None
        try:
            body, said = _document(edited.encode()), confirmed(operate.just(record))
            return await operate.edit(desk.ledger, operations, message, body, by=by, confirm=said)
        except InvalidRequest as error:
            complain(error)
            if not sys.stdin.isatty() or not click.confirm("edit again?", default=True, err=True):
                return None
            text = edited


def _document(data: bytes) -> Document:
    try:
        body = _decode(data)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidRequest("the body must be a JSON object")
    return body
