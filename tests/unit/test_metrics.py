"""One table declares every metric, by Prometheus' own conventions."""

import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from gateway.metrics import TABLE, Metrics

RESERVED = {"le", "quantile"}


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


def test_gauges_of_an_agency_that_is_gone_are_gone_and_no_others() -> None:
    metrics = Metrics()
    for agency in ("dinkes", "pln"):
        metrics.gauge("gateway_agency_breaker_open", agency).set(1)
        metrics.gauge("gateway_lane_paused", agency, "hours").set(1)
    metrics.gauge("gateway_ledger_up").set(1)
    metrics.forget("", "pln")
    shown = generate_latest(metrics.registry).decode()
    assert 'agency="pln"' not in shown
    for figure in ('agency_breaker_open{agency="dinkes"}', 'lane_paused{agency="dinkes",reason="hours"}', "ledger_up"):
        assert f"gateway_{figure} 1.0" in shown


def test_values_that_are_known_beforehand_are_counted_from_nought() -> None:
    metrics = Metrics()
    name, labels = "gateway_translation_errors_total", ("dinkes", "dinkes/faskes")
    count = metrics.by_last_label(name, *labels, known=("reply",))
    where = f'{name}{{agency="dinkes",operation="dinkes/faskes",side='
    assert f'{where}"reply"}} 0.0' in generate_latest(metrics.registry).decode()
    for side in ("reply", "request", "request"):
        count(side)
    shown = generate_latest(metrics.registry).decode()
    assert f'{where}"reply"}} 1.0' in shown
    assert f'{where}"request"}} 2.0' in shown


def test_the_process_itself_is_measured_too() -> None:
    shown = generate_latest(Metrics().registry).decode()
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
        assert f"\n{name} " in shown
