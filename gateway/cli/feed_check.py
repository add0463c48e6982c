"""`gateway feed check`: what would become of a file, beside the ledger where that can be asked."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import click

from gateway import app, serve
from gateway.cli.bar import Bar
from gateway.cli.desk import json_option, plain, tell_json
from gateway.cli.feed_lines import reject_json, rejected
from gateway.cli.feed_names import acknowledges, forwards_to, known
from gateway.cli.options import config_option, demo_option, environment, read_config
from gateway.config.load import Located
from gateway.errors import ConfigError, Finding, GatewayError
from gateway.ledger import Ledger
from gateway.ledger.opening import SQLITE
from gateway.ledger.receipt_rows import REPAIR
from gateway.preview import Preview
from gateway.trial import Beside, feeds_named, tried
from gateway.wording import counted, say

NOT_ASKED = "whether each id is of a request that waits for it is seen when the file is taken in"
LARGE = 20_000
"""Records from which on a file takes long enough to be told how far it is."""


@click.command(
    name="check",
    help="Say what would become of a file: nothing is taken, moved or sent. Where there is a ledger, the live data "
    "counts: a file with less than half of its rows would be refused, and rows that were sent on before are told.",
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True))
@click.option("--feed", "name", metavar="FEED", help="agency/feed, where the file's name does not tell.")
@click.option("--offline", is_flag=True, help="Judge the file by itself; the ledger is not opened.")
@json_option
@demo_option
@config_option
def command(*, config: Path, file: Path, name: str | None, offline: bool, as_json: bool, demo: bool) -> None:  # noqa: PLR0913 - its options
    """Check; exits with 1 when the file would be refused or a row rejected."""
    located = read_config(config, environment(demo=demo))
    full = name or _named(located, file)
    known(located, full)
    seen, beside, why = asyncio.run(_look(located, full, file, offline=offline, quiet=as_json))
    to = forwards_to(located, full)
    if as_json:
        tell_json(_preview(full, file, seen) | {"live": _live(beside), "to": to, "beside_ledger": beside is not None})
    else:
        _tell(full, file, seen, to=to, sent=to is not None and beside is not None)
        heard = NOT_ASKED if acknowledges(located, full) else _compared(beside, why, to=to)
        click.echo(heard, err=True)
    sys.exit(int(seen.doubles is None and (seen.refused is not None or seen.tally.rejected > 0)))


async def _look(
    located: Located, full: str, file: Path, *, offline: bool, quiet: bool
) -> tuple[Preview, Beside | None, str]:
    """Return how a file would do, what it was judged beside, and why that is nothing."""
    async with _ledger(located, offline=offline) as (ledger, away):
        beside, why = await _beside(ledger, full) if ledger is not None else (None, away)
        with Bar(file.name, quiet=quiet) as bar:
            seen = await tried(located, full, file, partial(_at, bar), beside=beside)
    return seen, beside, why


@asynccontextmanager
async def _ledger(located: Located, *, offline: bool) -> AsyncIterator[tuple[Ledger | None, str]]:
    """Open the ledger, or say why not; makes none."""
    address = located.config.gateway.ledger
    if offline:
        yield None, "as you asked"
        return
    if address.startswith(SQLITE) and not await asyncio.to_thread(Path(address.removeprefix(SQLITE)).exists):
        yield None, "there is no ledger yet"
        return
    try:
        ledger = await serve.ledger_of(located, app.clock_of(located))
    except GatewayError as error:
        yield None, plain(str(error))
        return
    try:
        yield ledger, ""
    finally:
        await ledger.close()


async def _beside(ledger: Ledger, full: str) -> tuple[Beside | None, str]:
    """Return how the feed stands by the ledger, or why that is not known."""
    try:
        standing = await ledger.standing(full)
        made_of, one = [], standing.live
        while one is not None:
            made_of.append(one.reference)
            one = await ledger.receipt(one.base) if one.mode == REPAIR and one.base is not None else None
    except GatewayError as error:
        return None, plain(str(error))
    return Beside(ledger=ledger, standing=standing, made_of=tuple(made_of)), ""


def _compared(beside: Beside | None, why: str, *, to: str | None) -> str:
    if beside is None:
        what = "what was sent before" if to else "the live data"
        return f"judged by itself, not beside {what}: {why}"
    if to:
        return "judged beside what was sent before"
    live = beside.standing.live
    if live is None:
        return "judged by itself: no file of this feed is live yet"
    return f"judged beside the live data: {live.file}, receipt {live.number}, {counted(beside.rows, 'row')}"


def _live(beside: Beside | None) -> dict[str, object] | None:
    live = beside.standing.live if beside is not None else None
    return {"receipt": live.number, "file": live.file, "rows": live.tally.kept} if live is not None else None


def _at(bar: Bar, done: int, total: int) -> None:
    if (total or done) >= LARGE:
        bar.at(done, total)


def _named(located: Located, file: Path) -> str:
    """Return the feed that a file's name belongs to; raises ConfigError when that is none, or several."""
    found = asyncio.run(feeds_named(located, file.name))
    if len(found) == 1:
        return found[0]
    what = f"{file.name} is a file of {' and '.join(found) or 'no feed'} by its name"
    raise ConfigError(Finding(where="gateway feed check", what=what, remedy="name it: --feed AGENCY/FEED"))


def _preview(full: str, file: Path, seen: Preview) -> dict[str, object]:
    tally = seen.tally
    return {
        "feed": full,
        "file": file.name,
        "taken": seen.refused is None and seen.doubles is None,
        "mends": seen.mends or None,
        "refused": say(seen.refused, "en") if seen.refused else None,
        "duplicate_of": seen.doubles,
        "encoding": tally.encoding,
        "records": tally.position,
        "accepted": tally.accepted,
        "unchanged": tally.unchanged,
        "rejected": tally.rejected,
        "skipped": tally.skipped,
        "rejected_by_rule": dict(tally.rules),
        "rejects": [reject_json(reject) for reject in seen.first],
    }


def _tell(full: str, file: Path, seen: Preview, *, to: str | None, sent: bool) -> None:
    tally = seen.tally
    if seen.doubles is not None:
        why = "was sent already" if to else "is the live data already"
        click.echo(f"{file.name} would be put aside by {full}: its content {why}, receipt {seen.doubles}")
        return
    if seen.refused is not None:
        click.echo(click.style(f"{file.name} would be refused by {full}: {say(seen.refused, 'en')}", fg="red"))
    else:
        rows = f"{counted(tally.accepted, 'message')} to {to}" if to else counted(tally.accepted, "row")
        unchanged = f"{tally.unchanged} {'sent already' if sent else 'repeated'}"
        counts = f"{rows}, {tally.rejected} rejected, {unchanged}, {tally.skipped} skipped ({tally.encoding})"
        click.echo(f"{file.name} would be taken by {full}: {counts}")
        if seen.mends:
            end = f"be sent to {to}" if to else "be added to the live data"
            click.echo(f"  it mends rows that were handed back: its rows would {end}")
    for rule, count in sorted(tally.rules.items(), key=lambda one: -one[1]):
        click.echo(f"  {count} x {rule}")
    for told in rejected(seen.first):
        click.echo(f"  {told}")
