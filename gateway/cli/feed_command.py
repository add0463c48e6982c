"""`gateway feed`: what became of agencies' files, what would become of one, and a person's hand on both."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from gateway import app
from gateway.cli.bar import Bar
from gateway.cli.desk import Desk, by_option, field_line, json_option, tell, tell_json, work
from gateway.cli.options import config_option, demo_option, environment, read_config
from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.errors import ConfigError, Finding
from gateway.feeds import FileReceipt, FileState, Reject, Source, Standing
from gateway.metrics import Metrics
from gateway.preview import Preview, preview
from gateway.receipts import line, shown
from gateway.registry import Agency
from gateway.wording import say

_number = click.argument("receipt", type=click.IntRange(min=1))
FORWARD = "forward"
REJECTS = 20
"""Rejects that `show` lists."""


@click.group(name="feed")
def command() -> None:
    """See what became of agencies' files, try one before it is dropped, go back or try again."""


@command.command(name="list", help="List the feeds: which file is live, since when, and how the newest did.")
@json_option
@config_option
def list_feeds(*, config: Path, as_json: bool) -> None:
    """List."""

    async def look(desk: Desk) -> int:
        found = [
            (await desk.ledger.standing(name), await desk.ledger.receipts(name, limit=1))
            for name, _ in _feeds(desk.located)
        ]
        if as_json:
            tell_json([_standing(standing, newest) for standing, newest in found])
        elif Console().is_terminal:
            Console(highlight=False).print(_table(found))
        else:
            for standing, newest in found:
                click.echo("\t".join(_columns(standing, newest)))
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
            for receipt in receipts:
                click.echo(f"{receipt.number}\t{receipt.state.value}\t{line(receipt)}")
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
        previous = (await desk.ledger.standing(feed)).previous
        if previous is None or not await desk.ledger.is_there(previous.number):
            tell(f"{feed} has no snapshot before the live one", {"feed": feed, "rolled_back": False}, as_json=as_json)
            return 1
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
        done = not await _is_old(desk, receipt) and await desk.ledger.want_again(receipt, by=by, shrink=shrink)
        words = f"the gateway tries the file of receipt {receipt} again at its next look"
        none = f"receipt {receipt} has no file that could be tried again, or it was taken and another is live by now"
        tell(words if done else none, {"receipt": receipt, "wanted": done}, as_json=as_json)
        return int(not done)

    work(config, act)


@command.command(help="Say what would become of a file, offline: nothing is taken, moved or sent.")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True))
@click.option("--feed", "name", metavar="FEED", help="agency/feed, where the file's name does not tell.")
@json_option
@demo_option
@config_option
def check(*, config: Path, file: Path, name: str | None, as_json: bool, demo: bool) -> None:
    """Check; exits with 1 when the file would be refused or a row rejected."""
    located = read_config(config, environment(demo=demo))
    full = name or _named(located, file)
    _known(located, full)
    seen = asyncio.run(_seen(located, full, file, quiet=as_json))
    if as_json:
        tell_json(_preview(full, file, seen))
    else:
        _tell_preview(full, file, seen)
    sys.exit(int(seen.refused is not None or seen.tally.rejected > 0))


async def _seen(located: Located, full: str, file: Path, *, quiet: bool) -> Preview:
    agency, _, feed = full.partition("/")
    assembled = app.assemble(located, clock=app.clock_of(located), metrics=Metrics())
    try:
        made: Agency = assembled.registry.agencies[agency]
        source = made.source
        if not isinstance(source, Source):
            raise ConfigError(Finding(where=full, what="this agency has no feeds"))
        total = await asyncio.to_thread(_lines, file)
        with Bar(file.name, quiet=quiet) as bar:
            batches = source.peek(feed, file)
            return await preview(made.feeds[feed], batches, lambda done: bar.at(min(done, total), total), keep=False)
    finally:
        await assembled.close()


def _lines(file: Path) -> int:
    """Count lines, to tell how far it is; records may be fewer."""
    with file.open("rb") as opened:
        return max(1, sum(block.count(b"\n") for block in iter(lambda: opened.read(1 << 20), b"")) - 1)


def _feeds(located: Located) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every feed's full name and settings."""
    for agency, section in located.config.agency.items():
        settings = (section.model_extra or {}).get("feed", {})
        for feed, made in settings.items() if isinstance(settings, dict) else ():
            yield f"{agency}/{feed}", made


def _known(located: Located, feed: str) -> None:
    names = [name for name, _ in _feeds(located)]
    if feed not in names:
        raise ConfigError(Finding(where="gateway feed", what=f'there is no feed "{feed}"', remedy=suggest(feed, names)))


def _named(located: Located, file: Path) -> str:
    """Return the feed that a file's name belongs to; raises ConfigError when that is none, or several."""
    found = [
        name for name, made in _feeds(located) if fnmatchcase(file.name.lower(), str(made.get("files", "")).lower())
    ]
    if len(found) == 1:
        return found[0]
    what = f"{file.name} is a file of {' and '.join(found) or 'no feed'} by its name"
    raise ConfigError(Finding(where="gateway feed check", what=what, remedy="name it: --feed AGENCY/FEED"))


def _forwards_to(located: Located, feed: str) -> str | None:
    """Return the operation that a feed's rows are sent on to, None where they are kept."""
    made = dict(_feeds(located)).get(feed, {})
    return str(made.get("to")) if made.get("mode") == FORWARD else None


async def _is_old(desk: Desk, number: int) -> bool:
    """Tell whether a file was taken and another is live by now: its rows would replace newer ones.

    What is forwarded replaces nothing, and what was sent is not sent again.
    """
    receipt = await desk.ledger.receipt(number)
    if receipt is None or receipt.state is not FileState.ACCEPTED or receipt.mode == FORWARD:
        return False
    live = (await desk.ledger.standing(receipt.feed)).live
    return live is not None and live.number != number


async def _show_receipt(desk: Desk, number: int, *, as_json: bool) -> int:
    receipt = await desk.ledger.receipt(number)
    if receipt is None:
        tell(f"there is no receipt {number}", {"receipt": number, "found": False}, as_json=as_json)
        return 1
    rejects = await desk.ledger.rejects(number, limit=REJECTS)
    told = shown(receipt)
    if receipt.mode == FORWARD:
        told |= {"messages": {state.value: count for state, count in (await desk.ledger.forwarded(number)).items()}}
    told |= {"rejects": [_reject(reject) for reject in rejects]}
    if as_json:
        tell_json(told)
        return 0
    for name, value in told.items():
        if name != "rejects" and value not in (None, {}):
            click.echo(f"{name:>17}  {value}")
    _tell_rejects(rejects)
    return 0


def _preview(full: str, file: Path, seen: Preview) -> dict[str, object]:
    tally = seen.tally
    return {
        "feed": full,
        "file": file.name,
        "taken": seen.refused is None,
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


def _tell_preview(full: str, file: Path, seen: Preview) -> None:
    tally = seen.tally
    if seen.refused is not None:
        click.echo(click.style(f"{file.name} would be refused by {full}: {say(seen.refused, 'en')}", fg="red"))
    else:
        counts = f"{tally.accepted} rows, {tally.rejected} rejected, {tally.unchanged} repeated"
        click.echo(f"{file.name} would be taken by {full}: {counts}, {tally.skipped} skipped ({tally.encoding})")
    for rule, count in sorted(tally.rules.items(), key=lambda one: -one[1]):
        click.echo(f"  {count} x {rule}")
    _tell_rejects(seen.first)


def _tell_rejects(rejects: Sequence[Reject]) -> None:
    for reject in rejects:
        for reason in reject.reasons:
            click.echo(f"  record {reject.number}: {field_line(reason)}")


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
        "rolled_back_by": standing.changed_by or None,
        "newest": shown(newest[0]) if newest else None,
    }


def _table(found: Sequence[tuple[Standing, Sequence[FileReceipt]]]) -> Table:
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column("feed", overflow="fold")
    for name in ("receipt", "rows"):
        made.add_column(name, justify="right")
    made.add_column("data of", no_wrap=True)
    made.add_column("newest file", overflow="fold")
    for standing, newest in found:
        bad = newest and newest[0].state is FileState.REFUSED
        made.add_row(*_columns(standing, newest), style="red" if bad else "" if standing.live else "dim")
    return made


def _columns(standing: Standing, newest: Sequence[FileReceipt]) -> tuple[str, ...]:
    live = standing.live
    last = f"{newest[0].file}: {newest[0].state.value}" if newest else "none yet"
    back = f" (rolled back by {standing.changed_by})" if standing.changed_by else ""
    if live is None:
        return (standing.feed, "-", "-", "-", last)
    rows = live.tally.accepted if live.mode == FORWARD else live.tally.kept
    return (standing.feed, str(live.number), str(rows), f"{live.as_of:%d %b %H:%M}", last + back)
