"""A gateway is copied while it works, lost with its disk, and put up again elsewhere: what waited still gets there."""

import shutil
from pathlib import Path

from demo.testing import Running
from tests.flows import process
from tests.flows.asks import FILE_PERMIT, REPORT_OUTAGE
from tests.flows.command import gateway as command
from tests.flows.process import eventually
from tests.flows.test_store_and_forward import ask, config, settled

__all__ = ["config"]


def put_back(copy: Path, key: Path, place: Path, was: Path) -> Path:
    """Do what RESTORE.txt says, on a new machine: the ledger has another place there."""
    shutil.copytree(copy, place)
    (place / "var/drops/puskesmas").mkdir(parents=True)
    (place / "var/drops/puskesmas-masuk").mkdir()
    (place / "ledger.db").rename(place / "var/ledger.db")
    shutil.copy2(key, place / "var/ledger.key")
    text = (place / "gateway.toml").read_text("utf-8")
    (place / "gateway.toml").write_text(text.replace(str(was), str(place)), "utf-8")
    return place / "gateway.toml"


def test_a_copy_made_while_it_works_brings_everything_back(config: Path, agencies: Running, tmp_path: Path) -> None:
    agencies.switch("dpmptsp", "down")
    with process.running(config) as gateway:
        waits = ask(gateway, FILE_PERMIT, prefer="respond-async", **{"idempotency-key": "izin-1"})
        assert waits.status_code == 202, waits.text
        done = ask(gateway, REPORT_OUTAGE)
        assert done.status_code == 200, done.text
        told = command("backup", "--config", config, tmp_path / "salinan")
        assert told.returncode == 0, told.stderr
        after = ask(gateway, FILE_PERMIT, prefer="respond-async", **{"idempotency-key": "izin-2"})
        gateway.process.kill()
        gateway.process.wait()
    key = tmp_path / "ledger.key"
    (config.parent / "var/ledger.key").rename(key)
    restored = put_back(tmp_path / "salinan", key, tmp_path / "baru", config.parent)
    shutil.rmtree(config.parent / "var")
    with process.running(restored) as gateway:
        location = waits.headers["location"]
        assert gateway.http.get(location).json()["state"] == "pending"
        assert gateway.http.get(done.headers["location"]).json()["state"] == "delivered"
        assert gateway.http.get(after.headers["location"]).status_code == 404
        again = ask(gateway, FILE_PERMIT, prefer="respond-async", **{"idempotency-key": "izin-1"})
        assert (again.status_code, again.headers["location"]) == (202, location)
        agencies.switch("dpmptsp", "up")
        assert settled(gateway, location, "delivered")["answer"]["body"]["nomor"]
    eventually(lambda: agencies.arrivals("dpmptsp") or None, "the permit at SIPOLAN")
    assert [each.operation for each in agencies.arrivals("dpmptsp")].count("ajukanPermohonan") == 1
