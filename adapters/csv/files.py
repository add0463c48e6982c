"""The files of an agency's feeds in their drop: found, put aside, read, put away; must not know what rows mean."""

import errno
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from adapters.csv.batches import batches
from adapters.csv.drop import Drop, Entry
from adapters.csv.earlier import keep_earlier, names_apart
from adapters.csv.fitting import fitting, readable
from adapters.csv.folder import Folder
from adapters.csv.known import known, length, mended
from adapters.csv.layout import Layout
from adapters.csv.read import Reading, refusal
from adapters.csv.rejects import HandingBack, rejected_file
from adapters.csv.settings import Feed
from adapters.csv.stray import Strays
from adapters.csv.watch import MARKERS, Watch
from gateway import (
    Batch,
    Clock,
    FieldError,
    Filing,
    Held,
    LineForm,
    Log,
    ReadLines,
    Ready,
    Spell,
    Unavailable,
)

ROWS = 1000
ASIDE, ARCHIVE, REJECTED = ".taking", "archive", "rejected"
"""Folders below the drop: of files being taken in, of those taken, of those refused and of rows handed back."""
AT_ONCE = 1 << 20
"""Characters that polars reads at once, while those before are kept: fewer cost more each, more cost memory."""
_FOR_EVER = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG})
"""Why files can't be moved, whenever it is tried."""


@dataclass(slots=True, kw_only=True)
class Files:
    """The feeds of one drop; `columns` are those that each needs, `spell` says how typed cells of each are spelt.

    `lines` makes what reads the plain lines of each, `frames` what does so by polars. `written` are patterns of files
    that the gateway itself may put there.
    """

    feeds: Mapping[str, Feed]
    columns: Mapping[str, Sequence[str]]
    drop: Drop
    clock: Clock
    log: Log
    spell: Mapping[str, Mapping[str, Spell]] = field(default_factory=dict)
    lines: Mapping[str, Callable[[LineForm], ReadLines | None]] = field(default_factory=dict)
    frames: Mapping[str, Callable[[LineForm], ReadLines | None]] = field(default_factory=dict)
    written: Sequence[str] = ()
    _watches: dict[str, Watch] = field(init=False)
    _strays: Strays = field(init=False)
    _outdated: dict[str, Entry] = field(init=False, default_factory=dict)
    _reachable: bool = field(init=False, default=True)

    def __post_init__(self) -> None:
        self._watches = {name: Watch(feed) for name, feed in self.feeds.items()}
        self._strays = Strays(self.is_known, self.log)

    async def look(self) -> Sequence[Ready]:
        """Return complete files; a drop that can't be reached is told once, and has none."""
        try:
            entries, aside = await self.drop.list(), await self.drop.list(ASIDE)
        except Unavailable as error:
            if self._reachable:
                self.log("drop-unreachable", level="warning", error=str(error))
            self._reachable = False
            return ()
        if not self._reachable:
            self.log("drop-reachable-again")
        self._reachable = True
        self._strays.see(entries, self.clock.monotonic())
        return [*self._put_aside(aside), *await self._fresh(entries, {entry.name for entry in aside})]

    def completes(self, name: str) -> bool:
        """Tell whether a name that appears may complete a file: its marker, or the file itself."""
        return any(watch.completes(name) for watch in self._watches.values())

    async def take(self, ready: Ready) -> Held | None:
        """Put a file aside and read what it is known by; where it can't be moved, it is read where it lies.

        It is the file that was looked at, or none: one that is written anew is looked at again.
        """
        name = fitting(ready.name, self._watches[ready.feed].is_ours)
        if name is None:
            why = "its name is too long, or no text: give it a shorter one, of plain letters"
            raise Unavailable(f"could not put {readable(ready.name)} aside: {why}", maybe_done=False)
        seen = Entry(name=ready.name, size=ready.size, mtime=ready.modified)
        if ready.folder and name == ready.name:
            held = await self._held_as(ready.feed, seen, ASIDE)
        else:
            held = await self._aside(ready, seen, name)
        if held is not None and held.folder == ASIDE:
            await self._take_markers(ready, name)
        return held

    async def _aside(self, ready: Ready, seen: Entry, name: str) -> Held | None:
        place = _path(ready.folder, ready.name)
        try:
            moved = await self.drop.move(place, f"{ASIDE}/{name}", seen)
        except Unavailable as error:
            if not _is_for_ever(error) or readable(ready.name) != ready.name:
                raise
            return await self._held_as(ready.feed, seen, ready.folder)
        if moved is None:
            return None
        try:
            held = await self._held_as(ready.feed, moved, ASIDE)
        except Unavailable:
            await self._put_back(moved, place)
            raise
        if held is None:
            await self._put_back(moved, place)
        return held

    async def _put_back(self, moved: Entry, place: str) -> None:
        """Let a file that somebody goes on writing be looked at again."""
        if moved not in await self.drop.list(ASIDE):
            await self.drop.move(f"{ASIDE}/{moved.name}", place)

    async def bring(self, feed: str, place: str) -> Held | None:
        """Return a file that was put away."""
        path = PurePosixPath(place)
        folder = "" if str(path.parent) == "." else str(path.parent)
        if path.name not in {entry.name for entry in await self.drop.list(folder)}:
            return None
        return await self._held(feed, path.name, folder)

    async def batches(self, held: Held, after: int = 0) -> AsyncIterator[Batch]:
        """Yield a file's records; one that changes while it is read is refused."""
        file, disk = await self.drop.open(_path(held.folder, held.name)), self.drop.disk
        with _told(held.name):
            async with aclosing(batches(file, self._reading(held.feed, held.name, after), disk)) as found:
                async for batch in found:
                    if batch.last and not await disk.do(self._is_as_it_was, file, held):
                        yield refusal(FieldError(pointer="", rule="unfinished"))
                    else:
                        yield batch
                    del batch  # what is kept by now is not held while the next is read

    async def peek(self, feed: str, path: Path) -> AsyncIterator[Batch]:
        """Yield the records of a file anywhere on this machine."""
        file = await self.drop.disk.do(path.open, "rb")
        async with aclosing(batches(file, self._reading(feed, path.name, 0), self.drop.disk)) as found:
            async for batch in found:
                yield batch

    def is_known(self, name: str) -> bool:
        """Tell whether a file of this name has a use here."""
        return bool(self.feeds_of(name)) or any(fnmatchcase(name, pattern) for pattern in self.written)

    def feeds_of(self, name: str) -> Sequence[str]:
        """Return the feeds that a file of this name belongs to."""
        return [feed for feed, watch in self._watches.items() if watch.is_ours(name)]

    async def mended(self, feed: str, path: Path) -> str:
        """Return the reference of the receipt whose rejects a file mends, wherever it lies."""
        file = await self.drop.disk.do(path.open, "rb")
        return await self.drop.disk.do(mended, file, path.name, self._layout(feed))

    async def is_closed(self, feed: str, path: Path) -> bool:
        """Tell whether a file that lies anywhere would be taken for whole, as far as its end tells."""
        return await self._watches[feed].is_closed(Entry(name=path.name, size=0, mtime=0.0), Folder(path.parent))

    async def length(self, path: Path) -> int:
        """Return how many records a file has, or a few more, 0 where only reading it tells."""
        return await self.drop.disk.do(length, path)

    async def put_away(self, held: Held, filing: Filing) -> str | None:
        """Write papers and rejects, then move the file and its markers; finds what was done of it before."""
        folder = f"{ARCHIVE}/{filing.day:%Y-%m-%d}" if filing.accepted else REJECTED
        there = {entry.name for entry in await self.drop.list(folder)}
        names = [held.name, *names_apart(held.name, filing.reference, filing.number)]
        now = await self._now(held, [*(f"{folder}/{name}" for name in names), f"{REJECTED}/{held.name}"])
        if now is None:
            return None
        stays = now.startswith(f"{folder}/") or held.folder.startswith(ARCHIVE)
        target = now if stays else f"{folder}/{next(name for name in names if name not in there)}"
        try:
            await self._write_papers(now, target, held, filing)
            if not stays and not await self.drop.move(now, target):
                return None
            await self._file_markers(held, folder)
            if filing.accepted and (held.folder == REJECTED or held.folder.startswith(ARCHIVE)):
                await self._file_outdated(held, target, filing)
        except Unavailable as error:
            if not _is_for_ever(error):
                raise
            return None
        return target

    def _put_aside(self, aside: Sequence[Entry]) -> Iterator[Ready]:
        for entry in sorted(aside, key=lambda entry: entry.name):
            feed = next((name for name, watch in self._watches.items() if watch.is_ours(entry.name)), None)
            if feed is not None:
                yield Ready(feed=feed, name=entry.name, folder=ASIDE, size=entry.size, modified=entry.mtime)

    async def _fresh(self, entries: Sequence[Entry], aside: set[str]) -> Sequence[Ready]:
        now = self.clock.monotonic()
        found: list[Ready] = []
        taken = set(aside)
        for feed, watch in self._watches.items():
            for entry in watch.candidates(entries, now):
                if entry.name in taken:
                    continue
                if not watch.is_quiet(entry, entries, now):
                    self._tell_outdated(feed, entry, is_outdated=watch.is_outdated(entry, entries, now))
                    continue
                closed = await self._is_closed(watch, entry)
                if closed or watch.is_overdue(entry, now):
                    taken.add(entry.name)
                    one = Ready(feed=feed, name=entry.name, folder="", size=entry.size, modified=entry.mtime)
                    found.append(one if closed else replace(one, overdue=True))
        return found

    def _tell_outdated(self, feed: str, entry: Entry, *, is_outdated: bool) -> None:
        """Say once that a file waits though there is a marker."""
        if is_outdated and self._outdated.get(feed) != entry:
            what = "its marker is older than the file, and may be left over from another; write it after the file"
            self.log("file-waits", level="warning", feed=feed, file=entry.name, why=what)
            self._outdated[feed] = entry

    async def _is_closed(self, watch: Watch, entry: Entry) -> bool:
        try:
            return await watch.is_closed(entry, self.drop)
        except Unavailable:
            return False

    async def _held(self, feed: str, name: str, folder: str) -> Held:
        file = await self.drop.open(_path(folder, name))
        with _told(name):
            found = await self.drop.disk.do(known, file, name, self._layout(feed))
        return Held(
            feed=feed,
            name=name,
            folder=folder,
            size=found.size,
            as_of=self._moment(found.mtime),
            sha256=found.sha256,
            repairs=found.repairs,
        )

    async def _held_as(self, feed: str, seen: Entry, folder: str) -> Held | None:
        """Return a file that is as it was seen, and still is once it was read."""
        if seen not in await self.drop.list(folder):
            return None
        held = await self._held(feed, seen.name, folder)
        return held if (held.size, held.as_of) == (seen.size, self._moment(seen.mtime)) else None

    def _is_as_it_was(self, file: BinaryIO, held: Held) -> bool:
        """Tell whether nobody wrote into a file that is open."""
        stat = os.fstat(file.fileno())
        return (stat.st_size, self._moment(stat.st_mtime)) == (held.size, held.as_of)

    def _moment(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, self.clock.now().tzinfo)

    def _reading(self, feed: str, name: str, after: int) -> Reading:
        by_polars = self.feeds[feed].engine == "polars"
        return Reading(
            name=name,
            layout=self._layout(feed),
            wanted=self.columns.get(feed, ()),
            size=ROWS,
            after=after,
            trailer=self.feeds[feed].trailer,
            only=self.feeds[feed].more_columns == "refuse",
            lines=self.feeds[feed].mode == "forward",
            plain=(self.frames if by_polars else self.lines).get(feed),
            at_once=AT_ONCE if by_polars else 0,
        )

    def _layout(self, feed: str) -> Layout:
        settings = self.feeds[feed]
        return Layout(
            dialect=settings.dialect,
            sheet=settings.sheet,
            header_row=settings.header_row,
            spell=self.spell.get(feed, {}),
        )

    async def _now(self, held: Held, targets: Sequence[str]) -> str | None:
        """Return where a file lies: where it was, else where it was brought before somebody could say so."""
        places = [_path(held.folder, held.name)] if held.folder else [f"{ASIDE}/{held.name}", held.name]
        for place in (*places, *targets):
            folder, _, name = place.rpartition("/")
            for entry in await self.drop.list(folder):
                if entry.name == name and (entry.size, self._moment(entry.mtime)) == (held.size, held.as_of):
                    return place
        return None

    async def _write_papers(self, now: str, target: str, held: Held, filing: Filing) -> None:
        place = PurePosixPath(target)
        mine = [] if filing.rejects is None else await self._handed_back(place.name, held.feed, filing)
        await keep_earlier(self.drop, place, filing, mine)
        for ending, paper in filing.papers.items():
            await self.drop.put(f"{place.parent}/{place.name}{ending}", paper)
        if filing.rejects is None:
            return
        file = await self.drop.open(now)
        with _told(now):
            try:
                how = HandingBack(
                    name=held.name,
                    layout=self._layout(held.feed),
                    kind=self.feeds[held.feed].rejected,
                    reference=filing.reference,
                )
                made = await rejected_file(file, how, filing.rejects, self.drop.disk)
                with made:
                    await self.drop.put(await self._name_of_rejects(place.name, held.feed, filing), made)
            finally:
                await self.drop.disk.do(file.close)

    async def _name_of_rejects(self, name: str, feed: str, filing: Filing) -> str:
        """Return where rejects go: beside those of an older file of the same name, not in their place."""
        ending = f"rejected.{self.feeds[feed].rejected}"
        place = f"{REJECTED}/{name}.{ending}"
        if place.rpartition("/")[2] not in {entry.name for entry in await self.drop.list(REJECTED)}:
            return place
        theirs = await self._mended_of(place, feed)
        return place if theirs == filing.reference else f"{REJECTED}/{name}.{filing.reference}.{ending}"

    async def _handed_back(self, name: str, feed: str, filing: Filing) -> list[str]:
        """Return where rejects of a file of this content lie already."""
        names = {entry.name for entry in await self.drop.list(REJECTED)}
        ending = f"rejected.{self.feeds[feed].rejected}"
        places = [
            f"{REJECTED}/{name}.{own}" for own in (ending, f"{filing.reference}.{ending}") if f"{name}.{own}" in names
        ]
        return [place for place in places if await self._mended_of(place, feed) == filing.reference]

    async def _take_markers(self, ready: Ready, name: str) -> None:
        """Take a file's markers with it; one that may be of a file that has come meanwhile stays where it is."""
        there = {entry.name: entry for entry in await self.drop.list()}
        aside = {entry.name for entry in await self.drop.list(ASIDE)}
        newer = there.get(ready.name)
        for ending in MARKERS:
            marker, to = there.get(ready.name + ending), name + ending
            if marker is not None and to not in aside and (newer is None or marker.mtime < newer.mtime):
                await self.drop.move(marker.name, f"{ASIDE}/{to}", marker)
            elif ready.name + ending in aside and to not in aside:
                await self.drop.move(f"{ASIDE}/{ready.name}{ending}", f"{ASIDE}/{to}")

    async def _file_markers(self, held: Held, folder: str) -> None:
        aside = {entry.name for entry in await self.drop.list(ASIDE)}
        there = {entry.name for entry in await self.drop.list(folder)}
        for name in {held.name + ending for ending in MARKERS} & aside - there:
            await self.drop.move(f"{ASIDE}/{name}", f"{folder}/{name}")

    async def _file_outdated(self, held: Held, target: str, filing: Filing) -> None:
        """Take to where a file lies what was said of it before: that it was refused, and rows that fit by now."""
        names = {entry.name for entry in await self.drop.list(REJECTED)}
        for ending in filing.papers if held.folder == REJECTED else ():
            if held.name + ending in names:
                await self.drop.move(f"{REJECTED}/{held.name}{ending}", f"{target}.{filing.number}.refused{ending}")
        ending = f"rejected.{self.feeds[held.feed].rejected}"
        name = PurePosixPath(target).name
        for place in () if filing.rejects is not None else await self._handed_back(name, held.feed, filing):
            await self.drop.move(place, f"{target}.{filing.number}.{ending}")

    async def _mended_of(self, place: str, feed: str) -> str:
        file = await self.drop.open(place)
        with _told(place):
            return await self.drop.disk.do(mended, file, place, self._layout(feed))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what could not be read, and why."""
    try:
        yield
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unavailable(f"could not read {name}: {why}", maybe_done=False) from error


def _path(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_for_ever(error: Unavailable) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno in _FOR_EVER
