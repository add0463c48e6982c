"""The latest complete state of each feed, in memory; must not know where rows come from."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime

from gateway.errors import NoSnapshot
from gateway.feeds import Found
from gateway.message import Document

Index = Mapping[tuple[object, ...], Sequence[Document]]

# Below this an index is built quicker than a thread is entered.
SMALL = 2000
# Optional search fields combine into many indexes; the oldest goes when there are more.
MOST_INDEXES = 16


class MemorySnapshots:
    """Snapshots for one process; indexes are built at the first lookup by their fields, and again with each publish."""

    __slots__ = ("_live",)

    def __init__(self) -> None:
        self._live: dict[str, _Snapshot] = {}

    async def publish(self, feed: str, rows: Sequence[Document], /, *, as_of: datetime) -> None:
        """Replace the feed's snapshot at once, already indexed as the one before was."""
        fresh = _Snapshot(tuple(rows), as_of)
        if before := self._live.get(feed):
            for fields in before.indexed:
                await fresh.index(fields)
        self._live[feed] = fresh

    async def find(self, feed: str, where: Document, /, *, limit: int) -> Found:
        """Return rows whose fields (dotted paths) equal all of `where`; raises NoSnapshot without a snapshot."""
        snapshot = self._live.get(feed)
        if snapshot is None:
            raise NoSnapshot(f"{feed}: no file has been taken in yet", maybe_done=False)
        rows = snapshot.rows
        if where:
            fields = tuple(sorted(where))
            index = await snapshot.index(fields)
            rows = index.get(tuple(where[name] for name in fields), ())
        return Found(rows=rows[:limit], as_of=snapshot.as_of)


class _Snapshot:
    """Rows that never change, and the indexes over them."""

    __slots__ = ("_building", "_indexes", "as_of", "rows")

    def __init__(self, rows: Sequence[Document], as_of: datetime) -> None:
        self.rows = rows
        self.as_of = as_of
        self._indexes: dict[tuple[str, ...], Index] = {}
        self._building = asyncio.Lock()

    @property
    def indexed(self) -> tuple[tuple[str, ...], ...]:
        """The fields of each index there is."""
        return tuple(self._indexes)

    async def index(self, fields: tuple[str, ...]) -> Index:
        """Return the index by these fields, built once, in a thread when there are many rows."""
        if index := self._indexes.get(fields):
            return index
        async with self._building:
            if fields not in self._indexes:
                small = len(self.rows) < SMALL
                built = _build(self.rows, fields) if small else await asyncio.to_thread(_build, self.rows, fields)
                while len(self._indexes) >= MOST_INDEXES:
                    self._indexes.pop(next(iter(self._indexes)))
                self._indexes[fields] = built
            return self._indexes[fields]


def _build(rows: Sequence[Document], fields: tuple[str, ...]) -> Index:
    paths = [name.split(".") for name in fields]
    index: dict[tuple[object, ...], list[Document]] = {}
    for row in rows:
        key = tuple(_at(row, path) for path in paths)
        index.setdefault(key, []).append(row)
    return index


def _at(row: Document, path: Sequence[str]) -> object:
    value: object = row
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    # A list can't be looked up by, and must not break the index for the other rows.
    return value if not isinstance(value, list | Mapping) else None
