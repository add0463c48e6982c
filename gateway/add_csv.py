"""`gateway add csv`: an agency from a sample of its files: section, mapping, look-up. Like app.py it knows adapters."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.csv.adopt import Sample, look
from adapters.csv.layout import Unreadable
from gateway import app
from gateway.config.load import examine, load
from gateway.errors import ConfigError, Finding
from gateway.overlap import overlapping
from gateway.preview import Preview
from gateway.sketch import section as sections
from gateway.sketch.columns import Column, columns
from gateway.sketch.feed import Named, Shape, feed_mapping, feed_table, named, proposed_key
from gateway.trial import tried
from gateway.wording import counted, say

LINES = 5
"""Lines of a sample that are named where their values don't fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for: which sample, an absolute path; the feed's own name and drop where not the usual ones."""

    agency: str
    sample: Path
    title: str = ""
    feed: str = ""
    drop: str = ""
    make_drop: bool = False
    progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What was written, what was seen in the sample, and how the sample itself does by it."""

    section: sections.Section
    feed: str
    files: str
    drop: str
    sample: Sample
    columns: Sequence[Column]
    key: Sequence[Column]
    doubts: Sequence[str]
    preview: Preview


def csv(config: Path, wanted: Wanted, environment: Mapping[str, str]) -> Added:
    """Take an agency in, with the configuration's folder as the working one; raises ConfigError and writes nothing."""
    sections.free(config, wanted.agency)
    mapping = Path("mappings") / f"{wanted.agency}.toml"
    if mapping.exists():
        what = f"is there already, and {config} has no agency {wanted.agency}"
        raise ConfigError(Finding(where=str(mapping), what=what, remedy="move it away"))
    located, _ = examine(config, environment)
    sample = _looked(wanted.sample)
    cells = [row for _, row in sample.rows]
    found = columns(sample.header, cells)
    if not found:
        what = "has no column with a name of its own"
        raise ConfigError(Finding(where=str(wanted.sample), what=what, remedy="give each column a name"))
    name = _name(wanted)
    keys = proposed_key(found, cells, sample.header)
    shape = _shape(wanted.sample, sample)
    table = feed_table(wanted.agency, name, shape, found, keys)
    section = _section(wanted, name, table)
    text = feed_mapping(section.title, name, shape, found, keys)
    timezone = located.config.gateway.timezone
    preview = _rehearse(section, text, wanted, sample.records, timezone)
    drop = dict(section.settings)["drop"]
    _alone(config, section, drop, environment)
    mapping.parent.mkdir(parents=True, exist_ok=True)
    mapping.write_text(text, "utf-8")
    try:
        if wanted.make_drop:
            Path(drop).mkdir(parents=True, exist_ok=True)
        sections.append(config, section.text())
    except OSError:
        mapping.unlink()  # or the next try would find it there already
        raise
    return Added(
        section=section,
        feed=name.feed,
        files=name.files,
        drop=drop,
        sample=sample,
        columns=found,
        key=keys,
        doubts=[*_doubts(sample, found), *([name.said] if name.said else [])],
        preview=preview,
    )


def _looked(path: Path) -> Sample:
    try:
        return look(path)
    except Unreadable as error:
        raise ConfigError(Finding(where=str(path), what=say(error.reason, "en"))) from None


def _name(wanted: Wanted) -> Named:
    name = named(wanted.sample.name)
    return Named(feed=wanted.feed, files=name.files, said=name.said) if wanted.feed else name


def _shape(path: Path, sample: Sample) -> Shape:
    repeated = [name for name in dict.fromkeys(sample.header) if name and sample.header.count(name) > 1]
    left = [f"left out, as several columns have this name: {name}" for name in repeated]
    if unnamed := sum(not name for name in sample.header):
        left.append(f"left out, as they have no name: {counted(unnamed, 'column')}")
    return Shape(
        file=path.name,
        rows=len(sample.rows),
        delimiter=sample.dialect.delimiter if sample.dialect else "",
        quote=sample.dialect.quote if sample.dialect else "",
        header_row=sample.header_row,
        trailer=sample.trailer,
        closed=sample.closed,
        left=left,
    )


def _section(wanted: Wanted, name: Named, table: str) -> sections.Section:
    title = wanted.title or wanted.agency
    words = f"Cari {name.feed.replace('-', ' ')}"
    return sections.Section(
        agency=wanted.agency,
        title=title,
        adapter="csv",
        settings=[("drop", wanted.drop or f"drops/{wanted.agency}")],
        mapping=f"mappings/{wanted.agency}.toml",
        operations=[sections.Called(name=name.look_up, call=name.feed, words=words, safe=True)],
        tables=[table],
    )


def _doubts(sample: Sample, found: Sequence[Column]) -> list[str]:
    """Return what a person should look at, by lines of the sample and never by values."""
    doubts = []
    if sample.broken:
        doubts.append(f"{_lines(sample.broken)} not read: another number of cells, or a broken quote")
    for column in found:
        if column.misfits:
            lines = _lines([sample.rows[at][0] for at in column.misfits])
            doubts.append(f"{column.name}: {lines} does not fit what the column seems to hold")
        doubts += [f"{column.name}: {said}" for said in (column.warned, column.said) if said]
    if sample.totals:
        doubts.append(
            f"{_lines(sample.totals)} begin like a total, and are taken as rows: have the export leave them out"
        )
    if not sample.closed:
        doubts.append(
            'the last line has no line break: with ready = "stable" such a file is never taken, so it is "rename": '
            'have the export write a name that ends in .tmp and rename it, or put a marker beside it (ready = "marker")'
        )
    if sample.trailer:
        doubts.append(f'the last row begins with "{sample.trailer}": a file without such a row is refused as cut short')
    return doubts


def _lines(lines: Sequence[int]) -> str:
    shown = ", ".join(map(str, lines[:LINES]))
    more = f" and {len(lines) - LINES} more" if len(lines) > LINES else ""
    return f"line{'s' * (len(lines) > 1)} {shown}{more}"


def _rehearse(section: sections.Section, mapping: str, wanted: Wanted, many: int, timezone: str) -> Preview:
    """Let `gateway check` read everything where it can't harm, and the feed the sample; what is found is raised."""
    with TemporaryDirectory() as beside, contextlib.chdir(beside):
        config = Path("gateway.toml")
        config.write_text(f'[gateway]\ntimezone = "{timezone}"\n', "utf-8")
        place = Path(section.mapping)
        place.parent.mkdir()
        place.write_text(mapping, "utf-8")
        sections.append(config, section.text())
        if errors := [one for one in app.check(config, {}) if not one.warning]:
            raise ConfigError(*errors)
        progress = partial(_at_most, wanted.progress, many)
        full = f"{section.agency}/{section.operations[0].call}"
        return asyncio.run(tried(load(config, {}), full, wanted.sample, progress))


def _alone(config: Path, section: sections.Section, drop: str, environment: Mapping[str, str]) -> None:
    """Raise ConfigError where an agency that there is already may take files from the same drop."""
    with TemporaryDirectory() as beside:
        copy = Path(beside) / config.name
        copy.write_bytes(config.read_bytes())
        sections.append(copy, section.text())
        located, _ = examine(copy, environment)
    mine = f"agency.{section.agency}."
    # The section is nowhere yet, so its lines say nothing.
    if found := [replace(one, where=drop) for one in overlapping(located) if one.what.startswith(mine)]:
        raise ConfigError(*found)


def _at_most(progress: Callable[[int, int], None], many: int, done: int, _lines: int) -> None:
    progress(min(done, many), many)
