"""Files in a drop whose name fits no feed: told once each, as nobody else would say that they are never taken."""

from collections.abc import Callable, Sequence

from adapters.csv.drop import Entry
from adapters.csv.fitting import readable
from adapters.csv.watch import MARKERS, UNFINISHED
from gateway import Log

AFTER = 60.0
"""Seconds after which a file is no more about to be renamed."""
MOST = 100
"""Names that are told; whoever drops more of them is not helped by more lines."""
_OF_SYSTEMS = frozenset({"thumbs.db", "desktop.ini"})


def may_be_stray(name: str) -> bool:
    """Tell whether a name is that of a file somebody left, and not of one in the making, a marker or a hidden one."""
    lowered = name.lower()
    ended = lowered.endswith((*UNFINISHED, *MARKERS))
    return not (lowered.startswith((".", "~$")) or ended or lowered in _OF_SYSTEMS)


class Strays:
    """What was seen of them; `is_known` tells names that have a use here."""

    def __init__(self, is_known: Callable[[str], bool], log: Log) -> None:
        self._is_known = is_known
        self._log = log
        self._since: dict[str, float] = {}
        self._told: set[str] = set()

    def see(self, entries: Sequence[Entry], now: float) -> None:
        """Look at a listing; `now` is monotonic."""
        names = [one.name for one in entries if may_be_stray(one.name) and not self._is_known(one.name)]
        self._since = {name: self._since.get(name, now) for name in names}
        for name, since in self._since.items():
            if now - since >= AFTER and name not in self._told and len(self._told) < MOST:
                self._told.add(name)
                what = "its name fits no feed, so it is never taken: give it another name, or mend `files`"
                more = " (no further names are told)" if len(self._told) == MOST else ""
                self._log("file-of-no-feed", level="warning", file=readable(name), what=what + more)
