"""`gateway backup`: one folder from which a gateway can be put up again, made while it runs; all but its secrets."""

import asyncio
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from gateway import serve
from gateway.cli.desk import Desk, work
from gateway.cli.options import config_option
from gateway.cli.pg_dump import dumped
from gateway.config.named import Named, named
from gateway.ledger.opening import SQLITE, beside
from gateway.ledger.sqlite import SqliteLedger
from gateway.version import __version__

_LEFT_OUT = "Not in it; keep a copy elsewhere:"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
_ROOM = (
    "; nothing was kept: a copy needs room on this disk (df), and a limit on a file's size (ulimit -f) that lets it by"
)


@click.command(
    name="backup",
    help="Write a new folder with a complete copy of the ledger and of every file that gateway.toml names, while the "
    "gateway runs. The ledger's key and other secrets are not in it. Of PostgreSQL, pg_dump makes the copy.",
)
@click.argument("folder", type=click.Path(path_type=Path, resolve_path=True))
@config_option
def command(*, config: Path, folder: Path) -> None:
    """Back up; exits with 1, and leaves nothing behind, when no complete copy was made."""
    work(config, lambda desk: _back_up(desk, folder))


async def _back_up(desk: Desk, folder: Path) -> int:
    started = time.monotonic()
    try:
        size = await _made(desk, folder)
    except OSError as error:
        room = _ROOM if error.errno in _NO_ROOM else ""
        click.echo(f"{folder}: {(error.strerror or str(error)).lower()}{room}", err=True)
        return 1
    if size is None:
        return 1
    click.echo(f"{folder}: {size / 1e6:.1f} MB of ledger, in {time.monotonic() - started:.1f} s")
    click.echo(click.style(_LEFT_OUT, fg="yellow"), err=True)
    for secret in _left_out(desk, named(desk.located)):
        click.echo(f"- {secret}", err=True)
    click.echo(f"How to go back stands in {folder / 'RESTORE.txt'}.", err=True)
    return 0


async def _made(desk: Desk, folder: Path) -> int | None:
    """Make the copy beside its place and move it there when it is complete; returns the ledger's size.

    None when it was said not to be possible; raises OSError.
    """
    with _beside(folder) as making:
        size = await _copied(desk, making)
        if size is not None:
            await asyncio.to_thread(_completed, desk, making, folder)
    return size


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    if folder.exists():
        raise FileExistsError(errno.EEXIST, "is there already; a copy never takes another's place", str(folder))
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as making:
        yield Path(making)


async def _copied(desk: Desk, making: Path) -> int | None:
    """Copy the ledger; returns its size, or None when that was said not to be possible."""
    if isinstance(desk.ledger, SqliteLedger):
        copy = making / "ledger.db"
        await desk.ledger.backup(copy)
    else:
        copy = making / "ledger.dump"
        if not await asyncio.to_thread(dumped, desk.located.config.gateway.ledger, copy):
            return None
    return os.stat(copy).st_size  # noqa: PTH116 - one look, no waiting


def _completed(desk: Desk, making: Path, folder: Path) -> None:
    """Copy the configuration, say how to go back, and give the folder its name."""
    files = named(desk.located)
    for path in files.files:
        copy = making / path
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(desk.located.folder / path, copy)
        copy.chmod(0o600)
    (making / "RESTORE.txt").write_text("".join(f"{line}\n" for line in _how(desk, files)), "utf-8")
    os.sync()  # before its name: a machine that stops here leaves nothing that looks whole
    making.rename(folder)
    os.sync()  # what is said to be there is on disk


def _how(desk: Desk, files: Named) -> Iterator[str]:
    gateway = desk.located.config.gateway
    embedded = gateway.ledger.startswith(SQLITE)
    yield f"opd-gateway {__version__}, {gateway.name}, {desk.clock.now():%Y-%m-%d %H:%M %z}"
    yield f"from {desk.located.folder / desk.located.file}"
    yield ""
    yield f"ledger.{'db' if embedded else 'dump'}: every message"
    yield from (f"{path}: configuration" for path in files.files)
    yield ""
    yield _LEFT_OUT
    yield from (f"- {secret}" for secret in _left_out(desk, files))
    yield ""
    yield "To restore:"
    yield "1. Stop every gateway on this ledger."
    yield f"2. Copy the configuration to {desk.located.folder}, readable by the gateway's user; put the secrets back."
    if embedded:
        ledger = _absolute(desk, Path(gateway.ledger.removeprefix(SQLITE)))
        yield f"3. Move {ledger}, {ledger.name}-wal and {ledger.name}-shm away; copy ledger.db there, mode 0600,"
        yield "   owned by the gateway's user; put the ledger's key back."
        yield f"   Do the same with the folder ledger-feeds, the feeds' rows, where there is one: {beside(ledger)}."
    else:
        yield "3. Make an empty database, restore it with: pg_restore --no-owner --dbname=ADDRESS ledger.dump"
    yield "4. Before it starts: what was delivered since is pending in this copy and would be sent again."
    yield "   gateway lane pause AGENCY; compare; gateway messages cancel ID; gateway lane resume AGENCY."


def _left_out(desk: Desk, files: Named) -> Iterator[str]:
    gateway = desk.located.config.gateway
    source = serve.key_source(gateway)
    place = "the environment gives it" if source.value is not None else str(_absolute(desk, source.path))
    yield f"the ledger's key ({place}): without it nothing in the ledger can be read"
    yield "the passwords and keys that the environment gives"
    yield from (f"the private key {path}" for path in files.apart)
    yield from (f"{path}: outside of the configuration's folder" for path in files.outside)


def _absolute(desk: Desk, path: Path) -> Path:
    return desk.located.folder / path
