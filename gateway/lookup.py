"""What rows of a feed are asked for, and what is found of them; knows no files."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from gateway.errors import FieldError, TranslationError
from gateway.message import Document

Cells = Mapping[str, str]
"""Texts by column."""

_MARK = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page begins: behind a row, by its number, of a snapshot, by that of its receipt."""

    snapshot: int
    row: int

    @classmethod
    def read(cls, after: str | None) -> Self | None:
        """Return what `after` says, None for nothing; raises TranslationError for what no answer ever said."""
        if after is None:
            return None
        if (found := _MARK.fullmatch(after)) is None:
            raise page_gone()
        return cls(int(found[1]), int(found[2]))


def written_mark(snapshot: int, row: int | None) -> str | None:
    """Return what `Mark.read` reads, None where no page follows."""
    return None if row is None else f"{snapshot}-{row}"


def page_gone() -> TranslationError:
    """Say that a page can't be had any more: its rows are gone, and those of today are others, in other places."""
    return TranslationError("request", [FieldError(pointer="after", rule="page-gone")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows of a snapshot that match, with the time the data is from; `further` is where the next page begins."""

    rows: Sequence[Document]
    as_of: datetime
    further: str | None = None


class Snapshots(Protocol):
    """The latest complete state of each feed of an agency."""

    async def find(
        self, feed: str, where: Document, /, *, limit: int, starts: Cells | None = None, after: str | None = None
    ) -> Found:
        """Return rows whose fields (dotted paths) equal all of `where`, and begin as `starts` says.

        They come in the order of their file, with `starts` in that of the field with the longest beginning. A page
        that goes on `after` another is of the same snapshot. Raises NoSnapshot while the feed has none, and
        TranslationError when the one before this page is kept no more.
        """
        ...
