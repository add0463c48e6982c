"""Where feeds forward their rows to: each feed is joined to its operation, whose rules its rows must fit too."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.errors import ConfigError, FieldError, Finding, TranslationError
from gateway.message import Document, OperationId
from gateway.registry import Agency, Feed, Forward, Operation
from gateway.translate.compile import CompiledRow, fingerprint
from gateway.translate.schema import CanonicalSchema
from gateway.translate.shape import Record, Shape
from gateway.version import __version__


def linked(
    agencies: Sequence[Agency], located: Located, findings: list[Finding], *, elsewhere: Collection[str] = ()
) -> list[Agency]:
    """Return the agencies with their feeds joined to what they forward to; what does not fit goes to `findings`.

    A feed is left as it is where that is one of the operations `elsewhere`, which are declared and not made.
    """
    operations = {name: operation for agency in agencies for name, operation in agency.operations.items()}
    failed = located.config.agency.keys() - {agency.name for agency in agencies}
    made = []
    for agency in agencies:
        feeds = dict(agency.feeds)
        for name, feed in agency.feeds.items():
            to = _target(located, agency.name, name)
            if to is None or feed.row is None or to.partition("/")[0] in failed or to in elsewhere:
                continue
            where = located.where("agency", agency.name, "feed", name, "to")
            try:
                feeds[name] = _linked(f"{agency.name}.feed.{name}", feed, to, feed.row, operations, where)
            except ConfigError as error:
                findings += error.findings
        made.append(replace(agency, feeds=feeds))
    return made


def _target(located: Located, agency: str, feed: str) -> OperationId | None:
    settings: Mapping[str, Mapping[str, str]] = (located.config.agency[agency].model_extra or {}).get("feed", {})
    # What acknowledges an out's requests is a feed without a section of its own.
    to = settings.get(feed, {}).get("to")
    return None if to is None else OperationId(to)


def _linked(  # noqa: PLR0913, PLR0917 - a feed, what it is joined to and where that is written
    name: str, feed: Feed, to: OperationId, row: CompiledRow, operations: Mapping[OperationId, Operation], where: str
) -> Feed:
    operation = operations.get(to)
    if operation is None:
        what = f'{name}.to: there is no operation "{to}" of an agency'
        raise ConfigError(Finding(where=where, what=what, remedy=suggest(to, operations)))
    recording = operation.recording
    if recording is None or not recording.stored:
        what = f"{name}.to: {to} is not store-and-forward, so its rows could be lost or doubled"
        raise ConfigError(Finding(where=where, what=what, remedy='write deliver = "store-and-forward" on it'))
    if found := [*_misfits(name, row.schema, operation, where)]:
        raise ConfigError(*found)
    # By another version the same file is read anew: what it was judged by first must be what its rows are put by.
    mapping = fingerprint(feed.keeping.mapping, to, operation.version, __version__)
    return replace(
        feed,
        read=_reading(row, operation.request),
        keeping=replace(feed.keeping, mapping=mapping),
        forward=Forward(to=to, lane=recording.lane, entry=recording.entry),
    )


def _misfits(name: str, row: CanonicalSchema, operation: Operation, where: str) -> Iterator[Finding]:
    """Find what would have every row rejected: a field that its request lacks, and one that no row has."""
    theirs = operation.request
    for path in sorted(row.paths):
        if not theirs.has(path):
            what = f'{name}: "{path}" of its row table is no field of {operation.id}'
            yield Finding(where=where, what=what, remedy=suggest(path, theirs.paths))
    for path in _required(theirs.shape, ""):
        if not any(mine == path or mine.startswith(f"{path}.") for mine in _all(row.shape, "")):
            what = f'{name}: {operation.id} requires "{path}", and its row table has no such field'
            yield Finding(where=where, what=what, remedy="add it, or make it optional in the request table")


def _required(shape: Shape, path: str) -> Iterator[str]:
    if not isinstance(shape, Record):
        yield path
        return
    for name, child in shape.fields.items():
        if child.required:
            yield from _required(child, f"{path}.{name}".lstrip("."))


def _all(shape: Shape, path: str) -> Iterator[str]:
    if path:
        yield path
    for name, child in shape.fields.items() if isinstance(shape, Record) else ():
        yield from _all(child, f"{path}.{name}".lstrip("."))


def _reading(row: CompiledRow, request: CanonicalSchema) -> Callable[[Document], Document]:
    """Return how a row is read as that request; what does not fit is told by the file's columns, all of it."""

    def read(native: Document) -> Document:
        try:
            body = row.read(native)
        except TranslationError as error:
            known = {one.pointer for one in error.errors}
            also = _by_column(request.check(row.read.partial(native)), row.sources, besides=known)
            raise TranslationError("reply", [*error.errors, *also]) from None
        if errors := request.check(body):
            raise TranslationError("request", _by_column(errors, row.sources))
        return body

    return read


def _by_column(
    errors: Sequence[FieldError], sources: Mapping[str, str], *, besides: Collection[str] = ()
) -> list[FieldError]:
    """Return errors that point at columns where a field comes from one, without those of columns told already."""
    placed = [replace(error, pointer=_column(error.pointer, sources)) for error in errors]
    return [error for error in placed if error.pointer not in besides]


def _column(pointer: str, sources: Mapping[str, str]) -> str:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    while steps:
        if column := sources.get(".".join(steps)):
            return column
        steps.pop()
    return pointer
