"""`gateway feed`: what became of agencies' files, what would become of one, and a person's hand on both."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from gateway import app, serve
from gateway.cli.bar import Bar
from gateway.cli.desk import Desk, by_option, fail, headings, json_option, plain, tell, tell_json, work
from gateway.cli.feed_due import next_due, told_due
from gateway.cli.feed_lines import HEADINGS, columns, details, is_rolled_back, rejected, remedy, sentence, table
from gateway.cli.options import config_option, demo_option, environment, read_config
from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.errors import ConfigError, Finding, GatewayError
from gateway.feeds import FileReceipt, FileState, Reject, Standing
from gateway.ledger.opening import SQLITE
from gateway.ledger.receipt_rows import REPAIR
from gateway.preview import Preview
from gateway.receipts import shown
from gateway.trial import feeds_named, tried
from gateway.wording import say

_number = click.argument("receipt", type=click.IntRange(min=1))
FORWARD = "forward"
REJECTS = 20
"""Rejects that `show` lists."""
NOT_ASKED = "whether each id is of a request that waits for it is seen when the file is taken in"
LARGE = 20_000
"""Records from which on a file takes long enough to be told how far it is."""


@click.group(name="feed")
def command() -> None:
    """See what became of agencies' files, try one before it is dropped, go back or try again."""


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
            for name, _ in _feeds(desk.located)
        ]
        dues = [await next_due(desk, name, made) for name, made in _feeds(desk.located)]
        told = [told_due(due, desk.clock.now()) for due in dues]
        if as_json:
            tell_json([_standing(*each) | {"due": due} for each, due in zip(found, dues, strict=True)])
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
        _known(desk.located, what)
        receipts = await desk.ledger.receipts(what, limit=limit)
        if as_json:
            tell_json([shown(receipt) for receipt in receipts])
        else:
            headings(("receipt", "state", "what became of it"))
            for receipt in receipts:
                click.echo(f"{receipt.number}\t{receipt.state.value}\t{sentence(receipt)}")
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
        _known(desk.located, feed)
        if (to := _forwards_to(desk.located, feed)) is not None:
            words = (
                f"{feed} forwards its rows to {to}: what was sent can't be taken back (gateway messages list --receipt)"
            )
            tell(words, {"feed": feed, "rolled_back": False}, as_json=as_json)
            return 1
        if _acknowledges(desk.located, feed):
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
        tell(words, _standing(standing, ()) | {"rolled_back": True}, as_json=as_json)
        return 0

    work(config, act)


@command.command(help="Have a file tried again that was refused, once a mapping or a setting is mended.")
@_number
@click.option("--shrink", is_flag=True, help="Take it however few rows it has.")
@by_option
@json_option
@config_option
def retry(*, config: Path, receipt: int, shrink: bool, by: str, as_json: bool) -> None:
    """Ask for it; exits with 1 when there is no such file to try."""

    async def act(desk: Desk) -> int:
        found = await desk.ledger.receipt(receipt)
        wanted = {"receipt": receipt, "wanted": False}
        if found is None:
            return fail(_no_receipt(receipt), wanted, as_json=as_json)
        if why := await _untriable(desk, found):
            return fail(why, wanted, as_json=as_json)
        if not await desk.ledger.want_again(receipt, by=by, shrink=shrink):
            return fail(f"receipt {receipt}: its file is nowhere it could be tried from again", wanted, as_json=as_json)
        if not shrink and (hint := remedy(found)):
            click.echo(f"it was refused because it shrank, and will be again; {hint}", err=True)
        words = f"the gateway tries the file of receipt {receipt} again at its next look"
        tell(words, {"receipt": receipt, "wanted": True}, as_json=as_json)
        return 0

    work(config, act)


@command.command(
    help="Say what would become of a file: nothing is taken, moved or sent. Where there is a ledger, the live data "
    "counts: a file with less than half of its rows would be refused."
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True))
@click.option("--feed", "name", metavar="FEED", help="agency/feed, where the file's name does not tell.")
@click.option("--offline", is_flag=True, help="Judge the file by itself; the ledger is not opened.")
@json_option
@demo_option
@config_option
def check(*, config: Path, file: Path, name: str | None, offline: bool, as_json: bool, demo: bool) -> None:  # noqa: PLR0913 - its options
    """Check; exits with 1 when the file would be refused or a row rejected."""
    located = read_config(config, environment(demo=demo))
    full = name or _named(located, file)
    _known(located, full)
    live, why = (None, "as you asked") if offline else asyncio.run(_live_of(located, full))
    standing = live.standing if live is not None else None
    seen = asyncio.run(_seen(located, full, file, live, quiet=as_json))
    if as_json:
        tell_json(_preview(full, file, seen) | {"live": _live(standing)})
    else:
        _tell_preview(full, file, seen, to=_forwards_to(located, full))
        click.echo(NOT_ASKED if _acknowledges(located, full) else _compared(standing, why), err=True)
    sys.exit(int(seen.refused is not None or seen.tally.rejected > 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Live:
    """How a feed stands, and the references of the files that the live snapshot is made of, mends and all."""

    standing: Standing
    made_of: tuple[str, ...]


async def _live_of(located: Located, full: str) -> tuple[_Live | None, str]:
    """Return how the feed stands by the ledger, or why that is not known; makes no ledger."""
    address = located.config.gateway.ledger
    if address.startswith(SQLITE) and not await asyncio.to_thread(Path(address.removeprefix(SQLITE)).exists):
        return None, "there is no ledger yet"
    try:
        ledger = await serve.ledger_of(located, app.clock_of(located))
    except GatewayError as error:
        return None, plain(str(error))
    try:
        standing = await ledger.standing(full)
        made_of, one = [], standing.live
        while one is not None:
            made_of.append(one.reference)
            one = await ledger.receipt(one.base) if one.mode == REPAIR and one.base is not None else None
        return _Live(standing=standing, made_of=tuple(made_of)), ""
    except GatewayError as error:
        return None, plain(str(error))
    finally:
        await ledger.close()


def _compared(standing: Standing | None, why: str) -> str:
    if standing is None:
        return f"judged by itself, not beside the live data: {why}"
    if standing.live is None:
        return "judged by itself: no file of this feed is live yet"
    return f"judged beside the live data: {standing.live.file}, receipt {standing.live.number}, {_rows(standing)} rows"


def _live(standing: Standing | None) -> dict[str, object] | None:
    if standing is None or standing.live is None:
        return None
    return {"receipt": standing.live.number, "file": standing.live.file, "rows": _rows(standing)}


def _rows(standing: Standing | None) -> int:
    return standing.live.tally.kept if standing is not None and standing.live is not None else 0


async def _seen(located: Located, full: str, file: Path, live: _Live | None, *, quiet: bool) -> Preview:
    before, mendable = (_rows(live.standing), live.made_of) if live is not None else (0, None)
    with Bar(file.name, quiet=quiet) as bar:

        def at(done: int, total: int) -> None:
            if (total or done) >= LARGE:
                bar.at(done, total)

        return await tried(located, full, file, at, before=before, mendable=mendable)


def _feeds(located: Located) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every feed's full name and settings, acknowledgements of what was handed over too."""
    for name in located.config.agency:
        for feed, made in _tables(located, name, "feed"):
            yield f"{name}/{feed}", made
        for out, made in _tables(located, name, "out"):
            if isinstance(ack := made.get("ack"), dict):
                yield f"{name}/{out}", ack


def _tables(located: Located, agency: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    found = (located.config.agency[agency].model_extra or {}).get(key, {})
    yield from (
        ((name, made) for name, made in found.items() if isinstance(made, dict)) if isinstance(found, dict) else ()
    )


def _acknowledges(located: Located, feed: str) -> bool:
    """Tell whether a feed is an out's acknowledgements; no other feed of the agency is called like the out."""
    agency, _, name = feed.partition("/")
    return name in dict(_tables(located, agency, "out"))


def _known(located: Located, feed: str) -> None:
    names = [name for name, _ in _feeds(located)]
    if feed not in names:
        raise ConfigError(Finding(where="gateway feed", what=f'there is no feed "{feed}"', remedy=suggest(feed, names)))


def _named(located: Located, file: Path) -> str:
    """Return the feed that a file's name belongs to; raises ConfigError when that is none, or several."""
    found = asyncio.run(feeds_named(located, file.name))
    if len(found) == 1:
        return found[0]
    what = f"{file.name} is a file of {' and '.join(found) or 'no feed'} by its name"
    raise ConfigError(Finding(where="gateway feed check", what=what, remedy="name it: --feed AGENCY/FEED"))


def _forwards_to(located: Located, feed: str) -> str | None:
    """Return the operation that a feed's rows are sent on to, None where they are kept."""
    made = dict(_feeds(located)).get(feed, {})
    return str(made.get("to")) if made.get("mode") == FORWARD else None


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
        tell_json(shown(receipt) | sent | {"rejects": [_reject(reject) for reject in rejects]})
        return 0
    for name, value in details(receipt):
        click.echo(f"{name:>15}  {value}")
    if counts:
        click.echo(f"{'messages':>15}  {', '.join(f'{count} {state}' for state, count in counts.items())}")
    for told in rejected(rejects):
        click.echo(f"  {told}")
    if hint := remedy(receipt):
        click.echo(hint)
    return 0


def _preview(full: str, file: Path, seen: Preview) -> dict[str, object]:
    tally = seen.tally
    return {
        "feed": full,
        "file": file.name,
        "taken": seen.refused is None,
        "mends": seen.mends or None,
        "refused": say(seen.refused, "en") if seen.refused else None,
        "encoding": tally.encoding,
        "records": tally.position,
        "accepted": tally.accepted,
        "unchanged": tally.unchanged,
        "rejected": tally.rejected,
        "skipped": tally.skipped,
        "rejected_by_rule": dict(tally.rules),
        "rejects": [_reject(reject) for reject in seen.first],
    }


def _tell_preview(full: str, file: Path, seen: Preview, *, to: str | None) -> None:
    tally = seen.tally
    if seen.refused is not None:
        click.echo(click.style(f"{file.name} would be refused by {full}: {say(seen.refused, 'en')}", fg="red"))
    else:
        counts = f"{tally.accepted} rows, {tally.rejected} rejected, {tally.unchanged} repeated"
        click.echo(f"{file.name} would be taken by {full}: {counts}, {tally.skipped} skipped ({tally.encoding})")
        if seen.mends:
            end = f"be sent to {to}" if to else "be added to the live data"
            click.echo(f"  it mends rows that were handed back: its rows would {end}")
    for rule, count in sorted(tally.rules.items(), key=lambda one: -one[1]):
        click.echo(f"  {count} x {rule}")
    for told in rejected(seen.first):
        click.echo(f"  {told}")


def _reject(reject: Reject) -> dict[str, object]:
    reasons = [
        {"field": reason.pointer, "rule": reason.rule, "what": say(reason, "en"), "value": reason.value}
        for reason in reject.reasons
    ]
    return {"row": reject.number, "reasons": reasons}


def _standing(standing: Standing, newest: Sequence[FileReceipt]) -> dict[str, object]:
    return {
        "feed": standing.feed,
        "live": shown(standing.live) if standing.live else None,
        "previous": standing.previous.number if standing.previous else None,
        "rolled_back_by": standing.changed_by if is_rolled_back(standing) else None,
        "newest": shown(newest[0]) if newest else None,
    }
