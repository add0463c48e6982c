"""Answers with the last good reply while an agency can't; only for safe operations."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import msgspec

from gateway.errors import AgencyTimeout, BreakerOpen, NotFound, Overloaded, Unavailable
from gateway.message import Message, Reply
from gateway.ports import Clock, Handler, Policy
from gateway.trail import mark

_IN_MEMORY = 4
"""A document takes about four times its JSON in memory."""
_ENTRY = 500
"""Bytes that an entry takes beside its document."""

_Key = tuple[str, bytes]
_encode = msgspec.json.encode


class Shelf:
    """Last good replies of one agency, the longest unused dropped first; holds about `cap_bytes` of memory.

    A reload makes a new one, so nothing outlives the mapping that made it.
    """

    __slots__ = ("_cap", "_kept", "size")

    def __init__(self, cap_bytes: int = 16 * 1024 * 1024) -> None:
        self._cap = cap_bytes
        self._kept: OrderedDict[_Key, tuple[Reply, float, int]] = OrderedDict()
        self.size = 0

    def put(self, key: _Key, reply: Reply, now: float) -> None:
        """Keep a reply got at `now` (monotonic) in place of what was kept."""
        self.drop(key)
        size = _IN_MEMORY * len(_encode(reply.body)) + len(key[1]) + _ENTRY
        if size > self._cap:
            return
        self._kept[key] = (reply, now, size)
        self.size += size
        while self.size > self._cap:
            self.size -= self._kept.popitem(last=False)[1][2]

    def get(self, key: _Key, now: float, keep: float) -> Reply | None:
        """Return what is kept, with its age, unless it was got more than `keep` seconds before `now`."""
        if (entry := self._kept.get(key)) is None:
            return None
        reply, got, _ = entry
        if now - got > keep:
            self.drop(key)
            return None
        self._kept.move_to_end(key)
        # A reply from a file has an age of its own already.
        return replace(reply, age=(reply.age or 0.0) + now - got)

    def drop(self, key: _Key) -> None:
        """Forget what is kept."""
        if entry := self._kept.pop(key, None):
            self.size -= entry[2]


def stale(
    clock: Clock,
    key: Callable[[Message], bytes],
    shelf: Shelf,
    *,
    keep: float = 600.0,
    on_stale: Callable[[], None] = lambda: None,
) -> Policy:
    """Serve a reply of at most `keep` seconds ago when the agency is unavailable, late, left alone or overloaded.

    What is kept has the same key as single flight's. A not-found is an answer: it drops what was kept.
    """
    monotonic = clock.monotonic

    def policy(handler: Handler) -> Handler:
        async def call(message: Message) -> Reply:
            name = (message.operation, key(message))
            try:
                reply = await handler(message)
            except NotFound:
                shelf.drop(name)
                raise
            except (Unavailable, AgencyTimeout, BreakerOpen, Overloaded):
                if (kept := shelf.get(name, monotonic(), keep)) is None:
                    raise
                on_stale()
                mark(message.trail, "stale", age=kept.age or 0.0)
                return kept
            shelf.put(name, reply, monotonic())
            return reply

        return call

    return policy
