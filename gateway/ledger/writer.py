"""Runs work on SQLite in threads of its own, one that writes and a few that read; knows of SQL only how to commit."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar

from gateway.errors import LedgerSilent, LedgerUnavailable
from gateway.ledger.place import connect
from gateway.ledger.transaction import Transaction
from gateway.ports import Clock

T = TypeVar("T")
Work = Callable[[Transaction], T]

BATCH = 256
READERS = 2
_REMEDIES = {
    sqlite3.SQLITE_FULL: "; make room on its disk",
    sqlite3.SQLITE_READONLY: "; let the gateway write to its file and folder",
    sqlite3.SQLITE_CANTOPEN: "; let the gateway write to its file and folder",
    sqlite3.SQLITE_IOERR: "; look after its disk",
}
_EVERYBODYS = frozenset({sqlite3.OperationalError, sqlite3.DatabaseError, sqlite3.InternalError})


@dataclass(slots=True)
class _Job:
    work: Work[object]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[object]
    result: object = None
    error: BaseException | None = None


class Writer:
    """One thread that commits in groups: what comes while a commit is under way shares the next one's fsync."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._db: sqlite3.Connection | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="ledger-writer", daemon=True)
        self._thread.start()

    async def do(self, work: Work[T]) -> T:
        """Run work in a transaction; returns its result once that is committed. It is done even if its asker leaves.

        Raises what the work raises of our own errors, having undone it alone, and LedgerUnavailable.
        """
        if self._closed:
            raise LedgerUnavailable("the ledger is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, loop, future))  # type: ignore[arg-type]
        return await future

    def close(self) -> None:
        """Finish what was asked and stop; blocks until then."""
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            self._commit(batch)
            _tell(batch)
        if self._db is not None:
            self._db.close()

    def _next_batch(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < BATCH:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit(self, batch: list[_Job]) -> None:
        try:
            db = self._db = self._db or connect(self._path)
            if not self._all_well(db, batch):
                self._one_by_one(db, batch)
        except Exception as error:  # noqa: BLE001 - the thread must outlive whatever happens to one batch
            self._abandon()
            failure = unavailable(error) if isinstance(error, sqlite3.Error) else error
            for job in batch:
                job.error = failure

    def _all_well(self, db: sqlite3.Connection, batch: list[_Job]) -> bool:
        """Commit jobs none of which refuses, as nearly always: a savepoint each would cost as much as some of them."""
        db.execute("BEGIN IMMEDIATE")
        try:
            for job in batch:
                job.result = job.work(Transaction(db, self._clock.now().timestamp()))
        except Exception as error:
            if type(error) in _EVERYBODYS:
                raise
            db.execute("ROLLBACK")
            return False
        db.execute("COMMIT")
        return True

    def _one_by_one(self, db: sqlite3.Connection, batch: list[_Job]) -> None:
        db.execute("BEGIN IMMEDIATE")
        for job in batch:
            self._perform(db, job)
        db.execute("COMMIT")

    def _perform(self, db: sqlite3.Connection, job: _Job) -> None:
        db.execute("SAVEPOINT job")
        try:
            job.result = job.work(Transaction(db, self._clock.now().timestamp()))
        except Exception as error:
            # Refusals and bugs are that job's own; what is wrong with the disk is everybody's.
            if type(error) in _EVERYBODYS:
                raise
            job.error = error
            db.execute("ROLLBACK TO job")
        db.execute("RELEASE job")

    def _abandon(self) -> None:
        """Undo the batch, and begin the next with a new connection: a full or failing disk may have spoilt this one."""
        db, self._db = self._db, None
        if db is not None:
            try:
                db.rollback()
            except sqlite3.Error:
                """Closing undoes it too."""
            db.close()


class Readers:
    """A few threads with a connection each, so that a long search keeps no writer and no short look waiting."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="ledger-reader")
        self._own = threading.local()
        self._closed = False
        self._open: list[sqlite3.Connection] = []

    async def do(self, work: Work[T]) -> T:
        """Run work that only reads, on one consistent picture; raises LedgerUnavailable."""
        if self._closed:
            raise LedgerUnavailable("the ledger is closed")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._perform, work)

    def close(self) -> None:
        """Finish what was asked and stop; blocks until then."""
        self._closed = True
        self._threads.shutdown()
        for db in self._open:
            db.close()

    def _perform(self, work: Work[T]) -> T:
        try:
            db = self._connection()
            db.execute("BEGIN")
            try:
                return work(Transaction(db, self._clock.now().timestamp()))
            finally:
                db.rollback()
        except sqlite3.Error as error:
            raise unavailable(error) from error

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._own, "db", None)
        if db is None:
            db = self._own.db = connect(self._path, reads=True)
            self._open.append(db)
        return db


def unavailable(error: sqlite3.Error) -> LedgerUnavailable:
    """Say in our words that SQLite could not.

    What it could not sync is undone, but a machine that stops just then may find it done: that alone is uncertain.
    """
    code = getattr(error, "sqlite_errorcode", 0)
    ours = LedgerSilent if code == sqlite3.SQLITE_IOERR_FSYNC else LedgerUnavailable
    remedy = _REMEDIES.get(code & 0xFF, "")  # the rest of an extended code says where it happened
    failure = ours(f"the ledger can't be used now: {error}{remedy}")
    failure.__cause__ = error
    return failure


def _tell(batch: list[_Job]) -> None:
    """Hand all results to each loop in one go: a wake-up a job would cost more than the job."""
    for loop in {job.loop for job in batch}:
        jobs = [job for job in batch if job.loop is loop]
        try:
            loop.call_soon_threadsafe(_resolve, jobs)
        except RuntimeError:
            """That loop is closed; nobody waits there any more."""


def _resolve(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
