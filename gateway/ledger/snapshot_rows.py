"""Rows of a snapshot as a store keeps them, and what becomes of two with one key; the same for every store, no SQL."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from gateway.columns import Row
from gateway.errors import FieldError
from gateway.feeds import Chunk, Keeping, Tally
from gateway.ledger.rows import decode, encode
from gateway.lookup import Cells
from gateway.message import Document

LONGEST_CELL = 200
"""Bytes of a value that an index holds; what is longer is compared in the row itself."""
NO_VALUE, LONG = b"\xff\x00", b"\xfe"
"""What no text in UTF-8 has: such an id is of no value, or of a long one, by the hash that follows."""
PAGE = 500
_CANONICAL = msgspec.json.Encoder(decimal_format="number", order="deterministic", enc_hook=str)


class PackedRow(NamedTuple):
    """One row: `id` is the hash of what it is known by, `cells` what it is looked up by."""

    number: int
    id: bytes
    doc: bytes
    cells: tuple[bytes | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What a snapshot's columns hold: `id` the values of this field, if any, `c0` and so on those of `fields`.

    Without such a field the id is the hash of those of `key`, which is not known of snapshots that are older than this.
    """

    fields: tuple[str, ...]
    id: str | None = None
    key: tuple[str, ...] | None = None

    def named(self, field_name: str) -> str | None:
        """Return the column of a field, None where it has none."""
        if field_name == self.id:
            return "id"
        return f"c{self.fields.index(field_name)}" if field_name in self.fields else None

    def indexes(self, keeping: Keeping) -> Iterator[tuple[str, ...]]:
        """Yield the columns of each index that is wanted beside that of the ids."""
        for index in keeping.indexes:
            if index[0] != self.id:
                yield tuple(name for each in index if (name := self.named(each)) is not None)


def columns_of(keeping: Keeping) -> Columns:
    """Return the columns of a snapshot: a field has one if an index needs it, and is the id where it alone is the key.

    Whoever knows a row by one field looks it up by that as a rule: so one index does for both.
    """
    alone = keeping.key[0] if len(keeping.key) == 1 else None
    fields = dict.fromkeys(name for index in keeping.indexes if index[0] != alone for name in index if name != alone)
    return Columns(fields=tuple(fields), id=alone, key=keeping.key)


def written_columns(columns: Columns) -> str:
    """Return columns as JSON."""
    made = {"id": columns.id, "fields": columns.fields, "key": columns.key, "mends": True}
    return msgspec.json.encode(made).decode()


def notes_mends(text: str) -> bool:
    """Tell of what `written_columns` wrote whether rows have a column beside these that says which record they mend."""
    found = msgspec.json.decode(text)
    return isinstance(found, dict) and found.get("mends", False)


def read_columns(text: str) -> Columns:
    """Read what `written_columns` wrote, or a plain list of fields, as it was before."""
    found = msgspec.json.decode(text)
    if isinstance(found, list):
        return Columns(fields=tuple(found))
    key = found.get("key")
    return Columns(fields=tuple(found["fields"]), id=found["id"], key=None if key is None else tuple(key))


def rows_of(chunk: Chunk, keeping: Keeping) -> list[Row]:
    """Return a chunk's rows as they are kept, in their order."""
    if not chunk.rows:
        return [*chunk.written]
    return sorted([*written(chunk.rows, keeping), *chunk.written], key=itemgetter(0))


def written(rows: Sequence[tuple[int, Document]], keeping: Keeping) -> list[Row]:
    """Write documents as they are kept."""
    documents = [row for _, row in rows]
    values = [_all(documents, name) for name in keeping.paths]
    return list(zip((number for number, _ in rows), map(encode, documents), *values, strict=True))


def packed(rows: Sequence[Row], keeping: Keeping) -> list[PackedRow]:
    """Return a store's form of rows."""
    numbers, ids, docs, *cells = side_by_side(rows, keeping)
    together: Iterable[Any] = zip(*cells, strict=True) if cells else repeat((), len(rows))
    return list(map(PackedRow._make, zip(numbers, ids, docs, together, strict=True)))


def side_by_side(rows: Sequence[Row], keeping: Keeping) -> list[Sequence[Any]]:
    """Return the columns of a store's rows, each whole: numbers, ids, documents, and the cells of each field."""
    columns = columns_of(keeping)
    if not rows:
        return [[] for _ in range(3 + len(columns.fields))]
    numbers, docs, *values = zip(*rows, strict=True)
    named = dict(zip(keeping.paths, values, strict=True))
    ids = _ids(docs, [named[name] for name in keeping.key])
    return [numbers, ids, docs, *(_cells(named[name]) for name in columns.fields)]


def _all(rows: Sequence[Document], name: str) -> list[object]:
    """Return what stands at a dotted path of each row."""
    if "." not in name:
        return [row.get(name) for row in rows]
    path = name.split(".")
    return [at(row, path) for row in rows]


def _ids(docs: Sequence[bytes], keys: Sequence[Sequence[object]]) -> list[bytes]:
    if len(keys) == 1:
        return _short(keys[0]) or list(map(_id, keys[0]))
    if not keys:
        return [_digest(decode(doc)) for doc in docs]
    return [_digest(list(values)) for values in zip(*keys, strict=True)]


def _cells(values: Sequence[Any]) -> Sequence[bytes | None]:
    return _short(values) or list(map(cell, values))


def _short(values: Sequence[Any]) -> list[bytes]:
    """Return a column's cells where all are short texts, as they are in most columns, else none."""
    try:
        found = list(map(str.encode, values))
    except (TypeError, UnicodeEncodeError):
        return []
    return found if max(map(len, found), default=0) < LONGEST_CELL else []


def _id(value: object) -> bytes:
    """Return a value as an id that can be looked up by it; of what is long, or no value, a hash makes it one."""
    short = cell(value)
    if short is None:
        return NO_VALUE + _digest(value)
    return short if len(short) < LONGEST_CELL else short + LONG + _digest(value)


def _digest(value: object) -> bytes:
    return hashlib.blake2b(_CANONICAL.encode(value), digest_size=16).digest()


def at(row: Document, path: Sequence[str]) -> object:
    """Return what stands at a path, None for what is not there."""
    value: object = row.get(path[0])
    for step in path[1:]:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def cell(value: object) -> bytes | None:
    """Return what an index holds of a value, None for what can't be looked up by."""
    if value.__class__ is str:
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
    found = ((at(row, name.split(".")), begin) for name, begin in starts.items())
    return all(value is not None and str(value).startswith(begin) for value, begin in found)


def in_order(rows: Sequence[Document], starts: Cells) -> Sequence[Document]:
    """Return rows in the order in which a store has them, given those in the order of their file."""
    if not starts:
        return rows
    path = max(starts, key=lambda name: len(cell(starts[name]) or b"")).split(".")
    return sorted(rows, key=lambda row: cell(at(row, path)) or b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a column must hold: a value (None: nothing), or with `prefix` a beginning."""

    column: str
    value: bytes | None
    prefix: bool = False

    @property
    def end(self) -> bytes:
        """What is greater than all that begins so: neither a text nor a hash behind NO_VALUE has so many of these."""
        return (self.value or b"") + b"\xff" * 17


def conditions(columns: Columns, where: Document, starts: Cells) -> tuple[Condition, ...]:
    """Return what columns can tell of a question; the rows themselves tell the rest."""
    exact = [_exact(name, cell(value)) for each, value in where.items() if (name := columns.named(each)) is not None]
    begun = [
        Condition(column=name, value=cell(text), prefix=True)
        for each, text in starts.items()
        if (name := columns.named(each)) is not None
    ]
    return (*exact, *begun)


def leading(asked: Sequence[Condition]) -> Condition | None:
    """Return the beginning in whose order rows come, the longest; None where they come in that of their file.

    An index on what begins so has them in its own order alone: in another all of them would have to be sorted, or the
    whole table walked through, for each page.
    """
    begun = [one for one in asked if one.prefix]
    return max(begun, key=lambda one: len(one.value or b""), default=None)


def _exact(column: str, value: bytes | None) -> Condition:
    if column != "id":
        return Condition(column=column, value=value)
    if value is None:
        return Condition(column=column, value=NO_VALUE, prefix=True)
    return Condition(column=column, value=value, prefix=len(value) >= LONGEST_CELL)


Page = Callable[[int, int], Awaitable[Sequence[tuple[int, bytes]]]]
"""Returns up to so many rows, by number and content, after the row of a number, with 0 the first."""


async def gathered(
    page: Page, where: Document, starts: Cells, *, limit: int, after: int
) -> tuple[list[Document], int | None]:
    """Return up to `limit` rows that match, and the number of the row after which there may be more."""
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
