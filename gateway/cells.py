"""Counters and histograms as plain numbers: the event loop writes them without a lock, a scrape reads them."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import inf
from time import time

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

Bucket = tuple[str, float] | tuple[str, float, Exemplar]
_TRACE = slice(3, 35)  # W3C traceparent: version, trace id, span id, flags


class Count:
    """One series of a counter; call it to add."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0.0

    def __call__(self, amount: float, /) -> None:
        """Add."""
        self.value += amount


class Spread:
    """One histogram: how many values fell at most to each edge; call it to add one.

    With a value may come the traceparent of the request that it belongs to: the latest of each bucket is its exemplar.
    """

    __slots__ = ("_edges", "counts", "exemplars", "total")

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.exemplars: list[tuple[str, float, float] | None] = [None] * (len(edges) + 1)
        self.total = 0.0

    def __call__(self, value: float, traceparent: str = "", /) -> None:
        """Add a value."""
        at = bisect_left(self._edges, value)
        self.counts[at] += 1
        self.total += value
        if traceparent:
            self.exemplars[at] = (traceparent, value, time())

    def buckets(self) -> Iterator[Bucket]:
        """Yield each edge, how many values are at most that, and the exemplar where there is one."""
        for edge, count, seen in zip((*self._edges, inf), accumulate(self.counts), self.exemplars, strict=True):
            name = "+Inf" if edge == inf else str(edge)
            yield (name, count, Exemplar({"trace_id": seen[0][_TRACE]}, *seen[1:])) if seen else (name, count)


class Counter(Collector):
    """A counter's series by their labels."""

    def __init__(self, name: str, about: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        self._name, self._about, self._labels = name, about, labels
        self._children: dict[tuple[str, ...], Count] = {}
        registry.register(self)

    def child(self, *labels: str) -> Count:
        """Return one series, to be kept by whoever counts."""
        return self._children.setdefault(labels, Count())

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield what there is to scrape, with no time of creation."""
        family = CounterMetricFamily(self._name, self._about, labels=self._labels)
        for labels, child in list(self._children.items()):
            family.add_metric(labels, child.value)
        yield family

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Yield the names that the registry keeps for this one."""
        yield CounterMetricFamily(self._name, self._about)


class Histogram(Collector):
    """A histogram's series by their labels."""

    def __init__(
        self, name: str, about: str, labels: Sequence[str], edges: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._about, self._labels, self._edges = name, about, labels, edges
        self._children: dict[tuple[str, ...], Spread] = {}
        registry.register(self)

    def child(self, *labels: str) -> Spread:
        """Return one series, to be kept by whoever counts."""
        return self._children.setdefault(labels, Spread(self._edges))

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield what there is to scrape."""
        family = HistogramMetricFamily(self._name, self._about, labels=self._labels)
        for labels, child in list(self._children.items()):
            family.add_metric(labels, list(child.buckets()), child.total)
        yield family

    def describe(self) -> Iterator[HistogramMetricFamily]:
        """Yield the names that the registry keeps for this one."""
        yield HistogramMetricFamily(self._name, self._about)
