"""What an agency delivers as files: batches of rows from a Source, kept in Snapshots; reads no file."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from gateway.errors import FieldError
from gateway.message import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that can't be taken, with every reason; `number` counts records from 1 after the header, 0 is the file."""

    number: int
    reasons: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A slice of one complete file: rows as (number, native row); `last` closes the file."""

    feed: str
    file: str
    as_of: datetime
    rows: Sequence[tuple[int, Document]]
    rejects: Sequence[Reject] = ()
    last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedColumns:
    """What an agency's mapping says of its files.

    The columns it names, `read` by feed and `written` by out, each in the order of its table; the JSON Schema of each
    feed's canonical row.
    """

    read: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    written: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


@runtime_checkable
class Source(Protocol):
    """Inbound side of an adapter: files that appear, as batches of rows."""

    def poll(self) -> AsyncIterator[Batch]:
        """Yield the batches of every complete new file, forever, one file after the other.

        A file that can't be taken at all ends in a batch with a reject of number 0 that says why. A batch counts as
        dealt with when the next one is asked for.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows of a snapshot that match, with the time the data is from."""

    rows: Sequence[Document]
    as_of: datetime


class Snapshots(Protocol):
    """The latest complete state of each feed, replaced whole."""

    async def publish(self, feed: str, rows: Sequence[Document], /, *, as_of: datetime) -> None:
        """Replace the feed's snapshot at once; lookups before see the old one, lookups after the new one."""
        ...

    async def find(self, feed: str, where: Document, /, *, limit: int) -> Found:
        """Return rows whose fields equal all of `where`; raises NoSnapshot while the feed has none."""
        ...
