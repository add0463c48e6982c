"""PHP's own SoapServer, by the WSDLs that the unit tests use: both styles, both SOAP versions."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.http import HttpClient
from adapters.soap.adapter import SoapAdapter
from gateway import Answer, InvalidAnswer
from tests.contract.calls import a_call
from tests.real.php import WSDLS, as_soap_1_2

PEMOHON = {"nik": "1405029001180001", "nama": "Siti é <&> 𝄞"}
ENOUGH = {"pemohon": PEMOHON, "jenis": "IMB", "luas": 72}
TAHAP = {"nama_proses": "Verifikasi", "tgl_selesai": None, "urut": 1}


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient("dpmptsp")
    yield client
    await client.close()


Ask = Callable[..., Any]


@pytest.fixture(params=["IzinSoap", "IzinSoap12"])
def literal(http: HttpClient, url: str, request: pytest.FixtureRequest) -> Ask:
    """Call the document/literal operation, in each SOAP version."""
    adapter = SoapAdapter(
        http=http,
        wsdl=WSDLS / "izin.wsdl",
        url=f"{url}?izin.wsdl",
        port=request.param,
        timezone=ZoneInfo("Asia/Jakarta"),
    )

    async def ask(**changed: object) -> Answer:
        return await adapter.exchange(a_call("AjukanIzin", {**ENOUGH, **changed}))

    return ask


@pytest.fixture(params=["sipolan.wsdl", "sipolan12.wsdl"])
def encoded(http: HttpClient, url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Ask:
    """Call the rpc/encoded operations, in each SOAP version."""
    wsdl = WSDLS / "sipolan.wsdl"
    if request.param != wsdl.name:
        (tmp_path / request.param).write_text(as_soap_1_2(wsdl.read_text()))
        wsdl = tmp_path / request.param
    adapter = SoapAdapter(http=http, wsdl=wsdl, url=f"{url}?{request.param}")

    async def ask(operation: str, **document: object) -> Answer:
        return await adapter.exchange(a_call(operation, document))

    return ask


async def test_what_is_sent_arrives_and_comes_back(literal: Ask) -> None:
    sent = {
        "retribusi": "1250000.50",
        "tanggal": "2026-03-14",
        "diubah": "2026-03-14T09:26:53",
        "aktif": True,
        "biaya": {"#text": "5.25", "@mata_uang": "IDR"},
    }

    answer = await literal(**sent)

    assert answer.document is not None
    assert answer.document["nama"] == PEMOHON["nama"]
    assert answer.document["alamat"] == "IDR 5.25"
    assert answer.document["luas"] == 72
    assert str(answer.document["retribusi"]) == "1250000.50"
    assert answer.document["diubah"] == "2026-03-14T09:26:53+07:00"
    assert answer.document["aktif"] is True
    assert [pemohon["telepon"] for pemohon in answer.document["riwayat"]] == [None, ""]
    assert "telepon" not in await no_telephone(literal)


async def no_telephone(literal: Ask) -> Any:
    answer = await literal(jenis="satu")
    (pemohon,) = answer.document["riwayat"]
    return pemohon


async def test_null_and_missing_arrive_as_what_they_are(literal: Ask) -> None:
    answer = await literal(pemohon={**PEMOHON, "telepon": None}, jenis="telepon")
    assert answer.document["alamat"] == "null"
    answer = await literal(jenis="telepon")
    assert answer.document["alamat"] == "tidak ada"
    answer = await literal(pemohon={**PEMOHON, "telepon": ""}, jenis="telepon")
    assert answer.document["alamat"] == "kosong"


async def test_a_fault_has_its_code_and_detail(literal: Ask) -> None:
    answer = await literal(jenis="fault")

    assert answer.document is None
    assert answer.fault.text == "Sistem sibuk: é"
    assert answer.fault.code in {"Server.Busy", "Receiver"}
    assert answer.fault.detail == {"kode": "E1"}


async def test_a_wrong_value_from_php_is_an_error(literal: Ask) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        await literal(jenis="salah")

    assert [error.pointer for error in caught.value.errors] == ["diubah"]


async def test_a_fatal_error_before_the_server_is_a_page_and_an_error(literal: Ask, http: HttpClient, url: str) -> None:
    adapter = SoapAdapter(http=http, wsdl=WSDLS / "izin.wsdl", url=f"{url}?fatal")
    with pytest.raises(InvalidAnswer, match="HTML page"):
        await adapter.exchange(a_call("AjukanIzin", ENOUGH))


async def test_a_notice_before_the_answer_is_an_error(http: HttpClient, url: str) -> None:
    # PHP leaves the notice out of its Content-Length, so that HTTP itself may be broken by it.
    adapter = SoapAdapter(http=http, wsdl=WSDLS / "izin.wsdl", url=f"{url}?notice")
    with pytest.raises(InvalidAnswer, match=r"HTML page|not HTTP"):
        await adapter.exchange(a_call("AjukanIzin", ENOUGH))


async def test_a_fatal_error_within_the_server_is_a_fault(encoded: Ask) -> None:
    answer = await encoded("statusPermohonan", no_permohonan="fatal", kode_akses="x")

    assert answer.fault is not None
    assert "tidak_ada" in answer.fault.text


async def test_encoded_arrays_come_and_go(encoded: Ask) -> None:
    answer = await encoded("statusPermohonan", no_permohonan="161/IMB/é", kode_akses="x")
    assert answer.document is not None
    found = answer.document["return"]
    assert found["no_permohonan"] == "161/IMB/é"
    assert [step["urut"] for step in found["riwayat"]["item"]] == [1, 2]
    assert [step["tgl_selesai"] for step in found["riwayat"]["item"]] == [None, ""]

    empty = await encoded("statusPermohonan", no_permohonan="kosong", kode_akses="x")
    assert empty.document["return"]["riwayat"] == {"item": []}


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_php_counts_the_items_of_a_sent_array(encoded: Ask, count: int) -> None:
    answer = await encoded("simpanRiwayat", riwayat={"item": [TAHAP] * count})

    assert answer.document == {"return": count}
