"""The adapter for SOAP servers without a WSDL, held to what every adapter promises."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from adapters.http import HttpClient
from adapters.login import SoapLogin
from adapters.soap.no_wsdl import SoapWithoutWsdl
from gateway import Adapter, Call, ConfigError, InvalidAnswer, Probe, Rereads
from tests.contract.adapter import HttpAdapterContract
from tests.contract.calls import a_call
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said

GOOD = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><cariResponse><return>ada</return>'
    b"</cariResponse></e:Body></e:Envelope>"
)


class TestSoapWithoutWsdl(HttpAdapterContract):
    good = GOOD
    media_type = "text/xml"

    def adapter(self, http: HttpClient, url: str) -> Adapter:
        return SoapWithoutWsdl(http=http, url=url, namespace="urn:arsip")

    def call(self, *, timeout: float = 5.0, safe: bool = False) -> Call:
        return a_call("cari", {"nomor": "1"}, timeout=timeout, safe=safe)


@pytest.mark.parametrize(
    ("settings", "header", "expected"),
    [
        ({}, "SOAPAction", '"urn:arsip#cari"'),
        ({"action": "{namespace}/{method}"}, "SOAPAction", '"urn:arsip/cari"'),
        ({"action": ""}, "SOAPAction", '""'),
        ({"soap": "1.2"}, "Content-Type", 'application/soap+xml; charset=utf-8; action="urn:arsip#cari"'),
    ],
)
async def test_the_action_is_written_as_the_section_says(settings: dict[str, str], header: str, expected: str) -> None:
    async def failing(_: Asked) -> Said:
        return Said(status=500)

    async with JsonAgency(failing) as agency:
        http = HttpClient("arsip")
        adapter = SoapWithoutWsdl(http=http, url=agency.url, namespace="urn:arsip", **settings)  # type: ignore[arg-type]
        await adapter.exchange(a_call("cari", {}))
        await http.close()

    assert agency.asked[0].headers[header.lower()] == expected


@pytest.mark.parametrize(
    ("body", "counted"),
    [
        (GOOD, []),
        (b"\n<br />Notice: x\n" + GOOD, ["leading-junk"]),
        (GOOD.replace(b"<return>", b'<return xsi:nil="false">'), ["undeclared-xsi"]),
        (b'<?xml version="1.0"?>' + GOOD.replace(b"ada", b"Pelalaw\xe1n"), ["charset"]),
    ],
)
async def test_xml_that_deviates_is_read_where_the_section_says_so_and_counted(body: bytes, counted: list[str]) -> None:
    async def saying(_: Asked) -> Said:
        return Said(body=body, headers=(("Content-Type", "text/xml"),))

    used: list[str] = []
    async with JsonAgency(saying) as agency:
        strict = SoapWithoutWsdl(http=(http := HttpClient("arsip")), url=agency.url, namespace="urn:arsip")
        lenient = replace(
            strict, tolerate=("leading-junk", "undeclared-xsi"), charset="iso-8859-1", tolerated=used.append
        )
        answer = await lenient.exchange(a_call("cari", {}))
        if counted:
            with pytest.raises(InvalidAnswer):
                await strict.exchange(a_call("cari", {}))
        await http.close()

    assert answer.document is not None
    assert str(answer.document["return"]) in {"ada", "Pelalawán"}
    assert used == counted


async def test_a_login_that_http_carries_goes_along_and_a_challenge_is_answered() -> None:
    async def guard(asked: Asked) -> Said:
        if asked.headers.get("authorization", "").startswith(("Basic ", "Digest ")):
            return Said(body=GOOD, headers=(("Content-Type", "text/xml"),))
        return Said(status=401, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"'),))

    async with JsonAgency(guard) as agency:
        http = HttpClient("arsip")
        for kind, sent in (("basic", 1), ("digest", 2)):
            login = TypeAdapter(SoapLogin).validate_python({"kind": kind, "user": "gateway", "password": "rahasia"})
            adapter = SoapWithoutWsdl(http=http, url=agency.url, namespace="urn:arsip", login=login)
            assert (await adapter.exchange(a_call("cari", {}))).document == {"return": "ada"}
            assert len(agency.asked) == sent
            assert await adapter.log_in(timeout=5.0)
            assert {asked.method for asked in agency.asked[sent:]} == {"HEAD"}
            agency.asked.clear()
        await http.close()


def test_a_call_is_the_name_of_a_method() -> None:
    adapter = SoapWithoutWsdl(http=HttpClient("arsip"), url="http://127.0.0.1:1", namespace="urn:arsip")

    adapter.prepare("cariArsip")
    with pytest.raises(ConfigError, match="no name of a method"):
        adapter.prepare("POST /cari")


def test_it_probes_and_reads_again_what_was_kept() -> None:
    assert issubclass(SoapWithoutWsdl, Probe)
    assert issubclass(SoapWithoutWsdl, Rereads)
