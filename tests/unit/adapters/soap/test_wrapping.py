"""Envelopes with what is around them, over real sockets: addresses, signatures, attachments, logins."""

import email.policy
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from pydantic import TypeAdapter
from zeep.wsse.signature import verify_envelope

from adapters.http import HttpClient
from adapters.login import SoapLogin
from adapters.soap.adapter import SoapAdapter
from adapters.soap.parts import MOST_INLINE
from adapters.soap.settings import AddressingSettings, Security
from adapters.soap.wss import DS
from gateway import Answer, Call, ConfigError, InvalidAnswer, TranslationError
from tests.authority import Authority
from tests.contract.calls import a_call
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said
from tests.unit.adapters.soap.stamp import TIMESTAMP, Stamp, envelope

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
WSA = "http://www.w3.org/2005/08/addressing"
XOP = "http://www.w3.org/2004/08/xop/include"
PDF = b"%PDF-1.7\r\n\x00\xff--batas\r\n" * 3
PDF64 = b64encode(PDF).decode()


def simpan(content: str = "", header: str = "") -> str:
    inside = f"<t:judul>Surat</t:judul>{content}"
    return (
        f'<e:Envelope xmlns:e="{SOAP_11}"><e:Header>{header}</e:Header>'
        f'<e:Body><t:SimpanResponse xmlns:t="urn:arsip">{inside}</t:SimpanResponse></e:Body></e:Envelope>'
    )


def include(identity: str, tag: str = "isi") -> str:
    return f'<t:{tag}><x:Include xmlns:x="{XOP}" href="cid:{identity}"/></t:{tag}>'


def related(root: str, *parts: tuple[str, bytes], boundary: str = "batas", end: bytes = b"\r\n") -> bytes:
    pieces = [("Content-Type: application/xop+xml\r\nContent-ID: <root>", root.encode())]
    pieces += [(f"Content-Type: image/png\r\nContent-ID: <{identity}>", content) for identity, content in parts]
    lines = b"".join(
        b"--" + boundary.encode() + end + head.encode().replace(b"\r\n", end) + end + end + content + end
        for head, content in pieces
    )
    return lines + b"--" + boundary.encode() + b"--" + end


RELATED = 'multipart/related; type="application/xop+xml"; boundary="batas"; start="<root>"'
Adapt = Callable[..., SoapAdapter]


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient("arsip")
    yield client
    await client.close()


@pytest.fixture
async def agency() -> AsyncIterator[JsonAgency]:
    async with JsonAgency(saying(simpan().encode())) as agency:
        yield agency


def saying(body: bytes, media_type: str = "text/xml", status: int = 200) -> Callable[[Asked], Awaitable[Said]]:
    async def behave(_: Asked) -> Said:
        return Said(body, status, (("Content-Type", media_type),))

    return behave


@pytest.fixture
def adapt(http: HttpClient, agency: JsonAgency, wsdls: Path) -> Adapt:
    def make(port: str = "ArsipSoap", **settings: Any) -> SoapAdapter:
        for name, kind in (("security", Security), ("addressing", AddressingSettings), ("login", SoapLogin)):
            if name in settings:
                settings[name] = TypeAdapter[Any](kind).validate_python(settings[name])
        url = f"{agency.url}/arsip"
        return SoapAdapter(http=http, wsdl=wsdls / "arsip.wsdl", url=url, port=port, clock=HandClock(), **settings)

    return make


def a_save(**document: Any) -> Call:
    return a_call("Simpan", {"judul": "Surat", **document})


def opened(asked: Asked) -> tuple[EmailMessage, list[EmailMessage]]:
    """Read what was sent as Python's own library for mail does."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + asked.body, policy=email.policy.HTTP)
    assert isinstance(message, EmailMessage)
    root, *others = [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
    return root, others


def content(part: EmailMessage) -> bytes:
    found = part.get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


def header(asked: Asked) -> dict[str, str]:
    found = etree.fromstring(asked.body)[0]
    return {etree.QName(block).localname: "".join(map(str, block.itertext())) for block in found}


# WS-Addressing


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


# MTOM


@pytest.mark.parametrize("port", ["ArsipSoap", "ArsipSoap12"])
async def test_binary_fields_travel_beside_the_envelope(adapt: Adapt, agency: JsonAgency, port: str) -> None:
    photo = {"#text": b64encode(b"\xff\xd8").decode(), "@contentType": "image/jpeg"}
    limited = b64encode(b"sidik").decode()
    agency.behave = saying(b"", status=503)

    await adapt(port, attachments="mtom").exchange(
        a_save(isi=[PDF64, ""], foto=photo, sidik=limited, dalam={"isi": PDF64})
    )

    (asked,) = agency.asked
    root, parts = opened(asked)
    assert [(content(part), part.get_content_type()) for part in parts] == [
        (PDF, "application/octet-stream"),
        (b"", "application/octet-stream"),
        (b"\xff\xd8", "image/jpeg"),
        (PDF, "application/octet-stream"),
    ]
    assert root.get_content_type() == "application/xop+xml"
    said = etree.fromstring(content(root))
    hrefs = [f"<{one.get('href', '')[4:]}>" for one in said.iter(f"{{{XOP}}}Include")]
    assert hrefs == [part["Content-ID"] for part in parts]
    assert said.findtext(".//{urn:arsip}sidik") == limited
    outer = asked.headers["content-type"]
    assert outer.startswith('multipart/related; type="application/xop+xml"; start="<envelope-')
    start = "application/soap+xml" if port.endswith("12") else "text/xml"
    assert f'start-info="{start}; charset=utf-8' in outer


async def test_a_message_without_binary_fields_is_multipart_all_the_same(adapt: Adapt, agency: JsonAgency) -> None:
    await adapt(attachments="mtom").exchange(a_save())
    root, parts = opened(agency.asked[0])
    assert b"<soap:Envelope" in content(root)
    assert parts == []


async def test_what_is_no_base64_is_told_by_its_field(adapt: Adapt, agency: JsonAgency) -> None:
    with pytest.raises(TranslationError) as caught:
        await adapt(attachments="mtom").exchange(a_save(isi=["%%%"], dalam={"isi": "aGFsbw"}))
    assert [error.pointer for error in caught.value.errors] == ["isi", "dalam.isi"]
    assert agency.asked == []


async def test_a_media_type_can_not_bring_headers_along(adapt: Adapt, agency: JsonAgency) -> None:
    photo = {"#text": "aGFsbw==", "@contentType": "image/png\r\nContent-ID: <lain>"}
    with pytest.raises(TranslationError, match="foto"):
        await adapt(attachments="mtom").exchange(a_save(foto=photo))
    assert agency.asked == []


async def test_attachments_of_an_answer_are_read_into_their_places(adapt: Adapt, agency: JsonAgency) -> None:
    inside = f"{include('a%40b')}<t:isi>aGFsbw==</t:isi>{include('c')}<t:dalam>{include('a@b')}</t:dalam>"
    agency.behave = saying(related(simpan(inside), ("a@b", PDF), ("c", b"")), RELATED)

    answer = await adapt(attachments="mtom").exchange(a_save())

    assert answer.document == {
        "judul": "Surat",
        "isi": [PDF64, "aGFsbw==", ""],
        "dalam": {"isi": PDF64},
        "lampiran": [],
    }


async def test_an_answer_that_is_not_multipart_is_read_as_ever(adapt: Adapt, agency: JsonAgency) -> None:
    agency.behave = saying(simpan("<t:isi>aGFsbw==</t:isi>").encode())
    answer = await adapt(attachments="mtom").exchange(a_save())
    assert answer.document is not None
    assert answer.document["isi"] == ["aGFsbw=="]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
async def test_no_byte_is_lost_however_lines_end(adapt: Adapt, agency: JsonAgency, end: bytes) -> None:
    content = b"\r\n--bata\r\n\n\r" + bytes(range(256)) + b"\r"
    agency.behave = saying(related(simpan(include("c")), ("c", content), end=end), RELATED)
    answer = await adapt(attachments="mtom").exchange(a_save())
    assert answer.document is not None
    assert b64decode(answer.document["isi"][0]) == content


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (related(simpan(include("lain")), ("c", b"x")), "an attachment that it does not bring along"),
        (related(simpan(include("c").replace("cid:", "http://127.0.0.1:9/")), ("c", b"x")), "does not bring along"),
        (related(simpan(include("c").replace("cid:", "file:///etc/")), ("c", b"x")), "does not bring along"),
        (related(simpan(include("root")), ("c", b"x")), "does not bring along"),
        (related(simpan(include("c").replace("</t:isi>", "x</t:isi>")), ("c", b"x")), "beside an xop:Include"),
        (related(simpan(include("c").replace("<t:isi>", "<t:isi><a/>")), ("c", b"x")), "beside an xop:Include"),
        (related(simpan(), ("c", b"x")), "an attachment that nothing in it refers to"),
        (related(simpan(include("c")), ("c", b"x"), ("c", b"y")), "two parts with the same Content-ID"),
        (related(simpan(include("c")), ("c", b"x"))[:-9], "is cut off within a part"),
        (related(simpan(include("c")), ("c", b"x")).replace(b"<root>", b"<lain>"), "a first part that is not there"),
        (related(simpan(include("c")), ("", b"x")), "a part without a Content-ID"),
        (related(simpan(include("c")), ("c", b"x"), boundary="lain"), "does not hold the boundary"),
        (related(simpan(), *((str(number), b"") for number in range(101))), "more than 100 parts"),
        (related(simpan(include("c") * 9), ("c", bytes(MOST_INLINE // 8))), "attachments of more than 7,000,000"),
        (related("<html/>"), "is no SOAP envelope"),
        (related(f'<!DOCTYPE a [<!ENTITY b "c">]>{simpan()}'), "DOCTYPE"),
        (b"--batas\r\n" + b"A: b\r\n" * 2000 + b"\r\nx\r\n--batas--\r\n", "whose headers have no end"),
        (b"--batas\r\nContent-Transfer-Encoding: base64\r\n\r\n%\r\n--batas--", "not the base64 it says"),
        (b"--batas\r\nContent-Transfer-Encoding: uuencode\r\n\r\n%\r\n--batas--", "encoding that is not read"),
    ],
)
async def test_an_answer_whose_attachments_are_not_whole_is_refused_and_kept(
    adapt: Adapt, agency: JsonAgency, body: bytes, why: str
) -> None:
    agency.behave = saying(body, RELATED)
    with pytest.raises(InvalidAnswer, match=why) as caught:
        await adapt(attachments="mtom").exchange(a_save())
    assert caught.value.maybe_done
    assert caught.value.answer is not None
    assert caught.value.answer.unread is not None
    assert caught.value.answer.unread.body == body


async def test_a_root_in_base64_or_quoted_printable_is_read(adapt: Adapt, agency: JsonAgency) -> None:
    plain = simpan().encode()
    quoted = plain.replace(b"=", b"=3D").replace(b"Surat", b"Su=\r\nrat")
    for encoding, written in (("base64", b64encode(plain)), ("Quoted-Printable", quoted)):
        body = b"--batas\r\nContent-Transfer-Encoding: " + encoding.encode() + b"\r\n\r\n" + written + b"\r\n--batas--"
        agency.behave = saying(body, 'multipart/related; boundary="batas"')
        answer = await adapt(attachments="mtom").exchange(a_save())
        assert answer.document == {"judul": "Surat", "isi": [], "lampiran": []}


async def test_what_was_kept_is_read_again_without_its_content_type(adapt: Adapt, agency: JsonAgency) -> None:
    body = related(simpan(include("c") + "<t:asing/>"), ("c", PDF))
    agency.behave = saying(body, RELATED)
    adapter = adapt(attachments="mtom", addressing={})
    with pytest.raises(InvalidAnswer) as caught:
        await adapter.exchange(a_save())
    assert [error.pointer for error in caught.value.errors] == ["asing"]
    kept = caught.value.answer
    assert kept is not None

    mended = Answer(http_status=200, unread=type(kept.unread).of(body.replace(b"<t:asing/>", b"")))  # type: ignore[union-attr]
    assert adapter.reread("Simpan", mended).document == {"judul": "Surat", "isi": [PDF64], "lampiran": []}


async def test_a_large_attachment_passes_both_ways(adapt: Adapt, agency: JsonAgency) -> None:
    large = bytes(range(256)) * 25_000
    agency.behave = saying(related(simpan(include("c")), ("c", large)), RELATED)
    answer = await adapt(attachments="mtom").exchange(a_save(isi=[b64encode(large).decode()]))
    assert answer.document is not None
    assert b64decode(answer.document["isi"][0]) == large
    assert content(opened(agency.asked[0])[1][0]) == large


# SOAP with attachments


async def test_a_swa_ref_holds_a_file_in_documents_and_names_it_in_envelopes(adapt: Adapt, agency: JsonAgency) -> None:
    root = simpan("<t:lampiran>cid:c</t:lampiran><t:lampiran>cid:c</t:lampiran>")
    agency.behave = saying(related(root, ("c", PDF)), RELATED)

    answer = await adapt(attachments="swa").exchange(a_save(isi=["aGFsbw=="], lampiran=[PDF64]))

    assert answer.document == {"judul": "Surat", "isi": [], "lampiran": [PDF64, PDF64]}
    sent, (part,) = opened(agency.asked[0])
    assert content(part) == PDF
    said = etree.fromstring(content(sent))
    assert f"<{str(said.findtext('.//{urn:arsip}lampiran'))[4:]}>" == part["Content-ID"]
    assert said.findtext(".//{urn:arsip}isi") == "aGFsbw=="
    assert sent.get_content_type() == "text/xml"


async def test_parts_that_the_wsdl_puts_beside_the_body_are_fields_of_the_document(
    adapt: Adapt, agency: JsonAgency
) -> None:
    reply = '<t:KirimResponse xmlns:t="urn:arsip"><nomor>7</nomor></t:KirimResponse>'
    root = f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body>{reply}</e:Body></e:Envelope>'
    agency.behave = saying(related(root, ("tanda=0001@arsip", b"cap")), RELATED)
    adapter = adapt(attachments="swa")

    answer = await adapter.exchange(a_call("Kirim", {"judul": "Surat", "surat": PDF64, "peta": "aGFsbw=="}))

    assert answer.document == {"nomor": "7", "tanda": b64encode(b"cap").decode()}
    sent, parts = opened(agency.asked[0])
    assert [(part.get_content_type(), content(part)) for part in parts] == [
        ("application/pdf", PDF),
        ("image/gif", b"halo"),
    ]
    assert [part["Content-ID"].partition("=")[0] for part in parts] == ["<surat", "<peta"]
    assert etree.fromstring(content(sent)).findtext(".//judul") == "Surat"
    contract = adapter.contract("Kirim")
    assert {name: field.kind for name, field in contract.request.items()} == {
        "judul": "text",
        "surat": "binary",
        "peta": "binary",
    }


async def test_the_only_attachment_is_the_declared_one_whatever_its_name(adapt: Adapt, agency: JsonAgency) -> None:
    reply = '<t:KirimResponse xmlns:t="urn:arsip"><nomor>7</nomor></t:KirimResponse>'
    root = f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body>{reply}</e:Body></e:Envelope>'
    call = a_call("Kirim", {"judul": "Surat", "surat": PDF64, "peta": "aGFsbw=="})
    agency.behave = saying(related(root, ("1", b"cap")), RELATED)
    assert (await adapt(attachments="swa").exchange(call)).document == {"nomor": "7", "tanda": "Y2Fw"}
    agency.behave = saying(root.encode())
    with pytest.raises(InvalidAnswer, match="does not bring its attachment 'tanda' along"):
        await adapt(attachments="swa").exchange(call)


async def test_an_attachment_that_is_missing_is_told(adapt: Adapt, agency: JsonAgency) -> None:
    with pytest.raises(TranslationError) as caught:
        await adapt(attachments="swa").exchange(a_call("Kirim", {"judul": "Surat", "surat": "%"}))
    assert [(error.pointer, error.rule) for error in caught.value.errors] == [
        ("surat", "native"),
        ("peta", "required"),
    ]
    assert agency.asked == []


async def test_an_operation_with_attachments_needs_the_setting(adapt: Adapt) -> None:
    with pytest.raises(ConfigError, match='set attachments = "swa"'):
        adapt().contract("Kirim")


# Together


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory, key: rsa.RSAPrivateKey) -> Path:
    return Authority(tmp_path_factory.mktemp("certificates")).issue("sipolan", key=key)


async def test_everything_together_signs_what_is_read_and_reads_what_is_signed(
    adapt: Adapt, agency: JsonAgency, certificate: Path, key: rsa.RSAPrivateKey
) -> None:
    body = f'<s:Body wsu:Id="b"><t:SimpanResponse xmlns:t="urn:arsip"><t:judul>Surat</t:judul><t:isi>{PDF64}</t:isi>'
    body += "</t:SimpanResponse></s:Body>"
    call = a_save(isi=[PDF64])
    relates = f'<a:RelatesTo xmlns:a="{WSA}" wsu:Id="r">urn:uuid:{call.message_id}</a:RelatesTo>'
    signed = Stamp(key=key).sign(envelope(body=body, before=relates), ("b", "ts", "r")).decode()
    xop = signed.replace(f"<t:isi>{PDF64}</t:isi>", include("c"))
    agency.behave = saying(related(xop, ("c", PDF)), RELATED)
    security = {
        "user": "gateway",
        "password": "rahasia",
        "digest": True,
        "timestamp": "5m",
        "sign": {"certificate": certificate, "headers": ["To", "Action", "MessageID", "ReplyTo", "UsernameToken"]},
        "verify": {"certificate": certificate, "headers": ["RelatesTo"]},
    }
    adapter = adapt(security=security, addressing={}, attachments="mtom")

    answer = await adapter.exchange(call)

    assert answer.document == {"judul": "Surat", "isi": [PDF64], "lampiran": []}
    root, (part,) = opened(agency.asked[0])
    assert content(part) == PDF
    whole = etree.fromstring(content(root))
    for found in list(whole.iter(f"{{{XOP}}}Include")):
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)
        parent.text = PDF64
    verify_envelope(whole, str(certificate))
    assert len(list(whole.iter(f"{DS}Reference"))) == 7

    agency.behave = saying(related(xop, ("c", PDF + b"!")), RELATED)
    with pytest.raises(InvalidAnswer, match="does not hold"):
        await adapter.exchange(call)


async def test_an_attachment_that_no_signature_covers_is_refused(
    adapt: Adapt, agency: JsonAgency, certificate: Path, key: rsa.RSAPrivateKey
) -> None:
    signed = Stamp(key=key).sign(envelope(timestamp=TIMESTAMP)).decode()
    agency.behave = saying(related(signed, ("c", PDF)), RELATED)
    with pytest.raises(InvalidAnswer, match="an attachment that no signature covers"):
        await adapt(security={"verify": {"certificate": certificate}}, attachments="mtom").exchange(a_save())


async def test_attachments_that_can_not_be_signed_do_not_go_with_signatures(adapt: Adapt, certificate: Path) -> None:
    with pytest.raises(ConfigError, match='use attachments = "mtom"'):
        adapt(security={"verify": {"certificate": certificate}}, attachments="swa")


async def test_an_unsigned_fault_under_500_stays_an_unreadable_500(
    adapt: Adapt, agency: JsonAgency, certificate: Path
) -> None:
    fault = "<e:Fault><faultcode>e:Server</faultcode><faultstring>Tutup</faultstring></e:Fault>"
    body = f'<e:Envelope xmlns:e="{SOAP_11}"><e:Body>{fault}</e:Body></e:Envelope>'.encode()
    agency.behave = saying(body, status=500)
    answer = await adapt(security={"verify": {"certificate": certificate}}).exchange(a_save())
    assert (answer.fault, answer.document, answer.http_status) == (None, None, 500)
    trusting = {"verify": {"certificate": certificate, "unsigned_faults": True}}
    answer = await adapt(security=trusting).exchange(a_save())
    assert answer.fault is not None
    assert answer.fault.text == "Tutup"


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
