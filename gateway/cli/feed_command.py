"""`gateway feed`: what became of agencies' files, what would become of one, and a person's hand on both."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from gateway.arrivals import THOUGH_OLDER
from gateway.became import FORWARD
from gateway.cli import feed_check
from gateway.cli.desk import Desk, by_option, fail, headings, json_option, tell, tell_json, work
from gateway.cli.feed_due import next_due, told_due
from gateway.cli.feed_lines import (
    HEADINGS,
    columns,
    details,
    is_rolled_back,
    reject_json,
    rejected,
    remedy,
    sentence,
    table,
    to_the_minute,
)
from gateway.cli.feed_names import acknowledges, feeds, forwards_to, known, zone_of
from gateway.cli.options import config_option
from gateway.feeds import FileReceipt, FileState, Standing
from gateway.receipts import shown

_number = click.argument("receipt", type=click.IntRange(min=1))
REJECTS = 20
"""Rejects that `show` lists."""


@click.group(name="feed")
def command() -> None:
    """See what became of agencies' files, try one before it is dropped, go back or try again."""


command.add_command(feed_check.command)


@command.command(
    name="list", help="List the feeds: which file is live, of when, how the newest did, when the next is due."
)
@json_option
@config_option
def list_feeds(*, config: Path, as_json: bool) -> None:
    """List."""

    async def look(desk: Desk) -> int:
        found = [
            (await desk.ledger.standing(name), await desk.ledger.receipts(name, limit=1))
            for name, _ in feeds(desk.located)
        ]
        dues = [await next_due(desk, name, made) for name, made in feeds(desk.located)]
        told = [told_due(due, desk.clock.now()) for due in dues]
        if as_json:
            tell_json([_standing(desk, *each) | {"due": due} for each, due in zip(found, dues, strict=True)])
        elif Console().is_terminal:
            Console(highlight=False).print(table(found, told))
        else:
            headings(HEADINGS)
            for each, due in zip(found, told, strict=True):
                click.echo("\t".join((*columns(*each), due)))
        return 0

    work(config, look)


@command.command(help="Show a feed's last files, or one receipt with the first rows that were rejected.")
@click.argument("what", metavar="FEED|RECEIPT")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many files.")
@json_option
@config_option
def show(*, config: Path, what: str, limit: int, as_json: bool) -> None:
    """Show; exits with 1 when there is no such thing."""

    async def look(desk: Desk) -> int:
        if what.isdecimal():
            return await _show_receipt(desk, int(what), as_json=as_json)
        known(desk.located, what)
        receipts = await desk.ledger.receipts(what, limit=limit)
        if as_json:
            tell_json([_shown(desk, receipt) for receipt in receipts])
        else:
            headings(("receipt", "state", "what became of it"))
            for receipt in receipts:
                click.echo(f"{receipt.number}\t{receipt.state.value}\t{sentence(receipt)}")
            if not receipts:
                click.echo(
                    "no file has been taken in yet; gateway feed check FILE says what would become of one", err=True
                )
        return 0

    work(config, look)


@command.command(help="Make the snapshot before the live one live again, at once; a second time undoes it.")
@click.argument("feed")
@by_option
@json_option
@config_option
def rollback(*, config: Path, feed: str, by: str, as_json: bool) -> None:
    """Go back; exits with 1 when there is nothing to go back to."""

    async def act(desk: Desk) -> int:
        known(desk.located, feed)
        if (to := forwards_to(desk.located, feed)) is not None:
            words = (
                f"{feed} forwards its rows to {to}: what was sent can't be taken back (gateway messages list --receipt)"
            )
            tell(words, {"feed": feed, "rolled_back": False}, as_json=as_json)
            return 1
        if acknowledges(desk.located, feed):
            words = f"{feed} acknowledges what was handed over: what was settled can't be taken back"
            tell(words, {"feed": feed, "rolled_back": False}, as_json=as_json)
            return 1
        previous = (await desk.ledger.standing(feed)).previous
        if previous is None or not await desk.ledger.is_there(previous.number):
            words = f"{feed} has no snapshot before the live one"
            return fail(words, {"feed": feed, "rolled_back": False}, as_json=as_json)
        standing = await desk.ledger.roll_back(feed, by=by)
        if standing is None or standing.live is None:
            return 1
        words = f"{feed} answers from {standing.live.file} again, receipt {standing.live.number}"
        tell(words, _standing(desk, standing, ()) | {"rolled_back": True}, as_json=as_json)
        return 0

    work(config, act)


@command.command(help="Have a file tried again that was refused, once a mapping or a setting is mended.")
@_number
@click.option("--shrink", is_flag=True, help="Take it however few rows it has.")
@click.option("--yes", is_flag=True, help="Do it, though its data is older than the live data.")
@by_option
@json_option
@config_option
def retry(*, config: Path, receipt: int, shrink: bool, yes: bool, by: str, as_json: bool) -> None:  # noqa: PLR0913 - its options
    """Ask for it; exits with 1 when there is no such file to try."""

    async def act(desk: Desk) -> int:
        found = await desk.ledger.receipt(receipt)
        wanted = {"receipt": receipt, "wanted": False}
        if found is None:
            return fail(_no_receipt(receipt), wanted, as_json=as_json)
        if why := await _untriable(desk, found):
            return fail(why, wanted, as_json=as_json)
        if not yes and (why := await _older(desk, found)):
            return fail(why, wanted, as_json=as_json)
        asked_by = f"{by}{THOUGH_OLDER}" if yes else by
        if not await desk.ledger.want_again(receipt, by=asked_by, shrink=shrink):
            return fail(f"receipt {receipt}: its file is nowhere it could be tried from again", wanted, as_json=as_json)
        if not shrink and (hint := remedy(found)):
            click.echo(f"it was refused because it shrank, and will be again; {hint}", err=True)
        words = f"the gateway tries the file of receipt {receipt} again at its next look"
        tell(words, {"receipt": receipt, "wanted": True}, as_json=as_json)
        return 0

    work(config, act)


async def _untriable(desk: Desk, receipt: FileReceipt) -> str:
    """Say why a file is not tried again, "" where it may be: one that was taken would replace newer rows."""
    if receipt.state is FileState.TAKING:
        return f"receipt {receipt.number} is being read just now"
    live = (await desk.ledger.standing(receipt.feed)).live
    # What is forwarded replaces nothing, and what was sent is not sent again.
    replaces = receipt.state is FileState.ACCEPTED and receipt.mode != FORWARD
    if replaces and live is not None and live.number != receipt.number:
        return f"receipt {receipt.number} was taken, and another is live by now: {live.file}, receipt {live.number}"
    return ""


async def _older(desk: Desk, receipt: FileReceipt) -> str:
    """Say that a file would replace newer data, "" where it would not."""
    live = (await desk.ledger.standing(receipt.feed)).live
    if receipt.mode != "snapshot" or live is None or live.as_of <= receipt.as_of:
        return ""
    what = f"receipt {receipt.number} has data of {to_the_minute(receipt.as_of)}, and would replace newer data"
    newer = f"{live.file}, receipt {live.number}, of {to_the_minute(live.as_of)}"
    return f"{what}: {newer}; do it with --yes, and gateway feed rollback {receipt.feed} undoes it"


def _no_receipt(number: int) -> str:
    return f"there is no receipt {number}; gateway feed show AGENCY/FEED lists those there are"


async def _show_receipt(desk: Desk, number: int, *, as_json: bool) -> int:
    receipt = await desk.ledger.receipt(number)
    if receipt is None:
        return fail(_no_receipt(number), {"receipt": number, "found": False}, as_json=as_json)
    rejects = await desk.ledger.rejects(number, limit=REJECTS)
    messages = await desk.ledger.forwarded(number) if receipt.mode == FORWARD else {}
    counts = {state.value: count for state, count in messages.items()}
    if as_json:
        sent = {"messages": counts} if receipt.mode == FORWARD else {}
        tell_json(_shown(desk, receipt) | sent | {"rejects": [reject_json(reject) for reject in rejects]})
        return 0
    for name, value in details(receipt, zone_of(desk.located, receipt.feed)):
        click.echo(f"{name:>15}  {value}")
    if counts:
        click.echo(f"{'messages':>15}  {', '.join(f'{count} {state}' for state, count in counts.items())}")
    for told in rejected(rejects):
        click.echo(f"  {told}")
    if hint := remedy(receipt):
        click.echo(hint)
    return 0


def _shown(desk: Desk, receipt: FileReceipt) -> dict[str, object]:
    return shown(receipt, zone=zone_of(desk.located, receipt.feed))


def _standing(desk: Desk, standing: Standing, newest: Sequence[FileReceipt]) -> dict[str, object]:
    return {
        "feed": standing.feed,
        "live": _shown(desk, standing.live) if standing.live else None,
        "previous": standing.previous.number if standing.previous else None,
        "rolled_back_by": standing.changed_by if is_rolled_back(standing) else None,
        "newest": _shown(desk, newest[0]) if newest else None,
    }
