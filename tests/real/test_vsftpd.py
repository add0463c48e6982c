"""A drop behind vsftpd, which knows no MLSD, keeps what every drop promises."""

import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from adapters.csv.kinds import drop_at
from adapters.csv.place import DropLogin
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


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vsftpd")


@pytest.fixture(scope="module")
def port(program: Callable[[str], str], root: Path) -> Iterator[int]:
    path = program("vsftpd")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = root.with_name("vsftpd.conf")
    config.write_text(CONFIG.format(port=port, root=root))
    root.chmod(0o555)
    process = subprocess.Popen([path, config])
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
