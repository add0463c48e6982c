"""When a file of a feed is complete; looks at listings, and at a file's last two bytes."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from adapters.csv.drop import Drop, Entry
from adapters.csv.settings import Feed
from adapters.csv.unpack import is_plain_text

UNFINISHED = (".tmp", ".part", ".filepart")
MARKERS = (".ok", ".done")
HANDED_BACK = re.compile(r"((\.r-[0-9a-f]{12})?\.rejected\.(csv|xlsx))+$")
TOLD_APART = re.compile(r"\.r-[0-9a-f]{12}-\d+(\.\d+)?(?=\.|$)")
"""What is put into the name of a file when another lies there already."""
OVERDUE = 10


class Watch:
    """Which files of one feed are complete; remembers since when each, and each marker, has looked the same."""

    __slots__ = ("_feed", "_since")

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._since: dict[Entry, float] = {}

    def candidates(self, entries: Sequence[Entry], now: float) -> list[Entry]:
        """Return the feed's files that are not visibly in the making, oldest name first; `now` is monotonic."""
        found = [entry for entry in entries if self.is_ours(entry.name)]
        marked = {entry.name + ending for entry in found for ending in MARKERS}
        markers = [entry for entry in entries if entry.name in marked]
        self._since = {entry: self._since.get(entry, now) for entry in (*found, *markers)}
        return sorted(found, key=lambda entry: entry.name)

    def is_quiet(self, entry: Entry, entries: Sequence[Entry], now: float) -> bool:
        """Tell whether nobody seems to be writing the file any more."""
        match self._feed.ready:
            case "rename":
                return True
            case "marker":
                marker = _marker(entry, entries)
                if marker is None or self._is_vouched(entry, marker):
                    return marker is not None
                return self.is_overdue(entry, now) and self.is_overdue(marker, now)
            case "stable":
                return self._is_still(entry, now)

    def is_outdated(self, entry: Entry, entries: Sequence[Entry], now: float) -> bool:
        """Tell whether a file that nobody writes any more has a marker that says nothing of it."""
        marker = _marker(entry, entries) if self._feed.ready == "marker" else None
        return marker is not None and not self._is_vouched(entry, marker) and self._is_still(entry, now)

    async def is_closed(self, entry: Entry, drop: Drop) -> bool:
        r"""Tell whether the last line has its end; UTF-16 writes it as `\n\0`. A marker or a name vouches by itself."""
        if self._feed.ready != "stable" or not is_plain_text(entry.name):
            return True
        tail = await drop.tail(entry.name)
        return tail.endswith(b"\n") or tail == b"\n\0"

    def is_overdue(self, entry: Entry, now: float) -> bool:
        """Tell whether a file that isn't closed has been left so for too long to be still in the making."""
        return now - self._since[entry] >= OVERDUE * self._feed.stable_for

    def completes(self, name: str) -> bool:
        """Tell whether a file is complete as soon as something of this name is there."""
        match self._feed.ready:
            case "rename":
                return self.is_ours(name)
            case "marker":
                ending = next((each for each in MARKERS if name.endswith(each)), "")
                return bool(ending) and self.is_ours(name.removesuffix(ending))
            case "stable":
                return False

    def _is_still(self, entry: Entry, now: float) -> bool:
        return now - self._since[entry] >= self._feed.stable_for

    def _is_vouched(self, entry: Entry, marker: Entry) -> bool:
        """Tell whether a marker is this file's: an older one may be left over from the file before.

        Where clocks differ, or a marker is copied with the time it had, it is so if it came when the file was there;
        else once both have been as they are for long.
        """
        return marker.mtime >= entry.mtime or self._since[marker] > self._since[entry]

    def is_ours(self, name: str) -> bool:
        """Tell whether a name is one of the feed's, and not that of a file in the making."""
        lowered = name.lower()
        in_the_making = lowered.startswith((".", "~$")) or lowered.endswith((*UNFINISHED, *MARKERS))
        # Windows programs write .CSV as they please.
        pattern = self._feed.files.lower()
        # Rows that were handed back come again under the name that they were given.
        origin = HANDED_BACK.sub("", lowered)
        if origin != lowered:
            origin = TOLD_APART.sub("", origin)
        return not in_the_making and (fnmatchcase(lowered, pattern) or fnmatchcase(origin, pattern))


def _marker(entry: Entry, entries: Sequence[Entry]) -> Entry | None:
    names = {entry.name + ending for ending in MARKERS}
    return max((each for each in entries if each.name in names), key=lambda each: each.mtime, default=None)
