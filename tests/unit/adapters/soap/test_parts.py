"""Attachments over real sockets, read and written by another library than ours."""

import os
import tracemalloc
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from lxml import etree

from adapters.http import HttpAnswer
from adapters.soap.decode import decode
from adapters.soap.encode import encode
from adapters.soap.parts import MOST_INLINE, Attachments
from adapters.soap.planning import read_plans
from adapters.soap.tolerate import Leniency
from adapters.soap.wrapping import sent_of, wrapping
from gateway import Answer, ConfigError, Fault, InvalidAnswer, TranslationError
from tests.contract.calls import a_call
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.json_agency import JsonAgency
from tests.unit.adapters.soap.wrapped import (
    PDF,
    PDF64,
    RELATED,
    SOAP_11,
    XOP,
    Adapt,
    a_save,
    content,
    include,
    opened,
    related,
    saying,
    simpan,
)

T = TypeVar("T")


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


@pytest.mark.parametrize("boundary", ["boundary*=utf-8''batas", "boundary*0=ba; boundary*1=tas", "Boundary=batas"])
async def test_a_boundary_may_be_written_in_any_way(adapt: Adapt, agency: JsonAgency, boundary: str) -> None:
    agency.behave = saying(related(simpan(include("c")), ("c", PDF)), f"Multipart/Related; {boundary}")
    answer = await adapt(attachments="mtom").exchange(a_save())
    assert answer.document == {"judul": "Surat", "isi": [PDF64], "lampiran": []}


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


async def test_an_attachment_in_what_is_no_plain_binary_field_is_judged_as_its_text(
    adapt: Adapt, agency: JsonAgency
) -> None:
    title = simpan().replace("<t:judul>Surat</t:judul>", f"{include('c', 'judul')}{include('d')}")
    agency.behave = saying(related(title, ("c", b"halo"), ("d", PDF)), RELATED)
    answer = await adapt(attachments="mtom").exchange(a_save())
    assert answer.document == {"judul": "aGFsbw==", "isi": [PDF64], "lampiran": []}

    agency.behave = saying(related(simpan(include("c", "sidik")), ("c", bytes(64))), RELATED)
    answer = await adapt(attachments="mtom").exchange(a_save())
    assert answer.document is not None
    assert answer.document["sidik"] == b64encode(bytes(64)).decode()
    agency.behave = saying(related(simpan(include("c", "sidik")), ("c", bytes(65))), RELATED)
    with pytest.raises(InvalidAnswer, match="does not fit"):
        await adapt(attachments="mtom").exchange(a_save())


async def test_an_attachment_in_a_fault_is_in_its_detail(adapt: Adapt, agency: JsonAgency) -> None:
    fault = f"<faultcode>a</faultcode><faultstring>b</faultstring><detail>{include('c')}</detail>"
    body = (
        f'<e:Envelope xmlns:e="{SOAP_11}" xmlns:t="urn:arsip"><e:Body><e:Fault>{fault}</e:Fault></e:Body></e:Envelope>'
    )
    agency.behave = saying(related(body, ("c", PDF)), RELATED, status=500)

    answer = await adapt(attachments="mtom").exchange(a_save())

    assert answer.fault is not None
    assert answer.fault.detail == {"isi": PDF64}


@pytest.mark.parametrize(("kind", "field"), [("mtom", "isi"), ("swa", "lampiran")])
def test_the_largest_attachment_costs_about_one_copy_more_in_each_direction(
    wsdls: Path, kind: Attachments, field: str
) -> None:
    plan = read_plans(wsdls / "arsip.wsdl", port="ArsipSoap").operations["Simpan"]
    assert plan.reply is not None
    around = wrapping(None, None, kind, clock=HandClock(), where=wsdls)
    assert around is not None
    sent = sent_of(plan, address="http://x", message_id="1", media_type="text/xml")
    content = os.urandom(MOST_INLINE)
    text = b64encode(content).decode()
    inside = include("c") if kind == "mtom" else "<t:lampiran>cid:c</t:lampiran>"
    answer = HttpAnswer(status=200, headers={"Content-Type": RELATED}, body=related(simpan(inside), ("c", content)))
    document = {"judul": "Surat", field: [text]}

    message, grown = _grown(lambda: around.wrap(sent, plan.request, document, partial(encode, plan.request)))
    assert content in message.envelope
    assert grown < 1.3 * len(content)
    read, grown = _grown(
        lambda: around.read(answer, None, plan.reply, Leniency(), partial(decode, plan.reply))  # type: ignore[arg-type]
    )
    assert not isinstance(read, Fault)
    assert read[field] == [text]
    assert grown < 1.1 * len(text)


def _grown(call: Callable[[], T]) -> tuple[T, int]:
    """Return what a call makes, and how much more memory than before there was at most in Python's hands."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = call()
        return made, tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


async def test_a_large_attachment_passes_both_ways(adapt: Adapt, agency: JsonAgency) -> None:
    large = bytes(range(256)) * 25_000
    agency.behave = saying(related(simpan(include("c")), ("c", large)), RELATED)
    answer = await adapt(attachments="mtom").exchange(a_save(isi=[b64encode(large).decode()]))
    assert answer.document is not None
    assert b64decode(answer.document["isi"][0]) == large
    assert content(opened(agency.asked[0])[1][0]) == large


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
