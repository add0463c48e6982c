"""What to do next, in the words of somebody who stands in another folder than the configuration, maybe."""

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import click


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a command was typed, the configuration's folder, and how it was named there, "" where that is the usual."""

    here: Path
    folder: Path
    config: str

    @property
    def toml(self) -> str:
        """The configuration as it is typed from here."""
        return self.config or "gateway.toml"

    def path(self, inside: str) -> str:
        """Return a path of the configuration's folder as it is typed from here."""
        return inside if self.here == self.folder else os.path.relpath(self.folder / inside, self.here)

    def command(self, words: str) -> str:
        """Return a command with the configuration that it is about."""
        return f"{words} -c {shlex.quote(self.config)}" if self.config else words


def standing(config: Path) -> Standing:
    """Return where this command stands; to be asked before it goes to the configuration's folder."""
    here = Path.cwd()
    usual = config == Path("gateway.toml")
    return Standing(here=here, folder=config.absolute().parent, config="" if usual else str(config))


def tell_steps(steps: list[str]) -> None:
    """Print numbered steps."""
    click.echo(click.style("next", bold=True))
    for number, step in enumerate(steps, 1):
        click.echo(f"  {number}. {step}")
