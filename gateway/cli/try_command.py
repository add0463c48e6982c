"""`gateway try`: one message through its mapping to the agency and back, every step shown with its time."""

import asyncio
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter

import click
import msgspec

from gateway import app, serve
from gateway.cli.options import config_option, demo_option, environment, read_config
from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.errors import (
    AgencyError,
    ConfigError,
    FieldError,
    Finding,
    GatewayError,
    InvalidAnswer,
    InvalidRequest,
    LedgerUnavailable,
    TranslationError,
)
from gateway.feeds import Held, Source
from gateway.ledger import Ledger
from gateway.ledger.opening import SQLITE
from gateway.lookup import Cells, Found, Snapshots
from gateway.masking import mask_text
from gateway.message import Answer, Call, Document, Message, OperationId, new_message_id
from gateway.metrics import Metrics
from gateway.native import Wrapped
from gateway.ports import Adapter
from gateway.preview import Preview, preview
from gateway.registry import Agency, Operation, Registry
from gateway.snapshots import LedgerSnapshots, MemorySnapshots
from gateway.wording import say

FIRST_ROWS = 5
FIRST_FILE = 20.0
"""Seconds to wait for the first file of an agency that is read from files."""

_show = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


@click.command(name="try", help="Send one message to its agency and show each step: canonical, native, and back.")
@click.argument("operation")
@click.option("--data", "-d", default="{}", show_default=True, help="The canonical request, as JSON, or @FILE.")
@click.option("--plan", is_flag=True, help="Send nothing; show how its messages are written and read.")
@demo_option
@config_option
def command(config: Path, operation: str, data: str, *, plan: bool, demo: bool) -> None:
    """Try one operation; exits with 1 when it fails."""
    body = _body(data)
    located = read_config(config, environment(demo=demo))
    trial = _Trial(located)
    sys.exit(asyncio.run(trial.plan(operation) if plan else trial.run(operation, body)))


def _body(data: str) -> Document:
    try:
        given = Path(data[1:]).read_bytes() if data.startswith("@") else data
        body = msgspec.json.Decoder(float_hook=Decimal).decode(given)
    except OSError as error:
        raise click.BadParameter(f"{data[1:]} can't be read: {error.strerror}", param_hint="--data") from None
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"is not JSON: {error}", param_hint="--data") from None
    if not isinstance(body, dict):
        raise click.BadParameter("must be a JSON object", param_hint="--data")
    return body


class _Trial:
    """One run: the table with every adapter watched, and what is printed."""

    def __init__(self, located: Located) -> None:
        self.clock = app.clock_of(located)
        self.secrets = located.secrets
        self.fault = ""
        self._located = located
        self._snapshots: dict[str, _Rows] = {}
        self._ledger: Ledger | None = None
        self.assembled = app.assemble(
            located, clock=self.clock, metrics=Metrics(), tap=partial(_Watched, self), snapshots=self._provide
        )

    async def run(self, name: str, body: Document) -> int:
        """Send the message; 0 when it went well."""
        operation = _find(self.assembled.registry, name)
        try:
            self.tell("canonical request", body)
            if errors := operation.request.check(body):
                raise InvalidRequest(errors=errors)
            if not await self._first_files(operation):
                return 1
            started = perf_counter()
            reply = await operation.handler(self._message(operation, body))
        except GatewayError as error:
            if isinstance(error, ConfigError):
                raise
            _tell_failure(error, operation)
            if isinstance(error, InvalidAnswer) and self.fault:
                section = self._located.config.agency[operation.agency]
                click.echo(f"  {_meaning(self.fault, section.mapping)}")
            if (agency := self.assembled.registry.agencies.get(operation.agency)) is not None and agency.unready:
                click.echo("  for a try with the stand-ins: --demo")
            return 1
        else:
            self.tell(f"canonical reply ({reply.outcome})", reply.body, perf_counter() - started)
            return 0
        finally:
            await self.assembled.close()
            if self._ledger is not None:
                await self._ledger.close()

    async def plan(self, name: str) -> int:
        """Show how an operation's messages are written and read; 0 where its adapter knows."""
        try:
            operation = _find(self.assembled.registry, name)
            if operation.plan is None:
                click.echo(f"{name} has no plan: its adapter makes none")
                return 1
            self.tell(f"plan of {name}", operation.plan())
            return 0
        finally:
            await self.assembled.close()

    def tell(self, title: str, document: object, seconds: float | None = None) -> None:
        """Print one step; what the environment holds as a secret is hidden."""
        took = f"  {seconds * 1000:.1f} ms" if seconds is not None else ""
        click.echo(click.style(f"{title}{took}", bold=True))
        text = msgspec.json.format(_show(document), indent=2).decode()
        for secret in self.secrets:
            text = text.replace(msgspec.json.encode(secret).decode()[1:-1], "***")
        click.echo(text + "\n")

    def _message(self, operation: Operation, body: Document) -> Message:
        identity = new_message_id()
        return Message(
            id=identity,
            operation=operation.id,
            body=body,
            client="try",
            correlation_id=identity,
            traceparent=f"00-{identity.replace('-', '')}-{identity.replace('-', '')[:16]}-00",
            accepted_at=self.clock.now(),
            deadline=self.clock.monotonic() + operation.deadline,
        )

    async def _first_files(self, operation: Operation) -> bool:
        """See to rows for what is answered from files: those that the ledger has, else those of a file in the drop."""
        agency = self.assembled.registry.agencies.get(operation.agency)
        if agency is None or not operation.safe or agency.source is None:
            return True
        if agency.probe is not None:
            try:
                await agency.probe.probe()
            except AgencyError as error:
                _tell_failure(error, operation)
                return False
        call = self._located.config.agency[agency.name].operation[operation.id.partition("/")[2]].call
        if call in agency.feeds:
            await self._rows(agency, agency.source, call)
        return True

    async def _rows(self, agency: Agency, source: Source, name: str) -> None:
        feed, held = agency.feeds[name], None
        if (ledger := await self._open_ledger()) is not None:
            live = (await ledger.standing(f"{agency.name}/{name}")).live
            if live is not None and live.mapping == feed.keeping.mapping:
                click.echo(f"answered from {live.file}, receipt {live.number}", err=True)
                self._snapshots[agency.name].behind = LedgerSnapshots(ledger, agency.name)
                return
            held = await source.bring(name, live.place) if live is not None and live.place else None
        if held is None:
            click.echo(f"waiting for {agency.title}'s first file ...", err=True)
            held = await _ready(source, name)
        if held is None:
            click.echo(f"no complete file within {FIRST_FILE:.0f} s", err=True)
            return
        seen = await preview(feed, source.batches(held))
        _tell_preview(held.name, seen)
        if seen.refused is None:
            rows = MemorySnapshots()
            rows.publish(name, seen.rows, as_of=held.as_of)
            self._snapshots[agency.name].behind = rows

    async def _open_ledger(self) -> Ledger | None:
        """Open the ledger where there is one; a try makes none."""
        address = self._located.config.gateway.ledger
        if address.startswith(SQLITE) and not await asyncio.to_thread(Path(address.removeprefix(SQLITE)).exists):
            return None
        try:
            self._ledger = await serve.ledger_of(self._located, self.clock)
        except (LedgerUnavailable, ConfigError):
            return None
        return self._ledger

    def _provide(self, agency: str) -> "_Rows":
        return self._snapshots.setdefault(agency, _Rows())


class _Rows:
    """An agency's snapshots, wherever they are found once it is asked."""

    def __init__(self) -> None:
        self.behind: Snapshots = MemorySnapshots()

    async def find(
        self, feed: str, where: Document, /, *, limit: int, starts: Cells | None = None, after: str | None = None
    ) -> Found:
        """Pass on to what was found."""
        return await self.behind.find(feed, where, limit=limit, starts=starts, after=after)


class _Watched:
    """An adapter that shows what goes through it."""

    def __init__(self, trial: _Trial, adapter: Adapter) -> None:
        self._trial = trial
        self._adapter = adapter

    async def exchange(self, call: Call, /) -> Answer:
        """Exchange, and print the native request and answer."""
        shown: dict[str, object] = {"call": call.target, "document": call.document}
        shown |= {"headers": call.headers} if call.headers else {}
        around = self._adapter.around(call) if isinstance(self._adapter, Wrapped) else {}
        self._trial.tell("native request", shown | ({"around": around} if around else {}))
        started = perf_counter()
        answer = await self._adapter.exchange(call)
        self._trial.tell("native answer", _plain(answer), perf_counter() - started)
        self._trial.fault = next(iter(answer.fault.detail), answer.fault.code) if answer.fault is not None else ""
        return answer


def _meaning(fault: str, mapping: str) -> str:
    """Say where it is written what a fault means: until then it reads as if the agency were broken."""
    means = f'"{fault}" = "login", "not-found", "refused" or "unavailable"'
    return f"what this fault means is said in [agency.faults] of {mapping}: {means}"


def _plain(answer: Answer) -> Mapping[str, object]:
    parts: dict[str, object] = {"http_status": answer.http_status, "document": answer.document}
    if answer.fault is not None:
        codes = {"codes": answer.fault.codes} if answer.fault.codes else {}
        parts["fault"] = {"code": answer.fault.code, **codes, "text": answer.fault.text, "detail": answer.fault.detail}
    return {name: value for name, value in parts.items() if value is not None}


async def _ready(source: Source, feed: str) -> Held | None:
    """Wait for a complete file in the drop; the newest counts."""
    with suppress(TimeoutError):
        async with asyncio.timeout(FIRST_FILE):
            while True:
                files = [one for one in await source.look() if one.feed == feed and not one.overdue]
                if files:
                    newest = max(files, key=lambda one: one.name)
                    as_of = datetime.fromtimestamp(newest.modified).astimezone()
                    return Held(
                        feed=feed, name=newest.name, folder=newest.folder, size=newest.size, as_of=as_of, sha256=""
                    )
                await asyncio.sleep(0.2)
    return None


def _tell_preview(name: str, seen: Preview) -> None:
    tally = seen.tally
    told = (
        f"refused: {say(seen.refused, 'en')}" if seen.refused else f"{tally.accepted} rows, {tally.rejected} rejected"
    )
    click.echo(f"{name}: {told}", err=True)
    for row in seen.first[:FIRST_ROWS]:
        for reason in row.reasons:
            click.echo(f"  record {row.number}: {_line(reason)}", err=True)


def _find(known: Registry, name: str) -> Operation:
    operation = known.operations.get(OperationId(name))
    if operation is None:
        what = f'there is no operation "{name}"'
        raise ConfigError(Finding(where="gateway try", what=what, remedy=suggest(name, known.operations)))
    return operation


def _tell_failure(error: GatewayError, operation: Operation) -> None:
    doubt = ""
    if isinstance(error, AgencyError) and not operation.safe:
        doubt = "; it may have been done" if error.maybe_done else "; it was not done"
    click.echo(click.style(f"{error.code}{doubt}", fg="red", bold=True))
    errors = error.errors if isinstance(error, InvalidRequest | AgencyError | TranslationError) else ()
    if not isinstance(error, TranslationError) and str(error):
        click.echo(f"  {mask_text(str(error))}")
    for line in map(_line, errors):
        click.echo(f"  {line}")


def _line(error: FieldError) -> str:
    where = f"{error.where}: " if error.where else ""
    value = f" ({error.value})" if error.value else ""
    return f"{where}{error.pointer or '/'} {say(error, 'en')}{value}"
