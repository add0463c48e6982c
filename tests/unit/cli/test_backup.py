"""`gateway backup`: what is in the copy, what is not, and that it is whole or not there."""

import os
import secrets
import shutil
import stat
import subprocess
import sys

import pytest

from gateway.cli.backup_command import _ROOM
from gateway.cli.pg_dump import words
from gateway.records import State
from tests.office import BODY, MAPPING


@pytest.fixture
def copy(office, tmp_path):
    return tmp_path / "salinan"


def test_a_copy_is_restored_by_putting_it_in_place(office, copy, tmp_path):
    message = office.ledger(lambda books: books.put())
    result = office.gateway("backup", str(copy))
    assert result.exit_code == 0, result.output
    for file in (tmp_path / "var").glob("ledger.db*"):
        file.unlink()
    for name in ("gateway.toml", "mappings/dpmptsp.toml"):
        (tmp_path / name).unlink()
    shutil.copy(copy / "ledger.db", tmp_path / "var/ledger.db")
    shutil.copytree(copy / "mappings", tmp_path / "mappings", dirs_exist_ok=True)
    shutil.copy(copy / "gateway.toml", tmp_path / "gateway.toml")
    assert office.ledger(lambda books: books.state(message)) is State.PENDING
    assert (tmp_path / "mappings/dpmptsp.toml").read_text("utf-8") == MAPPING


def test_only_its_owner_may_look_into_a_copy(office, copy):
    office.gateway("backup", str(copy))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert {stat.S_IMODE((copy / name).stat().st_mode) for name in ("ledger.db", "gateway.toml")} == {0o600}


def test_the_key_is_not_in_the_copy_and_that_is_said(office, copy, tmp_path):
    result = office.gateway("backup", str(copy))
    key = (tmp_path / "var/ledger.key").read_text("ascii").strip()
    assert all(key.encode() not in path.read_bytes() for path in copy.rglob("*") if path.is_file())
    said = f"the ledger's key ({tmp_path}/var/ledger.key): without it nothing in the ledger can be read"
    assert said in result.stderr
    assert said in (copy / "RESTORE.txt").read_text("utf-8")


def test_a_key_from_the_environment_is_named_and_not_shown(office, copy, tmp_path):
    config = (tmp_path / "gateway.toml").read_text("utf-8")
    (tmp_path / "gateway.toml").write_text(
        config.replace("[gateway]", '[gateway]\nledger_key = "${GATEWAY_KEY}"'), "utf-8"
    )
    result = office.gateway("backup", str(copy), GATEWAY_KEY="ab" * 32)
    assert result.exit_code == 0, result.output
    assert "the ledger's key (the environment gives it)" in result.stderr
    assert all(b"ab" * 32 not in path.read_bytes() for path in copy.rglob("*") if path.is_file())


def test_a_copy_says_how_to_go_back(office, copy, tmp_path):
    office.gateway("backup", str(copy))
    said = (copy / "RESTORE.txt").read_text("utf-8")
    assert f"from {tmp_path}/gateway.toml" in said
    assert "mappings/dpmptsp.toml: configuration" in said
    assert f"Move {tmp_path}/var/ledger.db, ledger.db-wal and ledger.db-shm away" in said
    assert "gateway lane pause AGENCY" in said


def test_a_copy_never_takes_anothers_place(office, copy):
    copy.mkdir()
    (copy / "penting").write_text("jangan hilang", "utf-8")
    result = office.gateway("backup", str(copy))
    assert (result.exit_code, [path.name for path in copy.iterdir()]) == (1, ["penting"])
    assert "is there already" in result.stderr


def test_what_fails_half_way_leaves_nothing_behind(office, copy, tmp_path):
    (tmp_path / "mappings/dinkes.toml").unlink()
    (tmp_path / "mappings/dinkes.toml").symlink_to("/proc/self/mem")  # a file that can't be read
    result = office.gateway("backup", str(copy))
    assert result.exit_code == 1
    assert f"{copy}: " in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gateway.toml", "mappings", "var"]


def limited(folder, copy, kilobytes, path=None):
    """Make a copy in a shell that lets no file grow further, as a disk that is full does."""
    shell = f'ulimit -f {kilobytes * 2}; exec "$0" -m gateway backup "$1" --config "$2"'
    words = ["sh", "-c", shell, sys.executable, copy, folder / "gateway.toml"]
    path = path or os.environ["PATH"]
    return subprocess.run(
        words, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_ledger_that_finds_no_room_leaves_nothing_behind(office, copy, tmp_path):
    office.ledger(lambda books: books.put(BODY | {"lampiran": secrets.token_hex(400_000)}))
    done = limited(tmp_path, copy, 200)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [f"{copy}: disk i/o error{_ROOM}"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gateway.toml", "mappings", "var"]


def test_a_configuration_that_finds_no_room_leaves_nothing_behind(office, copy, tmp_path):
    office.ledger(lambda books: books.put())
    with (tmp_path / "mappings/dpmptsp.toml").open("a", encoding="utf-8") as mapping:
        mapping.write("# catatan\n" * 100_000)
    done = limited(tmp_path, copy, 500)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [f"{copy}: file too large{_ROOM}"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gateway.toml", "mappings", "var"]


def test_where_it_can_not_be_written_it_says_so(office, tmp_path):
    result = office.gateway("backup", str(tmp_path / "tidak/ada"))
    assert (result.exit_code, result.stderr) == (1, f"{tmp_path}/tidak/ada: no such file or directory\n")


def test_postgresqls_command_is_made_without_the_password(tmp_path):
    address = "postgresql://gateway:raha%24ia@db.example:5433/gateway?sslmode=require&search_path=gerbang"
    command, password = words(address, tmp_path / "a b.dump")
    assert command == [
        "pg_dump",
        "--format=custom",
        "--no-owner",
        f"--file={tmp_path}/a b.dump",
        "--schema=gerbang",
        "postgresql://gateway@db.example:5433/gateway?sslmode=require",
    ]
    assert password == "raha$ia"
    assert words("postgresql:///gateway?password=rahasia", tmp_path)[1] == "rahasia"
