"""The span of a request: whether it is traced at all, and what is told of it; knows no exporter."""

from gateway.edge.accesslog import level_of
from gateway.edge.problems import place_of
from gateway.edge.trace import caller
from gateway.edge.visit import Visit
from gateway.ports import Clock
from gateway.trail import Fact, Record, Trail, sampled

_HALF = 1 << 64


class RequestSpans:
    """Traces what its caller traces, and of the requests that begin a trace the share `ratio`.

    Which these are depends on the trace's id alone, as in every OpenTelemetry library.
    """

    def __init__(self, record: Record, clock: Clock, ratio: float) -> None:
        self._record = record
        self._clock = clock
        self._bound = round(ratio * _HALF)

    def begin(self, visit: Visit) -> None:
        """Give a visit its span, if it is to be traced."""
        _, trace, own, _ = visit.traceparent.split("-")
        parent = caller(visit.headers.get(b"traceparent"), visit.traceparent)
        if not (sampled(visit.traceparent) if parent else int(trace[16:], 16) < self._bound):
            return
        visit.traceparent = f"00-{trace}-{own}-01"
        trail = Trail(self._record, self._clock, trace, parent)
        visit.span = trail.begin("request", kind="server", since=visit.started, own=own)

    def end(self, visit: Visit) -> None:
        """Tell of a visit that was answered."""
        if visit.span is None:
            return
        place = place_of(visit.error, visit.bound.operation if visit.bound else None)
        facts: dict[str, Fact | None] = {
            "correlation_id": visit.correlation_id,
            "client": visit.client.name if visit.client else None,
            "operation": place.operation if place else None,
            "agency": place.agency if place else None,
            "outcome": visit.code,
            "status": visit.status,
            "attempts": visit.effort.attempts,
            "age": visit.age,
            "message_id": visit.recorded,
        }
        failed = level_of(visit.status) != "info"
        visit.span.end(failed, **{name: fact for name, fact in facts.items() if fact is not None})
