"""The shapes of ASGI; knows nothing of the gateway."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

Header = tuple[bytes, bytes]

Whole = Callable[[int, Sequence[Header], bytes], bool]
"""Sends a whole answer in one write: status, headers, body; false where that can't be, and then nothing was sent."""

WHOLE = "gateway.whole"
"""Where a scope has its Whole, until it is taken out; servers that know none leave it out."""
