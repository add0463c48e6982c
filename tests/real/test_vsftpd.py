"""A drop behind vsftpd, which knows no MLSD and is strict about TLS, keeps what every drop promises."""

import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from adapters.csv.kinds import drop_at
from adapters.csv.place import DropLogin
from tests.authority import Authority
from tests.contract.drop import DropContract, FolderGround

CONFIG = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
anonymous_enable=YES
local_enable=NO
no_anon_password=YES
anon_root={root}
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
xferlog_enable=NO
"""
# One session for both connections is asked for by default.
TLS = """
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
strict_ssl_read_eof=YES
strict_ssl_write_shutdown=YES
rsa_cert_file={certificate}
rsa_private_key_file={certificate}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vsftpd")


@contextmanager
def vsftpd(program: str, root: Path, more: str = "") -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = root.with_name(f"vsftpd-{port}.conf")
    config.write_text(CONFIG.format(port=port, root=root) + more)
    process = subprocess.Popen([program, config])
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()
        root.chmod(0o755)


@pytest.fixture(scope="module")
def port(program: Callable[[str], str], root: Path) -> Iterator[int]:
    with vsftpd(program("vsftpd"), root) as port:
        yield port


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def secured(program: Callable[[str], str], root: Path, authority: Authority) -> Iterator[int]:
    with vsftpd(program("vsftpd"), root, TLS.format(certificate=authority.issue())) as port:
        yield port


@pytest.fixture
def folder(root: Path) -> Path:
    root.chmod(0o755)  # vsftpd serves no root that may be written to
    made = Path(mkdtemp(dir=root))
    root.chmod(0o555)
    return made


class TestVsftpd(DropContract):
    @pytest.fixture
    async def ground(self, port: int, folder: Path) -> AsyncIterator[FolderGround]:
        drop = drop_at(f"ftp://anonymous@127.0.0.1:{port}/~/{folder.name}", "drop", DropLogin(password="-"))
        yield FolderGround(drop, folder)
        await drop.close()


class TestVsftpdWithTls(DropContract):
    @pytest.fixture
    async def ground(self, secured: int, folder: Path, authority: Authority) -> AsyncIterator[FolderGround]:
        login = DropLogin(password="-", ca=authority.file)
        drop = drop_at(f"ftps://anonymous@127.0.0.1:{secured}/~/{folder.name}", "drop", login)
        yield FolderGround(drop, folder)
        await drop.close()


@pytest.fixture(scope="module")
def implicit(program: Callable[[str], str], root: Path, authority: Authority) -> Iterator[int]:
    more = TLS.format(certificate=authority.issue()) + "implicit_ssl=YES\n"
    with vsftpd(program("vsftpd"), root, more) as port:
        yield port


class TestVsftpdWithTlsFromTheStart(DropContract):
    @pytest.fixture
    async def ground(self, implicit: int, folder: Path, authority: Authority) -> AsyncIterator[FolderGround]:
        login = DropLogin(password="-", ca=authority.file, implicit=True)
        drop = drop_at(f"ftps://anonymous@127.0.0.1:{implicit}/~/{folder.name}", "drop", login)
        yield FolderGround(drop, folder)
        await drop.close()
