"""An operator's desk: the ledger opened by itself, who acts, how errors are told; knows no act."""

import asyncio
import getpass
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT, SIGTERM

import click
import msgspec

from gateway import app, serve
from gateway.awaited import Awaiting
from gateway.cli.options import read_config
from gateway.config.load import Located
from gateway.errors import AgencyError, ConfigError, FieldError, GatewayError, InvalidRequest
from gateway.hours import Calendar
from gateway.ledger import Ledger
from gateway.ledger.opening import folder_of
from gateway.masking import mask_text
from gateway.metrics import Metrics
from gateway.opening import calendar
from gateway.operate import Chosen, Operations
from gateway.ports import Clock
from gateway.presence import find
from gateway.waiting import Waiting
from gateway.wording import say

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What an operator's command works with."""

    located: Located
    ledger: Ledger
    clock: Clock

    @asynccontextmanager
    async def operations(self) -> AsyncIterator[Operations]:
        """Give the table of operations as gateway.toml and the mappings are now; raises ConfigError."""
        assembled = await asyncio.to_thread(app.assemble, self.located, clock=self.clock, metrics=Metrics())
        try:
            yield assembled.registry.operations
        finally:
            await assembled.close()

    def awaiting(self) -> Awaiting:
        """Say what messages wait for; hours by the calendar, unless a gateway that runs here keeps them itself."""
        gateway = self.located.config.gateway
        runs = find(folder_of(gateway.ledger), gateway.listen, str(self.located.folder / self.located.file))
        calendars = {} if runs else dict(_calendars(self.located))
        waiting = Waiting(lanes=self.ledger, clock=self.clock, calendars=calendars)
        return Awaiting(archive=self.ledger, waiting=waiting)


def _calendars(located: Located) -> Iterator[tuple[str, Calendar]]:
    for agency in located.config.agency:
        with suppress(ConfigError):  # `check` tells of it; what the ledger says is worth telling all the same
            yield agency, calendar(agency, located)


def work(config: Path, act: Callable[[Desk], Awaitable[int]]) -> None:
    """Open the ledger that gateway.toml names, act, and exit by the result; raises ConfigError."""
    located = read_config(config)
    sys.exit(asyncio.run(_work(located, act)))


async def _work(located: Located, act: Callable[[Desk], Awaitable[int]]) -> int:
    clock = app.clock_of(located)
    ledger = await serve.ledger_of(located, clock)
    try:
        return await act(Desk(located=located, ledger=ledger, clock=clock))
    except GatewayError as error:
        if isinstance(error, ConfigError):
            raise
        complain(error)
        return 1
    finally:
        await ledger.close()


def on_interrupt() -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set, so that long work ends between two steps and says how far it is."""
    stop = asyncio.Event()
    for signal in (SIGINT, SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal, stop.set)
    return stop


def complain(error: GatewayError) -> None:
    """Tell an error, masked, with every field that does not fit."""
    click.echo(click.style(plain(str(error)) or error.code, fg="red"), err=True)
    errors = error.errors if isinstance(error, InvalidRequest | AgencyError) else ()
    for one in errors:
        click.echo(f"  {field_line(one)}", err=True)


def plain(text: str) -> str:
    """Return an agency's words fit for a terminal: masked, on one line, without what would steer it."""
    return " ".join("".join(c if c.isprintable() else " " for c in mask_text(text)).split())


def confirmed(chosen: Chosen) -> str:
    """Return what a person types to send again what may have been done already, "" where nothing of that is chosen."""
    if not chosen.doubtful:
        return ""
    many = len(chosen.doubtful)
    click.echo(f"{many} of these may have been done already; ask the agency first.", err=True)
    said: str = click.prompt(f'To send all the same, type "{chosen.phrase}"', default="", show_default=False, err=True)
    return said


def field_line(error: FieldError) -> str:
    """Return a field error as a line: where, which field, what is wrong, and its masked value."""
    where = f"{error.where}: " if error.where else ""
    value = f" ({error.value})" if error.value else ""
    return f"{where}{error.pointer or '/'} {say(error, 'en')}{value}"


def tell_json(told: object) -> None:
    """Print something as JSON."""
    click.echo(msgspec.json.format(_encode(told), indent=2))


def tell(words: str, told: object, *, as_json: bool) -> None:
    """Say what was done: in words, or as JSON."""
    tell_json(told) if as_json else click.echo(words)


def headings(names: Sequence[str]) -> None:
    """Name the columns of lines that follow, on standard error: what reads the lines need not skip them."""
    click.echo("\t".join(names), err=True)


def fail(words: str, told: object, *, as_json: bool) -> int:
    """Say what was not done, and return what the command then ends with: in words on standard error, or as JSON."""
    tell_json(told) if as_json else click.echo(click.style(words, fg="red"), err=True)
    return 1


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return f"uid {os.getuid()}"


def _name(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if not value.strip() or not value.isprintable():
        raise click.BadParameter("must be a name")
    return value.strip()


by_option = click.option(
    "--by", metavar="NAME", default=_login, callback=_name, help="Who does this; your login name unless you say."
)
json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, for scripts.")
