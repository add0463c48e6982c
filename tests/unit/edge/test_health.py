"""The figures are rendered by a thread, once a second at most, however many ask."""

import asyncio
import threading
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from gateway.edge.health import Figures
from tests.fakes import FakeClock


class Looked(Collector):
    """Figures that know which thread looked at them."""

    def __init__(self) -> None:
        self.by: list[int] = []

    def collect(self) -> Iterator[CounterMetricFamily]:
        self.by.append(threading.get_ident())
        yield CounterMetricFamily("gateway_looked", "How often.", value=len(self.by))

    def describe(self) -> list[CounterMetricFamily]:
        return []


async def read(figures: Figures, accept: bytes = b"") -> str:
    said: list[bytes] = []

    async def send(event: dict[str, object]) -> None:
        said.append(event.get("body", b""))

    await figures({"path": "/metrics", "method": "GET", "headers": [(b"accept", accept)]}, None, send)
    return b"".join(said).decode()


async def test_many_readers_in_a_second_are_told_what_one_thread_rendered() -> None:
    registry, looked, clock = CollectorRegistry(), Looked(), FakeClock(autojump=False)
    registry.register(looked)
    figures = Figures(registry, clock)
    texts = await asyncio.gather(*(read(figures) for _ in range(20)))
    assert len(set(texts)) == 1
    assert len(looked.by) == 1
    assert looked.by[0] != threading.get_ident()
    await clock.advance(1.0)
    assert "gateway_looked_total 2.0" in await read(figures)
    await read(figures, b"application/openmetrics-text; version=1.0.0")
    assert len(looked.by) == 3  # each format is rendered by itself
