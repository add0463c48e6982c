"""The numbered SQL files that make and change a ledger's tables; knows no database."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from gateway.errors import ConfigError, Finding
from gateway.version import __version__

Dialect = Literal["sqlite", "postgres"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step; applied once, in order of number, each in a transaction of its own or of all."""

    number: int
    name: str
    sql: str


def migrations(dialect: Dialect) -> tuple[Migration, ...]:
    """Return a dialect's steps in order: `NNN_name.<dialect>.sql`, or `NNN_name.sql` where both read the same."""
    return tuple(sorted(_read(dialect), key=lambda step: step.number))


def missing(dialect: Dialect, done: Collection[int], where: str) -> tuple[Migration, ...]:
    """Return the steps that a ledger lacks; raises ConfigError for one that a newer gateway has changed."""
    steps = migrations(dialect)
    if newer := set(done) - {step.number for step in steps}:
        what = f"a newer gateway has changed this ledger (step {max(newer)}), and {__version__} can't work with it"
        remedy = "run the newer version, or put back the backup that was made before it"
        raise ConfigError(Finding(where=where, what=what, remedy=remedy))
    return tuple(step for step in steps if step.number not in done)


def _read(dialect: Dialect) -> Iterator[Migration]:
    for file in resources.files("gateway.ledger").joinpath("schema").iterdir():
        stem, _, kind = file.name.removesuffix(".sql").partition(".")
        if file.name.endswith(".sql") and kind in {"", dialect}:
            number, _, name = stem.partition("_")
            yield Migration(number=int(number), name=name, sql=file.read_text("utf-8"))
