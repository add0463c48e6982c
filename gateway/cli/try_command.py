"""`gateway try`: one message through its mapping to the agency and back, every step shown with its time."""

import asyncio
import sys
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter

import click
import msgspec

from gateway import app
from gateway.cli.options import config_option, demo_option, environment, read_config
from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.errors import AgencyError, ConfigError, FieldError, Finding, GatewayError, InvalidRequest, TranslationError
from gateway.intake import FileReport, take_in
from gateway.masking import mask_text
from gateway.message import Answer, Call, Document, Message, OperationId, new_message_id
from gateway.metrics import Metrics
from gateway.ports import Adapter
from gateway.registry import Agency, Operation, Registry
from gateway.wording import say

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
        self.assembled = app.assemble(located, clock=self.clock, metrics=Metrics(), tap=partial(_Watched, self))

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
            if (agency := self.assembled.registry.agencies.get(operation.agency)) is not None and agency.unready:
                click.echo("  for a try with the stand-ins: --demo")
            return 1
        else:
            self.tell(f"canonical reply ({reply.outcome})", reply.body, perf_counter() - started)
            return 0
        finally:
            await self.assembled.close()

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
        agency = self.assembled.registry.agencies.get(operation.agency)
        if agency is not None and operation.safe and agency.source is not None:
            if agency.probe is not None:
                try:
                    await agency.probe.probe()
                except AgencyError as error:
                    _tell_failure(error, operation)
                    return False
            click.echo(f"waiting for {agency.title}'s first file ...", err=True)
            await _first_file(agency)
        return True


class _Watched:
    """An adapter that shows what goes through it."""

    def __init__(self, trial: _Trial, adapter: Adapter) -> None:
        self._trial = trial
        self._adapter = adapter

    async def exchange(self, call: Call, /) -> Answer:
        """Exchange, and print the native request and answer."""
        shown: dict[str, object] = {"call": call.target, "document": call.document}
        self._trial.tell("native request", shown | ({"headers": call.headers} if call.headers else {}))
        started = perf_counter()
        answer = await self._adapter.exchange(call)
        self._trial.tell("native answer", _plain(answer), perf_counter() - started)
        return answer


def _plain(answer: Answer) -> Mapping[str, object]:
    parts: dict[str, object] = {"http_status": answer.http_status, "document": answer.document}
    if answer.fault is not None:
        codes = {"codes": answer.fault.codes} if answer.fault.codes else {}
        parts["fault"] = {"code": answer.fault.code, **codes, "text": answer.fault.text, "detail": answer.fault.detail}
    return {name: value for name, value in parts.items() if value is not None}


async def _first_file(agency: Agency) -> None:
    if agency.source is None or agency.snapshots is None:
        return
    there = asyncio.Event()

    def report(news: FileReport) -> None:
        counts = f"{news.accepted} rows taken, {news.rejected} rejected"
        click.echo(
            f"{news.file}: refused: {say(news.refused, 'en')}" if news.refused else f"{news.file}: {counts}", err=True
        )
        for row in news.first:
            for reason in row.reasons:
                click.echo(f"  row {row.number}: {_line(reason)}", err=True)
        if news.refused is None:
            there.set()

    taking = asyncio.create_task(take_in(agency.source, agency.feeds, agency.snapshots, report))
    try:
        async with asyncio.timeout(FIRST_FILE):
            await there.wait()
    except TimeoutError:
        click.echo("no complete file within 20 s", err=True)
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


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
