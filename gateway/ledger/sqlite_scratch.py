"""What one file would become, in a folder that is gone with it: as a snapshot, or message by message; no receipts."""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gateway.errors import LedgerUnavailable
from gateway.feeds import Chunk, Keeping, Reject, Tally
from gateway.ledger.rows import decode
from gateway.ledger.snapshot_rows import PAGE, PackedRow
from gateway.ledger.sqlite_builds import Builds, complete
from gateway.ledger.sqlite_pages import page
from gateway.message import Document

NUMBER, TOKEN = 1, 1
"""Of the one build there is."""


class Scratch:
    """A snapshot that nobody looks up in, and what each key had last; none of it is in memory as a whole."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        with _said():
            self._folder = tempfile.TemporaryDirectory(prefix="gateway-")
        self._builds = Builds(Path(self._folder.name))
        self._last: sqlite3.Connection | None = None

    def close(self) -> None:
        """Leave nothing behind."""
        self._builds.close()
        if self._last is not None:
            self._last.close()
        self._folder.cleanup()

    def add(self, chunk: Chunk) -> Tally:
        """Keep a chunk as the ledger would; raises LedgerUnavailable where there is no room for it."""
        with _said():
            if not chunk.after:
                self._builds.begin(NUMBER, TOKEN, self._keeping, None, anew=True)
            return self._builds.add(NUMBER, TOKEN, self._keeping, chunk, replaces=True)

    def rejects(self, limit: int) -> Sequence[Reject]:
        """Return the first rejects."""
        with _said():
            return self._builds.rejects(NUMBER, 0, limit)

    def rows(self) -> Iterator[Document]:
        """Yield the rows of what is whole, in their order."""
        with _said():
            self._builds.finish(NUMBER, self._keeping)
            with closing(complete(self._builds.place(NUMBER))) as db:
                after = 0
                while found := page(db, (), after, PAGE):
                    yield from (decode(doc) for _, doc in found)
                    after = found[-1][0]

    def repeated(self, rows: Sequence[PackedRow]) -> int:
        """Return how many rows are what the row with their key before them was."""
        with _said():
            if self._last is None:
                # Without a name SQLite keeps it in a file of its own that nobody else sees.
                self._last = sqlite3.connect("", isolation_level=None, check_same_thread=False)
                self._last.execute("CREATE TABLE last (id BLOB PRIMARY KEY, doc BLOB NOT NULL) WITHOUT ROWID")
            return sum(_same(self._last, row) for row in rows)


def _same(db: sqlite3.Connection, row: PackedRow) -> bool:
    last = db.execute("SELECT doc FROM last WHERE id = ?", (row.id,)).fetchone()
    if last is None or last[0] != row.doc:
        db.execute("INSERT OR REPLACE INTO last VALUES (?, ?)", (row.id, row.doc))
    return last is not None and last[0] == row.doc


@contextmanager
def _said() -> Iterator[None]:
    """Say in our words what SQLite or the disk has against it."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        where = f"the folder for temporary files ({tempfile.gettempdir()})"
        raise LedgerUnavailable(f"{where} can't be used: {error}; make room, or name another by TMPDIR") from error
