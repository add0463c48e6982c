import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from gateway.feeds import Chunk, Keeping
from gateway.ledger.snapshot_rows import Columns, columns_of, conditions, read_columns, written_columns
from gateway.ledger.sqlite_builds import Builds, complete, held_columns
from gateway.ledger.sqlite_pages import page
from gateway.message import Document

KEEPING = Keeping(key=("nik",), indexes=(("nik",), ("jenis", "nik"), ("nama",)), mapping="m")
CHUNK = Chunk(after=0, position=1, rows=[(1, {"nik": "1", "jenis": "BCG", "nama": "Ani"})])


def test_a_build_goes_on_after_its_process_and_is_begun_anew_after_the_machine_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    first = Builds(folder)
    first.begin(7, 1, KEEPING, None, anew=False)
    first.add(7, 1, KEEPING, CHUNK, replaces=True)
    first.close()
    assert Builds(folder).begin(7, 2, KEEPING, None, anew=False).position == 1
    (build,) = folder.glob("7.*.build")
    build.rename(folder / "7.00000000.build")
    assert Builds(folder).begin(7, 3, KEEPING, None, anew=False).position == 0
    assert not (folder / "7.00000000.build").exists()


def test_a_snapshot_that_knows_no_mends_is_added_to_and_a_build_that_knows_none_is_begun_anew(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "feeds")
    for number in (1, 2):
        builds.begin(number, 1, KEEPING, None, anew=False)
        builds.add(number, 1, KEEPING, replace(CHUNK, last=True), replaces=False)
    builds.finish(1, KEEPING)
    builds.close()
    (build,) = (tmp_path / "feeds").glob("2.*.build")
    for path in (builds.place(1), build):
        db = sqlite3.connect(path)
        db.execute("ALTER TABLE row DROP COLUMN mends")
        older = written_columns(columns_of(KEEPING)).replace(',"mends":true', "")
        assert db.execute("UPDATE meta SET value = ? WHERE name = 'fields'", (older,)).rowcount == 1
        db.commit()
        db.close()
    assert builds.begin(2, 2, KEEPING, None, anew=False).position == 0
    assert builds.begin(3, 1, KEEPING, 1, anew=False).kept == 1
    for number in (2, 3):
        mended = replace(CHUNK, last=True, rows=[(1, {"nik": "2"})], mends={1: "r-1:5"})
        builds.add(number, 2 if number == 2 else 1, KEEPING, mended, replaces=False)
        builds.finish(number, KEEPING)
    db = complete(builds.place(3))
    assert [(row["n"], row["mends"]) for row in db.execute("SELECT * FROM row ORDER BY n")] == [(1, None), (2, "r-1:5")]
    db.close()
    builds.close()


def test_nothing_of_a_build_stays_when_it_is_dropped(tmp_path: Path) -> None:
    builds = Builds(tmp_path / "feeds")
    builds.begin(7, 1, KEEPING, None, anew=False)
    builds.begin(71, 1, KEEPING, None, anew=False)
    builds.drop(7)
    assert [path.name.split(".")[0] for path in (tmp_path / "feeds").glob("*.build")] == ["71"]
    builds.close()


def test_the_one_field_of_a_key_is_looked_up_by_the_id() -> None:
    columns = columns_of(KEEPING)
    assert columns == Columns(fields=("jenis", "nama"), id="nik", key=("nik",))
    assert [columns.named(name) for name in ("nik", "nama", "alamat")] == ["id", "c1", None]
    assert [*columns.indexes(KEEPING)] == [("c0", "id"), ("c1",)]
    assert read_columns(written_columns(columns)) == columns


def test_a_snapshot_that_has_a_column_for_each_field_is_read_as_well() -> None:
    assert read_columns('["nik", "jenis"]') == Columns(fields=("nik", "jenis"))
    assert read_columns('{"id": "nik", "fields": ["jenis"]}') == Columns(fields=("jenis",), id="nik")


ASKED: list[tuple[Document, dict[str, str]]] = [
    ({"nik": "1"}, {}),
    ({"jenis": "BCG"}, {}),
    ({"jenis": "BCG", "nik": "1"}, {}),
    ({"jenis": "BCG", "nama": None}, {}),
    ({"nik": None}, {}),
    ({}, {"nama": "A"}),
    ({}, {"nik": "9"}),
    ({"jenis": "BCG"}, {"nik": "9"}),
    ({"jenis": "BCG", "nik": "1"}, {"nama": "A"}),
    ({"nama": "Ani"}, {"nik": "9", "jenis": "BC"}),
]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """So many rows that walking through them costs more than the detour by an index."""
    builds = Builds(tmp_path_factory.mktemp("feeds"))
    builds.begin(7, 1, KEEPING, None, anew=False)
    rows = [(n, {"nik": f"1{n:06d}", "jenis": f"{n % 3}", "nama": f"{n % 40}"}) for n in range(1, 30_001)]
    builds.add(7, 1, KEEPING, Chunk(after=0, position=30_000, rows=rows, last=True), replaces=True)
    builds.finish(7, KEEPING)
    db = complete(builds.place(7))
    yield db
    db.close()


class _Told(list[tuple[str, tuple[object, ...]]]):
    """A snapshot that notes what it is asked."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__()
        self._db = db

    def execute(self, query: str, values: Iterable[object] = ()) -> sqlite3.Cursor:
        self.append((query, tuple(values)))
        return self._db.execute(*self[-1])


@pytest.mark.parametrize("where", [{"nik": "1000007", "nama": "7"}, {"jenis": "1", "nama": "7"}])
def test_what_has_no_index_of_its_own_is_not_counted(tmp_path: Path, where: Document) -> None:
    keeping = Keeping(key=("nik",), indexes=(("nik",), ("jenis", "nama")))
    builds = Builds(tmp_path)
    builds.begin(7, 1, keeping, None, anew=False)
    rows = [(n, {"nik": f"1{n:06d}", "jenis": f"{n % 3}", "nama": f"{n % 400}"}) for n in range(1, 3001)]
    builds.add(7, 1, keeping, Chunk(after=0, position=3000, rows=rows, last=True), replaces=True)
    builds.finish(7, keeping)
    db = complete(builds.place(7))
    told = _Told(db)
    assert page(cast("sqlite3.Connection", told), conditions(held_columns(db), where, {}), 0, 101)
    plans = [row["detail"] for query, values in told for row in db.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    assert not [plan for plan in plans if plan.startswith("SCAN row")]
    db.close()


@pytest.mark.parametrize(("where", "starts"), ASKED)
@pytest.mark.parametrize("after", [0, 1500])
def test_what_is_asked_by_value_or_beginning_is_found_by_an_index_on_every_page(
    many: sqlite3.Connection, where: Document, starts: dict[str, str], after: int
) -> None:
    told = _Told(many)
    asked = conditions(held_columns(many), where, starts)
    page(cast("sqlite3.Connection", told), asked, after, 101)
    steps = [row["detail"] for query, values in told for row in many.execute(f"EXPLAIN QUERY PLAN {query}", values)]
    plans = [step for step in steps if step.startswith(("SCAN row", "SEARCH"))]
    assert plans
    columns = {one.column for one in asked}
    for plan in plans:
        assert not plan.startswith("SCAN"), plan
        # By the table's own number alone only the row is found after which the page begins.
        assert any(f"{column}=" in plan or f"{column}>" in plan for column in columns) or "(rowid=?)" in plan, plan
