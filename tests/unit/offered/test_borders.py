"""What an account can't do: reach anything but its feed's files, by any request that SFTP or SSH knows."""

import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest

from tests.clerk import NAME, Office, until

MINE = ("imunisasi_1.csv", "imunisasi_2.csv.filepart", "imunisasi_3.csv.ok", "IMUNISASI_4.CSV")
THEIRS = ("stok.csv", "lain.csv", ".hidden", ".imunisasi_1.csv.tmp", "imunisasi_1.txt", "passwd", "~$imunisasi_1.csv")
DAY = "archive/2026-11-24"
MY_PAPERS = (
    f"{DAY}/imunisasi_1.csv",
    f"{DAY}/imunisasi_1.csv.receipt.txt",
    f"{DAY}/imunisasi_1.csv.receipt.json",
    f"{DAY}/imunisasi_1.r-0123456789ab-7.csv",
    f"{DAY}/imunisasi_1.csv.ok",
    "rejected/imunisasi_1.csv",
    "rejected/imunisasi_1.csv.rejected.csv",
    "rejected/imunisasi_1.csv.r-0123456789ab.rejected.csv",
)
THEIR_PAPERS = (
    ".taking/imunisasi_1.csv",
    "other/imunisasi_1.csv",
    "archive/imunisasi_1.csv/x",
    "archive/2026-99-99/imunisasi_1.csv",
    f"{DAY}/stok.csv",
    f"{DAY}/stok.csv.receipt.txt",
    f"{DAY}/.imunisasi_1.csv.tmp",
    "rejected/stok.csv.rejected.csv",
    "rejected/stok.csv.r-0123456789ab.rejected.csv",
    "rejected/below/imunisasi_1.csv",
)
SECRET = "secret.txt"


@pytest.fixture
def full(office: Office) -> Office:
    """The drop with files of everybody, and links out of it that somebody with a shell made."""
    for name in (*MINE, *THEIRS, *MY_PAPERS, *THEIR_PAPERS):
        path = office.drop / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    outside = office.drop.parent / SECRET
    outside.write_text("outside")
    (office.drop / "imunisasi_link.csv").symlink_to(outside)
    (office.drop / "imunisasi_folder.csv").mkdir()
    os.mkfifo(office.drop / "imunisasi_fifo.csv")
    (office.drop / "archive/2026-11-25").symlink_to(office.drop.parent)
    (office.drop / DAY / "imunisasi_link.csv").symlink_to(outside)
    return office


async def listed(sftp: asyncssh.SFTPClient, folder: str) -> set[str]:
    return {str(name) for name in await sftp.listdir(folder)}


async def test_it_lists_its_own_files_and_nothing_else(full: Office) -> None:
    async with full.client() as sftp:
        assert await listed(sftp, "/") == {*MINE, "archive", "rejected"}
        assert await listed(sftp, "archive") == {"2026-11-24"}
        assert await listed(sftp, f"/{DAY}") == {Path(name).name for name in MY_PAPERS if name.startswith(DAY)}
        assert await listed(sftp, "rejected") == {Path(name).name for name in MY_PAPERS if name.startswith("rej")}
        for folder in (".taking", "other", "rejected/below", "archive/2026-11-25", "archive/x", "..\\", "\\"):
            with pytest.raises(asyncssh.SFTPError):
                await sftp.listdir(folder)
    async with full.client("puskesmas-stok") as sftp:
        assert await listed(sftp, "/") == {"stok.csv", "archive", "rejected"}
        assert await listed(sftp, DAY) == {"stok.csv", "stok.csv.receipt.txt"}


async def test_it_reads_its_own_files_and_nothing_else(full: Office) -> None:
    async with full.client() as sftp:
        for name in (*MINE, *MY_PAPERS):
            async with sftp.open(f"/{name}") as file:
                assert await file.read() == name
        for name in (*THEIRS, *THEIR_PAPERS, f"../{SECRET}", f"/../../{full.drop.parent}/{SECRET}", "/etc/passwd"):
            for asked in (sftp.open(name), sftp.stat(name), sftp.lstat(name)):
                with pytest.raises(asyncssh.SFTPNoSuchFile):
                    await asked
        for name in ("imunisasi_link.csv", "imunisasi_folder.csv", "imunisasi_fifo.csv", f"{DAY}/imunisasi_link.csv"):
            with pytest.raises(asyncssh.SFTPError):
                await sftp.open(name)
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.stat(name)


async def test_paths_never_lead_above_its_root(full: Office) -> None:
    async with full.client() as sftp:
        for path, shown in (
            (".", "/"),
            ("../../..", "/"),
            ("archive/../../imunisasi_1.csv", "/imunisasi_1.csv"),
            (f"{full.drop.parent}/{SECRET}", f"{full.drop.parent}/{SECRET}"),
        ):
            assert await sftp.realpath(path) == shown
        async with sftp.open("/archive/../rejected/../../imunisasi_1.csv") as file:
            assert await file.read() == "imunisasi_1.csv"
        assert await sftp.isdir("/archive/../..")


@pytest.mark.parametrize(
    "name", [b"imunisasi_\xff.csv", b"imunisasi_\0.csv", b"imunisasi_\n.csv", b"imunisasi_\\..csv"]
)
async def test_names_that_no_clerk_writes_are_nobodys(full: Office, name: bytes) -> None:
    before = full.files()
    async with full.client() as sftp:
        for asked in (sftp.open(name, "wb"), sftp.stat(name), sftp.rename(b"imunisasi_1.csv", name)):
            with pytest.raises(asyncssh.SFTPError):
                await asked
    assert full.files() == before


async def test_it_writes_renames_and_removes_nothing_but_its_own(full: Office) -> None:
    before = tree(full.drop)
    taken = (*THEIRS, *THEIR_PAPERS, *MY_PAPERS, "imunisasi_link.csv", "imunisasi_folder.csv", "archive", "", ".")
    async with full.client() as sftp:
        for name in (*taken, f"../{SECRET}", "imunisasi_5.exe", "archive/imunisasi_5.csv", "sub/imunisasi_5.csv"):
            for asked in (
                sftp.open(name, "wb"),
                sftp.open(name, "ab"),
                sftp.remove(name),
                sftp.rename("imunisasi_1.csv", name),
                sftp.posix_rename("imunisasi_1.csv", name),
                sftp.rename(name, "imunisasi_9.csv"),
                sftp.utime(name, (1, 1)),
                sftp.setstat(name, asyncssh.SFTPAttrs(size=0)),
                sftp.truncate(name, 0),
            ):
                with pytest.raises(asyncssh.SFTPError):
                    await asked
    assert tree(full.drop) == before


async def test_there_are_no_folders_to_make_and_no_links(full: Office) -> None:
    before = tree(full.drop)
    async with full.client() as sftp:
        requests: list[Callable[[], Awaitable[object]]] = [
            lambda: sftp.mkdir("imunisasi_5.csv"),
            lambda: sftp.rmdir("rejected"),
            lambda: sftp.symlink("/etc/passwd", "imunisasi_5.csv"),
            lambda: sftp.link("imunisasi_1.csv", "imunisasi_5.csv"),
            lambda: sftp.readlink("imunisasi_link.csv"),
            lambda: sftp.statvfs("/"),
            lambda: sftp.remote_copy("imunisasi_1.csv", "imunisasi_5.csv"),
            lambda: sftp.setstat("imunisasi_1.csv", asyncssh.SFTPAttrs(size=0)),
        ]
        for request in requests:
            with pytest.raises(asyncssh.SFTPError):
                await request()
        with pytest.raises(asyncssh.SFTPOpUnsupported, match="folder tidak dapat dibuat di sini"):
            await sftp.mkdir("baru")
    # The client opened a copy before it was refused, and never closed it.
    await until(lambda: tree(full.drop) == before)


async def test_a_session_has_a_limited_number_of_files_and_folders_open(full: Office) -> None:
    async with full.client() as sftp:
        opened = [await sftp.open("imunisasi_1.csv") for _ in range(64)]
        with pytest.raises(asyncssh.SFTPFailure, match="terlalu banyak berkas terbuka"):
            await sftp.open("imunisasi_1.csv")
        for file in opened:
            await file.close()
        assert "archive" in await listed(sftp, "/")


async def test_a_file_opened_to_be_written_is_not_read_and_the_other_way_round(full: Office) -> None:
    async with full.client() as sftp:
        async with sftp.open("imunisasi_1.csv", "rb") as file:
            with pytest.raises(asyncssh.SFTPError):
                await file.write(b"x")
        async with sftp.open("imunisasi_5.csv", "wb") as file:
            with pytest.raises(asyncssh.SFTPPermissionDenied):
                await file.read(1)


async def test_ssh_gives_no_shell_no_command_no_forwarding_and_no_other_subsystem(full: Office) -> None:
    async with await full.connection() as connection:
        for asked in (
            connection.create_process,
            lambda: connection.create_process("id"),
            lambda: connection.create_process("scp -t /"),
            lambda: connection.create_process(subsystem="netconf"),
            lambda: connection.create_process(term_type="xterm"),
            lambda: connection.open_connection("127.0.0.1", full.port),
            lambda: connection.open_unix_connection("/tmp/x"),
            connection.open_tun,
        ):
            with pytest.raises(asyncssh.ChannelOpenError):
                await asked()
        with pytest.raises(asyncssh.ChannelListenError):
            await connection.forward_remote_port("127.0.0.1", 0, "127.0.0.1", full.port)
    assert full.told("sftp-login")[0]["account"] == NAME


def tree(folder: Path) -> dict[str, str]:
    """Everything below a folder, links as what they are; what goes while it is looked at is not there."""
    found = {}
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):
            plain = path.is_file() and not path.is_symlink()
            found[str(path.relative_to(folder))] = path.read_text() if plain else str(path.lstat().st_mode)
    return found
