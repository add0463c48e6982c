"""`gateway ledger`: a new encryption key."""

from pathlib import Path

import click

from gateway.cli.bar import Bar
from gateway.cli.desk import Desk, on_interrupt, work
from gateway.cli.options import config_option
from gateway.wording import counted


@click.group(name="ledger")
def command() -> None:
    """Change the ledger's encryption key."""


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
        click.echo(f"sealed {counted(done, 'message')} again{rest}")
        return int(left > 0)

    work(config, act)
