"""Where a message goes and which one is answered; and who sends it, as HTTP tells."""

from pathlib import Path

import pytest

from adapters.http import HttpClient, Tls
from adapters.soap.adapter import SoapAdapter
from gateway import InvalidAnswer, Unavailable
from tests.authority import Authority
from tests.contract.raw_agency import Link, RawAgency
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said
from tests.unit.adapters.soap.wrapped import (
    WSA,
    Adapt,
    a_save,
    header,
    saying,
    simpan,
)


async def test_a_message_says_where_it_goes_what_it_wants_and_which_it_is(adapt: Adapt, agency: JsonAgency) -> None:
    call = a_save()
    await adapt(addressing={}).exchange(call)
    assert header(agency.asked[0]) == {
        "To": f"{agency.url}/arsip",
        "Action": "urn:arsip:simpan-berkas",
        "MessageID": f"urn:uuid:{call.message_id}",
        "ReplyTo": f"{WSA}/anonymous",
    }
    assert agency.asked[0].headers["soapaction"] == '"simpan"'


async def test_the_edition_of_2004_has_names_of_its_own(adapt: Adapt, agency: JsonAgency) -> None:
    await adapt(addressing={"version": "2004/08", "to": "urn:arsip"}).exchange(a_save())
    said = header(agency.asked[0])
    assert said["To"] == "urn:arsip"
    assert said["ReplyTo"] == "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"


async def test_without_a_name_the_action_follows_from_names(adapt: Adapt) -> None:
    operations = adapt().plans.operations
    assert operations["Simpan"].addressed == "urn:arsip:simpan-berkas"
    assert operations["Kirim"].addressed == "urn:arsip:Arsip:KirimRequest"


@pytest.mark.parametrize(
    ("relates", "taken"),
    [
        ('<a:RelatesTo xmlns:a="{wsa}">urn:uuid:{id}</a:RelatesTo>', True),
        ('<a:RelatesTo xmlns:a="{wsa}"> urn:uuid:{id} </a:RelatesTo>', True),
        ('<a:RelatesTo xmlns:a="{wsa}">urn:uuid:lain</a:RelatesTo>', False),
        ('<a:RelatesTo xmlns:a="{wsa}" RelationshipType="{wsa}/reply">urn:uuid:lain</a:RelatesTo>', False),
        ('<a:RelatesTo xmlns:a="{wsa}" RelationshipType="urn:sebab">urn:uuid:lain</a:RelatesTo>', True),
        ("", True),
    ],
)
async def test_an_answer_to_another_message_is_refused(
    adapt: Adapt, agency: JsonAgency, relates: str, taken: bool
) -> None:
    call = a_save()
    agency.behave = saying(simpan(header=relates.format(wsa=WSA, id=call.message_id)).encode())
    if taken:
        assert (await adapt(addressing={}).exchange(call)).document == {"judul": "Surat", "isi": [], "lampiran": []}
        return
    with pytest.raises(InvalidAnswer, match="relates to another message") as caught:
        await adapt(addressing={}).exchange(call)
    assert caught.value.maybe_done
    assert caught.value.answer is not None


@pytest.mark.parametrize(
    ("login", "name", "value"),
    [
        (
            {"kind": "basic", "user": "Aladdin", "password": "open sesame"},
            "authorization",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
        ),
        ({"kind": "bearer", "token": "abc"}, "authorization", "Bearer abc"),
        ({"header": "X-Kunci", "value": "rahasia"}, "x-kunci", "rahasia"),
        ({"user": "gateway", "password": "rahasia"}, "authorization", None),
    ],
)
async def test_a_login_of_http_goes_along(
    adapt: Adapt, agency: JsonAgency, login: dict[str, str], name: str, value: str | None
) -> None:
    await adapt(login=login).exchange(a_save())
    assert agency.asked[0].headers.get(name) == value


async def test_a_soap_agency_may_challenge(adapt: Adapt, agency: JsonAgency) -> None:
    async def guard(asked: Asked) -> Said:
        if "authorization" in asked.headers:
            return Said(simpan().encode(), 200, (("Content-Type", "text/xml"),))
        return Said(b"", 401, (("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=SHA-256'),))

    agency.behave = guard
    adapter = adapt(login={"kind": "digest", "user": "gateway", "password": "rahasia"})
    for _ in range(2):
        assert (await adapter.exchange(a_save())).document is not None
    assert [len(asked.body) > 0 for asked in agency.asked] == [True, True, True]


async def test_an_agency_that_asks_for_our_certificate_gets_it(authority: Authority, wsdls: Path) -> None:
    answer = simpan().encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(answer)}\r\n\r\n".encode()

    async def script(link: Link) -> None:
        await link.request()
        await link.say(head + answer)

    server, ours = authority.issue("arsip-tls"), authority.issue("gateway-tls")
    for tls, taken in ((Tls(ca=authority.file, certificate=ours), True), (Tls(ca=authority.file), False)):
        async with RawAgency(script, tls=authority.server(server, asks=True)) as agency:
            http = HttpClient("arsip", tls=tls)
            adapter = SoapAdapter(http=http, wsdl=wsdls / "arsip.wsdl", url=f"{agency.url}/arsip", port="ArsipSoap")
            if taken:
                assert (await adapter.exchange(a_save())).document is not None
            else:
                with pytest.raises(Unavailable):
                    await adapter.exchange(a_save())
            await http.close()
