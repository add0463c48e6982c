"""What an adapter is told of the tables of its files: their columns, and how lines are read by them; knows no feeds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from gateway.errors import FieldError

Row = tuple[Any, ...]
"""A row as it is kept: its number, its JSON, and the values of the fields that its feed's Keeping names as `paths`."""
Spell = Callable[[object], str | FieldError | None]
"""How a column's typed cell (a number, a date, true or false) is written out, None as ever, or why it isn't taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineForm:
    """How a text file's lines are written: `columns`, those `quoted` by their place, how the `closing` row begins.

    Some lines have those that are `mixed` within quotes, too.
    """

    columns: tuple[str, ...]
    delimiter: str
    quote: str
    quoted: frozenset[int] = frozenset()
    mixed: frozenset[int] = frozenset()
    closing: str | None = None


class ReadLines(Protocol):
    """Reads whole lines, numbered from one on: how many there are, the rows of plain ones that fit, and the others."""

    def __call__(self, text: str, first: int, /) -> tuple[int, list[Row], list[tuple[int, str]]]:
        """Return what is known of a text that ends with a line feed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedColumns:
    """What an agency's mapping says of its files.

    The columns it names, `read` by feed and `written` by out, each in the order of its table; the JSON Schema of each
    feed's canonical row; by feed and column how a spreadsheet's cells are spelt, so that the table reads them; and by
    feed what makes the function that reads its files' plain lines, None where there is none, and `frames` by polars.
    """

    read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    written: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    spell: Mapping[str, Mapping[str, Spell]] = field(default_factory=dict)
    lines: Mapping[str, Callable[[LineForm], ReadLines | None]] = field(default_factory=dict)
    frames: Mapping[str, Callable[[LineForm], ReadLines | None]] = field(default_factory=dict)
