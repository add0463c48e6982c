"""`gateway add soap`'s side of the WSDL: read once, judged, described, pinned, compared with what is pinned."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from adapters.http import Tls
from adapters.soap.collect import Taken, collect
from adapters.soap.contract import contract_of
from adapters.soap.difference import difference
from adapters.soap.encode import encode
from adapters.soap.override import read_override
from adapters.soap.pins import Record, read_record, record_of, write
from adapters.soap.plan import MessagePlan, OperationPlan, paths, size
from adapters.soap.planning import Plans, read_plans
from adapters.soap.sample import Made, sample
from adapters.soap.source import Source, is_url, shown, without_login
from gateway import ConfigError, Contract, Document, Finding

MOST_FIELDS = 1_000
"""A mapping of more fields than that is read by nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One operation that can be called: what the WSDL says of it, and an example of each message."""

    name: str
    words: str
    contract: Contract
    faults: tuple[str, ...]
    plan: OperationPlan

    def example(self, made: Made, *, full: bool = True) -> tuple[Document, Document]:
        """Return an example of its request and its reply, made-up texts where `made` knows the name."""
        reply = self.plan.reply
        return sample(self.plan.request, made, full=full), {} if reply is None else sample(reply, made, full=full)

    def write(self, document: Document) -> None:
        """Write a request as it would be sent, without its header; raises TranslationError when it does not fit."""
        encode(self.plan.request, document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A WSDL as it was read: its files, the operations that can be called, and why the others can't."""

    files: tuple[Taken, ...]
    record: Record
    plans: Plans
    operations: tuple[Offered, ...]
    refused: Mapping[str, Finding]

    @property
    def wsdl(self) -> str:
        """The name of the WSDL among the files."""
        return self.files[0].name

    def pin(self, folder: Path, *, agency: str) -> None:
        """Write the files and their record."""
        write(folder, self.files, self.record, agency=agency)


def look(  # noqa: PLR0913 -- how a WSDL is read
    location: str,
    folder: Path,
    *,
    now: datetime,
    wsdl: str = "",
    service: str = "",
    port: str = "",
    tls: Tls | None = None,
    offline: bool = False,
) -> Offer:
    """Read a WSDL from an address or a path, with the overrides in `folder`; blocking. Raises ConfigError.

    `wsdl` is the name that it is pinned under already. Nothing is written.
    """
    start, login = without_login(location)
    if not is_url(start):
        start = str(Path(start).resolve())
    record = read_record(folder)
    names = dict(record.names) if record else {}
    if wsdl:
        names[shown(start) if is_url(start) else Path(start).name] = wsdl
    override = read_override(folder)
    source = Source(start=start, credentials=login, tls=tls, offline=offline)
    files = tuple(collect(source, override, folder=folder, names=names))
    plans = staged(files, folder, service, port)
    kept = shown(start) if is_url(start) else os.path.relpath(location)
    offered = [_offered(operation) for operation in plans.operations.values()]
    return Offer(
        files=files,
        record=record_of(kept, now, files),
        plans=plans,
        operations=tuple(one for one in offered if isinstance(one, Offered)),
        refused={**plans.refused, **dict(_refused(plans, folder / files[0].name))},
    )


def changes(pinned: Path, offer: Offer, *, service: str = "", port: str = "") -> tuple[str, ...]:
    """Return how an offer differs from the pinned WSDL, in plain words; raises ConfigError if that can't be read."""
    return difference(read_plans(pinned, service=service, port=port), offer.plans)


def edited(folder: Path) -> list[str]:
    """Return the pinned files that are gone or were changed by hand."""
    record = read_record(folder)
    return record.edited(folder) if record else []


def source_of(folder: Path) -> str:
    """Return where a folder's WSDL was taken in from, "" where nobody wrote it down or a secret is hidden in it."""
    record = read_record(folder)
    return record.source if record and "***" not in record.source else ""


def staged(files: tuple[Taken, ...], folder: Path, service: str, port: str) -> Plans:
    """Plan the files as they would lie in the folder; findings name them there."""
    with TemporaryDirectory() as beside:
        staged = Path(beside).resolve()
        for one in files:
            # The overrides are applied already: `root` is what the file says.
            (staged / one.name).write_bytes(one.said)
        try:
            plans = read_plans(staged / files[0].name, service=service, port=port)
        except ConfigError as error:
            raise ConfigError(*(_placed(found, staged, folder) for found in error.findings)) from None
        refused = {name: _placed(found, staged, folder) for name, found in plans.refused.items()}
        return replace(plans, refused=refused)


def _placed(found: Finding, staged: Path, folder: Path) -> Finding:
    texts = (text.replace(str(staged), str(folder)) for text in (found.where, found.what, found.remedy))
    where, what, remedy = texts
    return replace(found, where=where, what=what, remedy=remedy)


def _offered(operation: OperationPlan) -> Offered | None:
    if _unfit(operation):
        return None
    return Offered(
        name=operation.name,
        words=operation.words,
        contract=contract_of(operation),
        faults=operation.faults,
        plan=operation,
    )


def _refused(plans: Plans, wsdl: Path) -> Iterator[tuple[str, Finding]]:
    for name, operation in plans.operations.items():
        if reason := _unfit(operation):
            remedy = "write its section and its mapping by hand, for the fields that you need"
            yield name, Finding(where=str(wsdl), what=f"operation '{name}' {reason}", remedy=remedy)


def _unfit(operation: OperationPlan) -> str:
    """Return why no mapping can be sketched for an operation that could be called, "" if there is no reason."""
    messages: list[tuple[str, MessagePlan]] = [("request", operation.request)]
    messages += [("reply", operation.reply)] if operation.reply else []
    for what, plan in messages:
        if plan.attached:
            return f'has attachments beside its {what}, which need `attachments = "swa"'
        shape = plan.payload.shape if plan.payload else None
        if size(shape, MOST_FIELDS + 1) > MOST_FIELDS:
            return f"has more than {MOST_FIELDS} fields in its {what}"
        if strange := next((found.name for _, found in paths(shape) if "." in found.name), None):
            return f"has a field '{strange}' in its {what}; a dot in a name is no name in a mapping"
    return ""
