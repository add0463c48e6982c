"""What work on SQLite is given: a connection inside a transaction, and the time."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Transaction:
    """`now` is seconds since 1970, taken when the work begins."""

    db: sqlite3.Connection
    now: float
