"""What clients of SFTP do when they bring a file, and what is there afterwards."""

import os
import shutil
from pathlib import Path

import asyncssh
import pytest

from tests.clerk import Office, OpenOffice, until

ROWS = b"nik_anak;jenis\n1405029001180001;BCG\n"
FILE = "imunisasi_1.csv"
PART = f"{FILE}.filepart"


async def broken(office: Office, name: str = FILE, content: bytes = ROWS[:10]) -> None:
    """Bring a part of a file, and lose the connection."""
    before = len(office.told("sftp-broken"))
    connection = await office.connection()
    sftp = await connection.start_sftp_client()
    file = await sftp.open(name, "wb")
    await file.write(content)
    connection.abort()
    await until(lambda: len(office.told("sftp-broken")) > before)


async def bring(sftp: asyncssh.SFTPClient, name: str = FILE, content: bytes = ROWS) -> None:
    async with sftp.open(name, "wb") as file:
        await file.write(content)


async def test_a_file_is_seen_when_it_was_closed_and_not_before(office: Office) -> None:
    async with office.client() as sftp:
        async with sftp.open(FILE, "wb") as file:
            await file.write(ROWS[:10])
            assert office.files() == {PART: ROWS[:10]}
            assert not await sftp.exists(FILE)
            await file.write(ROWS[10:])
        assert office.files() == {FILE: ROWS}
    assert office.told("sftp-uploaded") == [
        {"level": "info", "agency": "puskesmas", "feed": "imunisasi", "file": FILE, "bytes": len(ROWS)}
    ]
    uploaded = {"agency": "puskesmas", "feed": "imunisasi", "outcome": "uploaded"}
    assert office.count("gateway_sftp_uploads_total", **uploaded) == 1


async def test_an_upload_that_breaks_stays_in_the_making_and_can_be_gone_on_with(office: Office) -> None:
    await broken(office)
    assert office.files() == {PART: ROWS[:10]}
    async with office.client() as sftp:
        async with sftp.open(PART, "ab") as file:
            await file.write(ROWS[10:])
        assert office.files() == {PART: ROWS}
        await sftp.rename(PART, FILE)
    assert office.files() == {FILE: ROWS}


async def test_an_upload_of_which_nothing_came_leaves_nothing(office: Office) -> None:
    await broken(office, content=b"")
    assert office.files() == {}


async def test_a_session_that_ends_without_closing_its_file_did_not_finish_it(office: Office) -> None:
    async with await office.connection() as connection:
        sftp = await connection.start_sftp_client()
        file = await sftp.open(FILE, "wb")
        await file.write(ROWS)
        sftp.exit()  # the channel ends in good order, and the connection stays
        await until(lambda: office.told("sftp-broken"))
        assert office.files() == {PART: ROWS}


async def test_winscp_brings_a_filepart_renames_it_and_sets_time_and_rights(office: Office) -> None:
    async with office.client() as sftp:
        async with sftp.open(PART, asyncssh.FXF_WRITE | asyncssh.FXF_CREAT | asyncssh.FXF_TRUNC, encoding=None) as file:
            await file.write(ROWS)
        assert not await sftp.exists(FILE)
        await sftp.rename(PART, FILE)
        await sftp.setstat(FILE, asyncssh.SFTPAttrs(permissions=0o777, atime=1_700_000_000, mtime=1_700_000_000))
    state = (office.drop / FILE).stat()
    assert (state.st_mtime, state.st_mode & 0o777) == (1_700_000_000, 0o640)


async def test_winscp_replaces_a_file_that_is_not_taken_yet(office: Office) -> None:
    async with office.client() as sftp:
        await bring(sftp)
        await bring(sftp, PART, ROWS * 2)
        with pytest.raises(asyncssh.SFTPFailure, match="sudah ada"):
            await sftp.rename(PART, FILE)
        await sftp.remove(FILE)
        await sftp.rename(PART, FILE)
    assert office.files() == {FILE: ROWS * 2}


async def test_a_file_taken_in_before_its_time_was_set_is_no_error_for_who_brought_it(office: Office) -> None:
    aside = office.drop / ".taking"
    aside.mkdir()
    async with office.client() as sftp:
        await bring(sftp)
        (office.drop / FILE).rename(aside / FILE)
        await sftp.utime(FILE, (1, 1))
        await sftp.chmod(FILE, 0o600)
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await sftp.utime("imunisasi_2.csv", (1, 1))
    assert (aside / FILE).stat().st_mtime > 1


async def test_filezilla_writes_over_a_file_directly_and_sets_its_time(office: Office) -> None:
    async with office.client() as sftp:
        await bring(sftp)
        await bring(sftp, content=b"nik_anak;jenis\n")
        await sftp.setstat(FILE, asyncssh.SFTPAttrs(atime=5, mtime=5))
        assert (await sftp.stat(FILE)).mtime == 5
    assert office.files() == {FILE: b"nik_anak;jenis\n"}


async def test_put_with_times_sets_them_on_the_open_file(office: Office, tmp_path: Path) -> None:
    source = tmp_path / FILE
    source.write_bytes(ROWS)
    os.utime(source, (7, 7))
    async with office.client() as sftp:
        await sftp.put(source, preserve=True)
        file = await sftp.open("imunisasi_2.csv", "wb")
        await file.write(ROWS)
        await file.setstat(asyncssh.SFTPAttrs(size=10, atime=9, mtime=9))
        await file.fsync()
        await file.close()
    assert office.files() == {FILE: ROWS, "imunisasi_2.csv": ROWS[:10]}
    assert [(office.drop / name).stat().st_mtime for name in office.files()] == [7, 9]


async def test_going_on_with_a_whole_file_hides_it_until_it_is_whole_again(office: Office) -> None:
    async with office.client() as sftp:
        await bring(sftp, content=ROWS[:20])
        async with sftp.open(FILE, asyncssh.FXF_WRITE | asyncssh.FXF_CREAT, encoding=None) as file:
            assert office.files() == {PART: ROWS[:20]}
            await file.write(ROWS[20:], 20)
        assert office.files() == {FILE: ROWS}


async def test_going_on_is_refused_where_nobody_could_say_with_which(office: Office) -> None:
    await broken(office)
    (office.drop / FILE).write_bytes(ROWS)
    async with office.client() as sftp:
        with pytest.raises(asyncssh.SFTPFailure, match="hapus atau ganti nama"):
            await sftp.open(FILE, asyncssh.FXF_WRITE)
    assert office.files() == {FILE: ROWS, PART: ROWS[:10]}


async def test_a_client_that_comes_back_takes_its_file_from_the_connection_that_is_dead(office: Office) -> None:
    async with office.client() as dead, office.client() as back:
        old = await dead.open(FILE, "wb")
        await old.write(ROWS[:10])
        async with back.open(PART, asyncssh.FXF_WRITE, encoding=None) as file:
            await file.write(ROWS[10:], 10)
            with pytest.raises(asyncssh.SFTPFailure, match="tidak sedang ditulis"):
                await old.write(b"late")
        with pytest.raises(asyncssh.SFTPFailure):
            await old.close()
        assert office.files() == {PART: ROWS}


async def test_of_two_who_write_one_file_the_later_counts_and_nothing_is_mixed(office: Office) -> None:
    async with office.client() as one, office.client() as other:
        first = await one.open(FILE, "wb")
        await first.write(b"x" * 100)
        async with other.open(FILE, "wb") as second:
            await second.write(ROWS)
        with pytest.raises(asyncssh.SFTPFailure):
            await first.close()
    assert office.files() == {FILE: ROWS}


async def test_a_file_being_written_is_neither_renamed_nor_removed(office: Office) -> None:
    async with office.client() as one, office.client() as other, one.open(FILE, "wb") as file:
        await file.write(ROWS[:10])
        for forbidden in (other.rename(PART, FILE), other.posix_rename(PART, FILE), other.remove(PART)):
            with pytest.raises(asyncssh.SFTPFailure, match="sedang ditulis"):
                await forbidden
        assert office.files() == {PART: ROWS[:10]}


async def test_another_replica_that_writes_a_file_is_left_alone(office: Office) -> None:
    import fcntl  # noqa: PLC0415 - stands for the other process

    with (office.drop / PART).open("wb") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        async with office.client() as sftp:
            with pytest.raises(asyncssh.SFTPFailure, match="sedang ditulis"):
                await sftp.open(FILE, "wb")
            with pytest.raises(asyncssh.SFTPFailure, match="sedang ditulis"):
                await sftp.open(PART, "ab")


async def test_a_file_larger_than_allowed_is_refused_and_so_is_a_hole(open_office: OpenOffice) -> None:
    office = await open_office(megabytes=1)
    async with office.client() as sftp:
        for write in (lambda file: file.write(b"x", 1_000_000), lambda file: file.truncate(2**40)):
            file = await sftp.open(FILE, "wb")
            with pytest.raises(asyncssh.SFTPFailure, match="lebih besar dari 1 MB"):
                await write(file)
            await file.close()


async def test_no_account_fills_the_drop_with_a_thousand_files(office: Office) -> None:
    for number in range(1000):
        (office.drop / f"imunisasi_{number}.csv").touch()
    async with office.client() as sftp:
        with pytest.raises(asyncssh.SFTPFailure, match="sudah ada 1000 berkas"):
            await sftp.open("imunisasi_x.csv", "wb")
        await sftp.remove("imunisasi_7.csv")
        await bring(sftp, "imunisasi_x.csv")


async def test_markers_come_by_their_names(office: Office) -> None:
    async with office.client() as sftp:
        await bring(sftp)
        await bring(sftp, f"{FILE}.ok", b"")
    assert office.files() == {FILE: ROWS, f"{FILE}.ok": b""}


async def test_a_drop_that_is_gone_is_told_and_comes_back(office: Office) -> None:
    async with office.client() as sftp:
        away = office.drop.rename(office.drop.with_name("away"))
        with pytest.raises(asyncssh.SFTPFailure, match="hubungi operator"):
            await sftp.listdir()
        with pytest.raises(asyncssh.SFTPFailure, match="hubungi operator"):
            await sftp.open(FILE, "wb")
        shutil.move(away, office.drop)
        await bring(sftp)
    assert office.files() == {FILE: ROWS}


async def test_a_stop_leaves_files_in_the_making(office: Office) -> None:
    async with office.client() as sftp:
        file = await sftp.open(FILE, "wb")
        await file.write(ROWS)
        await office.server.close()
    assert office.files() == {PART: ROWS}
    assert office.told("sftp-broken")
