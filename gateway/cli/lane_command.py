"""`gateway lane`: how the agencies' queues stand, and a person's hand on them."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway import operate, shown
from gateway.awaited import Awaited
from gateway.cli.desk import Desk, by_option, headings, json_option, plain, tell, tell_json, work
from gateway.cli.moments import moment
from gateway.cli.options import config_option
from gateway.operate import PeoplesReason
from gateway.records import LaneStats, Pause, State

_reason_option = click.option(
    "--reason",
    type=click.Choice(["operator", "maintenance"]),
    default="operator",
    show_default=True,
    help="Why; each reason is ended by itself.",
)
_HEADINGS = ("agency", "wait", "held", "unknown", "buried", "expired", "oldest")


@click.group(name="lane")
def command() -> None:
    """See how the lanes stand; pause and resume them, while the gateway runs or not."""


@command.command(name="list", help="List the lanes: what waits in them, and why.")
@json_option
@config_option
def list_lanes(*, config: Path, as_json: bool) -> None:
    """List."""

    async def look(desk: Desk) -> int:
        lanes = await operate.lanes(desk.ledger, desk.located.config.agency)
        awaiting = desk.awaiting()
        told = [(stats, await awaiting.of_lane(stats)) for stats in lanes]
        console = Console(highlight=False)
        if as_json:
            tell_json([shown.lane(stats, waits=waits) for stats, waits in told])
        elif console.is_terminal:
            console.print(table(told))
        else:
            headings((*_HEADINGS, "closed by", "waits for"))
            for stats, waits in told:
                click.echo("\t".join((*_counts(stats), _closed(stats), _waits(waits))))
        return 0

    work(config, look)


@command.command(name="pause", help="Deliver nothing to an agency; messages are taken on and wait.")
@click.argument("agency")
@click.option("--until", metavar="TIME", help='Until "2h" from now, "16:00", "2026-11-25T07:30"; else until resumed.')
@_reason_option
@by_option
@json_option
@config_option
def pause(  # noqa: PLR0913 - its options
    *, config: Path, agency: str, until: str | None, reason: PeoplesReason, by: str, as_json: bool
) -> None:
    """Pause."""

    async def act(desk: Desk) -> int:
        now = desk.clock.now()
        end = None if until is None else moment(until, now, "--until", ahead=True)
        agencies = desk.located.config.agency
        await operate.pause(desk.ledger, agencies, agency, by=by, now=now, reason=reason, until=end)
        words = f"{agency} is paused{f' until {end:%Y-%m-%d %H:%M}' if end is not None else ''}"
        tell(words, {"agency": agency, "paused": True, "until": end}, as_json=as_json)
        return 0

    work(config, act)


@command.command(name="resume", help="Deliver again, unless something else keeps the lane closed.")
@click.argument("agency")
@_reason_option
@by_option
@json_option
@config_option
def resume(*, config: Path, agency: str, reason: PeoplesReason, by: str, as_json: bool) -> None:
    """Resume; exits with 1 when there was nothing to end."""

    async def act(desk: Desk) -> int:
        ended, still = await operate.resume(desk.ledger, desk.located.config.agency, agency, by=by, reason=reason)
        rest = f"; still closed: {', '.join(map(_pause, still))}" if still else ""
        words = f"{agency} {'is resumed' if ended else f'was not paused ({reason})'}{rest}"
        told = {"agency": agency, "resumed": ended, "still_closed": [shown.pause(one) for one in still]}
        tell(words, told, as_json=as_json)
        return int(not ended)

    work(config, act)


def table(lanes: Sequence[tuple[LaneStats, Awaited | None]]) -> Table:
    """Return the lanes as a table that fits into 80 columns."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    first, *counts, last = _HEADINGS
    made.add_column(first, overflow="fold")
    for name in counts:
        made.add_column(name, justify="right")
    made.add_column(last, no_wrap=True)
    made.add_column("waits for", overflow="fold")
    for stats, waits in lanes:
        style = "" if any(stats.depth.values()) or stats.pauses else "dim"
        made.add_row(*_counts(stats), Text(_waits(waits)), style=style)
    return made


def _counts(stats: LaneStats) -> tuple[str, ...]:
    def count(*states: State) -> str:
        return str(sum(stats.depth.get(state, 0) for state in states))

    return (
        stats.lane,
        count(State.PENDING, State.DELIVERING),
        str(stats.held),
        count(State.UNKNOWN),
        count(State.BURIED),
        count(State.EXPIRED),
        f"{stats.oldest:%d %b %H:%M}" if stats.oldest is not None else "-",
    )


def _closed(stats: LaneStats) -> str:
    return ", ".join(map(_pause, stats.pauses)) or "-"


def _waits(waits: Awaited | None) -> str:
    return plain(waits.text) if waits is not None else "-"


def _pause(one: Pause) -> str:
    until = f" until {one.until:%d %b %H:%M}" if one.until is not None else ""
    return f"{one.reason} by {one.by}{until}" if one.by != "gateway" else f"{one.reason}{until}"
