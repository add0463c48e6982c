"""What rows of a feed are asked for, and what is found of them; knows no files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.message import Document

Cells = Mapping[str, str]
"""Texts by column."""


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
        """Return rows whose fields (dotted paths) equal all of `where`, and begin as `starts` says, in their order.

        Raises NoSnapshot while the feed has none.
        """
        ...
