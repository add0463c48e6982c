"""Now and then: how an agency's feeds stand, and whether the next file of each is late; takes no file in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway.arrivals import Arrivals
from gateway.errors import LedgerUnavailable
from gateway.feed_figures import FeedFigures
from gateway.feeds import Receipts
from gateway.ports import Clock, Log
from gateway.registry import Feed

LOOK_EVERY = 15.0


@dataclass(slots=True, kw_only=True)
class FeedWatch:
    """One agency's feeds; every process that watches them finds the same, for the ledger says when files came."""

    agency: str
    feeds: Mapping[str, Feed]
    receipts: Receipts
    arrivals: Arrivals
    figures: FeedFigures
    clock: Clock
    log: Log
    _told: dict[str, datetime] = field(init=False, default_factory=dict)

    async def run(self) -> None:
        """Look, for ever; while the ledger is away the figures stay as they were."""
        self.figures.forget()
        while True:
            await self.once()
            await self.clock.sleep(LOOK_EVERY)

    async def once(self) -> None:
        """Look at every feed once."""
        try:
            for name, feed in self.feeds.items():
                await self._look(name, feed)
        except LedgerUnavailable:
            """Its own watch tells of it."""

    async def _look(self, name: str, feed: Feed) -> None:
        full = f"{self.agency}/{name}"
        self.figures.stands(await self.receipts.standing(full))
        if feed.due is None:
            return
        came = await self.arrivals.last_came(full)
        due = feed.due(came)
        self.figures.due(name, due)
        if due < self.clock.now() and self._told.get(name) != due:
            self._told[name] = due
            what = f"no file since {came:%d %b %H:%M}; the next was due by {due:%d %b %H:%M}"
            self.log("feed-late", level="warning", agency=self.agency, feed=name, what=what)
