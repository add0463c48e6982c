"""How a feed's files are laid out, and what their records are like; opens no file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from adapters.csv.settings import Dialect
from gateway import FieldError, Spell


class Unreadable(Exception):
    """A file is refused whole, for the reason it carries."""

    def __init__(self, rule: str, /, **params: str) -> None:
        super().__init__(rule)
        self.reason = FieldError(pointer="", rule=rule, params=params)


HANDED_BACK = "rejected"
"""The sheet in which rows are handed back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a feed's settings and its mapping say of how cells are found and spelt.

    `sheet` names the one that is read, without it the first; `header_row` is where its header stands, without it in
    the first row that isn't blank; `spell` says how a column's typed cells are written out.
    """

    dialect: Dialect
    sheet: str | None = None
    header_row: int | None = None
    spell: Mapping[str, Spell] = field(default_factory=dict)


class Cells(list[str]):
    """A record's cells; `bad` are those that can't be read, by their place, with the reason in place of a value."""

    __slots__ = ("bad",)

    def __init__(self, cells: list[str], bad: Mapping[int, FieldError]) -> None:
        super().__init__(cells)
        self.bad = bad


class Records(Protocol):
    """A file's records, its header first, blank ones left out; one whose quoting is broken is None."""

    @property
    def encoding(self) -> str:
        """What it is read by: a text encoding, or the kind of spreadsheet."""
        ...

    @property
    def is_clean(self) -> bool:
        """Tell whether every byte fits the encoding."""
        ...

    @property
    def characters(self) -> int:
        """How many characters were read so far, with those that come before the next record."""
        ...

    @property
    def line(self) -> int:
        """Where the record that came last begins: its line, or its row in the sheet, from 1."""
        ...

    @property
    def raw(self) -> str:
        """The first line of the record that came last, as it stands in the file."""
        ...

    def __iter__(self) -> Iterator[list[str] | None]: ...

    def __next__(self) -> list[str] | None: ...

    def after(self, count: int, /) -> list[str] | None:
        """Return the record that comes after so many more, nothing where there is none; only the header came before."""
        ...
