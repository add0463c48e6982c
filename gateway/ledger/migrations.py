"""The numbered SQL files that make and change a ledger's tables; knows no database."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Literal

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


def _read(dialect: Dialect) -> Iterator[Migration]:
    for file in resources.files("gateway.ledger").joinpath("schema").iterdir():
        stem, _, kind = file.name.removesuffix(".sql").partition(".")
        if file.name.endswith(".sql") and kind in {"", dialect}:
            number, _, name = stem.partition("_")
            yield Migration(number=int(number), name=name, sql=file.read_text("utf-8"))
