"""Polling consumer: a Source's batches -> translated rows -> one snapshot per file; knows no format and no folder."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from traceback import extract_tb

from gateway.errors import FieldError, TranslationError
from gateway.feeds import Batch, Reject, Snapshots, Source
from gateway.message import Document
from gateway.registry import Feed

FIRST_REJECTS = 5
# An export cut short looks like a good file with fewer rows; agencies don't lose half their people overnight.
SHRINK = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of a file, for the log and the metrics; `refused` says why the old snapshot stays.

    `rejected` counts rows, `rules` counts reasons by rule, `repeated` rows that were there twice and are kept once.
    """

    feed: str
    file: str
    as_of: datetime
    accepted: int
    rejected: int
    repeated: int
    rules: Mapping[str, int]
    first: Sequence[Reject]
    refused: FieldError | None = None


async def take_in(
    source: Source, feeds: Mapping[str, Feed], snapshots: Snapshots, report: Callable[[FileReport], None]
) -> None:
    """Publish every good file of a source, and report each file once; runs until cancelled, whatever the files hold."""
    files: dict[str, _File] = {}
    live: dict[str, int] = {}
    batches = source.poll()
    try:
        async for batch in batches:
            file = files.get(batch.feed)
            if file is None or file.name != batch.file:
                file = files[batch.feed] = _File(feeds[batch.feed], batch.file)
            await file.add(batch)
            if batch.last:
                del files[batch.feed]
                report(await file.publish(batch, snapshots, live))
    finally:
        if isinstance(batches, AsyncGenerator):
            await batches.aclose()


class _File:
    """One file on its way in: its rows by identity, and what was wrong with the others."""

    __slots__ = ("_feed", "_first", "_refused", "_rejected", "_repeated", "_rows", "_rules", "name")

    def __init__(self, feed: Feed, name: str) -> None:
        self.name = name
        self._feed = feed
        self._rows: dict[object, tuple[int, Document]] = {}
        self._rules: Counter[str] = Counter()
        self._first: list[Reject] = []
        self._rejected = 0
        self._repeated = 0
        self._refused: FieldError | None = None

    async def add(self, batch: Batch) -> None:
        """Translate a batch in a thread; once the file is refused, the rest of it is only waited for."""
        if self._refused is None:
            try:
                await asyncio.to_thread(self._take, batch)
            except Exception as error:  # noqa: BLE001 - a bug met by one file must not end the feed
                self._refused = _bug(error)

    async def publish(self, batch: Batch, snapshots: Snapshots, live: dict[str, int]) -> FileReport:
        """Make the file the live snapshot, unless it is refused; `live` holds each feed's row count."""
        refused = self._refused or self._objection(live.get(batch.feed, 0))
        if refused is None:
            try:
                await snapshots.publish(batch.feed, [row for _, row in self._rows.values()], as_of=batch.as_of)
                live[batch.feed] = len(self._rows)
            except Exception as error:  # noqa: BLE001 - the next file may fare better
                refused = _bug(error)
        return FileReport(
            feed=batch.feed,
            file=self.name,
            as_of=batch.as_of,
            accepted=len(self._rows),
            rejected=self._rejected,
            repeated=self._repeated,
            rules=dict(self._rules),
            first=tuple(self._first),
            refused=refused,
        )

    def _take(self, batch: Batch) -> None:
        for reject in batch.rejects:
            if reject.number == 0:
                self._refused = reject.reasons[0]
                return
            self._reject(reject)
        read = self._feed.read
        for number, row in batch.rows:
            try:
                document = read(row)
            except TranslationError as error:
                self._reject(Reject(number=number, reasons=error.errors))
            else:
                self._accept(number, document)

    def _accept(self, number: int, row: Document) -> None:
        """Keep a row; of two with one key the later wins, as people append their corrections."""
        identity = tuple(_at(row, name) for name in self._feed.key) or number
        if before := self._rows.get(identity):
            if before[1] == row:
                self._repeated += 1
                return
            reason = FieldError(pointer="", rule="double-key", params={"number": str(number)})
            self._reject(Reject(number=before[0], reasons=(reason,)))
        self._rows[identity] = (number, row)

    def _reject(self, reject: Reject) -> None:
        self._rejected += 1
        self._rules.update(reason.rule for reason in reject.reasons)
        if len(self._first) < FIRST_REJECTS:
            self._first.append(reject)

    def _objection(self, before: int) -> FieldError | None:
        after = len(self._rows)
        total = after + self._rejected
        if self._rejected > total * self._feed.max_reject:
            counts = {"rejected": str(self._rejected), "total": str(total), "max": f"{self._feed.max_reject:.0%}"}
            return FieldError(pointer="", rule="max-reject", params=counts)
        if after < before * SHRINK:
            return FieldError(pointer="", rule="shrunk", params={"before": str(before), "after": str(after)})
        return None


def _at(row: Document, path: str) -> object:
    value: object = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _bug(error: Exception) -> FieldError:
    """Say where it broke, and not its text, which may hold a person's data."""
    frame = extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__}, {PurePath(frame.filename).name}:{frame.lineno}"
    return FieldError(pointer="", rule="intake", params={"error": place})
