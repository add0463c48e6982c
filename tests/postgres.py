"""A PostgreSQL of the tests' own: a cluster in a temporary folder, reached by its socket only."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import pytest

DEBIAN = Path("/usr/lib/postgresql")
USER = "postgres"
STARTING = 20.0


async def until(true: Callable[[], bool]) -> None:
    """Return when something is true that other processes and tasks bring about."""
    while not true():  # noqa: ASYNC110 # nobody there could set an event
        await asyncio.sleep(0.02)


def binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest version's, or None when it is not installed."""
    if found := shutil.which("postgres"):
        return Path(found).resolve().parent
    versions = [path for path in DEBIAN.glob("*/bin") if (path / "postgres").exists()]
    return max(versions, key=lambda path: int(path.parent.name), default=None)


def _as_owner() -> dict[str, object]:
    """PostgreSQL refuses to run as root, so its own user runs it then."""
    return {"user": USER, "group": USER, "extra_groups": [], "cwd": "/"} if os.geteuid() == 0 else {}


class Cluster:
    """A server that can be stopped, killed and started again; `url` leads to a database of it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._server: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def create(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._folder, USER, USER)
        options = ["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run("initdb", *options, "-D", str(self._folder / "data"))

    def start(self, *settings: str) -> None:
        options = [part for setting in settings for part in ("-c", setting)]
        command = [self._programs / "postgres", "-D", self._folder / "data", "-k", self._folder]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*command, "-c", "listen_addresses=", "-c", "max_connections=100", *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                **_as_owner(),
            )
        deadline = time.monotonic() + STARTING
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", self._folder], check=False).returncode:
            if time.monotonic() > deadline or self._server.poll() is not None:
                raise RuntimeError(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop at once, without the checkpoint that a folder soon thrown away does not need."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(STARTING)
            self._server = None

    def kill(self) -> None:
        """Kill the server with all its children; each backend is a session of its own, so no process group has them."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)  # so that it neither forks nor cleans up meanwhile
        children = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text().split()
        for child in map(int, children):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._server.kill()
        self._server.wait()
        self._server = None

    @property
    def socket(self) -> Path:
        return self._folder / ".s.PGSQL.5432"

    def database(self) -> str:
        """Make a database and return its URL."""
        self._databases += 1
        name = f"ledger_{self._databases}"
        self._run("createdb", "-h", str(self._folder), "-U", USER, name)
        return self.url(name)

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://{USER}@/{name}?host={self._folder}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self._programs / program, *arguments], capture_output=True, check=False, **_as_owner())
        if done.returncode:
            raise RuntimeError(f"{program} failed:\n{done.stderr.decode()}")


_STANDING = """
CREATE TABLE IF NOT EXISTS clock (now timestamptz);
DELETE FROM clock;
INSERT INTO clock VALUES ('2026-03-02 09:00:00+07');
CREATE OR REPLACE FUNCTION ledger_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM clock';
"""


class StandingClock:
    """In place of a ledger's own clock, the database's: one that moves only when it is told to."""

    def __init__(self, hand: asyncpg.Connection) -> None:
        self._hand = hand

    @classmethod
    async def put_into(cls, url: str) -> "StandingClock":
        hand = await asyncpg.connect(url)
        await hand.execute(_STANDING)
        return cls(hand)

    async def advance(self, seconds: float) -> None:
        await self._hand.execute("UPDATE clock SET now = now + make_interval(secs => $1)", seconds)

    async def close(self) -> None:
        await self._hand.close()


_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DO $$ DECLARE name text; BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        IF starts_with(name, 'snapshot_') THEN EXECUTE 'DROP TABLE ' || name;
        ELSIF name <> ALL ('{migration,clock}') THEN EXECUTE 'DELETE FROM ' || name; END IF;
    END LOOP;
END $$;
SELECT setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences WHERE schemaname = 'public';
"""


async def emptied(url: str) -> None:
    """Empty the tables of a ledger, if there are any: making them again takes three times as long."""
    hand = await asyncpg.connect(url)
    await hand.execute(_EMPTY)
    await hand.close()


@contextmanager
def a_cluster(*settings: str) -> Iterator[Cluster]:
    """Run a server; raises FileNotFoundError where PostgreSQL is not installed."""
    programs = binaries()
    if programs is None:
        raise FileNotFoundError("PostgreSQL is not installed")
    # In /tmp itself: below a folder that only root may enter, initdb fails.
    folder = Path(tempfile.mkdtemp(prefix="gateway-pg-", dir="/tmp"))
    cluster = Cluster(programs, folder)
    try:
        cluster.create()
        cluster.start(*settings)
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A server for the whole session; with REQUIRE_REAL=1 its absence is a failure."""
    if binaries() is None:
        (pytest.fail if os.environ.get("REQUIRE_REAL") == "1" else pytest.skip)("PostgreSQL is not installed")
    with a_cluster("fsync=off") as cluster:
        yield cluster
