"""Reads a gateway's /metrics and compares two readings; knows the names of metrics, nothing of how they are shown."""

import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

PATIENCE = 2.0
"""Seconds; a gateway that is there answers at once."""
WINDOW = 30.0
"""Seconds that rates and percentiles are taken over: an agency is asked a few times a minute, not a thousand."""
_LINE = re.compile(r"(gateway_\w+)(?:\{(.*)\})? (\S+)(?: #.*)?")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104 - where it listens, not we

Samples = Sequence[tuple[Mapping[str, str], float]]


class NotThereError(Exception):
    """No gateway answered; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The figures of a moment (monotonic seconds), by metric."""

    at: float
    figures: Mapping[str, Samples]

    def of(self, metric: str, **labels: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Yield the samples of a metric that bear these labels."""
        for sample in self.figures.get(metric, ()):
            if labels.items() <= sample[0].items():
                yield sample

    def sum(self, metric: str, **labels: str) -> float:
        """Return the samples of a metric that bear these labels, added up."""
        return sum(value for _, value in self.of(metric, **labels))

    def one(self, metric: str, **labels: str) -> float | None:
        """Return a metric's only sample with these labels, None where there is none."""
        return next((value for _, value in self.of(metric, **labels)), None)


def read(address: str, monotonic: Callable[[], float]) -> Reading:
    """Read the figures at an address as gateway.toml has it; raises NotThereError."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    connection = HTTPConnection(_ANYWHERE.get(host, host), int(port), timeout=PATIENCE)
    try:
        connection.request("GET", "/metrics", headers={"accept": "text/plain"})
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except (OSError, HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise NotThereError(reason.lower()) from error
    finally:
        connection.close()
    figures = parse(text)
    if answer.status != 200 or not figures:  # noqa: PLR2004 - HTTP's OK
        raise NotThereError("what answers there is no gateway")
    return Reading(at=monotonic(), figures=figures)


def parse(text: str) -> Mapping[str, Samples]:
    """Return the gateway's own metrics of Prometheus's text format."""
    found: dict[str, list[tuple[Mapping[str, str], float]]] = {}
    for line in text.splitlines():
        if (sample := _LINE.fullmatch(line)) is not None:
            labels = {name: _ESCAPED.sub(_unescaped, value) for name, value in _LABEL.findall(sample[2] or "")}
            found.setdefault(sample[1], []).append((labels, float(sample[3])))
    return found


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


class Readings:
    """The readings of the last half minute; a gateway that was started anew begins a new row of them."""

    def __init__(self) -> None:
        self._kept: deque[Reading] = deque()

    def add(self, reading: Reading) -> tuple[Reading, Reading]:
        """Keep a reading; returns the oldest to compare it with, and it."""
        if self._kept and _requests(reading) < _requests(self._kept[-1]):
            self._kept.clear()
        self._kept.append(reading)
        while reading.at - self._kept[0].at > WINDOW:
            self._kept.popleft()
        return self._kept[0], reading


def _requests(reading: Reading) -> float:
    return reading.sum("gateway_requests_total") + reading.sum("gateway_agency_requests_total")


def per_second(before: Reading, now: Reading, counter: str, **labels: str) -> float | None:
    """Return how often a counter counted, None while there is nothing to compare with."""
    seconds = now.at - before.at
    return (now.sum(counter, **labels) - before.sum(counter, **labels)) / seconds if seconds > 0 else None


def percentile(share: float, before: Reading, now: Reading, histogram: str, **labels: str) -> float | None:
    """Return the value below which a share of what was observed in between lies, None when that is nothing.

    Straight within a bucket, as Prometheus does it; what lies beyond the last bound is taken for that bound.
    """
    grown: dict[float, float] = {}
    for reading, sign in ((now, 1), (before, -1)):
        for about, value in reading.of(f"{histogram}_bucket", **labels):
            bound = float(about["le"])
            grown[bound] = grown.get(bound, 0.0) + sign * value
    bounds = sorted(grown)
    if now.at <= before.at or not bounds or grown[bounds[-1]] <= 0:
        return None
    wanted = share * grown[bounds[-1]]
    low, below = 0.0, 0.0
    for bound in bounds:
        if grown[bound] >= wanted:
            within = grown[bound] - below
            return low if bound == float("inf") else low + (bound - low) * (wanted - below) / within
        low, below = bound, grown[bound]
    return low
