"""What would become of a file that lies anywhere, by the configuration as it is: nothing is taken, moved or sent."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from gateway import app, registry
from gateway.config.load import Located
from gateway.errors import ConfigError, FieldError, Finding
from gateway.feeds import Batch, Chunk, Source, Standing
from gateway.forward import Sending, torn
from gateway.ledger.receipt_rows import NOT_ACCEPTED, SUPERSEDED, not_mended
from gateway.messages_of import Messages, mendable
from gateway.metrics import Metrics
from gateway.ports import Clock
from gateway.preview import Preview, preview
from gateway.verdict import NO_TEXT, UNCLOSED, shrunk


@runtime_checkable
class Recognizes(Protocol):
    """Optional capability of a Source: it knows what a file is before it is dropped."""

    def feeds_of(self, name: str, /) -> Sequence[str]:
        """Return the feeds that a file of this name belongs to."""
        ...

    async def mended(self, feed: str, path: Path, /) -> str:
        """Return the reference of the receipt whose rejects a file mends, "" where it mends none."""
        ...

    async def is_closed(self, feed: str, path: Path, /) -> bool:
        """Tell whether a file has the end that its feed waits for; without it, it is taken for cut short."""
        ...

    async def length(self, path: Path, /) -> int:
        """Return how many records a file has, or a few more, 0 where only reading it tells."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What a file is judged beside: how its feed stands, and the references of the files its live snapshot is made of.

    Of a feed that forwards the ledger tells what was sent before.
    """

    ledger: Sending
    standing: Standing
    made_of: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows the live snapshot has."""
        return self.standing.live.tally.kept if self.standing.live is not None else 0


async def feeds_named(located: Located, name: str) -> list[str]:
    """Return every `agency/feed` that a file of this name belongs to, as its drop would tell. Raises ConfigError."""
    assembled = app.assemble(located, clock=app.clock_of(located), metrics=Metrics())
    try:
        found: list[str] = []
        for agency in assembled.registry.agencies.values():
            source = cast("object", agency.source)
            if isinstance(source, Recognizes):
                found += [f"{agency.name}/{feed}" for feed in source.feeds_of(name)]
        return found
    finally:
        await assembled.close()


async def tried(
    located: Located,
    full: str,
    file: Path,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    beside: Beside | None = None,
) -> Preview:
    """Read a file as the feed `agency/feed` would. Raises ConfigError.

    `progress` hears how many records are done, and of how many, 0 where that is not known.

    Beside the live snapshot one that shrinks by over half is refused, and so are mended rows of another file.
    """
    name, _, feed = full.partition("/")
    clock = app.clock_of(located)
    assembled = app.assemble(located, clock=clock, metrics=Metrics())
    try:
        agency = assembled.registry.agencies[name]
        made = agency.feeds.get(feed)
        if made is None:
            raise ConfigError(Finding(where=full, what="no operation hands anything over there, to be acknowledged"))
        if not isinstance(agency.source, Source):
            raise ConfigError(Finding(where=full, what="this agency has no feeds"))
        mends, total, closed = "", 0, True
        if isinstance(agency.source, Recognizes):
            closed = await agency.source.is_closed(feed, file)
            mends, total = await agency.source.mended(feed, file), await agency.source.length(file)

        def at(done: int) -> None:
            progress(min(done, total) if total else done, total)

        sha256 = await asyncio.to_thread(_hashed, file) if beside is not None else ""
        sent = _sent_before(made, beside, full=full, sha256=sha256, mends=mends, clock=clock)
        seen = await preview(made, agency.source.peek(feed, file), at, keep=False, mends=mends, sent=sent)
        if not closed and (seen.refused is None or seen.refused.rule not in NO_TEXT):
            seen = replace(seen, refused=UNCLOSED)
    finally:
        await assembled.close()
    if beside is None:
        return seen
    if (doubles := await _doubled(made, full, sha256, beside)) is not None:
        return replace(seen, doubles=doubles, refused=None)
    return replace(seen, refused=await _refused(made, full, file.name, seen, beside))


@dataclass(frozen=True, slots=True, kw_only=True)
class _SentBefore:
    """Which of a file's rows the ledger would put as messages."""

    ledger: Sending
    messages: Messages
    seen: dict[bytes, bytes] = field(default_factory=dict)

    async def __call__(self, batch: Batch, chunk: Chunk) -> tuple[Chunk, int]:
        """Return a chunk without what can't be mended, and how many of its rows would be put."""
        feed = self.messages.client
        fit = await mendable(self.ledger, feed, batch, chunk)
        made = await asyncio.to_thread(self.messages.made, batch, fit.rows)
        return fit, await self.ledger.foresee(feed, made, self.seen)


def _sent_before(  # noqa: PLR0913 - what a row is known by
    made: registry.Feed, beside: Beside | None, *, full: str, sha256: str, mends: str, clock: Clock
) -> _SentBefore | None:
    if beside is None or made.forward is None:
        return None
    messages = Messages(
        feed=made, forward=made.forward, clock=clock, client=full, sha256=sha256, repairs=mends, receipt=0
    )
    return _SentBefore(ledger=beside.ledger, messages=messages)


async def _doubled(made: registry.Feed, full: str, sha256: str, beside: Beside) -> int | None:
    """Return the receipt of the file whose content this has, if that is why nothing would be done with it."""
    if made.forward is not None:
        return await beside.ledger.sent_as(full, sha256, made.keeping.mapping)
    live = beside.standing.live
    return live.number if live is not None and (live.sha256, live.mapping) == (sha256, made.keeping.mapping) else None


async def _refused(made: registry.Feed, full: str, name: str, seen: Preview, beside: Beside) -> FieldError | None:
    """Return why a file is not taken beside what the ledger knows; what mends rows makes a snapshot no smaller."""
    if made.forward is not None:
        if seen.mends and seen.mends not in await beside.ledger.were_accepted(full, [seen.mends]):
            return not_mended(NOT_ACCEPTED, seen.mends)
        return await torn(beside.ledger, full, name) or seen.refused
    if made.keeping.mode != "snapshot":
        return seen.refused
    if seen.mends:
        return seen.refused if seen.mends in beside.made_of else not_mended(SUPERSEDED, seen.mends)
    return seen.refused or shrunk(beside.rows, seen.tally.kept, seen.tally.position - seen.tally.skipped)


def _hashed(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
