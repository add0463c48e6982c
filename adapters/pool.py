"""One agency's connections: how many there are at a time, which may be used again, and how a new one is opened."""

import asyncio
import ipaddress
import socket
import ssl
from collections import deque
from collections.abc import Callable

from adapters.head import Origin
from adapters.wire import Wire

# Shorter than the 5 s after which Apache, nginx and Node commonly hang up, so that a reused connection is seldom dead.
KEEP_ALIVE = 4.0
# How long a name's addresses are good for; a write would ask the resolver each time.
NAMES_FOR = 10.0


class Pool:
    """Lends wires; whoever borrows one gives it back, whatever happened.

    `ends` hears with each new one when the certificate ends that the server showed, in seconds since 1970.
    """

    __slots__ = ("_ends", "_idle", "_lent", "_limit", "_max_body", "_names", "_sweep", "_taken", "_tls", "_waiting")

    def __init__(
        self, *, limit: int, max_body: int, tls: ssl.SSLContext, ends: Callable[[float], None] = lambda _time: None
    ) -> None:
        self._limit = limit
        self._max_body = max_body
        self._tls = tls
        self._ends = ends
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._idle: list[tuple[Origin, Wire]] = []
        self._lent: set[Wire] = set()
        self._names: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._sweep: asyncio.TimerHandle | None = None

    def at_hand(self, origin: Origin, now: float) -> Wire | None:
        """Lend an idle wire if that needs no waiting."""
        if self._taken >= self._limit or self._waiting:
            return None
        wire = self._take_idle(origin, now)
        if wire is not None:
            self._taken += 1
        return wire

    async def open(self, origin: Origin, *, reuse: bool, deadline: float) -> Wire:
        """Lend a wire, in the order of asking; raises OSError, ValueError or TimeoutError (at the loop's time)."""
        loop = asyncio.get_running_loop()
        if loop.time() >= deadline:
            raise TimeoutError
        async with asyncio.timeout_at(deadline):
            await self._slot()
            try:
                wire = self._take_idle(origin, loop.time()) if reuse else None
                if wire is None:
                    wire = await self._connect(origin, deadline)
            except BaseException:
                self._free_slot()
                raise
        self._lent.add(wire)
        return wire

    async def knock(self, origin: Origin, deadline: float) -> None:
        """Connect and hang up, whoever waits for a wire; raises what `open` does."""
        async with asyncio.timeout_at(deadline):
            wire = await self._connect(origin, deadline)
        wire.abort()

    def give_back(self, origin: Origin, wire: Wire, *, keep: bool) -> None:
        """Take a wire back, to be lent again if it may be kept, else to be cut."""
        self._lent.discard(wire)
        if keep and wire.reusable:
            loop = asyncio.get_running_loop()
            wire.idle_since = loop.time()
            self._idle.append((origin, wire))
            if self._sweep is None:
                self._sweep = loop.call_later(KEEP_ALIVE, self._drop_old, loop)
        else:
            wire.abort()
        self._free_slot()

    def close(self) -> None:
        """Cut every wire, lent or idle."""
        for wire in [*self._lent, *(wire for _, wire in self._idle)]:
            wire.cut()
        self._idle.clear()
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None

    def _take_idle(self, origin: Origin, now: float) -> Wire | None:
        for at in range(len(self._idle) - 1, -1, -1):
            of, wire = self._idle[at]
            if of is not origin:
                continue
            del self._idle[at]
            # One that spoke unasked is lent once more, for its borrower to say so.
            if wire.spoke or (wire.reusable and wire.open and now - wire.idle_since < KEEP_ALIVE):
                self._lent.add(wire)
                return wire
            wire.abort()
        return None

    def _drop_old(self, loop: asyncio.AbstractEventLoop) -> None:
        oldest_kept = loop.time() - KEEP_ALIVE
        while self._idle and self._idle[0][1].idle_since <= oldest_kept:
            self._idle.pop(0)[1].abort()
        self._sweep = None
        if self._idle:
            self._sweep = loop.call_at(self._idle[0][1].idle_since + KEEP_ALIVE, self._drop_old, loop)

    async def _slot(self) -> None:
        if self._taken < self._limit and not self._waiting:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._free_slot()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def _free_slot(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                # The slot passes on; nobody who comes now gets in between.
                turn.set_result(None)
                return
        self._taken -= 1

    async def _connect(self, origin: Origin, deadline: float) -> Wire:
        while self._idle and self._taken + len(self._idle) > self._limit:
            self._idle.pop(0)[1].abort()
        addresses = await self._addresses(origin)
        for at, address in enumerate(addresses[:-1]):
            now = asyncio.get_running_loop().time()
            try:
                # An address that swallows everything (IPv6 often does) leaves time for those after it.
                async with asyncio.timeout_at(now + (deadline - now) / (len(addresses) - at)):
                    return await self._dial(origin, address)
            except ssl.SSLError:
                raise
            except OSError:
                continue
        try:
            return await self._dial(origin, addresses[-1])
        except OSError:
            self._names.pop(origin.host, None)
            raise

    async def _dial(self, origin: Origin, address: str) -> Wire:
        wire = Wire(max_body=self._max_body)
        try:
            transport, _ = await asyncio.get_running_loop().create_connection(
                lambda: wire,
                address,
                origin.port,
                ssl=self._tls if origin.tls else None,
                server_hostname=origin.host.rstrip(".") if origin.tls else None,
            )
        except BaseException:
            wire.abort()
            raise
        # Python reads a certificate only where it is checked.
        if origin.tls and (shown := transport.get_extra_info("peercert")):
            self._ends(ssl.cert_time_to_seconds(shown["notAfter"]))
        return wire

    async def _addresses(self, origin: Origin) -> tuple[str, ...]:
        if _is_address(origin.host):
            return (origin.host,)
        loop = asyncio.get_running_loop()
        until, known = self._names.get(origin.host, (0.0, ()))
        if loop.time() < until:
            return known
        found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        known = tuple(dict.fromkeys(str(info[4][0]) for info in found))
        if not known:
            raise socket.gaierror
        self._names[origin.host] = (loop.time() + NAMES_FOR, known)
        return known


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
