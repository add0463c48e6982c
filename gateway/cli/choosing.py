"""The options by which messages are chosen, the same for every command that chooses; looks nothing up."""

import functools
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import click

from gateway.cli.moments import duration, moment
from gateway.message import MOST, OperationId
from gateway.records import Filter, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """What was typed."""

    agency: str | None
    operation: str | None
    state: tuple[str, ...]
    client: str | None
    since: str | None
    until: str | None
    older_than: str | None
    subject: str | None
    receipt: int | None

    def filter(self, now: datetime, agencies: Collection[str]) -> Filter:
        """Return the filter meant; raises click.BadParameter. An agency that gateway.toml lacks is warned of."""
        if self.agency is not None and self.agency not in agencies:
            click.echo(f'gateway.toml has no agency "{self.agency}"; it has: {", ".join(sorted(agencies))}', err=True)
        ends = [moment(self.until, now, "--until")] if self.until else []
        ends += [now - duration(self.older_than, "--older-than")] if self.older_than else []
        return Filter(
            lane=self.agency,
            operation=OperationId(self.operation) if self.operation else None,
            client=self.client,
            states=frozenset(map(State, self.state)),
            since=moment(self.since, now, "--since") if self.since else None,
            until=min(ends, default=None),
            subject=_asked() if self.subject == "-" else self.subject,
            receipt=self.receipt,
        )


def choosing(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options to a command, which gets them together as `picked`."""

    @functools.wraps(function)
    def packed(**given: Any) -> None:
        picked = Picked(**{field.name: given.pop(field.name) for field in fields(Picked)})
        function(picked=picked, **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


def _asked() -> str:
    """Ask for a subject, so that a NIK is neither on the screen nor in the shell's history; a pipe's line is read."""
    typed = sys.stdin.isatty()
    answer: str = click.prompt("subject", hide_input=True, err=True) if typed else sys.stdin.readline()
    if not answer.strip():
        raise click.BadParameter("there is none on the standard input", param_hint="--subject")
    return answer.strip()


_OPTIONS = (
    click.option("--agency", metavar="NAME", help="Of this agency's lane."),
    click.option("--operation", metavar="ID", help="Of this operation, such as dpmptsp/ajukan-izin."),
    click.option(
        "--state", type=click.Choice([state.value for state in State]), multiple=True, help="In this state; repeatable."
    ),
    click.option("--client", metavar="NAME", help="From this app."),
    click.option("--since", metavar="TIME", help='Accepted since: "2h", "07:30", "2026-11-24", "2026-11-24T07:30".'),
    click.option("--until", metavar="TIME", help="Accepted before."),
    click.option("--older-than", metavar="DURATION", help='Accepted longer ago than "30m", "2h", "1d".'),
    click.option(
        "--subject",
        metavar="NIK",
        help='About this person; hashed before it is looked up. "-" asks, unseen, or reads a pipe.',
    ),
    click.option(
        "--receipt",
        metavar="N",
        type=click.IntRange(1, MOST),
        help="Rows of this file, by its receipt (gateway feed show).",
    ),
)
