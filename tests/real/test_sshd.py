"""A drop behind OpenSSH's own sshd keeps what every drop promises."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.csv.drop import Drop
from adapters.csv.kinds import drop_at
from adapters.csv.place import DropLogin
from tests.chaos.clerk import survived
from tests.contract.drop import DropContract, FolderGround
from tests.drops import OpenSite
from tests.sshd import Sshd, find_sshd, sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    if (program := find_sshd()) is None:
        pytest.skip("sshd is not installed")
    with sshd(tmp_path_factory.mktemp("sshd"), program) as running:
        yield running


def drop_in(server: Sshd, folder: Path, **login: object) -> Drop:
    known = {"key": server.key, "host_key": server.fingerprint, **login}
    return drop_at(f"sftp://{server.user}@127.0.0.1:{server.port}{folder}", "drop", DropLogin.model_validate(known))


class TestSshd(DropContract):
    @pytest.fixture
    async def ground(self, server: Sshd, tmp_path: Path) -> AsyncIterator[FolderGround]:
        (tmp_path / "drop").mkdir()
        drop = drop_in(server, tmp_path / "drop")
        yield FolderGround(drop, tmp_path / "drop")
        await drop.close()


async def test_a_feed_behind_sshd_is_taken_in(server: Sshd, open_site: OpenSite, tmp_path: Path) -> None:
    hosts = tmp_path / "known_hosts"
    key = (server.key.parent / "host.pub").read_text()
    hosts.write_text(f"[127.0.0.1]:{server.port} {key}")
    (tmp_path / "drop").mkdir()
    drop = drop_in(server, tmp_path / "drop", host_key="", known_hosts=hosts)
    site = await open_site(drop=lambda _: drop)
    site.drop("imunisasi_1.csv")
    await site.look(times=2)
    assert site.told() == [("imunisasi_1.csv", "accepted")]
    assert site.files() == ["archive/2026-03-02/imunisasi_1.csv"]
    await drop.close()


async def test_files_behind_sshd_survive_kills(server: Sshd, tmp_path: Path) -> None:
    place = f"sftp://{server.user}@127.0.0.1:{server.port}"
    login = f'drop_login = {{ key = "{server.key}", host_key = "{server.fingerprint}" }}\n'
    await survived(tmp_path, f"sqlite:{tmp_path}/ledger.db", place=place, login=login, kills=5)
