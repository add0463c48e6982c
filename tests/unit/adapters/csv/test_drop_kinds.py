"""Every kind of drop keeps the same promises."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from adapters.csv.drop import Drop
from adapters.csv.folder import Folder
from adapters.csv.kinds import drop_at
from adapters.csv.place import DropLogin
from tests.authority import Authority
from tests.contract.drop import DropContract, FolderGround
from tests.places import BUCKET, PASSWORD, USER, ftp_server, s3_client, s3_server, sftp_server, without


class TestFolder(DropContract):
    @pytest.fixture
    def ground(self, tmp_path: Path) -> FolderGround:
        (tmp_path / "drop").mkdir()
        return FolderGround(Folder(tmp_path / "drop"), tmp_path / "drop")


class TestSftp(DropContract):
    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[FolderGround]:
        (tmp_path / "drop").mkdir()
        async with sftp_server(tmp_path) as (port, fingerprint):
            login = DropLogin(password=PASSWORD, host_key=fingerprint)
            drop = drop_at(f"sftp://{USER}@127.0.0.1:{port}/drop", "drop", login)
            yield FolderGround(drop, tmp_path / "drop")
            await drop.close()


class TestFtp(DropContract):
    kind = "ftp"
    handler: dict[str, Any] = {}  # noqa: RUF012 - read only

    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[FolderGround]:
        (tmp_path / "drop").mkdir()
        with ftp_server(tmp_path, **self.handler) as port:
            drop = drop_at(f"ftp://{USER}@127.0.0.1:{port}/drop", "drop", DropLogin(password=PASSWORD))
            yield FolderGround(drop, tmp_path / "drop")
            await drop.close()


class TestFtpWithoutMlsd(TestFtp):
    handler = {"proto_cmds": without("MLSD", "MLST")}  # noqa: RUF012 - read only


class TestFtps(DropContract):
    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[FolderGround]:
        (tmp_path / "drop").mkdir()
        authority = Authority(tmp_path)
        with ftp_server(tmp_path, certificate=authority.issue()) as port:
            login = DropLogin(password=PASSWORD, ca=authority.file)
            drop = drop_at(f"ftps://{USER}@127.0.0.1:{port}/drop", "drop", login)
            yield FolderGround(drop, tmp_path / "drop")
            await drop.close()


class TestFtpsFromTheStart(DropContract):
    @pytest.fixture
    async def ground(self, tmp_path: Path) -> AsyncIterator[FolderGround]:
        (tmp_path / "drop").mkdir()
        authority = Authority(tmp_path)
        with ftp_server(tmp_path, certificate=authority.issue(), implicit=True) as port:
            login = DropLogin(password=PASSWORD, ca=authority.file, implicit=True)
            drop = drop_at(f"ftps://{USER}@127.0.0.1:{port}/drop", "drop", login)
            yield FolderGround(drop, tmp_path / "drop")
            await drop.close()


class TestFtpsOnUvloop(TestFtps):
    """Whose TLS loses what has come when a server hangs up faster than a file is read."""

    @pytest.fixture
    def anyio_backend(self) -> tuple[str, dict[str, bool]]:
        return "asyncio", {"use_uvloop": True}


@dataclass(slots=True)
class S3Ground:
    """A bucket, by another client."""

    drop: Drop
    client: Any
    atomic: bool = True
    dated: bool = False

    def write(self, name: str, content: bytes) -> None:
        self.client.create_bucket(Bucket=BUCKET)
        self.client.put_object(Bucket=BUCKET, Key=f"rsud/{name}", Body=content)

    def read(self, name: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=BUCKET, Key=f"rsud/{name}")["Body"].read()
        return body

    def names(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return sorted(each["Key"].removeprefix("rsud/") for each in found)

    def vanish(self) -> None:
        for name in self.names():
            self.client.delete_object(Bucket=BUCKET, Key=f"rsud/{name}")
        self.client.delete_bucket(Bucket=BUCKET)


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with s3_server() as address:
        yield address


class TestS3(DropContract):
    @pytest.fixture
    async def ground(self, store: str) -> AsyncIterator[S3Ground]:
        client = s3_client(store)
        login = DropLogin(access_key=USER, secret_key=PASSWORD, endpoint=store)
        ground = S3Ground(drop_at(f"s3://{BUCKET}/rsud", "drop", login), client)
        for name in ground.names():
            client.delete_object(Bucket=BUCKET, Key=f"rsud/{name}")
        yield ground
        await ground.drop.close()
        await asyncio.sleep(0)
