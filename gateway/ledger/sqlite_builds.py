"""One SQLite file a snapshot, built in chunks and then never changed; knows no receipts. Everything here blocks."""

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import uuid4

from gateway.feeds import Chunk, Keeping, Overtaken, Reject, Tally
from gateway.ledger.clashes import Clash, Settled, settle, settled_late, tallied
from gateway.ledger.opening import beside
from gateway.ledger.place import connect
from gateway.ledger.rows import decode
from gateway.ledger.snapshot_rows import (
    Columns,
    PackedRow,
    columns_of,
    notes_mends,
    read_columns,
    read_reasons,
    read_tally,
    rows_of,
    side_by_side,
    written,
    written_columns,
    written_reasons,
    written_tally,
)

PORTION = 1000
CACHE = 512
"""KiB: rows are not read again, but what an index sorts at once is of this size, too."""
TOGETHER = 200
"""Rows that one statement takes, which costs a fifth less than one for each."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_BESIDE = ("-journal", "-wal", "-shm")
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE reject (number INTEGER PRIMARY KEY, reasons TEXT NOT NULL);
"""
_SEVERAL = "SELECT id FROM row WHERE id >= ? GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT ?"


@dataclass(slots=True)
class _Open:
    db: sqlite3.Connection
    lock: threading.Lock


class Builds:
    """The snapshots in one folder: `<number>.<boot>.build` while rows come, `<number>.db` when it is complete.

    A build goes on after whatever ends its process. What a power cut left of one can't be known, and is begun anew: so
    nothing waits for the disk before all of it is put there, just before it gets its final name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._since = _boot()
        self._open: dict[int, _Open] = {}

    def place(self, number: int) -> Path:
        """Return where a complete snapshot is."""
        return self._folder / f"{number}.db"

    def begin(self, number: int, token: int, keeping: Keeping, base: int | None, *, anew: bool) -> Tally:
        """Make a build, or go on with it under a new token; returns how far it is."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if anew:
            self.drop(number)
        if self.place(number).exists():
            return self._complete(number)
        for path in {*self._folder.glob(f"{number}.*build")} - {self._build(number)}:
            _unlink(path, ("", *_BESIDE))
        fields = written_columns(columns_of(keeping))
        with ExitStack() as afterwards, self._transaction(number) as db:
            known = _meta(db)
            if known and known["fields"] == fields:
                _keep(db, "token", str(token))
                return read_tally(known["tally"])
            if known:
                for table in ("row", "reject", "meta"):
                    db.execute(f"DROP TABLE {table}")
            _make(db, keeping)
            tally = Tally(kept=0 if base is None else _copied(db, keeping, self.place(base), afterwards))
            for name, value in (("fields", fields), ("token", str(token)), ("tally", written_tally(tally))):
                _keep(db, name, value)
            return tally

    def add(self, number: int, token: int, keeping: Keeping, chunk: Chunk, *, replaces: bool) -> Tally:
        """Keep a chunk with its position; raises Overtaken for another's token or place."""
        rows = side_by_side(rows_of(chunk, keeping), keeping)
        with self._transaction(number) as db:
            known = _meta(db)
            before = read_tally(known["tally"]) if known else Tally(position=-1)
            if before.position != chunk.after or int(known["token"]) != token:
                raise Overtaken(f"receipt {number} is another's")
            _put(db, chunk.source or number, rows)
            if chunk.mends:
                _note(db, rows[0], chunk.mends)
            _reject(db, chunk.rejects)
            tally = tallied(before, chunk, chunk.count, ())
            if chunk.last:
                tally = _settle(db, keeping, tally, replaces=replaces)
            _keep(db, "tally", written_tally(tally))
        return tally

    def finish(self, number: int, keeping: Keeping) -> Tally:
        """Index a build and put it on disk under its final name; does no harm when that is done already."""
        if not self.place(number).exists():
            with self._transaction(number) as db:
                _index(db, keeping)
            self.close(number)
            _unlink(self._build(number), _BESIDE)
            _sync(self._build(number))
            self._build(number).replace(self.place(number))
            _sync(self._folder)
        return self._complete(number)

    def rejects(self, number: int, after: int, limit: int) -> Sequence[Reject]:
        """Return rejects of a build or a snapshot, none when it is gone."""
        paths = [path for path in (self.place(number), self._build(number)) if path.exists()]
        if not paths:
            return ()
        db = complete(paths[0]) if paths[0] == self.place(number) else connect(paths[0], reads=True)
        try:
            query = "SELECT number, reasons FROM reject WHERE number > ? ORDER BY number LIMIT ?"
            return [
                Reject(number=row["number"], reasons=read_reasons(row["reasons"]))
                for row in db.execute(query, (after, limit))
            ]
        finally:
            db.close()

    def drop(self, number: int) -> None:
        """Forget a build or a snapshot."""
        self.close(number)
        for path in (*self._folder.glob(f"{number}.*build"), self.place(number)):
            _unlink(path, ("", *_BESIDE))

    def close(self, number: int | None = None) -> None:
        """Let go of a build's file, or of all of them; what is in it stays."""
        for one in [*self._open] if number is None else [number]:
            if opened := self._open.pop(one, None):
                with opened.lock:
                    opened.db.close()

    def copy(self, ledger: Path) -> None:
        """Copy the snapshots that a copied ledger needs; one that went meanwhile is made again of its file."""
        folder = beside(ledger)
        db = connect(ledger, reads=True)
        try:
            feeds = db.execute("SELECT live, previous FROM feed").fetchall()
        finally:
            db.close()
        for number in {number for feed in feeds for number in feed if number is not None}:
            folder.mkdir(mode=0o700, exist_ok=True)
            with suppress(FileNotFoundError):
                shutil.copyfile(self.place(number), folder / f"{number}.db")
                (folder / f"{number}.db").chmod(0o600)

    def _build(self, number: int) -> Path:
        return self._folder / f"{number}.{self._since}.build"

    def _complete(self, number: int) -> Tally:
        db = complete(self.place(number))
        try:
            return read_tally(_meta(db)["tally"])
        finally:
            db.close()

    @contextmanager
    def _transaction(self, number: int) -> Iterator[sqlite3.Connection]:
        opened = self._open.get(number) or self._opened(number)
        with opened.lock:
            opened.db.execute("BEGIN IMMEDIATE")
            try:
                yield opened.db
                opened.db.execute("COMMIT")
            except BaseException:
                opened.db.rollback()
                raise

    def _opened(self, number: int) -> _Open:
        path = self._build(number)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = connect(path)
        db.execute(f"PRAGMA cache_size = -{CACHE}")
        db.execute("PRAGMA threads = 1")  # one half of an index is sorted while the other is read
        db.execute("PRAGMA journal_mode = TRUNCATE")
        db.execute("PRAGMA synchronous = OFF")
        opened = self._open[number] = _Open(db, threading.Lock())
        return opened


def _boot() -> str:
    """Return what this start of the machine is known by, else what no other process is."""
    try:
        return _BOOT.read_text().strip().partition("-")[0]
    except OSError:
        return uuid4().hex


def complete(path: Path) -> sqlite3.Connection:
    """Open a complete snapshot; nobody writes into it any more, so no reader need lock it. Raises sqlite3.Error."""
    db = sqlite3.connect(_whole(path), uri=True, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA mmap_size = 268435456")
    return db


def _whole(path: Path) -> str:
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def held_columns(db: sqlite3.Connection) -> Columns:
    """Return what a snapshot's columns hold."""
    return read_columns(_meta(db)["fields"])


def _meta(db: sqlite3.Connection) -> dict[str, str]:
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        return {}
    return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM meta")}


def _keep(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _make(db: sqlite3.Connection, keeping: Keeping) -> None:
    """Make the tables."""
    names = "".join(f", c{column} BLOB" for column in range(len(columns_of(keeping).fields)))
    db.execute(
        "CREATE TABLE row (n INTEGER PRIMARY KEY, receipt INTEGER NOT NULL, number INTEGER NOT NULL, "
        f"id BLOB NOT NULL, doc BLOB NOT NULL{names}, mends TEXT)"
    )
    for statement in filter(str.strip, _TABLES.split(";")):
        db.execute(statement)


def _copied(db: sqlite3.Connection, keeping: Keeping, base: Path, afterwards: ExitStack) -> int:
    """Copy the rows of the snapshot that is added to, as they are if they are laid out alike; returns how many.

    What is left to do when all of it is kept goes to `afterwards`.
    """
    before = complete(base)
    try:
        known = _meta(before)["fields"]
        if read_columns(known) != columns_of(keeping):
            return _laid_out(db, keeping, before)
    finally:
        before.close()
    db.execute("ATTACH ? AS base", (_whole(base),))
    afterwards.callback(db.execute, "DETACH base")
    names = "".join(f", c{column}" for column in range(len(columns_of(keeping).fields)))
    names += ", mends" if notes_mends(known) else ""
    said = db.execute(
        f"INSERT INTO row (receipt, number, id, doc{names}) "  # noqa: S608 - our own names
        f"SELECT 0, number, id, doc{names} FROM base.row ORDER BY n"
    )
    return said.rowcount


def _laid_out(db: sqlite3.Connection, keeping: Keeping, before: sqlite3.Connection) -> int:
    """Copy rows of another layout, one by one."""
    kept = 0
    rows = before.execute("SELECT number, doc FROM row ORDER BY n")
    while portion := rows.fetchmany(PORTION):
        documents = [(row["number"], decode(row["doc"])) for row in portion]
        _put(db, 0, side_by_side(written(documents, keeping), keeping))
        kept += len(portion)
    return kept


def _put(db: sqlite3.Connection, receipt: int, columns: Sequence[Sequence[Any]]) -> None:
    """Add rows; those whose ids are there are settled once the file is whole, as an index would slow down each."""
    width, rows = len(columns), len(columns[0])
    size = max(1, min(TOGETHER, db.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width))
    values, many = list(chain.from_iterable(zip(*columns, strict=True))), rows - rows % size
    for each, first, last in ((size, 0, many), (1, many, rows)):
        portions = (values[at * width : (at + each) * width] for at in range(first, last, each))
        db.executemany(_insert(receipt, width, each), portions)


def _note(db: sqlite3.Connection, numbers: Sequence[int], mends: Mapping[int, str]) -> None:
    """Say of the rows that were added last which record each of them mends."""
    last = db.execute("SELECT coalesce(max(n), 0) FROM row").fetchone()[0]
    noted = [(mends[one], n) for n, one in enumerate(numbers, last - len(numbers) + 1) if one in mends]
    db.executemany("UPDATE row SET mends = ? WHERE n = ?", noted)


def _insert(receipt: int, width: int, rows: int) -> str:
    names = "".join(f", c{column}" for column in range(width - 3))
    values = ", ".join([f"({receipt}{', ?' * width})"] * rows)
    return f"INSERT INTO row (receipt, number, id, doc{names}) VALUES {values}"  # noqa: S608 - our own names


def _settle(db: sqlite3.Connection, keeping: Keeping, tally: Tally, *, replaces: bool) -> Tally:
    """Leave one row of each id, as if each had met those before it when it came."""
    with suppress(sqlite3.IntegrityError):
        db.execute("CREATE UNIQUE INDEX row_id ON row (id)")
        return tally
    db.execute("CREATE INDEX row_id ON row (id)")
    first = b""
    while ids := [row["id"] for row in db.execute(_SEVERAL, (first, PORTION))]:
        for one in ids:
            for said, gone in _settled(db, keeping, one, replaces=replaces):
                _reject(db, said.rejects)
                tally = settled_late(tally, said, gone)
        first = ids[-1] + b"\0"  # what comes next in the order of bytes
    return tally


def _settled(
    db: sqlite3.Connection, keeping: Keeping, known_by: bytes, *, replaces: bool
) -> Iterator[tuple[Settled, int]]:
    """Settle the rows of one id in their order; yields what was decided of so many of them."""
    rows = db.execute("SELECT n, receipt, number, doc, mends FROM row WHERE id = ? ORDER BY n", (known_by,))
    first = kept = rows.fetchone()
    while portion := rows.fetchmany(PORTION):
        said = Settled()
        for row in portion:
            clash = Clash(
                row=PackedRow(row["number"], known_by, row["doc"], ()),
                number=kept["number"],
                doc=kept["doc"],
                mine=kept["receipt"] == row["receipt"],
                again=row["mends"] is not None and row["mends"] == kept["mends"],
            )
            if settle(said, clash, keeping, replaces=replaces):
                kept = row
        yield said, len(portion)
    db.execute("DELETE FROM row WHERE id = ? AND n <> ?", (known_by, kept["n"]))
    db.execute("UPDATE row SET n = ? WHERE n = ?", (first["n"], kept["n"]))


def _reject(db: sqlite3.Connection, rejects: Sequence[Reject]) -> None:
    rows = [(reject.number, written_reasons(reject.reasons)) for reject in rejects]
    db.executemany("INSERT OR REPLACE INTO reject VALUES (?, ?)", rows)


def _index(db: sqlite3.Connection, keeping: Keeping) -> None:
    for number, columns in enumerate(columns_of(keeping).indexes(keeping)):
        db.execute(f"CREATE INDEX IF NOT EXISTS row_{number} ON row ({', '.join(columns)})")
    db.execute("PRAGMA analysis_limit = 1000")
    db.execute("ANALYZE")


def _unlink(path: Path, endings: Sequence[str]) -> None:
    for ending in endings:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
