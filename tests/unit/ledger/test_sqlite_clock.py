"""What a process that begins notes of the clocks."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.ledger.place import connect, prepare
from gateway.ledger.sqlite_clock import begun, followed
from gateway.ledger.transaction import Transaction
from tests.fakes import FakeClock

UNTIL = 5000.0


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    prepare(tmp_path / "ledger.db")
    with closing(connect(tmp_path / "ledger.db")) as db:
        db.execute("INSERT INTO lease VALUES ('retention', 'a', 1, ?)", (UNTIL,))
        yield db


@pytest.mark.parametrize(
    ("first", "second", "moved"),
    [("a", "a", 3600.0), ("a", "b", 0.0), (None, None, 0.0), (None, "a", 0.0), ("a", None, 0.0)],
)
def test_leases_move_with_the_clock_within_one_run_of_the_machine(
    db: sqlite3.Connection, tmp_path: Path, first: str | None, second: str | None, moved: float
) -> None:
    clock, boot = FakeClock(), tmp_path / "boot_id"
    for run, now in ((first, 1000.0), (second, 4600.0)):
        boot.unlink(missing_ok=True)
        if run is not None:
            boot.write_text(f"{run}\n", "utf-8")
        begun(Transaction(db, now), clock, boot)
    followed(Transaction(db, 4600.0), clock)
    (until,) = db.execute("SELECT until FROM lease").fetchone()
    assert until == UNTIL + moved
