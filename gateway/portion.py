"""Rows on their way to become messages, a few at a time; knows no file and no store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.records import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """A row as a message; `place` is what it is put once as, `record` the record that it is, `mends` those it was.

    A record that was put, as it was or mended, is not put again, nor is a mended row of one that was put as it was.
    Rows that are mended more than once were a record of the file before, and of the one before that.
    `key` has its key and the content under it; a row whose key had this content last is not put again.
    """

    number: int
    entry: Entry
    place: str
    record: str | None = None
    mends: tuple[str, ...] = ()
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """The messages of the records between `after` and `position`, to be put together or not at all."""

    after: int
    position: int
    rows: Sequence[Forwarded]


class Forwards(Protocol):
    """What was sent on of a feed's files before, in the ledger. All may raise LedgerUnavailable."""

    async def sent_as(self, feed: str, sha256: str, mapping: str, /) -> int | None:
        """Return the first receipt by which a file of this content was accepted, read by this table."""
        ...

    async def were_accepted(self, feed: str, references: Collection[str], /) -> Collection[str]:
        """Return which of these references are of files that were accepted."""
        ...

    async def foresee(self, feed: str, rows: Sequence[Forwarded], seen: dict[bytes, bytes], /) -> int:
        """Return how many of these rows would be put, and put none; `seen` is kept from one portion to the next."""
        ...
