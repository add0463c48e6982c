"""Counters and histograms that nobody locks, as a scrape reads them in both formats."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

from gateway.cells import Counter, Histogram

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_a_counter_adds_up_by_its_labels(registry) -> None:
    counter = Counter("gateway_x_total", "X.", ("agency",), registry)
    counter.child("dinkes")(1)
    counter.child("dinkes")(2)
    counter.child("dpmptsp")
    shown = generate_latest(registry).decode()
    assert "# TYPE gateway_x_total counter" in shown
    assert 'gateway_x_total{agency="dinkes"} 3.0' in shown
    assert 'gateway_x_total{agency="dpmptsp"} 0.0' in shown


def test_a_histogram_counts_a_value_on_an_edge_at_that_edge_and_above(registry) -> None:
    child = Histogram("gateway_y_seconds", "Y.", ("agency",), (0.1, 1.0), registry).child("dinkes")
    for value in (0.05, 0.1, 0.5, 7.0):
        child(value)
    shown = generate_latest(registry).decode()
    for edge, count in (("0.1", 2.0), ("1.0", 3.0), ("+Inf", 4.0)):
        assert f'gateway_y_seconds_bucket{{agency="dinkes",le="{edge}"}} {count}' in shown
    assert 'gateway_y_seconds_count{agency="dinkes"} 4.0' in shown
    assert 'gateway_y_seconds_sum{agency="dinkes"} 7.65' in shown


def test_the_latest_trace_of_each_bucket_is_its_exemplar_in_openmetrics_only(registry) -> None:
    child = Histogram("gateway_y_seconds", "Y.", (), (0.1, 1.0), registry).child()
    child(0.5, "00-" + "a" * 32 + "-00f067aa0ba902b7-01")
    child(0.6, TRACEPARENT)
    child(0.05)
    shown = openmetrics(registry).decode()
    exemplars = [line for line in shown.splitlines() if " # " in line]
    assert len(exemplars) == 1
    assert exemplars[0].startswith(f'gateway_y_seconds_bucket{{le="1.0"}} 3.0 # {{trace_id="{TRACE}"}} 0.6 ')
    assert TRACE not in generate_latest(registry).decode()


def test_nothing_tells_when_a_series_was_made(registry) -> None:
    Counter("gateway_x_total", "X.", (), registry).child()(1)
    Histogram("gateway_y_seconds", "Y.", (), (0.1,), registry).child()(1)
    assert "_created" not in generate_latest(registry).decode()
    assert "_created" not in openmetrics(registry).decode()
