"""`gateway top`: how the agencies are doing, live in a terminal; reads the running gateway's figures, nothing else."""

import os
import re
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.live import Live

from gateway.cli.desk import tell_json
from gateway.cli.options import config_option, enter
from gateway.cli.scrape import NotThereError, Readings, read
from gateway.cli.top_view import COLUMNS, Overview, cells, overview, screen, summary, table
from gateway.config.load import examine

EVERY = 2.0
"""Seconds; the gateway makes its figures anew once a second at most."""


def _address(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}", value) is None:
        raise click.BadParameter('write it as "127.0.0.1:9090"')
    return value


@click.command(
    name="top",
    help="Show how each agency is doing: state, calls, 95th percentile, lane, breaker. Reads /metrics of the running "
    "gateway and nothing else. q ends it.",
)
@config_option
@click.option(
    "--at",
    "address",
    metavar="HOST:PORT",
    callback=_address,
    help="Where the figures are, if not where gateway.toml says.",
)
@click.option(
    "--every", type=click.FloatRange(1.0), default=EVERY, show_default=True, help="Seconds between two looks."
)
@click.option("--once", is_flag=True, help="Look twice, print one table and end; so it is where there is no terminal.")
@click.option("--json", "as_json", is_flag=True, help="As --once, in JSON.")
def command(*, config: Path, address: str | None, every: float, once: bool, as_json: bool) -> None:
    """Show."""
    place = address or _configured(config)
    if once or as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        _once(place, every, as_json=as_json)
    else:
        _live(place, every)


def _configured(config: Path) -> str:
    # The secrets are in the running gateway's environment and need not be in this one.
    located, _ = examine(enter(config), os.environ)
    return located.config.gateway.metrics


def _look(address: str, readings: Readings) -> Overview:
    return overview(*readings.add(read(address, time.monotonic)), time.time())


def _once(address: str, every: float, *, as_json: bool) -> None:
    readings = Readings()
    try:
        _look(address, readings)
        time.sleep(every)
        shown = _look(address, readings)
    except NotThereError as error:
        click.echo(f"no gateway answers at {address}: {error}", err=True)
        sys.exit(1)
    console = Console(highlight=False)
    if as_json:
        tell_json(asdict(shown))
    elif console.is_terminal:
        console.print(summary(shown))
        console.print(table(shown, sys.maxsize))
    else:
        click.echo("\t".join(COLUMNS))
        for one in shown.agencies:
            click.echo("\t".join(cells(one)))


def _live(address: str, every: float) -> None:
    console, readings = Console(highlight=False), Readings()
    shown: Overview | None = None
    signal.signal(signal.SIGTERM, _leave)
    with _keys(), Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            missing = ""
            try:
                shown = _look(address, readings)
            except NotThereError as error:
                missing = str(error)
            clock = f"{time.strftime('%H:%M:%S')}  q quits"
            made = screen(shown, address=address, clock=clock, missing=missing, height=console.height)
            live.update(made, refresh=True)
            if _quits(every):
                return


def _leave(_signal: int, _frame: object) -> NoReturn:
    sys.exit(0)


@contextmanager
def _keys() -> Iterator[None]:
    """Let keys be read as they are pressed; the terminal is as before afterwards, and Ctrl-C is no error."""
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _quits(seconds: float) -> bool:
    """Wait for so many seconds; true when somebody pressed q, or the terminal went away."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if select.select([sys.stdin], [], [], left)[0] and os.read(sys.stdin.fileno(), 1) in {b"", b"q", b"Q"}:
            return True
    return False
