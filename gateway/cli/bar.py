"""How far long work is: a bar on a terminal, a line for every tenth elsewhere; knows no work."""

import sys
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

EVERY = 100_000
"""How much is done between two lines where nobody knows of how much."""


class Bar:
    """Shows progress on standard error while it is entered, once there is some to show; `quiet` shows none."""

    def __init__(self, title: str, *, quiet: bool = False) -> None:
        self._title = title
        self._quiet = quiet
        self._told = 0
        console = Console(stderr=True)
        self._bar: Progress | None = None
        if not quiet and sys.stderr.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self._bar = Progress(*columns, console=console)
            self._task = self._bar.add_task(title, total=None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def at(self, done: int, total: int) -> None:
        """Say how far it is; a total of 0 is one that is not known."""
        if self._quiet or not (total or done):
            return
        if self._bar is not None:
            self._bar.start()
            self._bar.update(self._task, completed=done, total=total or None)
        elif (parts := done * 10 // total if total else done // EVERY) > self._told:
            self._told = parts
            click.echo(f"{self._title}: {done} of {total}" if total else f"{self._title}: {done}", err=True)
