"""Sends spans to an OpenTelemetry collector, in threads of its own; the only place that knows OpenTelemetry."""

import logging
from collections.abc import Callable, Sequence
from threading import Timer

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, TraceFlags
from opentelemetry.trace.status import Status, StatusCode

from gateway.trail import Kind, Span
from gateway.version import __version__

News = Callable[[bool], None]
"""Hears, in another thread, when the collector does not take spans any more, and when it does again."""

_KINDS: dict[Kind, SpanKind] = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}
_NAME = "opd-gateway"
_SCOPE = InstrumentationScope(_NAME, __version__)
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_NANO = 1e9
_TIMEOUT = 3.0
"""Seconds for sending once; a collector nearby needs milliseconds."""
_LAST_SECONDS = 1.0
"""How long the last spans may take to leave when the gateway stops."""


class Export:
    """Keeps spans for seconds at most and sends them together.

    While the collector can't take them they are lost, the oldest first, and nobody waits.
    """

    def __init__(self, endpoint: str, news: News = lambda _reached: None) -> None:
        # Its own words name the address and come with every batch; ours are `news`.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        self._resource = Resource.create({SERVICE_NAME: _NAME, SERVICE_VERSION: __version__})
        self._watched = _Watched(OTLPSpanExporter(endpoint=endpoint, timeout=_TIMEOUT), news)
        self._processor = BatchSpanProcessor(self._watched, schedule_delay_millis=1000)

    def record(self, span: Span) -> None:
        """Take a span to be sent."""
        began = round(span.began * _NANO)
        self._processor.on_end(
            ReadableSpan(
                name=span.name,
                context=_context(span.trace, span.id, remote=False),
                parent=_context(span.trace, span.parent, remote=span.kind == "server") if span.parent else None,
                resource=self._resource,
                attributes={f"gateway.{name}": fact for name, fact in span.facts.items()},
                links=_links(span.link),
                kind=_KINDS[span.kind],
                status=Status(StatusCode.ERROR) if span.failed else Status(),
                start_time=began,
                end_time=began + round(span.seconds * _NANO),
                instrumentation_scope=_SCOPE,
            )
        )

    def close(self) -> None:
        """Send what is left, in a few seconds at most. Blocks."""
        give_up = Timer(0.0 if self._watched.lost else _LAST_SECONDS, self._watched.give_up)
        give_up.start()
        self._processor.shutdown()  # type: ignore[no-untyped-call]
        give_up.cancel()
        give_up.join()


class _Watched(SpanExporter):
    """An exporter that tells once when it begins to fail and once when it works again."""

    def __init__(self, exporter: OTLPSpanExporter, news: News) -> None:
        self._exporter = exporter
        self._news = news
        self.lost = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send."""
        result = self._exporter.export(spans)
        lost = result is not SpanExportResult.SUCCESS
        if lost != self.lost:
            self.lost = lost
            self._news(not lost)
        return result

    def give_up(self) -> None:
        """Send nothing more; what is being sent is not tried again."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def shutdown(self) -> None:
        """Leave it to `give_up`."""


def _context(trace: str, span: str, *, remote: bool) -> SpanContext:
    return SpanContext(int(trace, 16), int(span, 16), is_remote=remote, trace_flags=_SAMPLED)


def _links(traceparent: str) -> Sequence[Link]:
    if not traceparent:
        return ()
    _, trace, span, _ = traceparent.split("-")
    return (Link(_context(trace, span, remote=False)),)
