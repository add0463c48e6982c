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


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (sqlite3.SQLITE_FULL, "; make room on its disk"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, "; let the gateway write to its file and folder"),
        (sqlite3.SQLITE_IOERR_WRITE, "; look after its disk"),
        (sqlite3.SQLITE_ERROR, ""),
    ],
)
def test_what_to_do_is_said_where_it_is_known(code: int, remedy: str) -> None:
    error = sqlite3.OperationalError("it failed")
    error.sqlite_errorcode = code
    assert str(unavailable(error)) == f"the ledger can't be used now: it failed{remedy}"
