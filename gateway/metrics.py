"""Every Prometheus metric, declared in one table; labels come from loaded configuration only."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

Kind = Literal["counter", "gauge", "histogram"]

_FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
_SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: its name in Prometheus, its kind, its labels, what it says."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()


TABLE: tuple[Metric, ...] = (
    Metric(
        "gateway_requests_total",
        "counter",
        ("operation", "agency", "method", "code", "outcome"),
        "Requests answered, by HTTP status and outcome.",
    ),
    Metric(
        "gateway_request_duration_seconds",
        "histogram",
        ("operation", "agency"),
        "From the first byte of a request to its answer.",
        _SLOW,
    ),
    Metric(
        "gateway_overhead_seconds",
        "histogram",
        (),
        "The gateway's own time, its waits for a turn included.",
        _FAST,
    ),
    Metric("gateway_requests_in_flight", "gauge", (), "Requests being answered now."),
    Metric("gateway_request_bytes_total", "counter", ("operation",), "Bytes of request bodies."),
    Metric("gateway_response_bytes_total", "counter", ("operation",), "Bytes of answers."),
    Metric("gateway_client_requests_total", "counter", ("client", "agency", "outcome"), "Requests by client."),
    Metric("gateway_rejections_total", "counter", ("reason",), "Requests turned away before any agency was asked."),
    Metric("gateway_agency_requests_total", "counter", ("agency", "operation", "outcome"), "Attempts at an agency."),
    Metric(
        "gateway_agency_request_duration_seconds",
        "histogram",
        ("agency", "operation"),
        "One attempt at an agency.",
        (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0),
    ),
    Metric("gateway_agency_retries_total", "counter", ("agency", "reason"), "Attempts after the first."),
    Metric(
        "gateway_agency_retry_budget_exhausted_total",
        "counter",
        ("agency",),
        "Retries not made because the budget was spent.",
    ),
    Metric("gateway_agency_breaker_open", "gauge", ("agency",), "1 while nothing is sent because of failures."),
    Metric("gateway_agency_closed_calls_total", "counter", ("agency",), "Direct calls that failed outside its hours."),
    Metric("gateway_agency_breaker_transitions_total", "counter", ("agency", "to"), "Changes of the breaker."),
    Metric("gateway_agency_up", "gauge", ("agency",), "1 when the last attempt or probe reached the agency."),
    Metric("gateway_agency_last_success_timestamp_seconds", "gauge", ("agency",), "When it last answered as agreed."),
    Metric("gateway_agency_slots_in_use", "gauge", ("agency",), "Calls at the agency now."),
    Metric("gateway_agency_slots_limit", "gauge", ("agency",), "Calls allowed at a time."),
    Metric("gateway_agency_waiting", "gauge", ("agency",), "Calls waiting for a slot."),
    Metric("gateway_agency_quota_exhausted_total", "counter", ("agency",), "Calls not made: the quota was spent."),
    Metric("gateway_cache_requests_total", "counter", ("operation", "result"), "Shared and stale answers."),
    Metric(
        "gateway_translation_errors_total", "counter", ("agency", "operation", "side"), "Documents that did not fit."
    ),
    Metric("gateway_file_drops_total", "counter", ("agency", "feed", "outcome"), "Files taken in or refused."),
    Metric("gateway_file_rows_total", "counter", ("agency", "feed", "outcome"), "Rows taken in or refused."),
    Metric(
        "gateway_file_drop_last_success_timestamp_seconds",
        "gauge",
        ("agency", "feed"),
        "When a file was last taken in.",
    ),
    Metric("gateway_lane_messages", "gauge", ("agency", "state"), "Recorded messages of a lane by state."),
    Metric("gateway_lane_held", "gauge", ("agency",), "Pending messages that wait for an older one of their order."),
    Metric(
        "gateway_lane_oldest_pending_timestamp_seconds",
        "gauge",
        ("agency",),
        "When the oldest pending was accepted, or 0.",
    ),
    Metric("gateway_lane_paused", "gauge", ("agency",), "1 while nothing of the lane is delivered."),
    Metric(
        "gateway_answers_near", "gauge", ("agency",), "Messages that people must have an answer to in one working day."
    ),
    Metric("gateway_answers_past", "gauge", ("agency",), "Messages that people should have had an answer to."),
    Metric(
        "gateway_answers_earliest_due_timestamp_seconds",
        "gauge",
        ("agency",),
        "The earliest date of all answers that people don't have yet, or 0.",
    ),
    Metric("gateway_ledger_up", "gauge", (), "1 while the ledger can be read and written."),
    Metric("gateway_event_loop_lag_seconds", "gauge", (), "How late the event loop last woke up."),
    Metric("gateway_config_last_success_timestamp_seconds", "gauge", (), "When the configuration was last loaded."),
    Metric("gateway_build_info", "gauge", ("version", "python"), "1, with the versions as labels."),
)


OTHER = "other"
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
        "unsupported-setting",
        "uri-too-long",
        "headers-too-large",
    }
)
"""The codes of requests turned away before any agency was asked."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The table's metrics in a registry of their own; each method gives a child, to be bound once at load."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        by_kind = {
            kind: [metric for metric in TABLE if metric.kind == kind] for kind in ("counter", "gauge", "histogram")
        }
        self._counters = {m.name: Counter(m.name, m.help, m.labels, registry=self.registry) for m in by_kind["counter"]}
        self._gauges = {m.name: Gauge(m.name, m.help, m.labels, registry=self.registry) for m in by_kind["gauge"]}
        self._histograms = {
            m.name: Histogram(m.name, m.help, m.labels, buckets=m.buckets, registry=self.registry)
            for m in by_kind["histogram"]
        }

    def counter(self, name: str, *labels: str) -> Callable[[float], None]:
        """Return the `inc` of one child."""
        metric = self._counters[name]
        return (metric.labels(*labels) if labels else metric).inc

    def gauge(self, name: str, *labels: str) -> Gauge:
        """Return one gauge."""
        metric = self._gauges[name]
        return metric.labels(*labels) if labels else metric

    def histogram(self, name: str, *labels: str) -> Callable[[float], None]:
        """Return the `observe` of one child."""
        metric = self._histograms[name]
        return (metric.labels(*labels) if labels else metric).observe

    def by_last_label(self, name: str, *labels: str) -> Callable[[str], None]:
        """Return a function counting one by the last label, whose values come from a fixed list (outcomes, codes)."""
        children: dict[str, Callable[[float], None]] = {}

        def count(last: str) -> None:
            child = children.get(last)
            if child is None:
                child = children[last] = self.counter(name, *labels, last)
            child(1)

        return count


class RequestFigures:
    """Where the edge counts one operation's answered requests; the children of each status and outcome are kept."""

    __slots__ = (
        "_agency",
        "_by_client",
        "_by_outcome",
        "_duration",
        "_metrics",
        "_operation",
        "_overhead",
        "_rejected",
        "_sizes",
    )

    def __init__(self, metrics: Metrics, operation: str, agency: str) -> None:
        self._metrics = metrics
        self._operation = operation
        self._agency = agency
        self._duration = metrics.histogram("gateway_request_duration_seconds", operation, agency)
        self._overhead = metrics.histogram("gateway_overhead_seconds")
        self._sizes = (
            metrics.counter("gateway_request_bytes_total", operation),
            metrics.counter("gateway_response_bytes_total", operation),
        )
        self._by_outcome: dict[tuple[str, int, str], Callable[[float], None]] = {}
        self._by_client: dict[tuple[str, str], Callable[[float], None]] = {}
        self._rejected = metrics.by_last_label("gateway_rejections_total")

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
        /,
    ) -> None:
        """Count one answered request; `client` is a configured name, or "" when nobody showed a valid key."""
        count = self._by_outcome.get((method, status, outcome)) or self._outcome(method, status, outcome)
        count(1)
        by_client = self._by_client.get((client, outcome)) or self._client(client, outcome)
        by_client(1)
        if outcome in REJECTIONS:
            self._rejected(outcome)
        self._duration(seconds)
        self._overhead(max(0.0, seconds - agency_seconds))
        received, sent = self._sizes
        received(request_bytes)
        sent(response_bytes)

    def _outcome(self, method: str, status: int, outcome: str) -> Callable[[float], None]:
        known = method if method in _METHODS else OTHER
        labels = (self._operation, self._agency, known, str(status), outcome)
        child = self._metrics.counter("gateway_requests_total", *labels)
        if known == method:
            self._by_outcome[method, status, outcome] = child
        return child

    def _client(self, client: str, outcome: str) -> Callable[[float], None]:
        child = self._metrics.counter("gateway_client_requests_total", client or OTHER, self._agency, outcome)
        self._by_client[client, outcome] = child
        return child
