"""A rate as a token bucket, kept as one number (GCRA): the time at which the bucket would be full again."""

_ROUNDING = 1e-9
"""Seconds. Having waited exactly as long as told must be enough, whatever floats make of the sum."""


class TokenBucket:
    """`rate_per_second` tokens flow in, up to `burst` are kept. Times are monotonic seconds that the caller reads."""

    __slots__ = ("_ahead", "_full", "_interval")

    def __init__(self, rate_per_second: float, burst: float = 1.0) -> None:
        self._interval = 1.0 / rate_per_second
        self._ahead = max(0.0, (burst - 1.0) * self._interval) + _ROUNDING
        self._full = float("-inf")

    def take(self, now: float) -> float:
        """Take a token and return 0, or take none and return the seconds until there is one."""
        full = self._full
        if full <= now:
            self._full = now + self._interval
            return 0.0
        wait = full - now - self._ahead
        if wait > 0:
            return wait
        self._full = full + self._interval
        return 0.0

    def wait(self, now: float) -> float:
        """Return the seconds until the next token, without taking it."""
        return max(0.0, self._full - now - self._ahead)

    def reserve(self, now: float) -> float:
        """Take the next token even if it isn't there yet; return the seconds until it is."""
        wait = self.wait(now)
        self._full = max(self._full, now) + self._interval
        return wait
