"""A clerk's file from an SFTP client to answered rows, through a gateway that serves, reloads and stops."""

import asyncio
import hashlib
import json
import signal
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import asyncssh
import pytest

from tests.dropping import ACCOUNT, FILE, PASSWORD, ROWS, Site, site
from tests.flows.command import gateway
from tests.flows.process import Gateway, eventually

T = TypeVar("T")


def visit(
    place: Site, do: Callable[[asyncssh.SFTPClient], Awaitable[T]], password: str = PASSWORD, account: str = ACCOUNT
) -> T:
    """Do something at a client that knows the server's key."""

    async def there() -> T:
        known = asyncssh.read_private_key(place.folder / "host.key").convert_to_public()
        async with (
            await asyncssh.connect(
                "127.0.0.1",
                place.port,
                username=account,
                password=password,
                client_keys=None,
                agent_path=None,
                config=None,
                known_hosts=([known], [], []),
            ) as connection,
            connection.start_sftp_client() as sftp,
        ):
            return await do(sftp)

    return asyncio.run(there())


async def bring(sftp: asyncssh.SFTPClient, name: str = FILE) -> None:
    async with sftp.open(f"{name}.filepart", "wb") as file:
        await file.write(ROWS)
    await sftp.rename(f"{name}.filepart", name)
    await sftp.setstat(name, asyncssh.SFTPAttrs(atime=1_790_000_000, mtime=1_790_000_000, permissions=0o644))


async def fetch(sftp: asyncssh.SFTPClient) -> dict[str, str]:
    found = {}
    for folder in ("rejected", *[f"archive/{day}" for day in await sftp.listdir("archive")]):
        for name in await sftp.listdir(folder):
            async with sftp.open(f"{folder}/{name}") as file:
                found[str(name)] = await file.read()
    return found


def test_a_file_goes_in_by_sftp_and_its_receipt_and_rejects_come_out(tmp_path: Path) -> None:
    place = site(tmp_path).configured().with_key()
    with place.running() as running:
        visit(place, bring)
        running.event("file-accepted", file=FILE)
        eventually(lambda: (tmp_path / "drop/rejected" / f"{FILE}.rejected.csv").exists() or None, "rejects")
        answer = running.http.get("/v1/imunisasi", params={"nik": "1405029001180001"})
        assert answer.json()["imunisasi"] == [{"jenis": "BCG"}]
        papers = visit(place, fetch)
        assert papers.keys() == {FILE, f"{FILE}.receipt.json", f"{FILE}.receipt.txt", f"{FILE}.rejected.csv"}
        assert json.loads(papers[f"{FILE}.receipt.json"])["accepted"] == 2
        assert "14050290" in papers[f"{FILE}.rejected.csv"]
        assert (
            'gateway_sftp_uploads_total{agency="puskesmas",feed="imunisasi",outcome="uploaded"} 1.0'
            in running.figures()
        )
        assert PASSWORD not in running.out.read_text()


def test_accounts_follow_a_reload_and_a_listener_does_not(tmp_path: Path) -> None:
    place = site(tmp_path).configured().with_key()
    with place.running() as running:
        place.configured('{ password = "another-password" }')
        running.process.send_signal(signal.SIGHUP)
        running.event("configuration-loaded")
        with pytest.raises(asyncssh.PermissionDenied):
            visit(place, bring)
        visit(place, bring, "another-password")
        text = place.config.read_text()
        place.config.write_text(text.replace("[gateway.sftp]", "[gateway.sftp]\nconnections = 5"))
        running.process.send_signal(signal.SIGHUP)
        refused = running.event("configuration-refused")
        assert "gateway.sftp: can't change while the gateway runs" in str(refused["why"])
        assert running.stop() == 0


def test_the_host_key_is_made_once_and_for_nobody_else_to_read(tmp_path: Path) -> None:
    place = site(tmp_path).configured()
    made, kept = (gateway("sftp", "host-key", "--config", place.config).stdout for _ in range(2))
    assert made.startswith(f"made {tmp_path}/host.key")
    assert kept.startswith("kept")
    assert "SHA256:" in made
    assert made.split()[-1] == kept.split()[-1]
    assert stat.S_IMODE((tmp_path / "host.key").stat().st_mode) == 0o600


def test_a_gateway_killed_under_an_upload_leaves_what_another_goes_on_with(tmp_path: Path) -> None:
    place = site(tmp_path).configured().with_key()
    killed = Gateway(place.config, {"IMUNISASI": PASSWORD})

    async def begin(sftp: asyncssh.SFTPClient) -> None:
        file = await sftp.open(FILE, "wb")
        await file.write(ROWS)
        killed.process.kill()
        killed.process.wait()

    async def go_on(sftp: asyncssh.SFTPClient) -> None:
        async with sftp.open(f"{FILE}.filepart", "ab") as file:
            await file.write(b"1405029001180003;BCG\n")
        await sftp.rename(f"{FILE}.filepart", FILE)

    visit(place, begin)
    killed.http.close()
    assert [path.name for path in (tmp_path / "drop").iterdir()] == [f"{FILE}.filepart"]
    with place.running() as running:
        visit(place, go_on)
        assert running.event("file-accepted", file=FILE)["accepted"] == 3


ACKNOWLEDGED = """
[client.loket]
keys  = [{{ sha256 = "{key}" }}]
allow = ["rsud/*"]

[agency.rsud]
adapter = "csv"
drop    = "{folder}/rsud"
every   = "50ms"
mapping = "rsud.toml"

[agency.rsud.out.jadwal]
folder = "{folder}/masuk"
file   = "jadwal_{{id}}.csv"
ack    = {{ files = "ack_*.csv", ready = "rename", delivered = ["OK"], account = {{ password = "jawaban-2026-rsud" }} }}

[agency.rsud.operation.kirim-jadwal]
expose  = "POST /v1/jadwal"
call    = "jadwal"
deliver = "store-and-forward"
"""


def test_an_agency_brings_its_acknowledgements_by_an_account_of_its_own(tmp_path: Path) -> None:
    place = site(tmp_path).configured().with_key()
    for name in ("rsud", "masuk"):
        (tmp_path / name).mkdir()
    (tmp_path / "rsud.toml").write_text('[kirim-jadwal.request]\nnik = "nik"\n')
    with place.config.open("a") as config:
        config.write(ACKNOWLEDGED.format(folder=tmp_path, key=hashlib.sha256(b"loket").hexdigest()))
    with place.running() as running:
        accepted = running.http.post("/v1/jadwal", json={"nik": "1405029001180001"}, headers={"x-api-key": "loket"})
        assert accepted.status_code == 202, accepted.text
        request = accepted.headers["location"].rpartition("/")[2]

        def told() -> str:
            state: str = running.http.get(f"/v1/requests/{request}", headers={"x-api-key": "loket"}).json()["state"]
            return state

        eventually(lambda: told() == "handed-over" or None, "the file")

        async def acknowledge(sftp: asyncssh.SFTPClient) -> list[str]:
            with pytest.raises(asyncssh.SFTPError):
                await sftp.open("jadwal_1.csv", "wb")
            async with sftp.open("ack_1.csv", "wb") as file:
                await file.write(f"request_id;status\n{request};OK\ntidak-ada;OK\n".encode())
            return [str(name) for name in await sftp.listdir(".")]

        assert "imunisasi" not in " ".join(visit(place, acknowledge, "jawaban-2026-rsud", "rsud-jadwal"))
        eventually(lambda: told() == "delivered" or None, "the acknowledgement")
        eventually(lambda: (tmp_path / "rsud/rejected/ack_1.csv.rejected.csv").exists() or None, "rejects")
        papers = visit(place, fetch, "jawaban-2026-rsud", "rsud-jadwal")
        assert {"ack_1.csv", "ack_1.csv.receipt.txt", "ack_1.csv.rejected.csv"} <= papers.keys()
