"""What reads the rows of an agency's feeds: what its adapter is told of their tables, and where polars can't."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from gateway.columns import FeedColumns, LineForm
from gateway.errors import Finding
from gateway.feeds import Keeping
from gateway.translate.compile import CompiledRow
from gateway.translate.lines import MOST_COLUMNS


def feed_columns(
    rows: Mapping[str, CompiledRow], keepings: Mapping[str, Keeping], written: Mapping[str, tuple[str, ...]]
) -> FeedColumns:
    """Return what an agency's mapping says of its files; rows that are sent on are read one by one."""
    kept = {feed: row for feed, row in rows.items() if keepings[feed].mode != "forward"}
    return FeedColumns(
        read={feed: row.columns for feed, row in rows.items()},
        written=written,
        rows={feed: row.schema.json for feed, row in rows.items()},
        spell={feed: row.spell for feed, row in rows.items()},
        lines={feed: partial(row.read.of_lines, keepings[feed].paths) for feed, row in kept.items()},
        frames={feed: partial(row.read.of_frames, keepings[feed].paths) for feed, row in kept.items()},
    )


def read_by_python(
    columns: FeedColumns, settings: Mapping[str, Mapping[str, Any]], where: Callable[[str, str], str]
) -> Iterator[Finding]:
    """Yield a warning of each feed that polars was set for and does not read, with the reason."""
    for feed in columns.read:
        said = settings[feed]
        if said.get("engine") == "polars" and (why := _why(columns, feed, said.get("dialect", {}))):
            what = f"feed {feed}: its rows are read by Python, not by polars: {why}"
            yield Finding(
                where=where(feed, "engine"), what=what, remedy="leave engine out: it works, only slower", warning=True
            )


def _why(columns: FeedColumns, feed: str, dialect: Mapping[str, str]) -> str:
    if feed not in columns.frames:
        return "each is sent on as a message"
    form = LineForm(
        columns=columns.read[feed], delimiter=dialect.get("delimiter", ";"), quote=dialect.get("quote", '"')
    )
    if columns.frames[feed](form) is not None:
        return ""
    if columns.frames[feed](LineForm(columns=columns.read[feed], delimiter=";", quote='"')) is not None:
        return "its dialect has another separator than ; , | or a tab, or another quote than \" or '"
    if len(columns.read[feed]) > MOST_COLUMNS:
        return f"[{feed}.row] names more than {MOST_COLUMNS} columns"
    return f"[{feed}.row] wants more than the texts of its columns"
