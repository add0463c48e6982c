"""A rate as a token bucket, kept as one number (GCRA): the time at which the bucket would be full again."""

_ROUNDING = 1e-6
"""Seconds. Having waited exactly as long as told must be enough, whatever floats make of the sum."""


class TokenBucket:
    """`rate_per_second` tokens flow in, up to `burst` are kept. Times are monotonic seconds that the caller reads."""

    __slots__ = ("__weakref__", "_ahead", "_burst", "_full", "_interval", "_whole")

    def __init__(self, rate_per_second: float, burst: float = 1.0) -> None:
        self._whole = 1.0 / rate_per_second
        self._burst = burst
        self._full = float("-inf")
        self.divide(1)

    def divide(self, among: int) -> None:
        """Let in one replica's part of the rate from now on; each keeps its burst, and who waits keeps the place."""
        self._interval = self._whole * among
        self._ahead = max(0.0, (self._burst - 1.0) * self._interval)

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
