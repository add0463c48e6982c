"""One SQLite file a snapshot, built in chunks and then never changed; knows no receipts. Everything here blocks."""

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.feeds import Chunk, Keeping, Overtaken, Reject, Tally
from gateway.ledger.opening import beside
from gateway.ledger.place import connect
from gateway.ledger.rows import decode
from gateway.ledger.snapshot_rows import (
    Clash,
    Condition,
    PackedRow,
    fields_of,
    once,
    packed,
    read_reasons,
    read_tally,
    settled,
    tallied,
    written_reasons,
    written_tally,
)

PORTION = 1000
_BESIDE = ("-wal", "-shm")
_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE reject (number INTEGER PRIMARY KEY, reasons TEXT NOT NULL);
"""


@dataclass(slots=True)
class _Open:
    db: sqlite3.Connection
    lock: threading.Lock


class Builds:
    """The snapshots in one folder: `<number>.build` while rows come, `<number>.db` when it is complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
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
        fields = json.dumps(fields_of(keeping))
        with self._transaction(number) as db:
            known = _meta(db)
            if known and known["fields"] == fields:
                _keep(db, "token", str(token))
                return read_tally(known["tally"])
            if known:
                for table in ("row", "reject", "meta"):
                    db.execute(f"DROP TABLE {table}")
            tally = Tally(kept=_made(db, fields, keeping, None if base is None else self.place(base)))
            for name, value in (("fields", fields), ("token", str(token)), ("tally", written_tally(tally))):
                _keep(db, name, value)
            return tally

    def add(self, number: int, token: int, keeping: Keeping, chunk: Chunk, *, replaces: bool) -> Tally:
        """Keep a chunk with its position; raises Overtaken for another's token or place."""
        rows = packed(chunk.rows, keeping, fields_of(keeping))
        with self._transaction(number) as db:
            known = _meta(db)
            before = read_tally(known["tally"]) if known else Tally(position=-1)
            if before.position != chunk.after or int(known["token"]) != token:
                raise Overtaken(f"receipt {number} is another's")
            new, said = 0, []
            for portion in once(rows):
                fresh, clashes = _put(db, chunk.source or number, portion)
                decided = settled(clashes, keeping, replaces=replaces)
                _replace(db, chunk.source or number, decided.replaced)
                new += fresh
                said.append(decided)
            _reject(db, (*chunk.rejects, *(reject for one in said for reject in one.rejects)))
            tally = tallied(before, chunk, new, said)
            _keep(db, "tally", written_tally(tally))
        return tally

    def finish(self, number: int, keeping: Keeping) -> Tally:
        """Index a build and put it on disk under its final name; does no harm when that is done already."""
        if not self.place(number).exists():
            with self._transaction(number) as db:
                _index(db, keeping)
            opened = self._open[number]
            with opened.lock:
                if opened.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                    raise Overtaken(f"receipt {number} is read by another")
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
        for path in (self._build(number), self.place(number)):
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
        return self._folder / f"{number}.build"

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
        db.execute("PRAGMA journal_mode = WAL")
        # What a power cut takes, whole chunks, comes again from the file; it is put on disk before it is published.
        db.execute("PRAGMA synchronous = NORMAL")
        opened = self._open[number] = _Open(db, threading.Lock())
        return opened


def complete(path: Path) -> sqlite3.Connection:
    """Open a complete snapshot; nobody writes into it any more, so no reader need lock it. Raises sqlite3.Error."""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA mmap_size = 268435456")
    return db


def read_fields(db: sqlite3.Connection) -> tuple[str, ...]:
    """Return the fields that a snapshot's columns hold, in order."""
    return tuple(json.loads(_meta(db)["fields"]))


def page(db: sqlite3.Connection, asked: Sequence[Condition], after: int, size: int) -> Sequence[tuple[int, bytes]]:
    """Return rows that meet all conditions, after a number and in its order."""
    parts, values = ["n > ?"], [after]
    for one in asked:
        name = f"c{one.column}"
        if one.prefix and one.value is not None:
            parts.append(f"{name} >= ? AND {name} < ?")
            values += [one.value, one.value + b"\xff"]  # type: ignore[list-item]
        elif one.value is None:
            parts.append(f"{name} IS NULL")
        else:
            parts.append(f"{name} = ?")
            values.append(one.value)  # type: ignore[arg-type]
    query = f"SELECT n, doc FROM row WHERE {' AND '.join(parts)} ORDER BY n LIMIT ?"  # noqa: S608 - our own names
    return [(row["n"], row["doc"]) for row in db.execute(query, (*values, size))]


def _meta(db: sqlite3.Connection) -> dict[str, str]:
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        return {}
    return {row["name"]: row["value"] for row in db.execute("SELECT name, value FROM meta")}


def _keep(db: sqlite3.Connection, name: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _made(db: sqlite3.Connection, fields: str, keeping: Keeping, base: Path | None) -> int:
    """Make the tables, with the rows of the snapshot that is added to; returns how many those are."""
    names = "".join(f", c{column} BLOB" for column in range(len(json.loads(fields))))
    db.execute(
        "CREATE TABLE row (n INTEGER PRIMARY KEY, receipt INTEGER NOT NULL, number INTEGER NOT NULL, "
        f"id BLOB NOT NULL UNIQUE, doc BLOB NOT NULL{names})"
    )
    for statement in filter(str.strip, _TABLES.split(";")):
        db.execute(statement)
    return 0 if base is None else _copied(db, keeping, base)


def _copied(db: sqlite3.Connection, keeping: Keeping, base: Path) -> int:
    before = complete(base)
    kept = 0
    try:
        rows = before.execute("SELECT number, doc FROM row ORDER BY n")
        while portion := rows.fetchmany(PORTION):
            documents = [(row["number"], decode(row["doc"])) for row in portion]
            for part in once(packed(documents, keeping, fields_of(keeping))):
                kept += _put(db, 0, part)[0]
    finally:
        before.close()
    return kept


def _put(db: sqlite3.Connection, receipt: int, rows: Sequence[PackedRow]) -> tuple[int, list[Clash]]:
    """Insert rows whose ids are not there; returns how many, and the others. No id may come twice."""
    marks = ", ".join("?" * (4 + len(rows[0].cells)))
    columns = "".join(f", c{column}" for column in range(len(rows[0].cells)))
    query = f"INSERT OR IGNORE INTO row (receipt, number, id, doc{columns}) VALUES ({marks})"  # noqa: S608 - our own names
    done = db.executemany(query, ((receipt, row.number, row.id, row.doc, *row.cells) for row in rows)).rowcount
    if done == len(rows):
        return done, []
    clashes = []
    for row in rows:
        there = db.execute("SELECT receipt, number, doc FROM row WHERE id = ?", (row.id,)).fetchone()
        if (there["receipt"], there["number"]) != (receipt, row.number):
            mine = there["receipt"] == receipt
            clashes.append(Clash(row=row, number=there["number"], doc=there["doc"], mine=mine))
    return done, clashes


def _replace(db: sqlite3.Connection, receipt: int, rows: Sequence[PackedRow]) -> None:
    for row in rows:
        columns = "".join(f", c{column} = ?" for column in range(len(row.cells)))
        query = f"UPDATE row SET receipt = ?, number = ?, doc = ?{columns} WHERE id = ?"  # noqa: S608 - our own names
        db.execute(query, (receipt, row.number, row.doc, *row.cells, row.id))


def _reject(db: sqlite3.Connection, rejects: Sequence[Reject]) -> None:
    rows = [(reject.number, written_reasons(reject.reasons)) for reject in rejects]
    db.executemany("INSERT OR REPLACE INTO reject VALUES (?, ?)", rows)


def _index(db: sqlite3.Connection, keeping: Keeping) -> None:
    fields = fields_of(keeping)
    for number, index in enumerate(keeping.indexes):
        columns = ", ".join(f"c{fields.index(name)}" for name in index)
        db.execute(f"CREATE INDEX IF NOT EXISTS row_{number} ON row ({columns})")
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
