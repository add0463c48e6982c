"""Feeds whose drop is elsewhere: what is promised of a folder holds there, whatever its server and the wire do."""

import gzip
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncssh
import openpyxl
import pytest

from adapters.csv.drop import Drop
from adapters.csv.kinds import drop_at
from adapters.csv.place import DropLogin
from gateway.errors import LedgerUnavailable
from tests.drops import GOOD, NIK, OpenSite, rows
from tests.places import BUCKET, PASSWORD, USER, ftp_server, s3_client, s3_server, sftp_server

DAY = "archive/2026-03-02"
BAD = f"{GOOD};kosong\n"


class Offered:
    """A site's folder, offered over SFTP; `kind` is the server's behaviour, `drops` what was made of it."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self.drops: list[Drop] = []

    async def serve(self, folder: Path, kind: type[asyncssh.SFTPServer] | None = None) -> AsyncExitStack:
        own = await self._stack.enter_async_context(AsyncExitStack())
        served = sftp_server(folder, port=self.port, key=self.key, kind=kind)
        self.port, _ = await own.enter_async_context(served)
        return own

    def drop(self, _: Drop | None = None) -> Drop:
        login = DropLogin(password=PASSWORD, host_key=self.key.get_fingerprint())
        self.drops.append(drop_at(f"sftp://{USER}@127.0.0.1:{self.port}/", "drop", login))
        return self.drops[-1]


@pytest.fixture
async def offered(tmp_path: Path) -> AsyncIterator[Offered]:
    (tmp_path / "drop").mkdir()
    async with AsyncExitStack() as stack:
        made = Offered(stack)
        yield made
        for drop in made.drops:
            await drop.close()


@pytest.mark.parametrize("kind", ["sftp", "ftp"])
async def test_a_remote_feed_goes_from_its_drop_into_the_ledger_and_the_file_into_the_archive(
    open_site: OpenSite, tmp_path: Path, kind: str, offered: Offered
) -> None:
    await offered.serve(tmp_path / "drop")
    with ftp_server(tmp_path / "drop") as port:
        ftp = drop_at(f"ftp://{USER}@127.0.0.1:{port}/", "drop", DropLogin(password=PASSWORD))
        site = await open_site(ready="marker", drop=lambda _: ftp if kind == "ftp" else offered.drop())
        site.drop("imunisasi_1.csv", BAD)
        await site.look()
        assert site.told() == []
        site.drop("imunisasi_1.csv.ok", b"")
        await site.look(times=3)
        assert site.told() == [("imunisasi_1.csv", "accepted")]
        assert len(await site.rows()) == 3
        assert site.files() == [
            f"{DAY}/imunisasi_1.csv",
            f"{DAY}/imunisasi_1.csv.ok",
            "rejected/imunisasi_1.csv.rejected.csv",
        ]
        assert site.paper(f"{DAY}/imunisasi_1.csv")["accepted"] == 3
        assert [row[3:] for row in site.handed_back("imunisasi_1.csv.rejected.csv")] == [
            ["nik_anak", "jenis"],
            ["", "kosong"],
        ]
        site.drop("imunisasi_1.csv", BAD, at=60)
        site.drop("imunisasi_1.csv.ok", b"", at=60)
        await site.look()
        assert site.told()[1:] == [("imunisasi_1.csv", "duplicate")]
        await ftp.close()


def packed(kind: str) -> bytes:
    if kind == "csv.gz":
        return gzip.compress(BAD.encode())
    book, made = openpyxl.Workbook(), io.BytesIO()
    for line in BAD.splitlines():
        book.active.append(line.split(";"))
    book.save(made)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["csv.gz", "xlsx"])
async def test_packed_files_and_spreadsheets_are_fetched_and_read_alike(
    open_site: OpenSite, offered: Offered, tmp_path: Path, kind: str
) -> None:
    await offered.serve(tmp_path / "drop")
    site = await open_site(files="imunisasi_*", drop=offered.drop)
    site.drop(f"imunisasi_1.{kind}", packed(kind))
    await site.look(times=2)
    assert site.told() == [(f"imunisasi_1.{kind}", "accepted")]
    assert len(await site.rows()) == 3
    assert f"{DAY}/imunisasi_1.{kind}" in site.files()
    assert any(name.startswith("rejected/") for name in site.files())


async def test_a_store_keeps_a_file_the_same_through_its_moves_and_finds_what_one_left(open_site: OpenSite) -> None:
    with s3_server() as address:
        login = DropLogin(access_key=USER, secret_key=PASSWORD, endpoint=address)
        drop = drop_at(f"s3://{BUCKET}/masuk", "drop", login)
        site = await open_site(drop=lambda _: drop)
        client = s3_client(address)
        client.put_object(Bucket=BUCKET, Key="masuk/imunisasi_1.csv", Body=GOOD.encode())
        written = next(iter(await drop.list())).mtime
        client.put_object(Bucket=BUCKET, Key="masuk/lain.csv", Body=b"x")
        assert await drop.move("imunisasi_1.csv", ".taking/imunisasi_1.csv")
        # As if the gateway had ended between copying and taking away.
        (aside,) = await drop.list(".taking")
        assert aside.mtime == written
        await site.look(times=2)
        assert site.told() == [("imunisasi_1.csv", "accepted")]
        receipt = await site.receipt(site.news[0].receipt.number)
        assert receipt.as_of.timestamp() == written
        assert receipt.place.startswith("archive/")
        assert sorted(entry.name for entry in await drop.list()) == ["lain.csv"]


async def test_what_a_move_in_a_store_left_behind_goes_with_the_next(open_site: OpenSite) -> None:
    with s3_server() as address:
        login = DropLogin(access_key=USER, secret_key=PASSWORD, endpoint=address)
        drop = drop_at(f"s3://{BUCKET}", "drop", login)
        site = await open_site(drop=lambda _: drop)
        client = s3_client(address)
        client.put_object(Bucket=BUCKET, Key="imunisasi_1.csv", Body=GOOD.encode())
        wire: Any = drop._server  # type: ignore[attr-defined]
        half = await wire.connect()
        half.remove = _nothing
        (entry,) = await drop.list()
        await half.move("imunisasi_1.csv", ".taking/imunisasi_1.csv", entry)
        assert len(await drop.list()) == len(await drop.list(".taking")) == 1
        await site.look(times=3)
        assert site.told() == [("imunisasi_1.csv", "accepted")]
        assert list(await drop.list()) == list(await drop.list(".taking")) == []


async def test_what_is_written_into_a_store_while_the_one_before_is_moved_stays(open_site: OpenSite) -> None:
    with s3_server() as address:
        login = DropLogin(access_key=USER, secret_key=PASSWORD, endpoint=address)
        drop = drop_at(f"s3://{BUCKET}", "drop", login)
        site = await open_site(drop=lambda _: drop)
        client = s3_client(address)
        client.put_object(Bucket=BUCKET, Key="imunisasi_1.csv", Body=GOOD.encode())
        wire: Any = await drop._server.connect()  # type: ignore[attr-defined]
        drop._wire, put = wire, wire._put  # type: ignore[attr-defined]
        newer = rows(5).encode()

        async def slowly(*arguments: Any) -> None:
            await put(*arguments)
            if arguments[0].startswith(".taking/"):
                client.put_object(Bucket=BUCKET, Key="imunisasi_1.csv", Body=newer)
                wire._put = put

        wire._put = slowly
        await site.look(times=3)
        assert [state for _, state in site.told()] == ["accepted", "accepted"]
        assert len(await site.rows()) == 5


async def _nothing(_name: str) -> None:
    """End before anything is taken away."""


class Breaking(asyncssh.SFTPServer):
    """Hangs up in the middle of the first file that is read."""

    left = 1

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        if offset and Breaking.left:
            Breaking.left -= 1
            self.channel.get_connection().abort()
        data: bytes = super().read(file_obj, offset, size)  # type: ignore[no-untyped-call]
        return data


async def test_a_connection_that_breaks_in_mid_file_leaves_it_to_be_tried_again(
    open_site: OpenSite, tmp_path: Path, offered: Offered
) -> None:
    Breaking.left = 1
    await offered.serve(tmp_path / "drop", Breaking)
    site = await open_site(drop=offered.drop)
    site.drop("imunisasi_1.csv", "nik_anak;jenis\n" + "".join(f"{number};{'x' * 100_000}\n" for number in range(40)))
    await site.look()
    assert Breaking.left == 0
    assert site.told() == []
    assert [(event, facts["level"]) for event, facts in site.lines] == [("file-waits", "warning")]
    assert "could not fetch .taking/imunisasi_1.csv at sftp://127.0.0.1:" in str(site.lines[0][1]["why"])
    await site.look(seconds=61)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert [nik for nik, _ in await site.rows()] == [str(number) for number in range(40)]


class Growing(asyncssh.SFTPServer):
    """Somebody goes on writing into a file that is being read."""

    path: Path | None = None

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        data: bytes = super().read(file_obj, offset, size)  # type: ignore[no-untyped-call]
        if Growing.path is not None:
            with Growing.path.open("ab") as file:
                file.write(b"1405029001180003;DPT\n")
            Growing.path = None
        return data


async def test_a_file_that_grows_while_it_is_fetched_is_taken_once_it_does_no_more(
    open_site: OpenSite, tmp_path: Path, offered: Offered
) -> None:
    await offered.serve(tmp_path / "drop", Growing)
    site = await open_site(drop=offered.drop)
    site.drop("imunisasi_1.csv")
    Growing.path = tmp_path / "drop" / ".taking" / "imunisasi_1.csv"
    await site.look()
    assert site.told() == []
    assert "it changed while it was fetched" in str(site.lines[0][1]["why"])
    assert site.files() == ["imunisasi_1.csv"], "it is looked at again"
    await site.look(seconds=61)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert len(await site.rows()) == 4


async def test_a_file_that_is_replaced_between_hashing_and_reading_is_refused(
    open_site: OpenSite, tmp_path: Path, offered: Offered
) -> None:
    await offered.serve(tmp_path / "drop")
    site = await open_site(drop=offered.drop)
    site.drop("imunisasi_1.csv")
    take_up = site.ledger.take_up

    async def replaced(*arguments: Any, **more: Any) -> Any:
        site.drop(".taking/imunisasi_1.csv", GOOD.replace("BCG", "DPT") + f"{NIK};X\n", at=5)
        return await take_up(*arguments, **more)

    site.ledger.take_up = replaced  # type: ignore[method-assign]
    await site.look()
    assert site.told() == [("imunisasi_1.csv", "unfinished")]
    assert await site.ledger.standing("puskesmas/imunisasi") is not None


async def test_who_comes_after_a_killed_process_fetches_anew_and_goes_on_at_the_next_row(
    open_site: OpenSite, tmp_path: Path, offered: Offered
) -> None:
    await offered.serve(tmp_path / "drop")
    site = await open_site(drop=offered.drop)
    site.drop("imunisasi_1.csv", rows(2_400))
    add_rows, kept = site.ledger.add_rows, 0

    async def dies(*arguments: Any) -> Any:
        nonlocal kept
        if kept:
            raise LedgerUnavailable("killed here")
        kept = (await add_rows(*arguments)).position
        raise LedgerUnavailable("killed here")

    site.ledger.add_rows = dies  # type: ignore[method-assign]
    await site.look()
    assert kept == 1000
    other = await site.again()
    other.adapter._inbox.drop = offered.drop()
    chunks: list[tuple[int, int]] = []
    real = other.ledger.add_rows

    async def noted(turn: Any, number: int, keeping: Any, chunk: Any) -> Any:
        chunks.append((chunk.after, chunk.position))
        return await real(turn, number, keeping, chunk)

    other.ledger.add_rows = noted  # type: ignore[method-assign]
    await other.look()
    assert chunks == [(1000, 2000), (2000, 2400)]
    assert other.told() == [("imunisasi_1.csv", "accepted")]
    assert len(await other.rows()) == 2_400
    await other.close()


class ReadOnly(asyncssh.SFTPServer):
    """Lets nothing be changed."""

    def rename(self, _oldpath: bytes, _newpath: bytes) -> None:
        raise asyncssh.SFTPPermissionDenied("no")

    def mkdir(self, _path: bytes, _attrs: asyncssh.SFTPAttrs) -> None:
        raise asyncssh.SFTPPermissionDenied("no")


async def test_a_remote_file_that_can_not_be_moved_is_taken_once_and_stays(
    open_site: OpenSite, tmp_path: Path, offered: Offered
) -> None:
    await offered.serve(tmp_path / "drop", ReadOnly)
    site = await open_site(drop=offered.drop)
    site.drop("imunisasi_1.csv")
    await site.look(times=3)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == ["imunisasi_1.csv"]
    assert [event for event, _ in site.lines] == ["file-stays"]
    other = await site.again()
    other.adapter._inbox.drop = offered.drop()
    await other.look(times=2)
    assert other.told() == []
    await other.close()


async def test_a_server_that_goes_away_is_told_once_and_one_that_hung_up_meanwhile_not_at_all(
    open_site: OpenSite, tmp_path: Path, offered: Offered
) -> None:
    running = await offered.serve(tmp_path / "drop")
    site = await open_site(drop=offered.drop)
    await site.look()
    await running.aclose()
    running = await offered.serve(tmp_path / "drop")
    await site.look()
    assert site.lines == [], "it was restarted between two looks"
    await running.aclose()
    await site.look(times=2)
    await offered.serve(tmp_path / "drop")
    site.drop("imunisasi_1.csv")
    await site.look()
    assert [event for event, _ in site.lines] == ["drop-unreachable", "drop-reachable-again"]
    assert site.told() == [("imunisasi_1.csv", "accepted")]
