"""Every Prometheus metric, declared in one table; labels come from loaded configuration only."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector

from gateway.cells import Counter, Histogram, Spread

Kind = Literal["counter", "gauge", "histogram"]

_FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25)
_SLOW = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_ATTEMPT = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_TRANSLATION = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.1)
_DELIVERY = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0)
_FILE = (0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 1800.0)
_LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


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
        ("operation", "agency", "method", "code", "outcome", "error_source"),
        "Requests answered, by HTTP status, outcome, and whose failure it was: none, client, gateway or agency.",
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
    Metric(
        "gateway_client_requests_total",
        "counter",
        ("client", "agency", "error_source"),
        "Requests by client, and whose failure it was.",
    ),
    Metric("gateway_rejections_total", "counter", ("reason",), "Requests turned away before any agency was asked."),
    Metric("gateway_agency_requests_total", "counter", ("agency", "operation", "outcome"), "Attempts at an agency."),
    Metric(
        "gateway_agency_request_duration_seconds",
        "histogram",
        ("agency", "operation"),
        "One attempt at an agency.",
        _ATTEMPT,
    ),
    Metric("gateway_agency_retries_total", "counter", ("agency", "reason"), "Attempts after the first."),
    Metric(
        "gateway_agency_retry_budget_exhausted_total",
        "counter",
        ("agency",),
        "Retries not made because the budget was spent.",
    ),
    Metric("gateway_agency_breaker_open", "gauge", ("agency",), "1 while nothing is sent because of failures."),
    Metric("gateway_agency_breaker_transitions_total", "counter", ("agency", "to"), "Changes of the breaker."),
    Metric("gateway_agency_up", "gauge", ("agency",), "1 when the last attempt or probe reached the agency."),
    Metric(
        "gateway_agency_probes_total",
        "counter",
        ("agency", "outcome"),
        "Harmless questions whether the agency is there, asked every 30 s: ok or failed.",
    ),
    Metric("gateway_agency_open", "gauge", ("agency",), "1 within its service hours, or when it has none."),
    Metric("gateway_agency_closed_calls_total", "counter", ("agency",), "Direct calls that failed outside its hours."),
    Metric("gateway_agency_last_success_timestamp_seconds", "gauge", ("agency",), "When it last answered as agreed."),
    Metric(
        "gateway_agency_certificate_expiry_timestamp_seconds",
        "gauge",
        ("agency",),
        "When the TLS certificate ends that its server showed last; absent without TLS and with verify = false.",
    ),
    Metric(
        "gateway_agency_own_certificate_expiry_timestamp_seconds",
        "gauge",
        ("agency",),
        "When the certificate ends that the gateway shows to the agency, or signs by; absent where it has none.",
    ),
    Metric("gateway_agency_slots_in_use", "gauge", ("agency",), "Calls at the agency now."),
    Metric("gateway_agency_slots_limit", "gauge", ("agency",), "Calls allowed at a time: this replica's part."),
    Metric("gateway_agency_waiting", "gauge", ("agency",), "Calls waiting for a slot."),
    Metric(
        "gateway_agency_quota_limit",
        "gauge",
        ("agency",),
        "Calls allowed in one window of its quota: this replica's part.",
    ),
    Metric("gateway_agency_quota_left", "gauge", ("agency",), "Calls left in the window that is running."),
    Metric("gateway_agency_quota_exhausted_total", "counter", ("agency",), "Calls not made: the quota was spent."),
    Metric("gateway_cache_requests_total", "counter", ("operation", "result"), "Answers that were shared or stale."),
    Metric(
        "gateway_translation_duration_seconds",
        "histogram",
        ("agency", "side"),
        "Translating one document; side is request or reply.",
        _TRANSLATION,
    ),
    Metric(
        "gateway_translation_errors_total", "counter", ("agency", "operation", "side"), "Documents that did not fit."
    ),
    Metric(
        "gateway_agency_tolerated_total",
        "counter",
        ("agency", "tolerance"),
        "Answers taken although they deviate from the WSDL, by what the agency's section tolerates.",
    ),
    Metric(
        "gateway_agency_contract_changed",
        "gauge",
        ("agency",),
        "1 when its WSDL differs from the pinned one, 0 when not; absent where nobody looks or nobody could see it.",
    ),
    Metric(
        "gateway_agency_contract_checked_timestamp_seconds",
        "gauge",
        ("agency",),
        "When its WSDL was last compared with the pinned one.",
    ),
    Metric(
        "gateway_file_drops_total",
        "counter",
        ("agency", "feed", "outcome"),
        "Files accepted, refused, or a duplicate of the live one.",
    ),
    Metric(
        "gateway_file_rows_total",
        "counter",
        ("agency", "feed", "outcome"),
        "Rows of files: accepted, unchanged (they were there already), or rejected.",
    ),
    Metric(
        "gateway_file_rejects_total",
        "counter",
        ("agency", "feed", "rule"),
        "Why rows were rejected: each rule that one broke.",
    ),
    Metric(
        "gateway_file_duration_seconds",
        "histogram",
        ("agency", "feed"),
        "From a file's claim to its end: reading, checking, storing.",
        _FILE,
    ),
    Metric("gateway_files_waiting", "gauge", ("agency", "feed"), "Complete files in the drop that are not taken in."),
    Metric(
        "gateway_files_left_total",
        "counter",
        ("agency", "feed"),
        "Files that were read and can't be moved: they stay where they were dropped, without a receipt.",
    ),
    Metric(
        "gateway_file_drop_last_success_timestamp_seconds",
        "gauge",
        ("agency", "feed"),
        "When a file was last taken in.",
    ),
    Metric("gateway_feed_rows", "gauge", ("agency", "feed"), "Rows that look-ups are answered from."),
    Metric(
        "gateway_feed_data_timestamp_seconds",
        "gauge",
        ("agency", "feed"),
        "From when the data is that look-ups are answered from: the time of its file.",
    ),
    Metric(
        "gateway_feed_due_timestamp_seconds",
        "gauge",
        ("agency", "feed"),
        "By when the next file must come; absent where `every` is not set.",
    ),
    Metric(
        "gateway_sftp_logins_total",
        "counter",
        ("outcome",),
        "Logins at the gateway's own SFTP server: accepted, refused, turned-away by too many connections.",
    ),
    Metric(
        "gateway_sftp_uploads_total",
        "counter",
        ("agency", "feed", "outcome"),
        "Files brought there: uploaded whole, or broken off.",
    ),
    Metric(
        "gateway_lane_messages",
        "gauge",
        ("agency", "state"),
        "Recorded messages of a lane that are not done, by state.",
    ),
    Metric("gateway_lane_held", "gauge", ("agency",), "Pending messages that wait for an older one of their order."),
    Metric(
        "gateway_lane_unacknowledged",
        "gauge",
        ("agency",),
        "Messages that were handed over and should have been acknowledged by now.",
    ),
    Metric(
        "gateway_lane_patience_seconds",
        "gauge",
        ("agency",),
        "How long messages may wait for others to go over with, or 0.",
    ),
    Metric(
        "gateway_lane_oldest_pending_timestamp_seconds",
        "gauge",
        ("agency",),
        "When the oldest pending was accepted, or 0.",
    ),
    Metric(
        "gateway_lane_paused",
        "gauge",
        ("agency", "reason"),
        "1 while nothing of the lane is delivered: operator, maintenance, hours or outage.",
    ),
    Metric(
        "gateway_lane_deliveries_total",
        "counter",
        ("agency", "outcome"),
        "Ends of attempts to deliver: delivered, duplicate, handed-over, refused, postponed, unknown or buried.",
    ),
    Metric(
        "gateway_lane_delivery_lag_seconds",
        "histogram",
        ("agency",),
        "From a message's acceptance to its delivery, nights and pauses included.",
        _DELIVERY,
    ),
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
    Metric("gateway_replicas", "gauge", (), "Replicas among which this one divides what agencies allow."),
    Metric("gateway_ledger_up", "gauge", (), "1 while the ledger can be read and written."),
    Metric("gateway_ledger_bytes", "gauge", (), "Bytes of the ledger's files; absent when it is on PostgreSQL."),
    Metric(
        "gateway_ledger_disk_free_bytes",
        "gauge",
        (),
        "Bytes left on the disk of the ledger's folder; of var/ when the ledger is on PostgreSQL.",
    ),
    Metric("gateway_ledger_disk_size_bytes", "gauge", (), "Bytes of that disk altogether."),
    Metric(
        "gateway_event_loop_lag_seconds",
        "histogram",
        (),
        "How late the event loop woke up, looked at every second.",
        _LAG,
    ),
    Metric(
        "gateway_certificate_expiry_timestamp_seconds",
        "gauge",
        (),
        "When the certificate of the API's own listener ends; 0 without TLS there.",
    ),
    Metric("gateway_config_last_success_timestamp_seconds", "gauge", (), "When the configuration was last loaded."),
    Metric("gateway_config_last_load_successful", "gauge", (), "1 when the configuration last read could be used."),
    Metric("gateway_build_info", "gauge", ("version", "python"), "1, with the versions as labels."),
)


OTHER = "other"
_LABELS = {metric.name: metric.labels for metric in TABLE}


class Metrics:
    """The table's metrics in a registry of their own; each method gives a child, to be bound once at load."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in TABLE:
            self._declare(metric)

    def _declare(self, metric: Metric) -> None:
        name, about, labels = metric.name, metric.help, metric.labels
        match metric.kind:
            case "counter":
                self._counters[name] = Counter(name, about, labels, self.registry)
            case "gauge":
                self._gauges[name] = Gauge(name, about, labels, registry=self.registry)
            case "histogram":
                self._histograms[name] = Histogram(name, about, labels, metric.buckets, self.registry)

    def counter(self, name: str, *labels: str) -> Callable[[float], None]:
        """Return what adds to one child; call it on the event loop only."""
        return self._counters[name].child(*labels)

    def gauge(self, name: str, *labels: str) -> Gauge:
        """Return one gauge."""
        metric = self._gauges[name]
        return metric.labels(*labels) if labels else metric

    def forget(self, prefix: str, agency: str) -> None:
        """Let an agency's gauges with such names go: of what is not there any more, nobody can tell how it stands."""
        for name, gauge in self._gauges.items():
            if name.startswith(prefix) and "agency" in _LABELS[name]:
                gauge.remove_by_labels({"agency": agency})

    def histogram(self, name: str, *labels: str) -> Spread:
        """Return what observes for one child; call it on the event loop only."""
        return self._histograms[name].child(*labels)

    def by_last_label(self, name: str, *labels: str, known: Iterable[str] = ()) -> Callable[[str], None]:
        """Return a function counting one by the last label, whose values come from a fixed list (outcomes, codes).

        Those that are `known` are there from the start; what is born with a 1 has not risen, as Prometheus sees it.
        """
        children = {last: self.counter(name, *labels, last) for last in known}

        def count(last: str) -> None:
            child = children.get(last)
            if child is None:
                child = children[last] = self.counter(name, *labels, last)
            child(1)

        return count
