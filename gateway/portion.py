"""Rows on their way to become messages, a few at a time; knows no file and no store."""

from collections.abc import Sequence
from dataclasses import dataclass

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
