"""Signatures, addresses and attachments together, over real sockets."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from zeep.wsse.signature import verify_envelope

from adapters.http import HttpAnswer
from adapters.soap.decode import decode
from adapters.soap.plan import MessagePlan
from adapters.soap.planning import read_plans
from adapters.soap.settings import AddressingSettings, Security, Verify
from adapters.soap.wrapping import wrapping
from adapters.soap.wss import DS
from gateway import ConfigError, InvalidAnswer
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.json_agency import JsonAgency
from tests.unit.adapters.soap.opening import parse
from tests.unit.adapters.soap.stamp import TIMESTAMP, Stamp, envelope
from tests.unit.adapters.soap.wrapped import (
    PDF,
    PDF64,
    RELATED,
    SOAP_11,
    WSA,
    XOP,
    Adapt,
    a_save,
    content,
    include,
    opened,
    related,
    saying,
)


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


def ended(plan: MessagePlan, content: bytes) -> object:
    try:
        return decode(plan, content)
    except InvalidAnswer as error:
        return str(error)


def test_what_is_around_changes_nothing_of_what_bad_answers_end_as(corpus: Path, wsdls: Path) -> None:
    plan = read_plans(wsdls / "izin.wsdl").operations["AjukanIzin"].reply
    assert plan is not None
    around = wrapping(None, AddressingSettings(), "mtom", clock=HandClock(), where=wsdls)
    assert around is not None
    compared = 0
    for path in sorted((corpus / "xml-attacks").glob("*.xml")):
        answer = HttpAnswer(status=200, headers={"Content-Type": "text/xml"}, body=path.read_bytes())
        plain = ended(plan, answer.body)
        try:
            opened: object = ended(plan, around.unwrap(answer, "1", parse)[0])
        except InvalidAnswer as error:
            opened = str(error)
        assert opened == plain, path.name
        compared += 1
    assert compared >= 30


def test_no_bad_answer_passes_where_answers_must_be_signed(corpus: Path, wsdls: Path, certificate: Path) -> None:
    security = Security(verify=Verify(certificate=certificate))
    around = wrapping(security, None, None, clock=HandClock(), where=wsdls)
    assert around is not None
    for path in sorted((corpus / "xml-attacks").glob("*.xml")):
        answer = HttpAnswer(status=200, headers={"Content-Type": "text/xml"}, body=path.read_bytes())
        with pytest.raises(InvalidAnswer):
            around.unwrap(answer, "1", parse)
