"""Whose a file in a drop is when several feeds share it; the same rules by which files are found and put away."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from adapters.csv.files import ARCHIVE, REJECTED
from adapters.csv.settings import Feed
from adapters.csv.watch import MARKERS, UNFINISHED, Watch

PAPERS = (".receipt.txt", ".receipt.json", ".rejected.csv", ".rejected.xlsx")
_TOLD_APART = re.compile(r"\.r-[0-9a-f]{12}(-\d+(\.\d+)?)?")
"""What is put into the name of a file when another lies there already, and into that of rejects."""


@dataclass(frozen=True, slots=True)
class FeedNames:
    """Which names in a drop are one feed's: those that fit it and no feed before it."""

    feed: str
    feeds: Mapping[str, Feed]

    @property
    def pattern(self) -> str:
        """What its files are called, for people."""
        return self.feeds[self.feed].files

    @property
    def folders(self) -> Sequence[str]:
        """The folders below that may be looked into."""
        return ARCHIVE, REJECTED

    def is_folder(self, folder: str, /) -> bool:
        """Tell whether a folder is one of files that were put away."""
        above, _, day = folder.partition("/")
        return folder in self.folders or (above == ARCHIVE and _is_day(day))

    def is_own(self, folder: str, name: str, /) -> bool:
        """Tell whether a file is the feed's, or a paper about one of its own."""
        if not folder:
            return self.may_come(name) or self._is_paper(name)
        return not name.startswith(".") and (self.is_seen(_without_marker(name)) or self._is_paper(name))

    def may_come(self, name: str, /) -> bool:
        """Tell whether a file may be put into the drop: one of the feed's, its marker, or one in the making."""
        return self.is_seen(_finished(name)) or self.is_seen(_without_marker(name))

    def is_seen(self, name: str, /) -> bool:
        """Tell whether a file of this name is taken in."""
        return next((feed for feed, each in self.feeds.items() if Watch(each).is_ours(name)), None) == self.feed

    def in_the_making(self, name: str, /) -> str:
        """Return what WinSCP calls such a file until it is whole, so that it can go on with it."""
        return f"{name}.filepart"

    def _is_paper(self, name: str) -> bool:
        for ending in PAPERS:
            if name.endswith(ending):
                return self.is_seen(_TOLD_APART.sub("", name.removesuffix(ending)))
        return self.is_seen(_TOLD_APART.sub("", _without_marker(name)))


def _finished(name: str) -> str:
    return _without(name, UNFINISHED)


def _without_marker(name: str) -> str:
    return _without(name, MARKERS)


def _without(name: str, endings: Sequence[str]) -> str:
    lowered = name.lower()
    ending = next((each for each in endings if lowered.endswith(each)), "")
    return name[: len(name) - len(ending)]


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False
