"""Is it alive, is it ready, and the figures for Prometheus; knows no agency and declares no metric."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from gateway.edge.asgi import Receive, Scope, Send
from gateway.edge.current import Current
from gateway.ports import Clock

_KEPT_SECONDS = 1.0


Standing = Callable[[], Awaitable[Mapping[str, object]]]
"""How the ledger stands, in a few words and numbers that anybody may read."""


async def nothing_recorded() -> Mapping[str, object]:
    """Tell of no ledger."""
    return {}


def probes(
    current: Current, states: Callable[[], Mapping[str, object]], ledger: Standing = nothing_recorded
) -> list[HTTPRouteHandler]:
    """Return `/livez` and `/readyz`.

    An agency or a ledger that is down shows in the body and does not make us unready: everything else still works.
    """

    @get("/livez")
    async def livez() -> Response[dict[str, str]]:
        return Response({"state": "alive"}, headers={"cache-control": "no-store"})

    @get("/readyz")
    async def readyz() -> Response[dict[str, object]]:
        return Response(
            {"state": current.phase, "agencies": dict(states()), **await ledger()},
            status_code=200 if current.phase == "serving" else 503,
            headers={"cache-control": "no-store"},
        )

    return [livez, readyz]


class Figures:
    """The ASGI app of `/metrics`: text or OpenMetrics, rendered by a thread and kept for a second."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._kept: dict[str, tuple[float, bytes]] = {}
        self._lock = asyncio.Lock()

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer GET /metrics; everything else is not there."""
        if scope["path"] != "/metrics" or scope["method"] not in ("GET", "HEAD"):
            await _send(send, 404, "text/plain", b"GET /metrics\n")
            return
        accept = dict(scope["headers"]).get(b"accept", b"").decode("latin-1")
        encoder, content_type = choose_encoder(accept)
        async with self._lock:
            made, text = self._kept.get(content_type, (float("-inf"), b""))
            if self._clock.monotonic() - made >= _KEPT_SECONDS:
                text = await asyncio.to_thread(encoder, self._registry)
                self._kept[content_type] = (self._clock.monotonic(), text)
        await _send(send, 200, content_type, text)


async def _send(send: Send, status: int, content_type: str, body: bytes) -> None:
    headers = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
