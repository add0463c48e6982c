"""Where an SQLite ledger may be."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.ledger.place import prepare, refuse_network

MOUNTS = """\
proc /proc proc rw 0 0
/dev/vda1 / ext4 rw 0 0
server:/data /data nfs4 rw 0 0
/dev/vdb /data/local ext4 rw 0 0
//server/share /mnt/two\\040words cifs rw 0 0
sshfs#x /mnt/ssh fuse.sshfs rw 0 0
overlay /over overlay rw 0 0
beegfs_nodev /mnt/beegfs beegfs rw 0 0
/dev/sdb1 /mnt/ntfs fuseblk rw 0 0
bucket /mnt/bucket fuse rw 0 0
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mounts"
    path.write_text(MOUNTS, "utf-8")
    return path


@pytest.mark.parametrize(
    "path", ["/data/var/ledger.db", "/mnt/two words/ledger.db", "/mnt/ssh/ledger.db", "/mnt/beegfs/l.db"]
)
def test_a_network_file_system_is_refused(mounts: Path, path: str) -> None:
    with pytest.raises(ConfigError, match=r"network file system.*postgresql://"):
        refuse_network(Path(path), mounts)


@pytest.mark.parametrize(
    "path", ["/var/ledger.db", "/data/local/ledger.db", "/database/ledger.db", "/over/l.db", "/mnt/ntfs/l.db"]
)
def test_a_local_disk_is_taken(mounts: Path, path: str) -> None:
    refuse_network(Path(path), mounts)


def test_what_a_program_serves_without_saying_from_where_is_refused(mounts: Path) -> None:
    with pytest.raises(ConfigError, match=r"serves from anywhere \(fuse\).*local disk.*postgresql://"):
        refuse_network(Path("/mnt/bucket/ledger.db"), mounts)


def test_a_link_to_a_network_file_system_is_refused(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "share")
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/vda1 / ext4 rw 0 0\nserver:/x {tmp_path / 'share'} nfs rw 0 0\n", "utf-8")
    with pytest.raises(ConfigError):
        refuse_network(tmp_path / "link" / "ledger.db", mounts)


def test_nothing_is_said_where_there_is_no_list_of_mounts(tmp_path: Path) -> None:
    refuse_network(tmp_path / "ledger.db", tmp_path / "none")


def test_the_file_is_its_owners_and_in_wal(tmp_path: Path) -> None:
    path = tmp_path / "var" / "ledger.db"
    prepare(path)
    assert path.stat().st_mode & 0o777 == 0o600
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_preparing_again_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    prepare(path)
    prepare(path)
    db = sqlite3.connect(path)
    assert db.execute("SELECT number, name FROM migration").fetchall() == [
        (1, "ledger"),
        (2, "turns"),
        (4, "feeds"),
        (5, "forward"),
        (6, "handed_over"),
    ]
    db.close()


def test_a_ledger_that_a_newer_gateway_changed_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    prepare(path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO migration VALUES (7, 'later')")
        db.execute("DELETE FROM migration WHERE number < 7")
    with pytest.raises(ConfigError) as refused:
        prepare(path)
    (finding,) = refused.value.findings
    assert finding.where == str(path)
    assert finding.what.startswith("a newer gateway has changed this ledger (step 7)")
    assert finding.remedy.startswith("run the newer version, or put back the backup")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT number FROM migration").fetchall() == [(7,)]


def test_several_that_start_at_once_migrate_once(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    start, failures = threading.Barrier(6), []

    def begin() -> None:
        start.wait()
        try:
            prepare(path)
        except ConfigError as error:
            failures.append(error)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_place_that_can_not_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(ConfigError, match="can't be opened"):
        prepare(tmp_path / "file" / "ledger.db")


def test_a_file_that_is_no_ledger_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(ConfigError, match="can't be opened"):
        prepare(path)
