"""What an agency allows, divided among the replicas that share it: whatever has a part follows at once; knows no store.

Parts are held weakly: those of a configuration that was replaced are divided as long as requests use them.
"""

from threading import Lock
from typing import Protocol, TypeVar
from weakref import WeakSet


class Divided(Protocol):
    """A limit of which each replica has a part."""

    def divide(self, among: int, /) -> None:
        """Keep to the part of one among so many, from now on."""
        ...


D = TypeVar("D", bound=Divided)


class Shares:
    """Among how many replicas limits are divided; configurations are built in threads, so it takes turns."""

    __slots__ = ("_among", "_lock", "_parts")

    def __init__(self) -> None:
        self._among = 1
        self._lock = Lock()
        self._parts: WeakSet[Divided] = WeakSet()

    @property
    def among(self) -> int:
        """How many replicas there are."""
        return self._among

    def part(self, whole: D) -> D:
        """Divide a limit that is new, and whenever the number changes; returns it."""
        with self._lock:
            self._parts.add(whole)
            whole.divide(self._among)
        return whole

    def divide(self, among: int) -> None:
        """Divide everything anew."""
        with self._lock:
            self._among = among
            for part in self._parts:
                part.divide(among)
