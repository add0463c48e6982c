"""`gateway ledger`: a copy to keep elsewhere, and a new encryption key; restoring is a matter of files."""

import os
import shlex
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import click

from gateway.cli.bar import Bar
from gateway.cli.desk import Desk, on_interrupt, work
from gateway.cli.options import config_option
from gateway.ledger.sqlite import SqliteLedger


@click.group(name="ledger")
def command() -> None:
    """Back up the ledger; change its encryption key."""


@command.command(
    name="backup",
    help="Write a complete copy of an SQLite ledger while it is used; of PostgreSQL, say how it is done.",
)
@click.argument("path", type=click.Path(path_type=Path, resolve_path=True))
@config_option
def backup(*, config: Path, path: Path) -> None:
    """Back up; exits with 1 when no copy was made."""

    async def act(desk: Desk) -> int:
        if not isinstance(desk.ledger, SqliteLedger):
            click.echo("PostgreSQL backs itself up; this makes one file, to be restored by pg_restore:", err=True)
            click.echo(pg_dump(desk.located.config.gateway.ledger, path))
            return 1
        started = time.monotonic()
        try:
            await desk.ledger.backup(path)
        except OSError as error:
            click.echo(f"{path}: {(error.strerror or str(error)).lower()}", err=True)
            return 1
        took = time.monotonic() - started
        click.echo(f"{path}: {os.stat(path).st_size / 1e6:.1f} MB in {took:.1f} s")  # noqa: PTH116 - one look, no waiting
        click.echo("It can't be read without the ledger's key: keep a copy of that too, elsewhere.", err=True)
        return 0

    work(config, act)


@command.command(
    name="rotate-key",
    help="Seal from now on with a new encryption key, and everything kept with it too. The master key stays. Ctrl-C "
    "stops between two batches; --continue goes on.",
)
@click.option("--continue", "go_on", is_flag=True, help="No new key: only seal what an older one sealed.")
@config_option
def rotate_key(*, config: Path, go_on: bool) -> None:
    """Rotate; exits with 1 when it was stopped."""

    async def act(desk: Desk) -> int:
        stop = on_interrupt()
        if not go_on:
            await desk.ledger.renew_key()
        done = total = 0
        with Bar("sealed again") as bar:
            async for progress in desk.ledger.reseal():
                done, total = progress.done, progress.total
                bar.at(done, total)
                if stop.is_set():
                    break
        left = total - done
        rest = f"; stopped, {left} left for rotate-key --continue" if left else ""
        click.echo(f"sealed {done} messages again{rest}")
        return int(left > 0)

    work(config, act)


def pg_dump(address: str, path: Path) -> str:
    """Return the command that backs up this database, without its password."""
    parts = urlsplit(address)
    user = f"{parts.username}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2]
    query = urlencode([pair for pair in parse_qsl(parts.query) if pair[0] != "password"], safe="/")
    shown = urlunsplit(parts._replace(netloc=user + host, query=query))
    return shlex.join(["pg_dump", "--format=custom", f"--file={path}", shown])
