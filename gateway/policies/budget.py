"""How many retries an agency may get: a share of its calls, so that a failing one isn't asked thrice as much."""

from gateway.ports import Clock


class RetryBudget:
    """Retries allowed in a window that starts with the first retry after the last window ended.

    Counting a call must cost nothing, so time is looked at only when a retry is asked for. Share is of the calls in
    the window so far; window in seconds. One per agency.
    """

    __slots__ = ("_calls", "_clock", "_floor", "_retries", "_share", "_since", "_window")

    def __init__(self, clock: Clock, *, share: float = 0.2, floor: int = 3, window: float = 10.0) -> None:
        self._clock = clock
        self._share = share
        self._floor = floor
        self._window = window
        self._since = float("-inf")
        self._calls = 0
        self._retries = 0

    def count(self) -> None:
        """Note a call (not a retry)."""
        self._calls += 1

    def take(self) -> bool:
        """Spend one retry; false when there is none left."""
        now = self._clock.monotonic()
        if now - self._since >= self._window:
            self._since, self._calls, self._retries = now, 0, 0
        if self._retries >= max(self._floor, self._share * self._calls):
            return False
        self._retries += 1
        return True
