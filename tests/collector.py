"""An OpenTelemetry collector for tests: takes OTLP over HTTP and decodes it with OpenTelemetry's own messages."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from gateway.trail import Fact

PREFIX = "gateway."


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A span as it arrived; ids in hexadecimal, `parent` "" at the root."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    began: int
    ended: int
    failed: bool
    facts: Mapping[str, Fact]
    links: tuple[str, ...]


class Collector:
    """A running collector; `raw` is every body as it came."""

    def __init__(self, port: int = 0) -> None:
        self.raw: list[bytes] = []
        self.spans: list[Seen] = []
        self.services: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="collector")
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1/traces"

    def of(self, trace: str) -> list[Seen]:
        """The spans of a trace, in the order in which they began."""
        return sorted((span for span in self.spans if span.trace == trace), key=lambda span: span.began)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert (self.path, self.headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
                take(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def _take(self, body: bytes) -> None:
        self.raw.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            named = {one.key: _value(one.value) for one in resource.resource.attributes}
            self.services.add(str(named["service.name"]))
            self.spans += [_seen(span) for scope in resource.scope_spans for span in scope.spans]


def _seen(span: Sent) -> Seen:
    assert all(one.key.startswith(PREFIX) for one in span.attributes)
    return Seen(
        name=span.name,
        kind=Sent.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        facts={one.key.removeprefix(PREFIX): _value(one.value) for one in span.attributes},
        links=tuple(f"{link.trace_id.hex()}-{link.span_id.hex()}" for link in span.links),
    )


def _value(value: AnyValue) -> Fact:
    found: Fact = getattr(value, value.WhichOneof("value") or "string_value")
    return found


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    try:
        yield collector
    finally:
        collector.close()
