"""Taking a file in, beside pandas and DuckDB doing the same work: `python -m bench.feeds [--rows 1000000]`.

Each in a process of its own, in turn: read, check by the same rules, hand back bad rows with every reason, store in
SQLite with two indexes, fsync. Then look-ups in what was taken in, idle and while another process takes in a file.
"""

import argparse
import asyncio
import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal

from adapters.csv.adapter import CsvAdapter
from adapters.csv.settings import Feed as Settings
from bench import people
from gateway import FeedColumns, LineForm
from gateway.clock import SystemClock
from gateway.feeds import FileReceipt, Keeping, Receipts
from gateway.intake import FileNews, Intake, Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.opening import beside
from gateway.ledger.snapshot_rows import conditions
from gateway.ledger.sqlite import SqliteLedger
from gateway.ledger.sqlite_builds import Builds, complete, held_columns
from gateway.ledger.sqlite_pages import page
from gateway.registry import Feed
from gateway.snapshots import LedgerSnapshots
from gateway.translate import compile_row, load_mapping

ROOT = Path(__file__).parent.parent
FEED = "dukcapil/penduduk"
LOOK_UPS = 20_000
PAUSE = 0.0005
"""Seconds between two look-ups."""
PATIENCE = 1800.0
Engine = Literal["python", "polars"]


def main() -> None:
    """Measure and print, or be one of the processes that are measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how long the file is")
    parser.add_argument("--rounds", type=int, default=1, help="how often each takes it in")
    parser.add_argument("--postgres", action="store_true", help="the gateway on PostgreSQL, too")
    parser.add_argument("--only", choices=[*TAKERS], action="append", help="only these, and no look-ups")
    parser.add_argument("--child", nargs=3, metavar=("WHO", "FILE", "FOLDER"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        who, file, folder = chosen.child
        print(json.dumps(TAKERS[who](Path(file), Path(folder))))
        return
    with tempfile.TemporaryDirectory(prefix="bench-feeds-") as place:
        file = Path(place) / "penduduk_1.csv"
        people.write(file, chosen.rows)
        print(f"{chosen.rows:,} rows of 12 columns, {file.stat().st_size / 1e6:,.0f} MB, one in 100 bad")
        print(f"{'':<34}{'rows/s':>9}{'by CPU':>9}{'wall s':>8}{'CPU s':>7}{'MB':>6}{'taken':>11}{'handed back':>13}")
        usual = [who for who in TAKERS if who != "gateway, PostgreSQL" or chosen.postgres]
        for _ in range(chosen.rounds):
            for who in chosen.only or usual:
                _show(who, _taken(who, file, Path(place)), chosen.rows)
        if not chosen.only:
            asyncio.run(_look_ups(file, Path(place), chosen.rows))


def _show(who: str, said: dict[str, float], rows: int) -> None:
    wall, cpu = said["wall"], said["cpu"]
    print(
        f"{who:<34}{rows / wall:>9,.0f}{rows / cpu:>9,.0f}{wall:>8.1f}{cpu:>7.1f}{said['mb']:>6.0f}"
        f"{said['taken']:>11,.0f}{said['rejected']:>13,.0f}",
        flush=True,
    )


def _command(who: str, file: Path, folder: str) -> list[str]:
    return [sys.executable, "-m", "bench.feeds", "--child", who, str(file), folder]


def _taken(who: str, file: Path, place: Path) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=place) as folder:
        done = subprocess.run(
            _command(who, file, folder), cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    if done.returncode:
        raise SystemExit(f"{who}: {done.stderr}")
    said: dict[str, float] = json.loads(done.stdout)
    return said


@contextmanager
def _measured(said: dict[str, float]) -> Iterator[None]:
    gc.collect()
    gc.freeze()  # as a gateway does once it is loaded
    said["before"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    said["wall"], said["cpu"] = time.perf_counter() - wall, time.process_time() - cpu
    said["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _by_gateway(file: Path, folder: Path, engine: Engine = "python") -> dict[str, float]:
    async def take() -> dict[str, float]:
        ledger = await SqliteLedger.open(folder / "ledger.db", KeySource(path=folder / "ledger.key"), SystemClock())
        return await _take(ledger, file, folder, engine)

    return asyncio.run(take())


def _by_gateway_on_postgres(file: Path, folder: Path) -> dict[str, float]:
    from gateway.ledger.postgres import PostgresLedger  # noqa: PLC0415 - as a gateway on SQLite, which has no need of it
    from tests.postgres import a_cluster  # noqa: PLC0415 - as above

    async def take(url: str) -> dict[str, float]:
        return await _take(
            await PostgresLedger.open(url, KeySource(path=folder / "ledger.key"), SystemClock()), file, folder
        )

    with a_cluster() as cluster:
        return asyncio.run(take(cluster.database()))


async def _take(ledger: Ledger, file: Path, folder: Path, engine: Engine = "python") -> dict[str, float]:
    """Take a file in as a running gateway does, from the folder in which it lies to the one where it is put away."""
    drop = folder / "drop"
    drop.mkdir()
    (drop / file.name).hardlink_to(file)
    intake, news = _intake(ledger, drop, folder, engine)
    said: dict[str, float] = {}
    with _measured(said):
        await intake.once()
    receipt = news[0].receipt
    said["taken"], said["rejected"] = receipt.tally.accepted, receipt.tally.rejected
    await ledger.close()
    return said


def _intake(ledger: Ledger, drop: Path, folder: Path, engine: Engine = "python") -> tuple[Intake, list[FileNews]]:
    mapping = folder / "dukcapil.toml"
    mapping.write_text(people.MAPPING, "utf-8")
    row = compile_row(load_mapping(mapping), "penduduk")
    keeping = Keeping(key=("nik",), indexes=(("nik",), ("kecamatan", "status")), mapping=row.fingerprint)
    if engine == "polars":  # a gateway makes sure that it can when it is loaded
        row.read.of_frames(keeping.paths, LineForm(columns=row.columns, delimiter=";", quote='"'))
    news: list[FileNews] = []
    adapter = CsvAdapter(
        clock=SystemClock(),
        log=_told,
        snapshots=LedgerSnapshots(ledger, "dukcapil"),
        columns=FeedColumns(
            read={"penduduk": row.columns},
            lines={"penduduk": partial(row.read.of_lines, keeping.paths)},
            frames={"penduduk": partial(row.read.of_frames, keeping.paths)},
        ),
        drop=str(drop),
        feed={"penduduk": Settings(files="penduduk_*.csv", ready="rename", engine=engine)},
    )
    intake = Intake(
        agency="dukcapil",
        source=adapter,
        feeds={"penduduk": Feed(read=row.read, keeping=keeping, max_reject=0.1, ahead=engine == "polars")},
        ledger=ledger,
        me="bench",
        clock=SystemClock(),
        log=_told,
        report=news.append,
    )
    return intake, news


def _told(event: str, **also: object) -> None:
    print(event, also, file=sys.stderr)


def _by_pandas(file: Path, folder: Path) -> dict[str, float]:
    from bench.feeds_by_others import by_pandas  # noqa: PLC0415 - only the process that measures it has it in memory

    return _by_other(by_pandas, file, folder)


def _by_duckdb(file: Path, folder: Path) -> dict[str, float]:
    from bench.feeds_by_others import by_duckdb  # noqa: PLC0415 - as above

    return _by_other(by_duckdb, file, folder)


def _by_other(take: Callable[[Path, Path], tuple[int, int]], file: Path, folder: Path) -> dict[str, float]:
    said: dict[str, float] = {}
    with _measured(said):
        said["taken"], said["rejected"] = take(file, folder)
    return said


TAKERS: dict[str, Callable[[Path, Path], dict[str, float]]] = {
    "gateway, SQLite": _by_gateway,
    "gateway, polars -> SQLite": partial(_by_gateway, engine="polars"),
    "pandas (chunks) -> SQLite": _by_pandas,
    "DuckDB -> SQLite": _by_duckdb,
    "gateway, PostgreSQL": _by_gateway_on_postgres,
}


async def _look_ups(file: Path, place: Path, rows: int) -> None:
    """Look up by key and by two fields, alone and while another process takes the same file in elsewhere."""
    folder = place / "look-ups"
    (folder / "drop").mkdir(parents=True)
    (folder / "drop" / file.name).hardlink_to(file)
    ledger = await SqliteLedger.open(folder / "ledger.db", KeySource(path=folder / "ledger.key"), SystemClock())
    intake, news = _intake(ledger, folder / "drop", folder)
    await intake.once()
    receipt: FileReceipt = news[0].receipt
    print(f"look-ups of {receipt.tally.kept:,} rows, microseconds{'':<31}{'p50':>8}{'p99':>8}{'p99.9':>8}{'max':>9}")
    snapshot = Builds(beside(folder / "ledger.db")).place(receipt.number)
    _alone("by key, idle, the store alone", snapshot, rows, lambda: True)
    await _timed("by key, idle", ledger, rows, lambda: True)
    await _timed("by two fields, 20 rows, idle", ledger, rows, lambda: True, several=True)
    with _loading(file, place) as going:
        _alone("by key, while another process takes a file in, the store alone", snapshot, rows, going)
    with _loading(file, place) as going:
        await _timed("by key, while another process takes a file in", ledger, rows, going)
    await ledger.close()


@contextmanager
def _loading(file: Path, place: Path) -> Iterator[Callable[[], bool]]:
    """Take the same file in elsewhere; yields whether that goes on."""
    with tempfile.TemporaryDirectory(dir=place) as other:
        command = _command("gateway, SQLite", file, other)
        loading = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield lambda: loading.poll() is None
        loading.wait(PATIENCE)


def _alone(name: str, snapshot: Path, rows: int, going: Callable[[], bool]) -> None:
    """Time what the store does of a look-up, without the way to the thread that reads."""
    db, chance, seconds = complete(snapshot), Random(1), list[float]()
    columns = held_columns(db)
    while len(seconds) < LOOK_UPS and going():
        where = {"nik": f"1405029{chance.randrange(rows):09d}"}
        started = time.perf_counter()
        page(db, conditions(columns, where, {}), 0, 2)
        seconds.append(time.perf_counter() - started)
        time.sleep(PAUSE)
    db.close()
    _told_of(name, seconds)


async def _timed(name: str, ledger: Receipts, rows: int, going: Callable[[], bool], *, several: bool = False) -> None:
    chance, seconds = Random(1), list[float]()
    while len(seconds) < LOOK_UPS and going():
        where = {"nik": f"1405029{chance.randrange(rows):09d}"}
        if several:
            where = {"kecamatan": f"1405{chance.randrange(10, 130):03d}", "status": "kawin"}
        started = time.perf_counter()
        await ledger.look_up(FEED, where, limit=20 if several else 1)
        seconds.append(time.perf_counter() - started)
        await asyncio.sleep(PAUSE)
    _told_of(name, seconds)


def _told_of(name: str, seconds: list[float]) -> None:
    seconds.sort()
    at = [seconds[min(len(seconds) - 1, int(len(seconds) * share))] * 1e6 for share in (0.5, 0.99, 0.999, 1.0)]
    print(f"{name:<64}" + "".join(f"{value:>8,.0f}" for value in at), flush=True)


if __name__ == "__main__":
    main()
