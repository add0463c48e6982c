"""Cross-origin requests (the fetch standard's CORS) for the origins that are configured; off when there are none."""

from collections.abc import Iterable, Mapping

from gateway.edge.asgi import Header

_PREFLIGHT: tuple[Header, ...] = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"authorization, x-api-key, content-type, x-correlation-id, traceparent, idempotency-key, prefer",
    ),
    (b"access-control-max-age", b"600"),
)
_EXPOSED: Header = (
    b"access-control-expose-headers",
    b"x-correlation-id, traceparent, retry-after, age, allow, location, preference-applied",
)


class Cors:
    """The headers for each configured origin, made once."""

    __slots__ = ("_by_origin",)

    def __init__(self, origins: Iterable[str]) -> None:
        self._by_origin: Mapping[bytes, tuple[Header, ...]] = {
            origin.encode(): ((b"access-control-allow-origin", origin.encode()), (b"vary", b"origin"), _EXPOSED)
            for origin in origins
        }

    def headers(self, origin: bytes) -> tuple[Header, ...]:
        """Return what an answer to this origin bears."""
        return self._by_origin.get(origin, ())

    def preflight(self, headers: Mapping[bytes, bytes]) -> tuple[Header, ...] | None:
        """Return the answer to an OPTIONS request if it is a preflight of a configured origin.

        It is the same for every path: a preflight carries no key, so it must not tell which paths there are.
        """
        if b"access-control-request-method" not in headers:
            return None
        allowed = self._by_origin.get(headers.get(b"origin", b""))
        return None if allowed is None else (*allowed, *_PREFLIGHT)
