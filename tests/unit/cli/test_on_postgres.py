"""The commands on PostgreSQL: the same acts, and a backup by PostgreSQL's own programs."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from gateway.records import State
from tests.office import BODY, furnish
from tests.postgres import Cluster, binaries
from tests.unit.cli.conftest import Office


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


def test_a_backup_by_the_command_that_is_said_is_restored(office: Office, postgres: Cluster, tmp_path: Path) -> None:
    message = office.ledger(lambda books: books.put())
    programs = {**os.environ, "PATH": f"{binaries()}:{os.environ['PATH']}"}
    copy = tmp_path / "salinan.dump"
    said = office.gateway("ledger", "backup", str(copy))
    assert said.exit_code == 1
    subprocess.run(shlex.split(said.stdout), env=programs, check=True)
    restored = postgres.database()
    subprocess.run(["pg_restore", f"--dbname={restored}", copy], env=programs, check=True)
    config = (tmp_path / "gateway.toml").read_text("utf-8")
    before = config.splitlines()[2].split('"')[1]
    (tmp_path / "gateway.toml").write_text(config.replace(before, restored), "utf-8")
    assert state(office, message) is State.PENDING
