"""What would become of a file that lies anywhere, by the configuration as it is: nothing is taken, moved or sent."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

from gateway import app
from gateway.config.load import Located
from gateway.errors import ConfigError, FieldError, Finding
from gateway.feeds import Source
from gateway.ledger.receipt_rows import SUPERSEDED
from gateway.metrics import Metrics
from gateway.preview import Preview, preview
from gateway.verdict import shrunk


@runtime_checkable
class Recognizes(Protocol):
    """Optional capability of a Source: it knows what a file is before it is dropped."""

    def feeds_of(self, name: str, /) -> Sequence[str]:
        """Return the feeds that a file of this name belongs to."""
        ...

    async def mended(self, feed: str, path: Path, /) -> str:
        """Return the reference of the receipt whose rejects a file mends, "" where it mends none."""
        ...

    async def length(self, path: Path, /) -> int:
        """Return how many records a file has, or a few more, 0 where only reading it tells."""
        ...


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


async def tried(  # noqa: PLR0913 - what a file is judged by
    located: Located,
    full: str,
    file: Path,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    before: int = 0,
    mendable: Collection[str] | None = None,
) -> Preview:
    """Read a file as the feed `agency/feed` would. Raises ConfigError.

    `progress` hears how many records are done, and of how many, 0 where that is not known.

    `before` is how many rows the live snapshot has: one that shrinks by over half is refused. `mendable` are the
    references of the files that it is made of, None where that is not known: rows of another file can't be mended.
    """
    name, _, feed = full.partition("/")
    assembled = app.assemble(located, clock=app.clock_of(located), metrics=Metrics())
    try:
        agency = assembled.registry.agencies[name]
        made = agency.feeds.get(feed)
        if made is None:
            raise ConfigError(Finding(where=full, what="no operation hands anything over there, to be acknowledged"))
        if not isinstance(agency.source, Source):
            raise ConfigError(Finding(where=full, what="this agency has no feeds"))
        mends, total = "", 0
        if isinstance(agency.source, Recognizes):
            mends, total = await agency.source.mended(feed, file), await agency.source.length(file)

        def at(done: int) -> None:
            progress(min(done, total) if total else done, total)

        seen = await preview(made, agency.source.peek(feed, file), at, keep=False, mends=mends)
        if made.keeping.mode != "snapshot":
            return seen
        return replace(seen, refused=_beside(seen, before, mendable))
    finally:
        await assembled.close()


def _beside(seen: Preview, before: int, mendable: Collection[str] | None) -> FieldError | None:
    """Return why a snapshot is not taken beside the live one; what mends that is added, and makes it no smaller."""
    if seen.mends:
        return SUPERSEDED if mendable is not None and seen.mends not in mendable else seen.refused
    return seen.refused or shrunk(before, seen.tally.kept, seen.tally.position - seen.tally.skipped)
