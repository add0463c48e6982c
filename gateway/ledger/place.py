"""Where an SQLite ledger may be: on a disk of this machine only; opens it so that a commit is on that disk."""

import os
import sqlite3
import time
from pathlib import Path

from gateway.errors import ConfigError, Finding
from gateway.ledger.migrations import missing

MOUNTS = Path("/proc/self/mounts")
# Their locks don't hold between machines, and their fsync does not always reach a disk.
NETWORK = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "coda",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "pvfs2",
        "virtiofs",
    ]
)
BUSY = 10.0
_LARGEST_IDLE_WAL = 64 * 1024 * 1024
_WRITE_CACHE, _READ_CACHE = 32 * 1024, 8 * 1024  # KiB a connection


def refuse_network(path: Path, mounts: Path = MOUNTS) -> None:
    """Raise ConfigError when the path is on a network file system; says nothing where there is no list of mounts."""
    try:
        lines = mounts.read_text("utf-8", "replace").splitlines()
    except OSError:
        return
    place = path.resolve()
    found = [(Path(_plain(parts[1])), parts[2]) for line in lines if len(parts := line.split()) > 2]  # noqa: PLR2004
    holding = [(len(point.parts), kind) for point, kind in found if place.is_relative_to(point)]
    kind = max(reversed(holding), key=lambda one: one[0])[1] if holding else ""
    if kind in NETWORK or kind == "fuse" or kind.startswith("fuse."):
        what = f"the ledger would be on {_called(kind)}, where locks and commits can't be trusted"
        remedy = 'put it on a local disk, or use ledger = "postgresql://..."'
        raise ConfigError(Finding(where=str(path), what=what, remedy=remedy))


def _called(kind: str) -> str:
    """Name a kind: who serves plain `fuse` does not say from where; on a disk of this machine it is `fuseblk`."""
    return "what a program serves from anywhere (fuse)" if kind == "fuse" else f"a network file system ({kind})"


def _plain(escaped: str) -> str:
    return escaped.encode().decode("unicode_escape")  # spaces are \040 in the list of mounts


def connect(path: Path, *, reads: bool = False) -> sqlite3.Connection:
    """Open a ledger's file; the connection belongs to the thread that first uses it. Raises sqlite3.Error."""
    # What is attached to it may be named by an address.
    db = sqlite3.connect(
        path, timeout=BUSY, isolation_level=None, check_same_thread=False, cached_statements=512, uri=True
    )
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"PRAGMA journal_size_limit = {_LARGEST_IDLE_WAL}")
    db.execute(f"PRAGMA cache_size = -{_READ_CACHE if reads else _WRITE_CACHE}")
    if reads:
        db.execute("PRAGMA query_only = ON")
    return db


def look(path: Path) -> sqlite3.Connection:
    """Open a ledger's file to read it once, leaving nothing beside it; raises sqlite3.Error."""
    # While nobody works with it there is no log, and reading as usual would make one that belongs to whoever looks.
    at_rest = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro{at_rest}", timeout=BUSY, uri=True)
    db.row_factory = sqlite3.Row
    return db


def prepare(path: Path) -> None:
    """Make the file and its tables, or bring them up to date; safe when several processes start at once.

    Raises ConfigError when the place can't be used.
    """
    refuse_network(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        db = connect(path)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    try:
        _use_wal(db)
        _migrate(db, path)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    finally:
        db.close()


def _unusable(path: Path, error: Exception) -> ConfigError:
    remedy = "give a folder that the gateway may write to, with room on its disk"
    return ConfigError(Finding(where=str(path), what=f"the ledger can't be opened: {error}", remedy=remedy))


def _use_wal(db: sqlite3.Connection) -> None:
    """SQLite does not wait for others who are switching too, so this does."""
    until = time.monotonic() + BUSY
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL)")
        for step in missing("sqlite", _done(db), str(path)):
            for statement in _statements(step.sql):
                db.execute(statement)
            db.execute("INSERT INTO migration VALUES (?, ?)", (step.number, step.name))
        db.execute("COMMIT")
    except BaseException:
        db.rollback()
        raise


def _done(db: sqlite3.Connection) -> set[int]:
    return {row["number"] for row in db.execute("SELECT number FROM migration")}


def refuse_newer(db: sqlite3.Connection, path: Path) -> None:
    """Raise ConfigError for a ledger that a newer gateway has changed; raises sqlite3.Error for what is none."""
    missing("sqlite", _done(db), str(path))


def _statements(sql: str) -> list[str]:
    """Split by SQLite's own word for it; `executescript` would commit before it starts."""
    statements, text = [], ""
    for line in sql.splitlines(keepends=True):
        text += line
        if sqlite3.complete_statement(text):
            statements.append(text)
            text = ""
    return statements
