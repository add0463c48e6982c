"""What would become of a file that lies anywhere, by the configuration as it is: nothing is taken, moved or sent."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gateway import app
from gateway.config.load import Located
from gateway.errors import ConfigError, Finding
from gateway.feeds import Source
from gateway.metrics import Metrics
from gateway.preview import Preview, preview
from gateway.verdict import shrunk


async def tried(
    located: Located, full: str, file: Path, progress: Callable[[int], None] = lambda _done: None, *, before: int = 0
) -> Preview:
    """Read a file as the feed `agency/feed` would; `progress` hears of records. Raises ConfigError.

    `before` is how many rows the live snapshot has: one that shrinks by over half is refused.
    """
    name, _, feed = full.partition("/")
    assembled = app.assemble(located, clock=app.clock_of(located), metrics=Metrics())
    try:
        agency = assembled.registry.agencies[name]
        if not isinstance(agency.source, Source):
            raise ConfigError(Finding(where=full, what="this agency has no feeds"))
        made = agency.feeds[feed]
        seen = await preview(made, agency.source.peek(feed, file), progress, keep=False)
        whole = seen.refused is None and made.keeping.mode == "snapshot"
        return (
            replace(seen, refused=shrunk(before, seen.tally.kept, seen.tally.position - seen.tally.skipped))
            if whole
            else seen
        )
    finally:
        await assembled.close()
