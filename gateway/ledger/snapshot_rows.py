"""Rows of a snapshot as a store keeps them, and what becomes of two with one key; the same for every store, no SQL."""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

import msgspec

from gateway.errors import FieldError
from gateway.feeds import Chunk, Keeping, Reject, Tally
from gateway.ledger.rows import decode, encode
from gateway.lookup import Cells
from gateway.message import Document

LONGEST_CELL = 200
"""Bytes of a value that an index holds; what is longer is compared in the row itself."""
PAGE = 500
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=str)


class PackedRow(NamedTuple):
    """One row: `id` is the hash of what it is known by, `cells` what it is looked up by."""

    number: int
    id: bytes
    doc: bytes
    cells: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A row whose id is there already: `mine` if the other one comes from the same file."""

    row: PackedRow
    number: int
    doc: bytes
    mine: bool


@dataclass(slots=True)
class Settled:
    """What is to be done about clashes: rows that replace those before, rejects, and how the tally changes."""

    replaced: list[PackedRow] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    accepted: int = 0
    unchanged: int = 0


def fields_of(keeping: Keeping) -> tuple[str, ...]:
    """Return the fields that have a column of their own, each once."""
    return tuple(dict.fromkeys(name for index in keeping.indexes for name in index))


def packed(rows: Sequence[tuple[int, Document]], keeping: Keeping, fields: Sequence[str]) -> list[PackedRow]:
    """Return a store's form of rows."""
    key = [name.split(".") for name in keeping.key]
    paths = [name.split(".") for name in fields]
    return [
        PackedRow(number, _identity(row, key), encode(row), tuple([cell(at(row, path)) for path in paths]))
        for number, row in rows
    ]


def _identity(row: Document, key: Sequence[Sequence[str]]) -> bytes:
    known_by = [at(row, path) for path in key] if key else row
    return hashlib.blake2b(_CANONICAL.encode(known_by), digest_size=16).digest()


def at(row: Document, path: Sequence[str]) -> object:
    """Return what stands at a path, None for what is not there."""
    value: object = row.get(path[0])
    for step in path[1:]:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def cell(value: object) -> bytes | None:
    """Return what an index holds of a value, None for what can't be looked up by."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")[:LONGEST_CELL]
    if isinstance(value, bool):
        return b"true" if value else b"false"
    if isinstance(value, int | Decimal | float):
        return format(Decimal(value).normalize(), "f").encode()[:LONGEST_CELL]
    return None


def matches(row: Document, where: Document, starts: Cells) -> bool:
    """Tell whether a row is one of those that are looked for."""
    for name, wanted in where.items():
        found = at(row, name.split("."))
        if isinstance(found, list | Mapping):
            found = None
        if found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
            return False
    return all(str(at(row, name.split("."))).startswith(begin) for name, begin in starts.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a column must hold: a value (None: nothing), or with `prefix` a beginning."""

    column: int
    value: bytes | None
    prefix: bool = False


def conditions(fields: Sequence[str], where: Document, starts: Cells) -> tuple[Condition, ...]:
    """Return what columns can tell of a question; the rows themselves tell the rest."""
    exact = [Condition(column=fields.index(name), value=cell(where[name])) for name in where if name in fields]
    begun = [
        Condition(column=fields.index(name), value=cell(text), prefix=True)
        for name, text in starts.items()
        if name in fields
    ]
    return (*exact, *begun)


Page = Callable[[int, int], Awaitable[Sequence[tuple[int, bytes]]]]
"""Returns up to so many rows, by number and content, after a number."""


async def gathered(
    page: Page, where: Document, starts: Cells, *, limit: int, after: int
) -> tuple[list[Document], int | None]:
    """Return up to `limit` rows that match, and the number after which there may be more."""
    rows: list[Document] = []
    size = limit + 1 if limit < PAGE else PAGE
    while True:
        found = await page(after, size)
        for number, doc in found:
            row = decode(doc)
            if matches(row, where, starts):
                if len(rows) == limit:
                    return rows, after
                rows.append(row)
            after = number
        if len(found) < size:
            return rows, None
        size = PAGE


def settled(clashes: Sequence[Clash], keeping: Keeping, *, replaces: bool) -> Settled:
    """Decide between rows of one key; `replaces` when a file's rows count before those of the snapshot it adds to."""
    said = Settled()
    for clash in clashes:
        _settle(said, clash, keeping, replaces=replaces)
    return said


def _settle(said: Settled, clash: Clash, keeping: Keeping, *, replaces: bool) -> None:
    row = clash.row
    if clash.doc == row.doc or (keeping.newer and not _is_newer(row.doc, clash.doc, keeping.newer)):
        said.unchanged += 1
    elif clash.mine and keeping.newer:
        said.replaced.append(row)
        said.unchanged += 1  # of two rows of one file the newer counts, and the other is no fault
    elif clash.mine:
        reason = FieldError(pointer="", rule="double-key", params={"number": str(row.number)})
        said.rejects.append(Reject(number=clash.number, reasons=(reason,)))
        said.replaced.append(row)
    elif replaces:
        said.replaced.append(row)
        said.accepted += 1
    else:
        said.rejects.append(Reject(number=row.number, reasons=(FieldError(pointer="", rule="key-taken"),)))


def _is_newer(doc: bytes, other: bytes, field_name: str) -> bool:
    """Tell whether one row is at least as new as another, by the texts or numbers of a field; one without is older."""
    ours, theirs = (at(decode(each), field_name.split(".")) for each in (doc, other))
    if ours is None or theirs is None:
        return theirs is None
    if isinstance(ours, int | Decimal) and isinstance(theirs, int | Decimal):
        return ours >= theirs
    return str(ours) >= str(theirs)


def once(rows: Sequence[PackedRow]) -> Iterator[Sequence[PackedRow]]:
    """Yield rows in portions none of which has an id twice, in their order."""
    portion: dict[bytes, PackedRow] = {}
    for row in rows:
        if row.id in portion:
            yield list(portion.values())
            portion = {}
        portion[row.id] = row
    if portion:
        yield list(portion.values())


def tallied(before: Tally, chunk: Chunk, new: int, said: Sequence[Settled]) -> Tally:
    """Return the tally after a chunk of which `new` rows had ids that were not there."""
    rejects = [*chunk.rejects, *(reject for one in said for reject in one.rejects)]
    rules = Counter(before.rules)
    rules.update(reason.rule for reject in rejects for reason in reject.reasons)
    accepted = before.accepted + new + sum(one.accepted for one in said)
    # Of two rows with one key that differ, the earlier was accepted first and is rejected now.
    return replace(
        before,
        position=chunk.position,
        accepted=accepted,
        unchanged=before.unchanged + sum(one.unchanged for one in said),
        rejected=before.rejected + len(rejects),
        skipped=before.skipped + chunk.skipped,
        kept=before.kept + new,
        rules=dict(rules),
        encoding=chunk.encoding or before.encoding,
        whole=chunk.last,
    )


def written_tally(tally: Tally) -> str:
    """Return a tally as JSON."""
    return msgspec.json.encode(asdict(tally)).decode()


def read_tally(text: str) -> Tally:
    """Read what `written_tally` wrote."""
    return Tally(**msgspec.json.decode(text))


def written_reasons(reasons: Sequence[FieldError]) -> str:
    """Return errors as JSON."""
    return msgspec.json.encode([asdict(reason) for reason in reasons]).decode()


def read_reasons(text: str) -> tuple[FieldError, ...]:
    """Read what `written_reasons` wrote."""
    return tuple(FieldError(**reason) for reason in msgspec.json.decode(text))
