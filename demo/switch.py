"""A stand-in's switch: in which mode it answers, for how many calls, and what has arrived."""

import time
from dataclasses import dataclass, field

# accepted-then-silent: the work is done, and the caller never hears of it.
COMMON = ("down", "slow", "wrong", "refuse", "html", "junk", "half", "accepted-then-silent", "up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What one call meets; an empty name is the agency in good health."""

    name: str = ""
    seconds: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One request that reached the agency; `path` has its query, `time` is in seconds since the epoch."""

    operation: str
    method: str
    path: str
    time: float


@dataclass(slots=True)
class Switch:
    """The mode that holds now; `left` counts the calls it still holds for (None: until it is changed)."""

    mode: Mode = field(default_factory=Mode)
    left: int | None = None
    arrivals: list[Arrival] = field(default_factory=list)

    def set(self, mode: Mode, times: int | None = None) -> None:
        """Hold `mode` for the next `times` calls."""
        self.mode, self.left = mode, times

    def take(self) -> Mode:
        """The mode for one call, which is counted."""
        mode = self.mode
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.set(Mode())
        return mode

    def arrived(self, operation: str, method: str, path: str) -> None:
        """Note that a request came in."""
        self.arrivals.append(Arrival(operation=operation, method=method, path=path, time=time.time()))
