"""A gateway that tells less of each request, to compare: `python -m bench.untold figures,lines run ...`.

`figures`: requests, attempts, translations and retries are not counted. `lines`: no line of log for a request.
Gauges, the lines of changes of state and `/metrics` stay: no request pays for them.
"""

import sys
from collections.abc import Callable, Mapping

from gateway import agency
from gateway.cli import main
from gateway.edge.ingress import Edge
from gateway.figures import RequestFigures
from gateway.metrics import Metrics


def nothing(*_facts: object) -> None:
    """Tell nothing."""


def nowhere(*_labels: object, **_known: object) -> Callable[..., None]:
    """Return where nothing is counted."""
    return nothing


def without_figures() -> None:
    """Count nothing of a request."""
    RequestFigures.done = nothing
    Metrics.counter = Metrics.histogram = Metrics.by_last_label = nowhere
    agency.attempts = nowhere


def without_lines() -> None:
    """Make no line of a request."""
    Edge._write = nothing  # noqa: SLF001 - that is what is measured


KINDS: Mapping[str, Callable[[], None]] = {"figures": without_figures, "lines": without_lines}


if __name__ == "__main__":
    for kind in sys.argv.pop(1).split(","):
        KINDS[kind]()
    main()
