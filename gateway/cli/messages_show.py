"""`gateway messages show`: one message with its timeline; bodies as shapes unless they are asked for by name."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click
import msgspec

from gateway import operate, shown
from gateway.awaited import Awaited
from gateway.cli.desk import Desk, by_option, json_option, plain, tell_json, work
from gateway.cli.messages_list import URGENT
from gateway.cli.options import config_option
from gateway.message import MessageId
from gateway.records import Attempt, Deed, Record, State, Summary

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


@click.command(name="show", help="Show everything about a message; bodies are masked.")
@click.argument("message", metavar="ID")
@click.option("--unmask", is_flag=True, help="Show bodies as they are; who looked is recorded.")
@by_option
@json_option
@config_option
def command(*, config: Path, message: str, unmask: bool, by: str, as_json: bool) -> None:
    """Show."""

    async def look(desk: Desk) -> int:
        record = await operate.show(desk.ledger, MessageId(message), unmasked_by=by if unmask else None)
        waits = await desk.awaiting().of(record)
        told = shown.record(record, desk.clock.now(), waits=waits, unmasked=unmask)
        if as_json:
            tell_json(told)
            return 0
        head = _head(record, desk.clock.now(), waits)
        for line in (*head, "", *_timeline(record), *_bodies(told, record, unmask=unmask)):
            click.echo(line)
        return 0

    work(config, look)


def _head(record: Record, now: datetime, waits: Awaited | None) -> Iterator[str]:
    row = record.summary
    yield click.style(f"{row.id}  {row.state}{f' ({row.reason})' if row.reason else ''}", bold=True)
    way = "direct" if row.direct else "stored"
    yield f"  {row.operation} for {row.client}, {way}, repeat = {row.repeat}, {row.size} bytes"
    # What the last try failed of is in what it waits for, where that is still why.
    why = () if row.state is State.PENDING else (("why", plain(row.text)),)
    for name, value in (*_times(row, now), *why, ("waits for", plain(waits.text) if waits else "")):
        if value:
            yield f"  {name:<13}{value}"
    yield f"  {'correlation':<13}{record.correlation_id}"
    if row.origin is not None:
        yield f"  {'from':<13}record {row.origin.record} of the file of receipt {row.origin.receipt}"
    if not record.readable:
        yield click.style("  its bodies are sealed with a lost key", fg="red")


def _times(row: Summary, now: datetime) -> Iterator[tuple[str, str]]:
    yield "accepted", _at(row.accepted_at)
    if row.due is not None and row.due > now:
        yield "next try", _at(row.due)
    if row.settled_at is not None:
        yield "settled", _at(row.settled_at)
    if row.answer_by is not None:
        urgency = row.urgency(now)
        yield "answer by", _at(row.answer_by) + (click.style(f" ({urgency})", fg=URGENT[urgency]) if urgency else "")
    if row.answered_at is not None:
        yield "answered", _at(row.answered_at)


def _timeline(record: Record) -> Iterator[str]:
    yield click.style("timeline", bold=True)
    happened: list[Attempt | Deed] = sorted([*record.attempts, *record.deeds], key=lambda each: each.at)
    if not happened:
        yield "  nothing yet"
    for each in happened:
        yield f"  {_at(each.at)}  {_attempt(each) if isinstance(each, Attempt) else f'{each.act} by {each.by}'}"


def _attempt(attempt: Attempt) -> str:
    took = "cut off" if attempt.seconds is None else f"{attempt.seconds:.3f} s"
    status = f"  HTTP {attempt.status}" if attempt.status is not None else ""
    return f"attempt {attempt.number}: {attempt.outcome}  {took}{status}  {plain(attempt.error)}".rstrip()


def _bodies(told: shown.Told, record: Record, *, unmask: bool) -> Iterator[str]:
    note = "" if unmask else " (masked; --unmask shows it, and is recorded)"
    for deed in shown.timeline(record, unmasked=unmask):
        if "changed" in deed:
            yield from _document(f"changed by {deed['by']}{note}", deed["changed"])
    for title, name in (("body", "body"), ("answer", "answer"), ("native answer", "native_answer")):
        if told[name] is not None:
            yield from _document(title + note, told[name])
    if record.shed:
        yield "the body is kept no more"


def _document(title: str, document: object) -> Iterator[str]:
    yield ""
    yield click.style(title, bold=True)
    for line in msgspec.json.format(_encode(document), indent=2).decode().splitlines():
        yield f"  {line}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
