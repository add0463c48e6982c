"""Whatever is done to an answer on its way: what is read is what was signed, and anything else is a typed error."""

from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.http import HttpAnswer
from adapters.soap import multipart
from adapters.soap.parts import Attached
from adapters.soap.security import Secured, secured
from adapters.soap.settings import Security, Verify
from adapters.soap.wrap import Part, Received
from adapters.soap.wrapping import Wrapping
from gateway import InvalidAnswer
from tests.authority import Authority
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.soap.opening import parse
from tests.unit.adapters.soap.stamp import SOAP, TIMESTAMP, Stamp, canonical, envelope
from tests.unit.adapters.soap.wrapped import RELATED, include, related, simpan

contents = st.binary(max_size=60)
WORDS = b"b ts #b wsu:Id Id s:Body s:Header ds: <s:Body> </s:Body> <x> </x> &#66; &amp; 1 xmlns:wsu sha1 --batas cid:c"
pieces = st.sampled_from([*WORDS.split(), b"<!-- x -->", b" ", b"", b"\r\n", b"\xff"])


@st.composite
def changed(draw: st.DrawFn, content: bytes) -> bytes:
    """Replace, repeat and move pieces of a text."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = min(len(content), start + draw(st.integers(0, 40)))
        other = draw(st.integers(0, len(content)))
        piece = draw(st.one_of(pieces, st.just(content[start:end] * 2), st.just(content[other : other + 200])))
        content = content[:start] + piece + content[end:]
    return content


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNED = Stamp(key=KEY).sign(envelope(timestamp=TIMESTAMP))
BODY = canonical(etree.fromstring(SIGNED)[1])
INSIDE = related(simpan(include("c") + "<t:lampiran>cid:d</t:lampiran>"), ("c", b"isi"), ("d", b"lampiran"))


@pytest.fixture(scope="module")
def step(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    certificate: Path = Authority(tmp_path_factory.mktemp("certificates")).issue("sipolan", key=KEY)
    return secured(Security(verify=Verify(certificate=certificate)), HandClock(), "sipolan.wsdl")


@given(content=changed(SIGNED))
def test_what_is_left_of_a_signed_answer_is_the_body_that_was_signed(step: Secured, content: bytes) -> None:
    try:
        received = step.incoming(Received(root=parse(content), content=content, asked="1"))
    except InvalidAnswer:
        return
    (body,) = received.root
    assert canonical(body) == BODY
    assert received.root.tag == f"{{{SOAP}}}Envelope"


@given(content=changed(INSIDE), media_type=st.one_of(st.just(RELATED.encode()), changed(RELATED.encode())))
def test_a_spoilt_multipart_answer_is_read_or_is_a_typed_error(content: bytes, media_type: bytes) -> None:
    headers = {"Content-Type": media_type.decode("utf-8", "surrogateescape")}
    answer = HttpAnswer(status=200, headers=headers, body=content)
    wrapping = Wrapping(steps=(), attached=Attached(kind="mtom"))
    try:
        envelope, _ = wrapping.unwrap(answer, "1", parse)
    except InvalidAnswer as error:
        assert error.maybe_done
    else:
        assert parse(envelope).tag is not None


@given(root=contents, others=st.lists(contents, max_size=4))
def test_what_is_written_as_multipart_is_read_again(root: bytes, others: list[bytes]) -> None:
    parts = [Part(id=f"{number}@x", content=content) for number, content in enumerate(others)]
    first = Part(id="root", content=root, media_type="text/xml")

    found = multipart.read('multipart/related; boundary="b-1"; start="<root>"', multipart.write(first, parts, "b-1"))

    assert (found.root.id, found.root.content) == ("root", root)
    assert [(part.id, part.content) for part in found.others.values()] == [(part.id, part.content) for part in parts]


@given(values=st.lists(contents, max_size=4))
def test_attachments_come_out_as_they_went_in(values: list[bytes]) -> None:
    texts = "".join(f"<t:isi>{b64encode(value).decode()}</t:isi>" for value in values)
    included = "".join(include(str(number)) for number in range(len(values)))
    body = related(simpan(included), *((str(number), value) for number, value in enumerate(values)))
    answer = HttpAnswer(status=200, headers={"Content-Type": RELATED}, body=body)

    content, left = Wrapping(steps=(), attached=Attached(kind="mtom")).unwrap(answer, "1", parse)

    assert left == ()
    assert canonical(etree.fromstring(content)) == canonical(etree.fromstring(simpan(texts).encode()))
