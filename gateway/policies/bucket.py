"""A rate as a token bucket, kept as one number (GCRA): the time at which the bucket would be full again."""

_ROUNDING = 1e-6
"""Seconds. Having waited exactly as long as told must be enough, whatever floats make of the sum."""


class TokenBucket:
    """`rate_per_second` tokens flow in, up to `burst` are kept. Times are monotonic seconds that the caller reads."""

    __slots__ = ("_ahead", "_full", "_interval")

    def __init__(self, rate_per_second: float, burst: float = 1.0) -> None:
        self._interval = 1.0 / rate_per_second
        self._ahead = max(0.0, (burst - 1.0) * self._interval)
        self._full = float("-inf")

    def take(self, now: float) -> float:
        """Take a token and return 0, or take none and return the seconds until there is one."""
        wait = self.wait(now)
        if not wait:
            self._full = max(self._full, now) + self._interval
        return wait

    def wait(self, now: float) -> float:
        """Return the seconds until the next token, without taking it."""
        wait = self._full - now - self._ahead
        return wait if wait > _ROUNDING else 0.0

    def reserve(self, now: float) -> float:
        """Take the next token even if it isn't there yet; return the seconds until it is."""
        wait = self.wait(now)
        self._full = max(self._full, now) + self._interval
        return wait
