"""CSV: reads are answered from a feed's latest snapshot, writes become row files; translates no row itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated

from pydantic import Field

from adapters.csv.contract import feed_contract, out_contract
from adapters.csv.drop import Drop, drop_at
from adapters.csv.poll import FeedFiles, poll
from adapters.csv.settings import Feed, Out
from adapters.csv.write import row_file
from gateway import (
    AgencyTimeout,
    Answer,
    Batch,
    Call,
    Clock,
    ConfigError,
    Contract,
    Document,
    Duration,
    FeedColumns,
    FieldError,
    Finding,
    Log,
    Snapshots,
    TranslationError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvAdapter:
    """An agency that exchanges files: `feed` is what it drops into `drop`, `out` what is dropped for it.

    `every` is seconds between two looks, `limit` the most rows a lookup returns. Raises ConfigError.
    """

    clock: Clock
    log: Log
    snapshots: Snapshots
    columns: FeedColumns = field(default_factory=FeedColumns)
    drop: Annotated[str, Field(description="The folder in which the agency leaves its files.")] = ""
    every: Annotated[Duration, Field(description="How long between two looks into it.")] = 5.0
    limit: Annotated[int, Field(description="The most rows that one look-up returns.", examples=[500])] = 100
    feed: Annotated[Mapping[str, Feed], Field(description="What it leaves there.")] = field(default_factory=dict)
    out: Annotated[Mapping[str, Out], Field(description="What is written for it.")] = field(default_factory=dict)
    _drop: Drop | None = field(init=False, repr=False)
    _out: Mapping[str, Drop] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.feed and not self.drop:
            raise ConfigError(Finding(where="drop", what="feeds need a folder", remedy='write drop = "drops/x"'))
        if both := self.feed.keys() & self.out.keys():
            name = min(both)
            raise ConfigError(
                Finding(where=f"out.{name}", what=f"a feed is called {name} too", remedy="`call` names one of them")
            )
        object.__setattr__(self, "_drop", drop_at(self.drop, "drop") if self.drop else None)
        outs = {name: drop_at(out.folder, f"out.{name}.folder") for name, out in self.out.items()}
        object.__setattr__(self, "_out", outs)

    async def exchange(self, call: Call, /) -> Answer:
        """Look up a feed's rows, or write an out's file; only a write can be half done when time is up."""
        exchange = self._find if call.target in self.feed else self._write
        try:
            async with asyncio.timeout(call.timeout):
                return Answer(document=await exchange(call))
        except TimeoutError as error:
            raise AgencyTimeout(
                f"{call.target}: the disk did not answer in time", maybe_done=call.target in self.out
            ) from error

    async def probe(self) -> None:
        """List every folder; raises Unavailable."""
        for drop in (self._drop, *self._out.values()):
            if drop:
                await drop.list()

    def contract(self, target: str, /) -> Contract:
        """Return a feed's or an out's fields; raises ConfigError naming those there are."""
        if target in self.feed:
            return feed_contract(self.columns.rows.get(target, {}))
        return out_contract(self._columns(target) or ())

    def poll(self) -> AsyncIterator[Batch]:
        """Yield the batches of every complete new file in the drop."""
        drop = self._drop
        if drop is None:
            raise ConfigError(Finding(where="feed", what="this agency has no feeds to poll"))
        feeds = [
            FeedFiles(
                name=name,
                feed=feed,
                columns=self.columns.read.get(name, ()),
                drop=drop,
                clock=self.clock,
                snapshots=self.snapshots,
            )
            for name, feed in self.feed.items()
        ]
        return poll(feeds, drop, self.clock, self.log, self.every)

    async def _find(self, call: Call) -> Document:
        found = await self.snapshots.find(call.target, _conditions(call.document), limit=self.limit)
        return {"rows": list(found.rows), "count": len(found.rows), "as_of": found.as_of.isoformat(timespec="seconds")}

    async def _write(self, call: Call) -> Document:
        columns = self._columns(call.target) or tuple(call.document)
        out = self.out[call.target]
        name = out.file.replace("{id}", call.message_id)
        await self._out[call.target].put(name, row_file(call.document, columns, out.dialect))
        return {"file": name, "written": self.clock.now().isoformat(timespec="seconds")}

    def _columns(self, target: str) -> tuple[str, ...] | None:
        """Return an out's columns, None when nothing but the document tells them; raises ConfigError."""
        if out := self.out.get(target):
            return out.columns or self.columns.written.get(target)
        names = [*self.feed, *self.out]
        near = get_close_matches(target, names, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
        raise ConfigError(Finding(where="call", what=f"no feed or out is called {target!r}", remedy=remedy))


def _conditions(document: Document) -> Document:
    """Return what rows must equal, nested fields by dotted path."""
    conditions = dict(_flat(document, ""))
    if errors := [
        FieldError(pointer=name, rule="native", params={"expected": "one value"})
        for name, value in conditions.items()
        if isinstance(value, list)
    ]:
        raise TranslationError("request", errors)
    return conditions


def _flat(document: Document, above: str) -> Iterator[tuple[str, object]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value
