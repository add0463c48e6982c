"""What an agency delivers as files: a Source finds and reads them, Receipts keep what became of them."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from gateway.columns import Row
from gateway.errors import FieldError
from gateway.lookup import Cells, Found
from gateway.message import Document
from gateway.portion import Portion
from gateway.records import State

Mode = Literal["snapshot", "append", "upsert", "forward", "acknowledge"]
WHOLE: frozenset[Mode] = frozenset({"snapshot", "acknowledge"})
"""Modes in which a file replaces the one before."""
LINE, OF = "_baris", "_berkas"
"""Columns in which a mended row says which line it was, and by its reference of which file."""


class FileState(StrEnum):
    """How far a file is."""

    TAKING = "taking"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A row that can't be taken, with every reason; `number` counts records from 1 after the header, 0 is the file."""

    number: int
    reasons: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A slice of one file: rows as (number, cells) under `columns`; `done` records lie behind it, `last` ends the file.

    Where there are no columns, rows are native documents as they are. A reason in place of a cell says why it is none.
    `skipped` counts records that are no rows, such as a repeated header; `encoding` is what the file was read by.
    Where several files are read as one, `source` is the receipt that the slice's own file had. `lines` says in which
    line each record begins, as their rejects are handed back with; empty where that is not known. `written` are rows
    that the feed's table has been applied to already.
    """

    columns: Sequence[str] = ()
    rows: Sequence[tuple[int, Any]]
    rejects: Sequence[Reject] = ()
    done: int = 0
    skipped: int = 0
    encoding: str = ""
    last: bool = False
    source: int | None = None
    lines: Mapping[int, int] = field(default_factory=dict)
    written: Sequence[Row] = ()

    @property
    def natives(self) -> Iterator[tuple[int, Document]]:
        """The rows as documents."""
        if not self.columns:
            return iter(self.rows)
        return ((number, dict(zip(self.columns, cells, strict=True))) for number, cells in self.rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A complete file that nobody has taken yet; `overdue`: it never was completed, and nobody writes it any more."""

    feed: str
    name: str
    folder: str
    size: int
    modified: float
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A file put aside, known by its content; `repairs` is the reference of the receipt whose rejects it mends.

    `folder` is where it lies now: "" where it could not be put aside.
    """

    feed: str
    name: str
    folder: str
    size: int
    as_of: datetime
    sha256: str
    repairs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """How a file is put away: papers lie beside it under its name and their ending; `rejects` are (number, why).

    `number` is its receipt's, `reference` its content's: both go into its name where that is another's already.
    """

    number: int
    accepted: bool
    day: date
    papers: Mapping[str, bytes]
    reference: str
    rejects: AsyncIterator[tuple[int, str]] | None = None


@runtime_checkable
class Source(Protocol):
    """Inbound side of an adapter: files that appear. Every method may raise Unavailable."""

    @property
    def pause(self) -> float:
        """Seconds between two looks."""
        ...

    async def look(self) -> Sequence[Ready]:
        """Return the complete files, first those that were put aside and not put away; of a feed the oldest first."""
        ...

    async def take(self, ready: Ready, /) -> Held | None:
        """Put a file aside, so that nobody replaces it while it is read; None when it is gone."""
        ...

    async def bring(self, feed: str, place: str, /) -> Held | None:
        """Return a file that was put away at this place, None when it is there no more."""
        ...

    def batches(self, held: Held, /, *, after: int = 0) -> AsyncIterator[Batch]:
        """Yield a file's records after the first `after`; what can't be read ends in a reject of number 0."""
        ...

    def peek(self, feed: str, path: Path, /) -> AsyncIterator[Batch]:
        """Yield the records of a file that lies anywhere on this machine; changes nothing."""
        ...

    async def put_away(self, held: Held, filing: Filing, /) -> str | None:
        """Write the papers and move the file; returns its place, None when it can't be moved. May be done again."""
        ...


@runtime_checkable
class Nudged(Protocol):
    """Optional capability of a Source: it may notice that a file appeared; nothing depends on it."""

    async def nudged(self) -> None:
        """Return when it is worth a look before its time, if that is noticed; raises nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How a feed's rows are kept: by which fields one row is known and looked up, and by which table it was read.

    Without `key` a row is known by its whole content. Of two with one key the one with the greater `newer` counts.
    Rows of a `forward` feed are messages, and nothing else of them is kept.
    """

    mode: Mode = "snapshot"
    key: tuple[str, ...] = ()
    newer: str | None = None
    indexes: tuple[tuple[str, ...], ...] = ()
    mapping: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The fields whose values are kept beside a row, each once."""
        return tuple(dict.fromkeys([*self.key, *(name for index in self.indexes for name in index)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The right to take in one feed's files, by a lease in the ledger; `token` tells it from an earlier one."""

    feed: str
    by: str
    token: int

    @property
    def lease(self) -> str:
        """What the lease is called."""
        return lease_of(self.feed)


def lease_of(feed: str) -> str:
    """Return what the lease of a feed is called."""
    return f"feed {feed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a file has come to so far: `position` records are done, and `whole` when that is all of it.

    accepted + unchanged + rejected + skipped is `position`. `kept` is how many rows the snapshot would have, `put` how
    many records of a forward feed's file have been gone through once more, to put their messages.
    """

    position: int = 0
    accepted: int = 0
    unchanged: int = 0
    rejected: int = 0
    skipped: int = 0
    kept: int = 0
    rules: Mapping[str, int] = field(default_factory=dict)
    encoding: str = ""
    whole: bool = False
    put: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Rows and rejects of the records between `after` and `position`, to be kept together or not at all.

    Some rows are `written` already, as they are kept. `source` is the receipt of the file that they are from, where
    that is another's. `mends` says of rows of a snapshot that come back mended which record each was first: they take
    the place of no other accepted row.
    """

    after: int
    position: int
    rows: Sequence[tuple[int, Document]]
    rejects: Sequence[Reject] = ()
    skipped: int = 0
    encoding: str = ""
    last: bool = False
    source: int | None = None
    written: Sequence[Row] = ()
    mends: Mapping[int, str] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows) + len(self.written)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReceipt:
    """What became of a file; `feed` is `agency/feed`.

    `original` is the receipt that a duplicate doubles, or else whose snapshot was made anew of all its files; `base`
    that of the snapshot it was added to, `before` how many rows that had. `place` is where the file lies; `settled`
    when nothing is left to do. `confirmed` names who said that it may shrink, `again` who wants its file tried again,
    and with `shrink` however few rows it has.
    """

    number: int
    feed: str
    file: str
    reference: str
    sha256: str
    size: int
    as_of: datetime
    mapping: str
    mode: str
    state: FileState
    base: int | None
    original: int | None
    before: int
    tally: Tally
    reason: FieldError | None
    claimed_at: datetime
    ended_at: datetime | None
    place: str
    settled: bool
    confirmed: str
    again: str = ""
    shrink: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which snapshots a feed has, by their receipts; `changed_by` is who set the live one, if it was a person."""

    feed: str
    live: FileReceipt | None
    previous: FileReceipt | None
    changed_by: str


class Overtaken(Exception):
    """Another process has taken the feed over, or its snapshot was changed meanwhile: nothing was done."""


class Receipts(Protocol):
    """What became of each file, in the ledger. All may raise LedgerUnavailable, those with a Turn Overtaken."""

    async def take_up(  # noqa: PLR0913 - what a file is claimed by
        self,
        turn: Turn,
        held: Held,
        keeping: Keeping,
        /,
        *,
        confirmed: str = "",
        afresh: bool = False,
        anew: int | None = None,
    ) -> FileReceipt:
        """Claim a file by its content, or go on with one that was claimed before.

        With `anew`, the live receipt, it is the last of all the files that made its snapshot, which is made anew.

        The live snapshot's own content by the same mapping is a duplicate, unless it is wanted `afresh`; a file that
        mends rejects of what is live no more is refused; both receipts have ended. To a forward feed whatever it
        accepted before is a duplicate, and mends of a file that it did not accept are refused.
        A file that ended and could not be moved is answered with that receipt.
        """
        ...

    async def add_rows(self, turn: Turn, number: int, keeping: Keeping, chunk: Chunk, /) -> Tally:
        """Keep a chunk with its position, in one transaction; of a forward feed its rejects, and how many fit."""
        ...

    async def forward(self, turn: Turn, number: int, portion: Portion, /) -> Tally:
        """Put messages with the position, in one transaction; of those that were put before it says unchanged.

        That is a row whose place was put before, or whose key had the same content last.
        """
        ...

    async def forwarded(self, number: int, /) -> Mapping[State, int]:
        """Return where the messages stand that a receipt's file became, those that are kept."""
        ...

    async def publish(self, turn: Turn, number: int, keeping: Keeping, /) -> FileReceipt:
        """Make what was taken the live snapshot, in one transaction; the one before is kept to go back to."""
        ...

    async def refuse(self, turn: Turn, number: int, tally: Tally, reason: FieldError, /) -> FileReceipt:
        """Refuse a file whole; the snapshot stays as it is."""
        ...

    async def filed(self, turn: Turn, number: int, place: str, /) -> None:
        """Say where the file lies now, and that nothing is left to do."""
        ...

    async def rejects(self, number: int, /, *, after: int = 0, limit: int = 1000) -> Sequence[Reject]:
        """Return rejects in order of their number, as long as the receipt's snapshot or build is kept."""
        ...

    async def unfiled(self, feed: str, /) -> Sequence[FileReceipt]:
        """Return receipts that have ended and whose files are not put away."""
        ...

    async def wanted_again(self, feed: str, /) -> Sequence[FileReceipt]:
        """Return receipts whose files somebody wants to have tried again; `confirmed` says who."""
        ...

    async def want_again(self, number: int, /, *, by: str, shrink: bool = False) -> bool:
        """Ask for a file to be tried again, with `shrink` however few rows it has; false where there is nothing to."""
        ...

    async def no_more_wanted(self, number: int, /) -> None:
        """Take back what was asked for."""
        ...

    async def receipt(self, number: int, /) -> FileReceipt | None:
        """Return a receipt."""
        ...

    async def receipts(self, feed: str, /, *, file: str = "", limit: int = 20) -> Sequence[FileReceipt]:
        """Return a feed's receipts, or those of files of one name, the newest first."""
        ...

    async def standing(self, feed: str, /) -> Standing:
        """Return which snapshots a feed has."""
        ...

    async def is_there(self, number: int, /) -> bool:
        """Tell whether a receipt's snapshot can be looked up in; after a backup was put back it may not."""
        ...

    async def roll_back(self, feed: str, /, *, by: str) -> Standing | None:
        """Make the previous snapshot live, and the live one previous, at once; None where there is none."""
        ...

    async def look_up(
        self,
        feed: str,
        where: Document,
        /,
        *,
        limit: int,
        starts: Cells | None = None,
        after: str | None = None,
    ) -> Found:
        """Return rows of the live snapshot, as Snapshots.find does."""
        ...
