"""The whole way to PHP's own SoapServer and back: an app's JSON, a running gateway, SOAP, and clean JSON again."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.flows import process
from tests.flows.flow import problem
from tests.flows.pilot import CLIENTS
from tests.flows.process import Gateway
from tests.real.php import WSDLS

CONFIG = """
[gateway]
listen  = "127.0.0.1:0"
metrics = "127.0.0.1:0"

[defaults]
retry = {{ attempts = 2, wait = "10ms", max_wait = "20ms", budget = 1.0 }}

[agency.izin]
title   = "Perizinan"
adapter = "soap"
wsdl    = "{wsdl}"
port    = "IzinSoap"
url     = "{url}?izin.wsdl"
mapping = "izin.toml"
[agency.izin.operation.ajukan]
expose = "POST /v1/izin"
call   = "AjukanIzin"

[agency.rusak]
title   = "Perizinan yang rusak"
adapter = "soap"
wsdl    = "{wsdl}"
port    = "IzinSoap"
url     = "{url}?fatal"
mapping = "izin.toml"
[agency.rusak.operation.ajukan]
expose = "POST /v1/rusak"
call   = "AjukanIzin"
"""
CLIENT = CLIENTS.partition("[client.terbatas]")[0]
MAPPING = """
[agency]
blank  = "missing"
faults = { "Server.Busy" = "unavailable" }

[ajukan.request]
pemohon.nik  = { from = "pemohon.nik", digits = 16, mask = true }
pemohon.nama = { from = "pemohon.nama", mask = true }
jenis        = "jenis"
luas         = "luas"
retribusi    = { from = "retribusi", optional = true }
tanggal      = { from = "tanggal", optional = true }

[ajukan.reply]
nomor        = "nomor"
pemohon.nik  = { from = "nik", mask = true }
pemohon.nama = { from = "nama", mask = true }
luas         = "luas"
retribusi    = "retribusi"
tanggal      = "tanggal"
diubah       = "diubah"
aktif        = "aktif"

[ajukan.reply.riwayat]
each = "riwayat"
nama = "nama"
"""
NIK = "1405029001180001"
ASKED = {
    "pemohon": {"nik": NIK, "nama": "Siti é <&> 𝄞"},
    "jenis": "IMB",
    "luas": 72,
    "retribusi": 1250000.50,
    "tanggal": "2026-03-14",
}


@pytest.fixture(scope="module")
def gateway(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    (folder / "izin.toml").write_text(MAPPING, "utf-8")
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(url=url, wsdl=WSDLS / "izin.wsdl") + CLIENT, "utf-8")
    with process.running(config, {}) as running:
        yield running


def ask(gateway: Gateway, path: str = "/v1/izin", **changed: object) -> httpx.Response:
    return gateway.http.post(path, json={**ASKED, **changed})


def test_what_is_asked_arrives_at_php_and_is_answered_in_clean_json(gateway: Gateway) -> None:
    answer = ask(gateway)

    assert (answer.status_code, answer.json()) == (
        200,
        {
            "nomor": "503/1",
            "pemohon": ASKED["pemohon"],
            "luas": 72,
            "retribusi": 1250000.50,
            "tanggal": "2026-03-14",
            "diubah": "2026-01-01T07:00:00+07:00",
            "aktif": False,
            "riwayat": [{"nama": "A"}, {"nama": "A"}],
        },
    )
    assert gateway.line(answer)["attempts"] == 1


def test_a_fault_of_php_is_what_the_mapping_says(gateway: Gateway) -> None:
    answer = ask(gateway, jenis="fault")

    assert problem(answer, 503, "agency-unavailable")["maybe_done"] is False
    assert "Sistem sibuk: é" in gateway.line(answer)["error"]


def test_a_wrong_value_of_php_is_502_with_the_field_in_the_log(gateway: Gateway) -> None:
    answer = ask(gateway, jenis="salah")

    assert problem(answer, 502, "agency-invalid-answer")["maybe_done"] is True
    assert "diubah" in gateway.line(answer)["error"]


def test_a_fatal_error_of_php_is_502_and_none_of_its_page_is_shown(gateway: Gateway) -> None:
    answer = ask(gateway, "/v1/rusak")

    assert problem(answer, 502, "agency-invalid-answer")["maybe_done"] is True
    assert "tidak_ada" not in answer.text
    line = gateway.line(answer)
    assert "HTML page" in line["error"]
    assert NIK not in str(line)
