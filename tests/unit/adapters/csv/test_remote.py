"""Drops elsewhere whose servers refuse, hang, break off or know less than others."""

import asyncio
import errno
import itertools
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import pytest

from adapters.csv.adapter import CsvAdapter
from adapters.csv.drop import Drop
from adapters.csv.kinds import drop_at
from adapters.csv.place import DropLogin
from adapters.csv.remote import Remote
from adapters.csv.settings import Out
from gateway import FeedColumns, Unavailable, Unreachable
from gateway.snapshots import MemorySnapshots
from tests.authority import Authority
from tests.drops import call
from tests.fakes import FakeClock
from tests.places import PASSWORD, USER, ftp_server, sftp_server
from tests.unit.adapters.csv.test_adapter import silent


@asynccontextmanager
async def sftp(folder: Path, kind: type[asyncssh.SFTPServer] | None = None) -> AsyncIterator[Remote]:
    async with sftp_server(folder, kind=kind) as (port, fingerprint):
        login = DropLogin(password=PASSWORD, host_key=fingerprint)
        drop = drop_at(f"sftp://{USER}@127.0.0.1:{port}/", "drop", login)
        assert isinstance(drop, Remote)
        yield drop
        await drop.close()


def within(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def refused(drop: Drop, *, there: bool = False) -> str:
    with pytest.raises(Unavailable) as raised:
        await drop.list()
    await drop.close()
    assert isinstance(raised.value, Unreachable) is not there
    assert not raised.value.maybe_done
    return str(raised.value)


async def test_a_server_with_another_key_gets_no_password(tmp_path: Path) -> None:
    async with sftp_server(tmp_path) as (port, fingerprint):
        for host_key, password, said in (
            ("SHA256:" + "A" * 43, PASSWORD, "its server shows another key than the one in drop_login"),
            (fingerprint, "salah-sekali", "its server does not accept the login"),
        ):
            login = DropLogin(password=password, host_key=host_key)
            told = await refused(drop_at(f"sftp://{USER}@127.0.0.1:{port}/", "drop", login))
            assert said in told
            assert "salah" not in told


async def test_a_server_whose_certificate_nobody_vouches_for_gets_no_password(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, name="Lain")
    with ftp_server(tmp_path, certificate=authority.issue()) as port:
        place = f"ftps://{USER}@127.0.0.1:{port}/"
        login = DropLogin(password=PASSWORD, ca=other.file)
        assert "its server's certificate is not trusted" in await refused(drop_at(place, "drop", login))
        login = DropLogin(password="salah", ca=authority.file)
        assert "its server does not accept the login" in await refused(drop_at(place, "drop", login))


async def test_a_server_without_tls_is_not_spoken_to_in_clear_when_tls_is_wanted(tmp_path: Path) -> None:
    heard: list[str] = []
    with ftp_server(tmp_path, on_login_failed=lambda *_: heard.append("login")) as port:
        told = await refused(drop_at(f"ftps://{USER}@127.0.0.1:{port}/", "drop", DropLogin(password="x")))
        assert "its server says: 500" in told
        assert heard == []


async def test_tls_is_there_from_the_start_on_its_own_port_and_the_server_is_vouched_for_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, name="Lain")
    with ftp_server(tmp_path, certificate=authority.issue(), implicit=True) as port:
        monkeypatch.setattr("adapters.csv.ftp.IMPLICIT", port)
        place = f"ftps://{USER}@127.0.0.1:{port}/"
        login = DropLogin(password=PASSWORD, ca=other.file)
        assert "its server's certificate is not trusted" in await refused(drop_at(place, "drop", login))
        drop = drop_at(place, "drop", DropLogin(password=PASSWORD, ca=authority.file))
        await drop.put("a.csv", b"a;b\n")
        assert "a.csv" in [entry.name for entry in await drop.list()]
        await drop.close()


async def test_nobody_at_that_address() -> None:
    login = DropLogin(access_key="a", secret_key="rahasia-sekali", endpoint="http://127.0.0.1:1")
    assert "rahasia" not in await refused(drop_at("s3://serah", "drop", login), there=True)
    told = await refused(drop_at(f"ftp://{USER}@127.0.0.1:1/", "drop", DropLogin(password="x")))
    assert told.startswith("could not list the folder at ftp://127.0.0.1:1: Connect")


class Hanging(asyncssh.SFTPServer):
    """Says nothing any more, from some time on."""

    hangs = False

    async def scandir(self, _path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        while Hanging.hangs:
            await asyncio.Event().wait()
        for name in ():
            yield name


async def test_a_server_that_hangs_is_given_up(tmp_path: Path) -> None:
    Hanging.hangs = False
    async with sftp(tmp_path, Hanging) as drop:
        await drop.list()
        Hanging.hangs, drop._patience = True, 0.2
        assert "no answer within 0.2 s" in await refused(drop, there=True)


async def test_who_gives_up_on_a_server_that_hangs_does_not_hang_with_it(tmp_path: Path) -> None:
    Hanging.hangs = False
    async with sftp(tmp_path, Hanging) as drop:
        await drop.list()
        Hanging.hangs = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await drop.list()


class Plain(asyncssh.SFTPServer):
    """Knows no renaming in place of another, and says why something failed to nobody."""

    fails = 0

    def posix_rename(self, _old: bytes, _new: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("no")

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if (
            oldpath.endswith(b".csv.tmp")
            and self.map_path(newpath).decode()
            and Path(self.map_path(newpath).decode()).exists()
        ):
            raise asyncssh.SFTPFailure("Failure")
        if oldpath.endswith(b"b.csv.tmp") and Plain.fails:
            raise asyncssh.SFTPFailure("Failure")
        super().rename(oldpath, newpath)  # type: ignore[no-untyped-call]


async def test_where_nothing_can_be_replaced_in_one_step_the_old_steps_aside(tmp_path: Path) -> None:
    Plain.fails = 0
    async with sftp(tmp_path, Plain) as drop:
        for content in (b"1", b"2", b"3"):
            await drop.put("a.csv", content)
        assert within(tmp_path) == {"a.csv": b"3"}


async def test_an_old_one_that_stepped_aside_in_vain_comes_back(tmp_path: Path) -> None:
    Plain.fails = 0
    async with sftp(tmp_path, Plain) as drop:
        await drop.put("b.csv", b"1")
        Plain.fails = 1
        with pytest.raises(Unavailable) as raised:
            await drop.put("b.csv", b"2")
        assert not raised.value.maybe_done
        assert within(tmp_path) == {"b.csv": b"1"}


class Cut(asyncssh.SFTPServer):
    """Hangs up at a step, before or after it is done."""

    at = ""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        if Cut.at == "open":
            self.channel.get_connection().abort()
        opened: object = super().open(path, pflags, attrs)  # type: ignore[no-untyped-call]
        return opened

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().posix_rename(oldpath, newpath)  # type: ignore[no-untyped-call]
        if Cut.at == "rename":
            self.channel.get_connection().abort()


@pytest.mark.parametrize(("at", "maybe_done"), [("open", False), ("rename", True)])
async def test_a_wire_that_breaks_once_a_name_was_asked_for_leaves_it_open_whether_it_was_done(
    tmp_path: Path, at: str, *, maybe_done: bool
) -> None:
    Cut.at = at
    async with sftp(tmp_path, Cut) as drop:
        with pytest.raises(Unavailable) as raised:
            await drop.put("a.csv", b"1")
        assert raised.value.maybe_done is maybe_done
        assert (tmp_path / "a.csv").exists() is maybe_done
        Cut.at = ""
        await drop.put("a.csv", b"2")
        assert (tmp_path / "a.csv").read_bytes() == b"2"


class Meddling(asyncssh.SFTPServer):
    """Somebody writes on a file, or sets its time, just before it is renamed."""

    meddle: Callable[[Path], object] | None = None

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        if Meddling.meddle is not None:
            Meddling.meddle(Path(self.map_path(oldpath).decode()))
        super().rename(oldpath, newpath)  # type: ignore[no-untyped-call]


async def test_a_file_that_is_written_anew_as_it_is_moved_there_goes_back(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")

    def anew(path: Path) -> None:
        Meddling.meddle = None
        path.write_bytes(b"a")

    async with sftp(tmp_path, Meddling) as drop:
        (seen,) = await drop.list()
        Meddling.meddle = anew
        assert await drop.move("a.csv", ".taking/a.csv", seen) is None
        assert (tmp_path / "a.csv").read_bytes() == b"a"
        assert list(await drop.list(".taking")) == []


async def test_a_server_that_sets_a_files_time_as_it_renames_it_does_not_keep_it_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"a\n1\n")
    now = itertools.count(1_000_000_000, 60)

    def touched(path: Path) -> None:
        os.utime(path, (moment := next(now), moment))

    async with sftp(tmp_path, Meddling) as drop:
        Meddling.meddle = touched
        (seen,) = await drop.list()
        assert await drop.move("a.csv", ".taking/a.csv", seen) is None, "nobody knows yet"
        (seen,) = await drop.list()
        moved = await drop.move("a.csv", ".taking/a.csv", seen)
        assert moved is not None
        assert moved == next(iter(await drop.list(".taking"))) != seen
        Meddling.meddle = None


class Full(asyncssh.SFTPServer):
    """Has no room."""

    def write(self, _file: object, _offset: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_full_disk_there_leaves_nothing_behind(tmp_path: Path) -> None:
    async with sftp(tmp_path, Full) as drop:
        with pytest.raises(Unavailable) as raised:
            await drop.put("a.csv", b"1")
        assert not raised.value.maybe_done
        assert within(tmp_path) == {}


async def test_links_are_no_files_there_either(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"x")
    (tmp_path / "b.csv").symlink_to(tmp_path / "a.csv")
    async with sftp(tmp_path) as drop:
        assert [entry.name for entry in await drop.list()] == ["a.csv"]


async def test_a_request_becomes_a_row_file_elsewhere(tmp_path: Path) -> None:
    async with sftp_server(tmp_path) as (port, fingerprint):
        out = Out(
            folder=f"sftp://{USER}@127.0.0.1:{port}/",
            file="jadwal_{id}.csv",
            login=DropLogin(password=PASSWORD, host_key=fingerprint),
        )
        adapter = CsvAdapter(
            clock=FakeClock(),
            log=silent,
            snapshots=MemorySnapshots(),
            columns=FeedColumns(written={"jadwal": ("nik", "tanggal")}),
            out={"jadwal": out},
        )
        await adapter.probe()
        asked = call("jadwal", {"nik": "1405029001180001", "tanggal": "2026-03-02"})
        await adapter.exchange(asked)
        written = tmp_path / f"jadwal_{asked.message_id}.csv"
        assert written.read_text() == '"nik";"tanggal"\n"1405029001180001";"2026-03-02"\n'
        await adapter.close()
