"""`gateway messages list`: messages by what is known of them, the newest first."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway import operate, shown
from gateway.cli.choosing import Picked, choosing
from gateway.cli.desk import Desk, headings, json_option, plain, tell_json, work
from gateway.cli.moments import duration
from gateway.cli.options import config_option
from gateway.records import Page, Summary

NEAR = "near"
URGENT = {"near": "yellow", "past": "red"}
_HEADINGS = ("message", "state", "operation", "accepted", "tries", "answer", "reason", "said")
COLOURS = {
    "handed-over": "cyan",
    "unknown": "magenta",
    "buried": "red",
    "expired": "yellow",
    "refused": "yellow",
    "delivered": "green",
}


@click.command(name="list", help="List messages, the newest first; without options, the last 50.")
@choosing
@click.option(
    "--due",
    metavar="[DURATION]",
    is_flag=False,
    flag_value=NEAR,
    help="People have no answer, and its date is past or only one working day is left (or DURATION).",
)
@click.option("--overdue", is_flag=True, help="People have no answer, and its date is past.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most so many.")
@json_option
@config_option
def command(  # noqa: PLR0913 - what was typed
    *, config: Path, picked: Picked, due: str | None, overdue: bool, limit: int, as_json: bool
) -> None:
    """List."""

    async def look(desk: Desk) -> int:
        now = desk.clock.now()
        before = now if overdue else None if due in {None, NEAR} else now + duration(str(due), "--due")
        wanted = picked.filter(now, desk.located.config.agency)
        wanted = replace(wanted, answer_before=before, urgent_at=now if due == NEAR else None)
        _tell(await operate.search(desk.ledger, wanted, limit=limit), now, as_json=as_json)
        return 0

    work(config, look)


def _tell(page: Page, now: datetime, *, as_json: bool) -> None:
    console = Console(highlight=False)
    if as_json:
        tell_json(shown.page(page, now))
        return
    if console.is_terminal:
        console.print(table(page.rows, now))
    else:
        headings(_HEADINGS)
        for row in page.rows:
            click.echo(line(row, now))
    click.echo(f"{len(page.rows)} shown{'; there are more: raise --limit' if page.cursor else ''}", err=True)


def line(row: Summary, now: datetime) -> str:
    """Return a message as one line, its parts between tabs."""
    accepted = f"{row.accepted_at:%Y-%m-%dT%H:%M:%S%z}"
    parts = (row.id, row.state.value, row.operation, accepted, str(row.attempts), row.urgency(now) or "")
    return "\t".join((*parts, row.reason, plain(row.text)))


def table(rows: tuple[Summary, ...], now: datetime) -> Table:
    """Return messages as a table that fits into 80 columns."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column("message, operation", width=36, overflow="fold")
    made.add_column("state, why", overflow="fold")
    made.add_column("accepted, next", no_wrap=True)
    made.add_column("tries", justify="right")
    for row in rows:
        what = Text(row.id).append(f"\n{row.operation}", style="dim")
        state = Text(row.state.value, style=COLOURS.get(row.state.value, "")).append(f"\n{row.reason}", style="dim")
        made.add_row(what, state, Text(f"{row.accepted_at:%d %b %H:%M}").append(_next(row, now)), str(row.attempts))
    return made


def _next(row: Summary, now: datetime) -> Text:
    """Return the answer's deadline where one counts, else the next try."""
    if row.answer_by is not None and row.answered_at is None:
        urgency = row.urgency(now)
        mark = f" {urgency}" if urgency else ""
        return Text(f"\nby {row.answer_by:%d %b %H:%M}{mark}", style=URGENT.get(urgency or "", ""))
    return Text(f"\ntry {row.due:%d %b %H:%M}" if row.due is not None else "", style="dim")
