"""What is said of SQLite's failures."""

import sqlite3

import pytest

from gateway.errors import LedgerSilent
from gateway.ledger.writer import unavailable


@pytest.mark.parametrize(
    ("code", "doubtful"),
    [(sqlite3.SQLITE_IOERR_FSYNC, True), (sqlite3.SQLITE_IOERR_WRITE, False), (sqlite3.SQLITE_FULL, False)],
)
def test_rule_11_18_only_what_could_not_be_synced_may_be_found_after_a_crash(code: int, doubtful: bool) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert isinstance(unavailable(error), LedgerSilent) is doubtful
