"""Traces as an OpenTelemetry collector gets them from a real gateway, and what they must never cost or tell."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from demo.testing import Running
from tests.collector import Collector, Seen, collecting
from tests.flows import process
from tests.flows.asks import FILE_PERMIT, SITI
from tests.flows.pilot import CLIENTS, pilot
from tests.flows.process import Gateway, eventually
from tests.flows.test_store_and_forward import ANY_HOUR, NO_HOLIDAYS, settled

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
NUMBER = "1405025205909001"
MAPPING = """
[baca.request]
nomor = "nomor"

[baca.reply]
nama = "nama"
"""


class Agency:
    """An agency that refuses its first `busy` calls, and keeps what headers came with each."""

    def __init__(self) -> None:
        self.busy = 0
        self.headers: list[dict[str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="agency")
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        agency = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                agency.headers.append({name.lower(): value for name, value in self.headers.items()})
                agency.busy -= 1
                body = json.dumps({"nama": "Siti"}).encode()
                self.send_response(503 if agency.busy >= 0 else 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def agency() -> Iterator[Agency]:
    made = Agency()
    yield made
    made.close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as made:
        yield made


def small(folder: Path, agency: Agency, endpoint: str, ratio: float = 1.0) -> Path:
    """Write a gateway with one agency and one read."""
    (folder / "uji.toml").write_text(MAPPING, "utf-8")
    config = folder / "gateway.toml"
    config.write_text(
        f"""
[gateway]
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"

[gateway.tracing]
endpoint = "{endpoint}"
ratio    = {ratio}

[defaults]
retry = {{ attempts = 2, wait = "10ms", max_wait = "20ms", budget = 1.0 }}
{CLIENTS.split("[client.terbatas]", maxsplit=1)[0]}
[agency.uji]
adapter = "rest"
url     = "http://127.0.0.1:{agency.port}"
mapping = "uji.toml"

[agency.uji.operation.baca]
expose = "GET /v1/baca"
call   = "GET /orang"
""",
        "utf-8",
    )
    return config


def ask(gateway: Gateway, **headers: str) -> httpx.Response:
    answer = gateway.http.get("/v1/baca", params={"nomor": NUMBER}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer


def traceparent(flag: str) -> str:
    return f"00-{TRACE}-{CALLER}-{flag}"


def whole(collector: Collector, trace: str, root: str = "request") -> list[Seen]:
    """The spans of a trace once its root is there, with all that ended before it."""
    eventually(lambda: [span for span in collector.of(trace) if span.name == root] or None, f"the {root} of {trace}")
    return collector.of(trace)


def test_a_request_is_a_span_below_its_callers_and_what_was_done_for_it_below_that(
    tmp_path: Path, agency: Agency, collector: Collector
) -> None:
    agency.busy = 1
    with process.running(small(tmp_path, agency, collector.endpoint)) as gateway:
        answer = ask(gateway, traceparent=traceparent("01"), tracestate="bank=a1, other@x=y")
        request, first, pause, second = whole(collector, TRACE)
        line = gateway.line(answer)
    assert (request.name, request.kind, request.parent, request.failed) == ("request", "server", CALLER, False)
    assert answer.headers["traceparent"] == f"00-{TRACE}-{request.id}-01"
    assert request.facts == {
        "correlation_id": TRACE,
        "client": "uji",
        "operation": "uji/baca",
        "agency": "uji",
        "outcome": "ok",
        "status": 200,
        "attempts": 2,
    }
    assert [(span.name, span.kind, span.parent) for span in (first, pause, second)] == [
        ("attempt", "client", request.id),
        ("retry", "internal", request.id),
        ("attempt", "client", request.id),
    ]
    assert (first.failed, first.facts["outcome"], first.facts["maybe_done"]) == (True, "unavailable", False)
    assert pause.facts == {"outcome": "ok", "reason": "agency-unavailable"}
    assert (second.failed, second.facts["outcome"]) == (False, "ok")
    assert request.began <= first.began <= first.ended <= pause.ended <= second.ended <= request.ended
    assert [each["traceparent"] for each in agency.headers] == [f"00-{TRACE}-{one.id}-01" for one in (first, second)]
    assert {each["tracestate"] for each in agency.headers} == {"bank=a1,other@x=y"}
    assert line["trace_id"] == TRACE
    assert collector.services == {"opd-gateway"}
    sent = b"".join(collector.raw)
    assert all(secret.encode() not in sent for secret in (NUMBER, "/v1/", "/orang", "Siti", "nomor"))


def test_what_its_caller_does_not_trace_is_not_traced_and_a_ratio_of_none_leaves_the_rest_out(
    tmp_path: Path, agency: Agency, collector: Collector
) -> None:
    with process.running(small(tmp_path, agency, collector.endpoint, ratio=0.0)) as gateway:
        untraced = ask(gateway, traceparent=f"00-{'1' * 32}-{CALLER}-00")
        own = ask(gateway)
        ask(gateway, traceparent=traceparent("01"))
        whole(collector, TRACE)
        assert gateway.stop() == 0
    assert {span.trace for span in collector.spans} == {TRACE}
    assert untraced.headers["traceparent"].endswith("-00")
    assert own.headers["traceparent"].endswith("-00")
    assert [each["traceparent"][-2:] for each in agency.headers] == ["00", "00", "01"]


def test_a_message_is_delivered_in_the_trace_and_under_the_correlation_id_that_filed_it(
    tmp_path: Path, agencies: Running, collector: Collector
) -> None:
    agencies.reset()
    tracing = f'[gateway.tracing]\nendpoint = "{collector.endpoint}"\n\n[defaults]'
    no_holidays = {old: new.replace("[defaults]", tracing) for old, new in NO_HOLIDAYS.items()}
    config = pilot(tmp_path, agencies.ports, {**ANY_HOUR, **no_holidays}, stored=True)
    agencies.switch("dpmptsp", "busy", times=1)
    headers = {"traceparent": traceparent("01"), "x-correlation-id": "izin-7", "prefer": "respond-async"}
    with process.running(config) as gateway:
        answer = gateway.http.post(FILE_PERMIT.path, json=FILE_PERMIT.body, headers=headers)
        assert answer.status_code == 202, answer.text
        message = answer.headers["location"].rpartition("/")[2]
        told = settled(gateway, answer.headers["location"], "delivered")
        assert gateway.stop() == 0
        lines = [line for line in gateway.lines() if line.get("correlation_id") == "izin-7"]
    spans = collector.of(TRACE)
    (request,) = [span for span in spans if span.name == "request"]
    (put,) = [span for span in spans if span.name == "put"]
    deliveries = [span for span in spans if span.name == "delivery"]
    assert request.facts["outcome"] == "accepted"
    assert request.facts["message_id"] == put.facts["message_id"] == message
    assert put.parent == request.id
    assert len(deliveries) == len(told["attempts"]) == 2
    assert [(one.kind, one.parent, one.facts["verdict"]) for one in deliveries] == [
        ("consumer", request.id, "postponed"),
        ("consumer", request.id, "delivered"),
    ]
    for one in deliveries:
        assert [span.name for span in spans if span.parent == one.id] == ["claim", "attempt", "settle"]
    filed, *delivered = sorted(lines, key=lambda line: "event" in line)
    assert (filed["method"], filed["outcome"], filed["recorded"]) == ("POST", "accepted", message)
    assert [(line["event"], line["state"], line["outcome"], line["attempts"]) for line in delivered] == [
        ("delivery", "postponed", "unavailable", 1),
        ("delivery", "delivered", "ok", 2),
    ]
    assert {line["trace_id"] for line in lines} == {TRACE}
    assert {line["recorded"] for line in lines} == {message}
    told_of = b"".join(collector.raw) + json.dumps(lines).encode()
    assert all(secret.encode() not in told_of for secret in (SITI, "Siti", "/v1/izin"))


def test_a_collector_that_is_not_there_costs_nothing_and_is_told_once(tmp_path: Path, agency: Agency) -> None:
    nobody = Collector()
    endpoint = nobody.endpoint
    nobody.close()
    with process.running(small(tmp_path, agency, endpoint)) as gateway:
        ask(gateway)
        gateway.event("tracing-unavailable")
        assert all(float(gateway.line(ask(gateway))["ms"]) < 5000 for _ in range(20))
        back = Collector(urlsplit(endpoint).port or 0)
        try:
            answer = ask(gateway)
            whole(back, answer.headers["traceparent"][3:35])
            gateway.event("tracing-back")
        finally:
            back.close()
        ask(gateway)
        asked = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - asked < 20
        events = [line["event"] for line in gateway.lines() if line.get("event", "").startswith("tracing")]
    assert events[:2] == ["tracing-unavailable", "tracing-back"]
    assert "opentelemetry" not in gateway.err.read_text("utf-8")
