"""The commands on PostgreSQL: the same acts, and a backup by PostgreSQL's own programs."""

import os
import secrets
import subprocess
from pathlib import Path

import pytest

from gateway.records import State
from tests.office import BODY, furnish
from tests.postgres import Cluster, binaries
from tests.unit.cli.conftest import Office
from tests.unit.cli.test_backup import limited


@pytest.fixture
def office(postgres: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path, postgres.database())
    return Office(tmp_path)


def state(office: Office, message: str) -> State:
    return office.ledger(lambda books: books.state(message))


def test_every_act_does_there_what_it_does_on_sqlite(office: Office) -> None:
    each = office.ledger(lambda books: books.one_of_each())
    assert len(office.json("messages", "list", "--subject", "1405020101909001")["messages"]) == 6
    assert office.json("messages", "show", each[State.UNKNOWN], "--unmask", "--by", "sri")["body"] == BODY
    assert office.json("messages", "replay", "--agency", "dpmptsp")["would_replay"] == 2
    assert office.gateway("messages", "replay", each[State.EXPIRED]).stdout == "replayed 1 of 1\n"
    new = ("--body", "-", "--by", "sri")
    edited = office.gateway("messages", "edit", each[State.BURIED], *new, typed='{"jenis": "SIUP"}')
    assert (edited.exit_code, state(office, each[State.BURIED])) == (1, State.BURIED)
    assert office.gateway("messages", "resolve", each[State.UNKNOWN], "--delivered").exit_code == 0
    assert office.gateway("messages", "cancel", each[State.BURIED]).exit_code == 0
    assert office.gateway("lane", "pause", "dpmptsp", "--by", "sri").exit_code == 0
    assert [lane["pauses"][0]["by"] for lane in office.json("lane", "list") if lane["pauses"]] == ["sri"]
    assert office.gateway("ledger", "rotate-key").stdout == "sealed 6 messages again\n"
    assert state(office, each[State.UNKNOWN]) is State.DELIVERED


def test_a_backup_by_postgresqls_own_program_is_restored(office: Office, postgres: Cluster, tmp_path: Path) -> None:
    message = office.ledger(lambda books: books.put())
    programs = {**os.environ, "PATH": f"{binaries()}:{os.environ['PATH']}"}
    copy = tmp_path / "salinan"
    made = office.gateway("backup", str(copy), PATH=programs["PATH"])
    assert made.exit_code == 0, made.output
    restored = postgres.database()
    subprocess.run(["pg_restore", "--no-owner", f"--dbname={restored}", copy / "ledger.dump"], env=programs, check=True)
    config = (copy / "gateway.toml").read_text("utf-8")
    before = config.splitlines()[2].split('"')[1]
    (tmp_path / "gateway.toml").write_text(config.replace(before, restored), "utf-8")
    assert state(office, message) is State.PENDING


def test_a_dump_that_finds_no_room_leaves_nothing_behind(office: Office, tmp_path: Path) -> None:
    office.ledger(lambda books: books.put({**BODY, "lampiran": secrets.token_hex(400_000)}))
    copy = tmp_path / "salinan"
    done = limited(tmp_path, copy, 200, f"{binaries()}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout) == (1, "")
    (said,) = done.stderr.splitlines()
    assert said.startswith("pg_dump")
    assert "file size limit exceeded" in said or "too large" in said
    assert not [path for path in tmp_path.iterdir() if "salinan" in path.name]


def test_where_pg_dump_is_not_installed_it_is_said_and_nothing_is_left_behind(office: Office, tmp_path: Path) -> None:
    said = office.gateway("backup", str(tmp_path / "salinan"), PATH=str(tmp_path))
    assert said.exit_code == 1
    assert "pg_dump --format=custom --no-owner --file=ledger.dump" in said.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gateway.toml", "mappings", "var"]


def test_what_pg_dump_complains_of_is_told(office: Office, tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'server version mismatch' >&2\nexit 1\n", "utf-8")
    program.chmod(0o755)
    said = office.gateway("backup", str(tmp_path / "salinan"), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (said.exit_code, said.stderr) == (1, "server version mismatch\n")
    assert not (tmp_path / "salinan").exists()
