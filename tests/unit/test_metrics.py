"""One table declares every metric; labels come from what was loaded, whatever clients send."""

import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from gateway.metrics import TABLE, Metrics, RequestFigures

RESERVED = {"le", "quantile"}


def text(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_names_and_helps_follow_prometheus_conventions(metric) -> None:
    assert re.fullmatch(r"gateway_[a-z_]+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.help.endswith(".")
    assert not RESERVED & set(metric.labels)
    assert bool(metric.buckets) == (metric.kind == "histogram")


def test_every_metric_is_declared_once_and_used() -> None:
    names = [metric.name for metric in TABLE]
    assert len(names) == len(set(names))
    sources = "".join(path.read_text() for path in Path("gateway").rglob("*.py"))
    assert [name for name in names if sources.count(f'"{name}"') < 2] == []


def test_ten_thousand_made_up_methods_and_clients_add_no_series() -> None:
    metrics = Metrics()
    figures = RequestFigures(metrics, "other", "other")
    figures.done("BREW", "", 404, "unknown-operation", 0.001, 0.0, 0, 100)
    before = text(metrics).count("\n")
    for number in range(10_000):
        figures.done(f"BREW{number}", "", 404, "unknown-operation", 0.001, 0.0, 0, 100)
    assert text(metrics).count("\n") == before


def test_a_request_is_counted_with_its_own_time_apart() -> None:
    metrics = Metrics()
    figures = RequestFigures(metrics, "dpmptsp/status-izin", "dpmptsp")
    figures.done("GET", "klik", 200, "ok", 0.103, 0.1, 10, 200)
    shown = text(metrics)
    labels = 'agency="dpmptsp",code="200",method="GET",operation="dpmptsp/status-izin",outcome="ok"'
    assert f"gateway_requests_total{{{labels}}} 1.0" in shown
    assert 'gateway_client_requests_total{agency="dpmptsp",client="klik",outcome="ok"} 1.0' in shown
    assert 'gateway_overhead_seconds_bucket{le="0.005"} 1.0' in shown
    assert 'gateway_response_bytes_total{operation="dpmptsp/status-izin"} 200.0' in shown


def test_no_created_series_double_the_count() -> None:
    metrics = Metrics()
    metrics.counter("gateway_agency_retries_total", "a", "b")(1)
    assert "_created" not in text(metrics)
