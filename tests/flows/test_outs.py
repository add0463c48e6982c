"""Requests become rows in files, and what the agency says of each comes back in a file."""

import csv
import io
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.flows import process
from tests.flows.pilot import KEY
from tests.flows.process import Gateway, eventually

NIK = "1405029001180001"
CONFIG = """
[gateway]
name     = "Uji"
listen   = "127.0.0.1:0"
metrics  = "127.0.0.1:0"
ledger   = "{ledger}"
holidays = "none"

[client.uji]
keys  = [{{ sha256 = "{key}" }}]
allow = ["*"]

[agency.puskesmas]
adapter = "csv"
mapping = "mappings/puskesmas.toml"
drop    = "{folder}/keluar"
every   = "0.1s"

[agency.puskesmas.out.jadwal]
folder      = "{folder}/masuk"
file        = "jadwal_{{batch}}.csv"
batch       = {{ rows = 3, every = "{every}" }}
marker      = ".ok"
ack         = {{ files = "ack_*.csv", ready = "rename", message = "pesan", delivered = ["OK"], refused = ["GAGAL"] }}
ack_timeout = "{timeout}"

[agency.puskesmas.operation.kirim-jadwal]
expose  = "POST /v1/jadwal"
call    = "jadwal"
deliver = "store-and-forward"
"""
MAPPING = """
[kirim-jadwal.request]
nik_anak = { from = "nik", digits = 16 }
catatan  = { from = "catatan", optional = true }

[kirim-jadwal.reply]
berkas = "file"
"""


class Office:
    """A gateway and the folders of an agency that reads and writes files only."""

    def __init__(self, gateway: Gateway, folder: Path) -> None:
        self.gateway = gateway
        self.inbox, self.outbox = folder / "masuk", folder / "keluar"

    def post(self, **body: str) -> str:
        accepted = self.gateway.http.post("/v1/jadwal", json={"nik": NIK, **body})
        assert accepted.status_code == 202, accepted.text
        return accepted.headers["location"].rpartition("/")[2]

    def told(self, request: str) -> dict[str, Any]:
        told: dict[str, Any] = self.gateway.http.get(f"/v1/requests/{request}").json()
        return told

    def settled(self, request: str, state: str) -> dict[str, Any]:
        return eventually(lambda: told if (told := self.told(request))["state"] == state else None, state)

    def files(self) -> Mapping[str, list[dict[str, str]]]:
        names = sorted(path.name for path in self.inbox.glob("jadwal_*.csv"))
        return {name: rows((self.inbox / name).read_text("utf-8")) for name in names}

    def acknowledge(self, name: str, *words: tuple[str, str, str]) -> None:
        self.leave(name, "".join(f"{';'.join(line)}\n" for line in (("request_id", "status", "pesan"), *words)))

    def leave(self, name: str, text: str) -> None:
        (self.outbox / f"{name}.tmp").write_text(text, "utf-8")
        (self.outbox / f"{name}.tmp").rename(self.outbox / name)

    def receipt(self, name: str) -> dict[str, Any]:
        return self.gateway.event("file-accepted", file=name)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


def config(folder: Path, ledger: str = "", every: str = "1s", timeout: str = "1h") -> Path:
    for name in ("masuk", "keluar", "mappings"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "mappings/puskesmas.toml").write_text(MAPPING, "utf-8")
    key = sha256(KEY.encode()).hexdigest()
    settings = {"folder": folder, "key": key, "every": every, "timeout": timeout}
    text = CONFIG.format(ledger=ledger or f"sqlite:{folder}/ledger.db", **settings)
    path = folder / "gateway.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres").database()
    with process.running(config(tmp_path, url)) as gateway:
        yield Office(gateway, tmp_path)


def test_requests_go_out_in_one_file_and_each_is_settled_by_the_agencys_word(office: Office) -> None:
    taken, refused, waits = office.post(catatan="=1+1"), office.post(), office.post()
    told = office.settled(taken, "handed-over")
    assert told["waiting"]["reason"] == "acknowledgement"
    assert (told["answer"], told["settled_at"]) == (None, None)
    ((name, written),) = office.files().items()
    assert (office.inbox / f"{name}.ok").read_bytes() == b""
    assert [row["request_id"] for row in written] == [taken, refused, waits]
    assert written[0] == {"request_id": taken, "nik_anak": NIK, "catatan": "'=1+1"}
    office.acknowledge("ack_1.csv", (taken, "ok", ""), (refused, "GAGAL", "kuota habis"), ("tidak-ada", "OK", ""))
    told = office.settled(taken, "delivered")
    assert (told["answer"], told["waiting"]) == ({"status": 200, "body": {"berkas": name}}, None)
    told = office.settled(refused, "refused")
    assert (told["answer"]["status"], told["answer"]["body"]["agency_message"]) == (422, "kuota habis")
    assert office.told(waits)["state"] == "handed-over"
    receipt = office.receipt("ack_1.csv")
    assert (receipt["accepted"], receipt["rejected"], receipt["rules"]) == (2, 1, {"request-unknown": 1})
    assert "2 answers recorded, 1 row rejected" in receipt["what"]
    handed_back = office.outbox / "rejected/ack_1.csv.rejected.csv"
    eventually(lambda: handed_back.exists() or None, "the rejects")
    assert "tidak ada permintaan dengan nomor ini" in handed_back.read_text("utf-8-sig")
    office.acknowledge("ack_2.csv", (taken, "OK", "sekali lagi"), (refused, "OK", ""))
    receipt = office.receipt("ack_2.csv")
    assert (receipt["accepted"], receipt["rules"]) == (1, {"request-contradicts": 1})
    office.leave("ack_3.csv", handed_back.read_text("utf-8-sig").replace("tidak-ada", waits))
    office.settled(waits, "delivered")
    assert office.told(refused)["state"] == "refused"
    assert list(office.files()) == [name]


def test_whatever_ends_the_gateway_no_request_is_lost_and_none_goes_out_again(tmp_path: Path) -> None:
    settings = config(tmp_path, timeout="1s")
    with process.running(settings) as gateway:
        office = Office(gateway, tmp_path)
        requests = [office.post() for _ in range(3)]
        eventually(lambda: office.files() or None, "a file")
        gateway.process.kill()  # between the file and the word of it, or just after
        gateway.process.wait()
    with process.running(settings) as gateway:
        office = Office(gateway, tmp_path)
        late = office.post()
        office.acknowledge("ack_1.csv", *((request, "OK", "") for request in requests))
        for request in requests:
            office.settled(request, "delivered")
        office.settled(late, "handed-over")
        gauge = 'gateway_lane_unacknowledged{agency="puskesmas"} 1.0'
        eventually(lambda: gauge in gateway.figures() or None, gauge)
        assert office.told(late)["state"] == "handed-over"
        sent = sorted(row["request_id"] for written in office.files().values() for row in written)
        assert sent == sorted([*requests, late])
