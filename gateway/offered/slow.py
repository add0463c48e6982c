"""Guessing passwords is slowed down: an address that failed waits before it is looked at again; knows no protocol."""

from ipaddress import ip_address, ip_network

from gateway.ports import Clock

FIRST, LONGEST = 1.0, 10.0
"""Seconds between two attempts of an address after its first failure, doubled with each, up to this."""
PATIENCE = 30.0
"""Seconds that an attempt may wait for its turn; one that would wait longer is refused at once."""
FORGOTTEN = 900.0
MOST = 10_000
"""Addresses remembered: more come only from somebody who has many, and the oldest are forgotten first."""


def origin(address: str) -> str:
    """Return what counts as one address: of IPv6 the network that a household is given whole."""
    try:
        whole = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return address if whole.version == 4 else str(ip_network((whole, 64), strict=False))  # noqa: PLR2004 - of IP


class Slow:
    """Turns of the addresses that failed: however many connections one has, it gets one attempt at a time."""

    __slots__ = ("_clock", "_failures", "_next")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}
        self._next: dict[str, float] = {}

    async def turn(self, address: str) -> bool:
        """Wait for an address's turn; false when it has more attempts waiting than is worth it."""
        failures = self._of(address)
        if not failures:
            return True
        now = self._clock.monotonic()
        at = max(now, self._next.get(address, now))
        if at - now > PATIENCE:
            return False
        self._next[address] = at + min(FIRST * 2 ** min(failures - 1, 10), LONGEST)
        if at > now:
            await self._clock.sleep(at - now)
        return True

    def failed(self, address: str) -> None:
        """Remember a failure."""
        failures, now = self._of(address) + 1, self._clock.monotonic()
        self._failures.pop(address, None)  # so that the one last seen stands last
        self._failures[address] = failures, now
        wait = min(FIRST * 2 ** min(failures - 1, 10), LONGEST)
        self._next[address] = max(self._next.get(address, now), now + wait)
        if len(self._failures) > MOST:
            self._forget(next(iter(self._failures)))

    def succeeded(self, address: str) -> None:
        """Forget an address's failures: whoever knows a password need not guess."""
        self._forget(address)

    def _of(self, address: str) -> int:
        failures, last = self._failures.get(address, (0, 0.0))
        if failures and self._clock.monotonic() - last > FORGOTTEN:
            self._forget(address)
            return 0
        return failures

    def _forget(self, address: str) -> None:
        self._failures.pop(address, None)
        self._next.pop(address, None)
