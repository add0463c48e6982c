"""Figures as Markdown, printed and put into README.md between two marks; measures nothing."""

import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from load import Run

README = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- figures -->", "<!-- end of figures -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: CPU in microseconds, and how many times nginx's it is."""

    name: str
    least: float
    middle: float
    ratio: float | None
    rate: float
    p50: float
    p99: float

    @classmethod
    def of(cls, name: str, runs: Sequence[Run], floor: float | None) -> "Row":
        """Sum up the runs of one server: its best for CPU and rate, the median for latencies."""
        least = min(run.cpu for run in runs)
        return cls(
            name=name,
            least=least,
            middle=median(run.cpu for run in runs),
            ratio=least / floor if floor else None,
            rate=max(run.rate for run in runs),
            p50=median(run.p50 for run in runs),
            p99=median(run.p99 for run in runs),
        )


def markdown(rows: Iterable[Row]) -> str:
    """Return the table of the loaded servers."""
    head = (
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}.\n\n"
        "| | CPU µs, least | median | times nginx | requests/s, best | p50 ms | p99 ms |\n"
        "|---|---:|---:|---:|---:|---:|---:|\n"
    )
    return head + "".join(
        f"| {row.name} | {row.least:.1f} | {row.middle:.1f} | {f'{row.ratio:.1f}' if row.ratio else ''} "
        f"| {row.rate:,.0f} | {row.p50:.2f} | {row.p99:.2f} |\n"
        for row in rows
    )


def telling(told: Mapping[str, Sequence[Run]]) -> str:
    """Return the table of what telling of a request costs, beside the same gateway that tells nothing."""
    if "nothing" not in told:
        return ""
    least = {name: min(run.cpu for run in runs) for name, runs in told.items()}
    bare = least.pop("nothing")
    head = "\n| told of each request | CPU µs more | times the same gateway that tells nothing |\n|---|---:|---:|\n"
    return head + "".join(f"| {name} | {cpu - bare:.1f} | {cpu / bare:.3f} |\n" for name, cpu in least.items())


def starts(measured: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return the table of starts: seconds to the first answer, and MB resident while idle."""
    head = "\n| | first answer s, least | median | resident MB |\n|---|---:|---:|---:|\n"
    return head + "".join(
        f"| {name} | {min(s for s, _ in given):.2f} | {median(s for s, _ in given):.2f} "
        f"| {max(mb for _, mb in given):.0f} |\n"
        for name, given in measured.items()
    )


def write(text: str) -> None:
    """Put the figures in the place of those in the README."""
    old = README.read_text("utf-8")
    new = re.sub(f"(?s){_BEGIN}.*{_END}", lambda _: f"{_BEGIN}\n{text.strip()}\n{_END}", old)
    README.write_text(new, "utf-8")
