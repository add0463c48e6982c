"""CSV: reads are answered from a feed's latest snapshot, writes become row files; translates no row itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import Field

from adapters.csv.contract import AFTER, LIMIT, STARTS, feed_contract, out_contract
from adapters.csv.drop import Drop
from adapters.csv.engine import check_engine
from adapters.csv.files import Files
from adapters.csv.fitting import readable
from adapters.csv.folder import Folder
from adapters.csv.kinds import drop_at
from adapters.csv.nudge import Nudge
from adapters.csv.offer import FeedNames
from adapters.csv.outs import Writing
from adapters.csv.place import DropLogin
from adapters.csv.settings import Ack, Feed, Out
from adapters.csv.sheet import check_extra
from adapters.csv.stray import may_be_stray
from gateway import (
    AckColumns,
    AgencyTimeout,
    Answer,
    Batch,
    Batching,
    Call,
    Clock,
    ConfigError,
    Contract,
    Document,
    Duration,
    FeedColumns,
    FieldError,
    Filing,
    Finding,
    Held,
    Log,
    Offer,
    Ready,
    Snapshots,
    TranslationError,
)

LONGEST_NUMBER = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvAdapter:
    """An agency that exchanges files: `feed` is what it drops into `drop`, `out` what is dropped for it.

    `every` is seconds between two looks, `limit` the most rows a lookup returns. Raises ConfigError.
    """

    clock: Clock
    log: Log
    snapshots: Snapshots
    columns: FeedColumns = field(default_factory=FeedColumns)
    drop: Annotated[
        str,
        Field(
            description="The folder in which the agency leaves its files, or where it is elsewhere: "
            "`sftp://user@host/folder`, `ftp://…`, `ftps://…`, `s3://bucket/folder`; "
            "`/~/` before a path begins at the login's home. All but a folder need the extra `drops`."
        ),
    ] = ""
    drop_login: Annotated[
        DropLogin | None,
        Field(description="Who we are there, and by what its server is known."),
    ] = None
    every: Annotated[Duration, Field(description="How long between two looks into it.")] = 5.0
    limit: Annotated[int, Field(description="The most rows that one look-up returns.", examples=[500])] = 100
    feed: Annotated[Mapping[str, Feed], Field(description="What it leaves there.")] = field(default_factory=dict)
    out: Annotated[Mapping[str, Out], Field(description="What is written for it.")] = field(default_factory=dict)
    _drop: Drop | None = field(init=False, repr=False)
    _files: Files | None = field(init=False, repr=False)
    _nudge: Nudge | None = field(init=False, repr=False)
    _out: Mapping[str, Drop] = field(init=False, repr=False)
    _writing: Writing = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.feed and not self.drop:
            raise ConfigError(Finding(where="drop", what="feeds need a folder", remedy='write drop = "drops/x"'))
        if (unheard := next((name for name, out in self.out.items() if out.ack), None)) and not self.drop:
            where, what = f"out.{unheard}.ack", "there is no folder in which to find them"
            raise ConfigError(Finding(where=where, what=what, remedy='write drop = "drops/x"'))
        if both := self.feed.keys() & self.out.keys():
            name = min(both)
            raise ConfigError(
                Finding(where=f"out.{name}", what=f"a feed is called {name} too", remedy="`call` names one of them")
            )
        self._offered_here()
        for name, feed in self.feed.items():
            check_extra(f"feed.{name}", feed)
            check_engine(f"feed.{name}", feed)
        for name, ack in self._acks.items():
            check_extra(f"out.{name}.ack", ack.as_feed)
        drop = drop_at(self.drop, "drop", self.drop_login) if self.drop else None
        object.__setattr__(self, "_drop", drop)
        files = self._files_of(drop) if drop else None
        object.__setattr__(self, "_files", files)
        object.__setattr__(self, "_nudge", self._nudge_of(drop, files))
        outs = {
            name: drop_at(out.folder, f"out.{name}.folder", out.login, f"out.{name}.login")
            for name, out in self.out.items()
        }
        object.__setattr__(self, "_out", outs)
        writing = Writing(outs=self.out, drops=outs, columns=self.columns.written, clock=self.clock)
        object.__setattr__(self, "_writing", writing)

    def _offered_here(self) -> None:
        if found := [".".join(offer.setting) for offer in self.offers() if "://" in self.drop]:
            what = "an account is for a drop on this machine, and this one is elsewhere"
            remedy = "let the agency log in there, or name a folder here as drop"
            raise ConfigError(*(Finding(where=where, what=what, remedy=remedy) for where in found))

    async def exchange(self, call: Call, /) -> Answer:
        """Look up a feed's rows, or write an out's file; only a write can be half done when time is up."""
        if call.target not in self.feed:
            return await self._write(call)
        try:
            async with asyncio.timeout(call.timeout):
                return Answer(document=await self._find(call))
        except TimeoutError as error:
            raise AgencyTimeout(f"{call.target}: the disk did not answer in time", maybe_done=False) from error

    async def exchange_many(self, calls: Sequence[Call], /) -> Sequence[Answer | TranslationError]:
        """Write calls of one out into one file."""
        return await self._writing.write(calls)

    def batching(self, target: str, /) -> Batching | None:
        """Return when an out's requests go together."""
        batch = self.out[target].batch if target in self.out else None
        return None if batch is None else Batching(rows=batch.rows, every=batch.every)

    def acknowledgement(self, target: str, /) -> AckColumns | None:
        """Return how the agency says what became of an out's requests."""
        out = self.out.get(target)
        if out is None or out.ack is None:
            return None
        ack = out.ack
        return AckColumns(
            id=ack.id,
            status=ack.status,
            message=ack.message,
            delivered=ack.delivered,
            refused=ack.refused,
            seconds=out.ack_timeout,
        )

    async def probe(self) -> None:
        """List every folder; raises Unavailable."""
        for drop in self.drops.values():
            await drop.list()

    async def close(self) -> None:
        """Hang up wherever a drop is elsewhere, and watch no folder any more."""
        if self._nudge is not None:
            await self._nudge.close()
        for drop in self.drops.values():
            await drop.close()

    @property
    def drops(self) -> Mapping[str, Drop]:
        """Where files come from, by the setting that says so, and where they go to."""
        incoming = {"drop": self._drop} if self._drop else {}
        return {**incoming, **{f"out.{name}.folder": drop for name, drop in self._out.items()}}

    def contract(self, target: str, /) -> Contract:
        """Return a feed's or an out's fields; raises ConfigError naming those there are."""
        if target in self.feed:
            if to := self.feed[target].to:
                what, remedy = f"feed {target} forwards its rows and keeps none to look up", f"ask the agency of {to}"
                raise ConfigError(Finding(where="call", what=what, remedy=remedy))
            return feed_contract(self.columns.rows.get(target, {}))
        return out_contract(self._columns(target) or ())

    def offers(self) -> Sequence[Offer]:
        """Return the accounts of the feeds that have one, and of acknowledgements."""
        return [
            Offer(
                feed=name,
                setting=("feed", name, "account") if name in self.feed else ("out", name, "ack", "account"),
                folder=Path(self.drop).absolute(),
                names=FeedNames(name, self._feeds),
                name=feed.account.name or "",
                password=feed.account.hashed,
                keys=feed.account.keys,
            )
            for name, feed in self._feeds.items()
            if feed.account is not None
        ]

    @property
    def pause(self) -> float:
        """Seconds between two looks."""
        return self.every

    async def nudged(self) -> None:
        """Return when a file may have been completed; never, where that is not to be noticed."""
        if self._nudge is None:
            await asyncio.Event().wait()
        else:
            await self._nudge.wait()

    async def look(self) -> Sequence[Ready]:
        """Return the complete files of every feed."""
        return await self._inbox.look()

    async def take(self, ready: Ready, /) -> Held | None:
        """Put a file aside."""
        return await self._inbox.take(ready)

    async def bring(self, feed: str, place: str, /) -> Held | None:
        """Return a file that was put away."""
        return await self._inbox.bring(feed, place)

    def batches(self, held: Held, /, *, after: int = 0) -> AsyncIterator[Batch]:
        """Yield a file's records after the first `after`."""
        return self._inbox.batches(held, after)

    def peek(self, feed: str, path: Path, /) -> AsyncIterator[Batch]:
        """Yield the records of a file that lies anywhere."""
        return self._inbox.peek(feed, path)

    def feeds_of(self, name: str, /) -> Sequence[str]:
        """Return the feeds that a file of this name belongs to; those of acknowledgements are called as their out."""
        return self._files.feeds_of(name) if self._files else ()

    def strays(self, names: Sequence[str], /) -> Sequence[str]:
        """Return which files of the drop belong to no feed, and are never taken."""
        files = self._inbox
        return sorted(readable(name) for name in names if may_be_stray(name) and not files.is_known(name))

    async def mended(self, feed: str, path: Path, /) -> str:
        """Return the reference of the receipt whose rejects a file mends, "" where it mends none."""
        return await self._inbox.mended(feed, path)

    async def is_closed(self, feed: str, path: Path, /) -> bool:
        """Tell whether a file that lies anywhere has the end that its feed waits for."""
        return await self._inbox.is_closed(feed, path)

    async def length(self, path: Path, /) -> int:
        """Return how many records a file has, or a few more, 0 where only reading it tells."""
        return await self._inbox.length(path)

    async def put_away(self, held: Held, filing: Filing, /) -> str | None:
        """Write a file's papers and move it."""
        return await self._inbox.put_away(held, filing)

    @property
    def _inbox(self) -> Files:
        if self._files is None:
            raise ConfigError(Finding(where="feed", what="this agency has no feeds to look for"))
        return self._files

    @property
    def _acks(self) -> Mapping[str, Ack]:
        return {name: out.ack for name, out in self.out.items() if out.ack is not None}

    @property
    def _feeds(self) -> Mapping[str, Feed]:
        return {**self.feed, **{name: ack.as_feed for name, ack in self._acks.items()}}

    def _files_of(self, drop: Drop) -> Files:
        """Return the files of every feed, and those in which the agency acknowledges an out's requests."""
        return Files(
            feeds=self._feeds,
            columns={**self.columns.read, **{name: ack.columns for name, ack in self._acks.items()}},
            spell=self.columns.spell,
            lines=self.columns.lines,
            frames=self.columns.frames,
            drop=drop,
            clock=self.clock,
            log=self.log,
            written=[pattern for out in self.out.values() for pattern in out.patterns],
        )

    def _nudge_of(self, drop: Drop | None, files: Files | None) -> Nudge | None:
        if (
            files is None
            or not isinstance(drop, Folder)
            or all(feed.ready == "stable" for feed in files.feeds.values())
        ):
            return None
        return Nudge(drop.path, files.completes)

    async def _find(self, call: Call) -> Document:
        where, starts = _conditions(call.document)
        paging = {name: where.pop(name, None) for name in (AFTER, LIMIT) if name not in self._fields(call.target)}
        after, limit = paging.get(AFTER), _number(paging, LIMIT)
        found = await self.snapshots.find(
            call.target,
            where,
            limit=self.limit if limit is None else min(self.limit, limit),
            starts=starts,
            after=None if after is None else str(after),
        )
        answer = {
            "rows": list(found.rows),
            "count": len(found.rows),
            "as_of": found.as_of.isoformat(timespec="seconds"),
        }
        return answer if found.further is None else {**answer, "further": found.further}

    def _fields(self, feed: str) -> Mapping[str, object]:
        properties = self.columns.rows.get(feed, {}).get("properties", {})
        return properties if isinstance(properties, Mapping) else {}

    async def _write(self, call: Call) -> Answer:
        self._columns(call.target)
        (end,) = await self._writing.write([call])
        if isinstance(end, TranslationError):
            raise end
        return end

    def _columns(self, target: str) -> tuple[str, ...] | None:
        """Return an out's columns, None when nothing but the document tells them; raises ConfigError."""
        if out := self.out.get(target):
            return out.columns or self.columns.written.get(target)
        names = [*self.feed, *self.out]
        near = get_close_matches(target, names, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
        raise ConfigError(Finding(where="call", what=f"no feed or out is called {target!r}", remedy=remedy))


def _conditions(document: Document) -> tuple[dict[str, object], dict[str, str]]:
    """Return what rows must equal, and what they must begin with, nested fields by dotted path."""
    conditions = dict(_flat(document, ""))
    if errors := [
        FieldError(pointer=name, rule="native", params={"expected": "one value"})
        for name, value in conditions.items()
        if isinstance(value, list)
    ]:
        raise TranslationError("request", errors)
    begun = {name: str(value) for name, value in conditions.items() if name.endswith(STARTS) and value is not None}
    where = {name: value for name, value in conditions.items() if not name.endswith(STARTS)}
    return where, {name.removesuffix(STARTS): value for name, value in begun.items()}


def _number(paging: Mapping[str, object], name: str) -> int | None:
    """Return a number that the app gave; raises TranslationError for what is none."""
    value = paging.get(name)
    if value is None:
        return None
    if not str(value).isdecimal() or len(str(value)) > LONGEST_NUMBER:
        raise TranslationError("request", [FieldError(pointer=name, rule="integer")])
    return int(str(value))


def _flat(document: Document, above: str) -> Iterator[tuple[str, object]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield above + name, value
