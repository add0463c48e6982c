"""Where what happens is counted, bound at load: an operation's requests, an agency's attempts, a lane's deliveries."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Literal

from gateway.handover import HandedOver
from gateway.message import Outcome
from gateway.metrics import OTHER, Metrics
from gateway.records import Claim, Delivered, Settlement, Verdict, became

ErrorSource = Literal["none", "client", "gateway", "agency"]

SOURCES: Mapping[str, ErrorSource] = {
    "ok": "none",
    "duplicate": "none",
    "stale": "none",
    "accepted": "none",
    "not-found": "none",
    "refused": "none",
    "invalid-request": "client",
    "unauthorized": "client",
    "unknown-operation": "client",
    "too-large": "client",
    "uri-too-long": "client",
    "headers-too-large": "client",
    "unsupported-media": "client",
    "idempotency-mismatch": "client",
    "in-progress": "client",
    "gone": "client",
    "unknown-message": "client",
    "wrong-state": "client",
    "rate-limited": "client",
    "client-gone": "client",
    "overloaded": "gateway",
    "stopping": "gateway",
    "ledger-unavailable": "gateway",
    "internal": "gateway",
    "agency-unavailable": "agency",
    "parts-unavailable": "agency",
    "no-data-yet": "agency",
    "breaker-open": "agency",
    "agency-closed": "agency",
    "agency-timeout": "agency",
    "outcome-unknown": "agency",
    "agency-invalid-answer": "agency",
    "agency-login": "agency",
}
"""Whose failure each outcome of a request is; an agency's no, or its not having such a thing, is an answer."""

REJECTIONS = frozenset(
    {
        "invalid-request",
        "overloaded",
        "rate-limited",
        "stopping",
        "too-large",
        "unauthorized",
        "unknown-operation",
        "unsupported-media",
        "uri-too-long",
        "headers-too-large",
    }
)
"""The codes of requests turned away before any agency was asked."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOT_REACHED = frozenset({Outcome.UNAVAILABLE, Outcome.TIMEOUT})
_AS_AGREED = frozenset({Outcome.OK, Outcome.DUPLICATE, Outcome.NOT_FOUND, Outcome.REFUSED})
DELIVERIES = ("delivered", "duplicate", "handed-over", "refused", "postponed", "unknown", "buried")

Counters = tuple[Callable[[float], None], ...]


class RequestFigures:
    """Where the edge counts one operation's answered requests; the children of each status and outcome are kept."""

    __slots__ = ("_agency", "_duration", "_kept", "_metrics", "_operation", "_overhead", "_received", "_sent")

    def __init__(self, metrics: Metrics, operation: str, agency: str) -> None:
        self._metrics = metrics
        self._operation = operation
        self._agency = agency
        self._duration = metrics.histogram("gateway_request_duration_seconds", operation, agency)
        self._overhead = metrics.histogram("gateway_overhead_seconds")
        self._received = metrics.counter("gateway_request_bytes_total", operation)
        self._sent = metrics.counter("gateway_response_bytes_total", operation)
        self._kept: dict[tuple[str, str, int, str], Counters] = {}

    def done(  # noqa: PLR0913, PLR0917 - one call per request, by position, is the cheap way
        self,
        method: str,
        client: str,
        status: int,
        outcome: str,
        seconds: float,
        agency_seconds: float,
        request_bytes: int,
        response_bytes: int,
        traceparent: str = "",
        /,
    ) -> None:
        """Count one answered request; `client` is a configured name, or "" when nobody showed a valid key."""
        for count in self._kept.get((method, client, status, outcome)) or self._bind(method, client, status, outcome):
            count(1)
        self._duration(seconds, traceparent)
        self._overhead(max(0.0, seconds - agency_seconds))
        self._received(request_bytes)
        self._sent(response_bytes)

    def _bind(self, method: str, client: str, status: int, outcome: str) -> Counters:
        known = method if method in _METHODS else OTHER
        source = SOURCES.get(outcome, "gateway")
        labels = (self._operation, self._agency, known, str(status), outcome, source)
        children = [
            self._metrics.counter("gateway_requests_total", *labels),
            self._metrics.counter("gateway_client_requests_total", client or OTHER, self._agency, source),
        ]
        if outcome in REJECTIONS:
            children.append(self._metrics.counter("gateway_rejections_total", outcome))
        if known == method:
            self._kept[method, client, status, outcome] = tuple(children)
        return tuple(children)


def attempts(metrics: Metrics, agency: str, operation: str) -> Callable[[Outcome, float], None]:
    """Return what a channel calls after each attempt."""
    count = {
        outcome: metrics.counter("gateway_agency_requests_total", agency, operation, outcome) for outcome in Outcome
    }
    took = metrics.histogram("gateway_agency_request_duration_seconds", agency, operation)
    # Made with the first attempt: 0 would say that an agency nobody has asked yet is down.
    up = cache(partial(metrics.gauge, "gateway_agency_up", agency))
    last = cache(partial(metrics.gauge, "gateway_agency_last_success_timestamp_seconds", agency))

    def observe(outcome: Outcome, seconds: float) -> None:
        count[outcome](1)
        took(seconds)
        up().set(0 if outcome in _NOT_REACHED else 1)
        if outcome in _AS_AGREED:
            last().set_to_current_time()

    return observe


def deliveries(metrics: Metrics, agency: str) -> Callable[[Claim, Settlement], None]:
    """Return what a lane calls after each attempt to deliver."""
    count = {word: metrics.counter("gateway_lane_deliveries_total", agency, word) for word in DELIVERIES}
    lag = metrics.histogram("gateway_lane_delivery_lag_seconds", agency)

    def counted(claim: Claim, settlement: Settlement) -> None:
        verdict, tried = settlement.verdict, settlement.tried
        count["duplicate" if _was_there(verdict) else became(claim, verdict)](1)
        if isinstance(verdict, Delivered | HandedOver) and tried is not None:
            lag(max(0.0, (tried.at - claim.message.accepted_at).total_seconds() + tried.seconds))

    return counted


def _was_there(verdict: Verdict) -> bool:
    return isinstance(verdict, Delivered) and verdict.reply is not None and verdict.reply.outcome is Outcome.DUPLICATE
