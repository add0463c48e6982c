import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import get_type_hints
from zoneinfo import ZoneInfo

import pytest
from pydantic import TypeAdapter

from adapters.http import LARGE, HttpClient
from adapters.login import Credentials
from adapters.soap.adapter import SoapAdapter
from demo.testing import Running, running
from gateway import (
    Answer,
    ConfigError,
    Contract,
    Described,
    Fault,
    InvalidAnswer,
    NativeField,
    Probe,
    TranslationError,
    Unavailable,
)
from tests.contract.calls import CORRELATION_ID, TRACEPARENT, a_call
from tests.contract.raw_agency import unused_port
from tests.unit.adapters.json_agency import Asked, Behaviour, JsonAgency, Said

ROOT = Path(__file__).parents[4]
ENOUGH = {"pemohon": {"nik": "1405029001180001", "nama": "Siti"}, "jenis": "IMB", "luas": 72}
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
FAULT = "<e:Fault><faultcode>e:Client</faultcode><faultstring>Ditolak</faultstring></e:Fault>"
RETURNS = '<part name="return" type="xsd:int"/>'
LOGIN = {"kode_akses": "gateway", "kata_sandi": "rahasia-sipolan"}


def soap(body: str) -> bytes:
    return f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body>{body}</e:Body></e:Envelope>'.encode()


Exchange = Callable[..., Awaitable[Answer]]


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient("dpmptsp")
    yield client
    await client.close()


@pytest.fixture
async def agency() -> AsyncIterator[JsonAgency]:
    async with JsonAgency(answering(soap(""))) as agency:
        yield agency


@pytest.fixture
def url(agency: JsonAgency) -> str:
    return f"{agency.url}/soap"


def answering(body: bytes, status: int = 200, media_type: str = "text/xml") -> Behaviour:
    async def behave(_: Asked) -> Said:
        return Said(body, status, (("Content-Type", media_type),))

    return behave


@pytest.fixture
def izin_adapter(http: HttpClient, url: str, wsdls: Path) -> SoapAdapter:
    return SoapAdapter(http=http, wsdl=wsdls / "izin.wsdl", url=url)


async def test_soap_1_1_puts_its_action_into_a_header(izin_adapter: SoapAdapter, agency: JsonAgency) -> None:
    await izin_adapter.exchange(a_call("Catat", ENOUGH))

    (request,) = agency.asked
    assert request.headers["soapaction"] == '"catat"'
    assert request.headers["content-type"] == "text/xml; charset=utf-8"
    assert request.headers["x-correlation-id"] == CORRELATION_ID
    assert request.headers["traceparent"] == TRACEPARENT
    assert b"AjukanIzin" in request.body


async def test_soap_1_2_puts_its_action_into_the_media_type(
    http: HttpClient, url: str, wsdls: Path, agency: JsonAgency
) -> None:
    adapter = SoapAdapter(http=http, wsdl=wsdls / "izin.wsdl", url=url, port="IzinSoap12")

    agency.behave = answering(b"", 503)
    await adapter.exchange(a_call("AjukanIzin", ENOUGH))

    action = 'action="http://dpmptsp.example.go.id/izin/AjukanIzin"'
    assert agency.asked[0].headers["content-type"] == f"application/soap+xml; charset=utf-8; {action}"
    assert "soapaction" not in agency.asked[0].headers


async def test_nested_headers_are_soaps_and_plain_ones_https(izin_adapter: SoapAdapter, agency: JsonAgency) -> None:
    agency.behave = answering(soap(FAULT))
    headers = {"AuthHeader": {"Username": "gateway", "Password": "x"}, "X-Kunci": "abc"}

    await izin_adapter.exchange(a_call("AjukanIzin", ENOUGH, headers=headers))

    (request,) = agency.asked
    assert request.headers["x-kunci"] == "abc"
    assert b"AuthHeader" in request.body
    assert "AuthHeader" not in request.headers


@pytest.mark.parametrize("value", ["a\r\nX-Lain: 1", 5])
async def test_a_header_that_http_can_not_hold_is_not_sent(
    izin_adapter: SoapAdapter, agency: JsonAgency, value: object
) -> None:
    with pytest.raises(TranslationError):
        await izin_adapter.exchange(a_call("Catat", ENOUGH, headers={"X-Kunci": value}))

    assert not agency.asked


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_a_fault_is_a_fault_whatever_the_status(
    izin_adapter: SoapAdapter, agency: JsonAgency, status: int
) -> None:
    agency.behave = answering(soap(FAULT), status)

    answer = await izin_adapter.exchange(a_call("AjukanIzin", ENOUGH))

    assert (answer.fault, answer.document) == (Fault(code="Client", text="Ditolak"), None)
    assert answer.http_status == status


@pytest.mark.parametrize("status", [301, 401, 403, 404, 429, 500])
async def test_an_unreadable_failure_is_left_to_its_status(
    izin_adapter: SoapAdapter, agency: JsonAgency, status: int
) -> None:
    agency.behave = answering(b"<html>", status, "text/html")

    answer = await izin_adapter.exchange(a_call("AjukanIzin", ENOUGH))

    assert (answer.document, answer.fault, answer.http_status) == (None, None, status)


async def test_a_fatal_page_under_200_is_an_invalid_answer(izin_adapter: SoapAdapter, agency: JsonAgency) -> None:
    agency.behave = answering(b"<br />\n<b>Fatal error</b>:  Uncaught Error", media_type="text/html")

    with pytest.raises(InvalidAnswer, match="dpmptsp: AjukanIzin: the answer is an HTML page") as caught:
        await izin_adapter.exchange(a_call("AjukanIzin", ENOUGH))

    assert caught.value.maybe_done
    assert caught.value.answer is not None
    with pytest.raises(InvalidAnswer, match="dpmptsp: AjukanIzin: the answer is an HTML page"):
        izin_adapter.reread("AjukanIzin", caught.value.answer)


async def test_rule_11_3_an_answer_that_did_not_fit_the_wsdl_is_read_again_by_a_mended_one(
    http: HttpClient, url: str, wsdls: Path, agency: JsonAgency, tmp_path: Path
) -> None:
    agency.behave = answering(
        soap('<r:simpanRiwayatResponse xmlns:r="urn:sipolan"><return>dua \xe9</return></r:simpanRiwayatResponse>')
    )
    pinned = SoapAdapter(http=http, wsdl=wsdls / "sipolan.wsdl", url=url)
    with pytest.raises(InvalidAnswer, match="does not fit the WSDL") as caught:
        await pinned.exchange(a_call("simpanRiwayat", {"riwayat": {"item": []}}))
    kept = caught.value.answer
    assert kept is not None

    text = (wsdls / "sipolan.wsdl").read_text("utf-8")
    (tmp_path / "sipolan.wsdl").write_text(text.replace(RETURNS, RETURNS.replace("xsd:int", "xsd:string")), "utf-8")
    mended = SoapAdapter(http=http, wsdl=tmp_path / "sipolan.wsdl", url=url)
    assert mended.reread("simpanRiwayat", kept).document == {"return": "dua \xe9"}
    assert len(agency.asked) == 1


@pytest.mark.parametrize("answer", [b"", soap("")])
async def test_a_one_way_operation_answers_nothing(
    izin_adapter: SoapAdapter, agency: JsonAgency, answer: bytes
) -> None:
    agency.behave = answering(answer, 202)

    assert (await izin_adapter.exchange(a_call("Catat", ENOUGH))).document == {}


async def test_a_large_answer_does_not_hold_up_the_event_loop(
    http: HttpClient, url: str, wsdls: Path, agency: JsonAgency
) -> None:
    adapter = SoapAdapter(http=http, wsdl=wsdls / "sipolan.wsdl", url=url)
    item = "<item><nama_proses>A</nama_proses><tgl_selesai/><urut>1</urut></item>"
    content = soap(
        '<r:statusPermohonanResponse xmlns:r="urn:sipolan"><return><no_permohonan/><kode_status/><retribusi/>'
        f"<riwayat>{item * 30_000}</riwayat></return></r:statusPermohonanResponse>"
    )
    assert len(content) > LARGE
    agency.behave = answering(content)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    answer = await adapter.exchange(a_call("statusPermohonan", {"no_permohonan": "1", "kode_akses": "x"}))
    counting.cancel()

    assert answer.document is not None
    assert len(answer.document["return"]["riwayat"]["item"]) == 30_000
    assert turns > 100


async def test_the_probe_only_connects(izin_adapter: SoapAdapter, agency: JsonAgency, http: HttpClient) -> None:
    await izin_adapter.probe()

    assert not agency.asked
    elsewhere = SoapAdapter(http=http, wsdl=izin_adapter.wsdl, url=f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(Unavailable):
        await elsewhere.probe()


def test_the_adapter_can_describe_and_be_probed(wsdls: Path) -> None:
    adapter = SoapAdapter(http=HttpClient("dpmptsp"), wsdl=wsdls / "izin.wsdl")

    assert isinstance(adapter, Described)
    assert isinstance(adapter, Probe)


def contract(wsdl: Path, target: str) -> Contract:
    return SoapAdapter(http=HttpClient("dpmptsp"), wsdl=wsdl).contract(target)


def test_a_contract_names_fields_by_dotted_path(wsdls: Path) -> None:
    found = contract(wsdls / "izin.wsdl", "AjukanIzin")

    assert found.request["pemohon"] == NativeField(kind="object", required=True)
    assert found.request["pemohon.nik"] == NativeField(kind="text", required=True, max=16)
    assert found.request["berkas"] == NativeField(kind="binary", many=True)
    assert found.request["status"] == NativeField(kind="text", allowed=("ok", "tolak"))
    assert found.request["biaya.@mata_uang"] == NativeField(kind="text", required=True)
    assert found.request["biaya.#text"] == NativeField(kind="number", required=True)
    assert not found.request["npwp"].required
    assert found.reply["diubah"] == NativeField(kind="datetime", required=True)
    assert found.headers["AuthHeader.Password"] == NativeField(kind="text", required=True)
    assert not found.headers["AuthHeader"].required


def test_lists_add_no_step_to_a_path(wsdls: Path) -> None:
    found = contract(wsdls / "sipolan.wsdl", "statusPermohonan")

    assert found.reply["return.riwayat.item"] == NativeField(kind="object", many=True, null=True)
    assert found.reply["return.riwayat.item.urut"] == NativeField(kind="integer", required=True, null=True)


def test_an_unknown_operation_lists_those_there_are_the_nearest_first(wsdls: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        contract(wsdls / "sipolan.wsdl", "statusPermohonn")

    (finding,) = caught.value.findings
    assert finding.what == "the WSDL has no operation 'statusPermohonn'"
    assert finding.remedy == "it has: statusPermohonan, simpanRiwayat"


def test_an_operation_that_can_not_be_planned_says_why_and_harms_no_other(wsdls: Path) -> None:
    with pytest.raises(ConfigError, match="'TanamPohon' has 2 parts in a document-style Body"):
        contract(wsdls / "izin.wsdl", "TanamPohon")


def test_its_settings_are_read_from_text(wsdls: Path) -> None:
    section = {
        "wsdl": str(wsdls / "izin.wsdl"),
        "port": "IzinSoap12",
        "timezone": "Asia/Jakarta",
        "login": {"user": "gateway", "password": "rahasia"},
    }
    kinds = get_type_hints(SoapAdapter)

    adapter = SoapAdapter(
        http=HttpClient("dpmptsp"),
        **{name: TypeAdapter(kinds[name]).validate_python(section[name]) for name in section},
    )

    assert isinstance(adapter.login, Credentials)
    assert adapter.timezone == ZoneInfo("Asia/Jakarta")
    assert "rahasia" not in repr(adapter)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("demo")) as stand_ins:
        yield stand_ins


async def test_the_stand_in_sipolan_is_spoken_to_by_its_pinned_wsdl(http: HttpClient, demo: Running) -> None:
    adapter = SoapAdapter(http=http, wsdl=ROOT / "wsdl/dpmptsp/sipolan.wsdl", url=f"{demo.url('dpmptsp')}/sipolan")

    answer = await adapter.exchange(a_call("statusPermohonan", {**LOGIN, "no_permohonan": "161/IMB/IV/2021"}))

    assert answer.document is not None
    assert answer.document["retribusi"] == "1.250.000,50"
    assert answer.document["keterangan"] is None
    assert answer.document["riwayat"]["item"][0]["nama_proses"] == "Pendaftaran"


async def test_the_stand_in_simpeg_is_spoken_to_by_its_pinned_wsdl(http: HttpClient, demo: Running) -> None:
    adapter = SoapAdapter(
        http=http,
        wsdl=ROOT / "wsdl/bkpsdm/simpeg.wsdl",
        url=f"{demo.url('bkpsdm')}/simpeg.asmx",
        timezone=ZoneInfo("Asia/Jakarta"),
    )
    headers = {"AuthHeader": {"Username": "gateway", "Password": "rahasia-simpeg"}}

    answer = await adapter.exchange(a_call("CariPegawai", {"nip": "197806152005011901"}, headers=headers))

    assert "2026-11-20T14:05:09+07:00" in str(answer.document)
    refused = await adapter.exchange(a_call("CariPegawai", {"nip": "197806152005011901"}))
    assert refused.fault is not None


JUNK = b"<br />\n<b>Warning</b>: mysqli_close()<br />\n"


@pytest.mark.parametrize("size", [0, LARGE])
async def test_what_was_tolerated_is_counted_once_an_answer(
    http: HttpClient, wsdls: Path, agency: JsonAgency, url: str, size: int
) -> None:
    counted: list[str] = []
    adapter = SoapAdapter(
        http=http,
        wsdl=wsdls / "izin.wsdl",
        url=url,
        tolerate=("leading-junk", "missing-required"),
        tolerated=counted.append,
    )
    agency.behave = answering(
        JUNK + soap(f"<!--{'x' * size}--><m:AjukanIzinResponse xmlns:m='http://dpmptsp.example.go.id/izin'/>")
    )

    answer = await adapter.exchange(a_call("AjukanIzin", ENOUGH))

    assert answer.document == {"riwayat": []}
    assert counted == ["leading-junk", "missing-required"]


async def test_an_answer_that_is_refused_all_the_same_counts_nothing(
    http: HttpClient, wsdls: Path, agency: JsonAgency, url: str
) -> None:
    counted: list[str] = []
    adapter = SoapAdapter(
        http=http, wsdl=wsdls / "izin.wsdl", url=url, tolerate=("leading-junk",), tolerated=counted.append
    )
    agency.behave = answering(JUNK + soap("<a/>"))

    with pytest.raises(InvalidAnswer):
        await adapter.exchange(a_call("AjukanIzin", ENOUGH))

    assert counted == []


async def test_what_no_plan_can_say_is_exchanged_through_zeeps_tree(
    http: HttpClient, agency: JsonAgency, url: str, wsdls: Path
) -> None:
    adapter = SoapAdapter(http=http, wsdl=wsdls / "ragam.wsdl", url=url)
    inside = "<awal>1</awal><isi>a</isi><awal>2</awal>"
    agency.behave = answering(soap(f'<Kembar xmlns="urn:ragam" tanda="x">{inside}</Kembar>'))

    answer = await adapter.exchange(a_call("Kembar", {"awal": 3, "isi": "", "awal__1": 4}))

    assert answer.document == {"awal": 1, "isi": "a", "awal__1": 2, "@tanda": "x"}
    assert "has two elements named 'awal'" in adapter.contract("Kembar").detour
    lenient = SoapAdapter(http=http, wsdl=wsdls / "ragam.wsdl", url=url, tolerate=("leading-junk", "zero-dates"))
    assert lenient.contract("Kembar").detour.endswith("its answers are not given zero-dates there")
    assert "zero-dates" not in lenient.contract("Ragam").detour
    assert adapter.plan("Kembar")["request"]["path"].startswith("zeep's tree: type 'Kembar'")
    assert adapter.plan("Ragam")["request"]["path"] == "compiled"
    with pytest.raises(TranslationError):
        await adapter.exchange(a_call("Kembar", {"awal": "x", "isi": "", "awal__1": 4}))
