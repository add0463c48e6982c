"""Of a signed answer nothing but what is signed is ever used; each way around that ends in a typed error."""

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from adapters.soap.settings import Verify
from adapters.soap.wss import BASE64
from tests.unit.adapters.soap.costs import cheap
from tests.unit.adapters.soap.opening import opened, refused
from tests.unit.adapters.soap.stamp import (
    BODY,
    HMAC_SHA256,
    PLAIN,
    RSA_SHA1,
    SHA1,
    SOAP,
    TIMESTAMP,
    Stamp,
    der_of,
    envelope,
)

FORGED = BODY.replace("<m:nomor>1", "<m:nomor>666")
FAULT = "<s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>Tutup</faultstring></s:Fault></s:Body>"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


def test_a_signed_answer_leaves_its_body_and_nothing_that_is_not_signed(stamp: Stamp, certificate: Path) -> None:
    content = stamp.sign(envelope(before='<x:ours xmlns:x="urn:x">tidak ditandatangani</x:ours>'))

    left = etree.fromstring(opened(content, Verify(certificate=certificate)))

    assert [child.tag for child in left] == [f"{{{SOAP}}}Body"]
    assert b"<m:nomor>1</m:nomor>" in etree.tostring(left)


def test_a_comment_within_what_is_signed_hides_no_text(stamp: Stamp, certificate: Path) -> None:
    content = stamp.sign(envelope()).replace(b"<m:nomor>1<", b"<m:nomor>1<!-- 2 --><")

    assert b"<m:nomor>1</m:nomor>" in opened(content, Verify(certificate=certificate))


def test_what_was_changed_on_its_way_is_refused(stamp: Stamp, certificate: Path) -> None:
    content = stamp.sign(envelope()).replace(b"<m:nomor>1<", b"<m:nomor>2<")
    assert "does not hold" in refused(content, Verify(certificate=certificate))


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (FORGED.replace('wsu:Id="b"', 'wsu:Id="lain"'), "is not over the Body that would be used"),
        (FORGED.replace(' wsu:Id="b"', ""), "is not over the Body that would be used"),
        (FORGED, "refers to no element, or not to exactly one"),
        (FORGED.replace("wsu:Id", "Id"), "refers to no element, or not to exactly one"),
        (FORGED.replace("wsu:Id", "xml:id"), "refers to no element, or not to exactly one"),
        (FORGED.replace(' wsu:Id="b"', "").replace("<m:nomor>", '<m:nomor ID="b">'), "not to exactly one"),
    ],
)
def test_a_signed_body_that_was_moved_under_a_header_is_not_the_body(
    stamp: Stamp, certificate: Path, forged: str, why: str
) -> None:
    signed = stamp.sign(envelope()).decode()
    wrapped = signed.replace(BODY, forged).replace("<s:Header>", f'<s:Header><x:w xmlns:x="urn:x">{BODY}</x:w>')
    assert why in refused(wrapped, Verify(certificate=certificate))
    assert cheap(lambda: opened(wrapped.encode(), Verify(certificate=certificate)))


def test_a_signed_body_inside_the_forged_one_is_not_the_body(stamp: Stamp, certificate: Path) -> None:
    signed = stamp.sign(envelope()).decode()
    wrapped = signed.replace(BODY, f"<s:Body>{BODY}<m:ok xmlns:m='urn:m'><m:nomor>666</m:nomor></m:ok></s:Body>")
    assert "is not over the Body that would be used" in refused(wrapped, Verify(certificate=certificate))


@pytest.mark.parametrize("place", ["before", "after"])
def test_a_second_body_is_refused(stamp: Stamp, certificate: Path, place: str) -> None:
    forged = FORGED.replace('wsu:Id="b"', 'wsu:Id="lain"')
    both = forged + BODY if place == "before" else BODY + forged
    signed = stamp.sign(envelope()).decode().replace(BODY, both)
    assert "exactly one Body" in refused(signed, Verify(certificate=certificate))


def test_a_signed_timestamp_elsewhere_is_not_the_timestamp(stamp: Stamp, certificate: Path) -> None:
    signed = stamp.sign(envelope()).decode()
    fresh = TIMESTAMP.replace('wsu:Id="ts"', 'wsu:Id="lain"').replace("09:0", "19:0")
    wrapped = signed.replace(TIMESTAMP, fresh).replace(
        "<s:Header>", f'<s:Header><x:w xmlns:x="urn:x">{TIMESTAMP}</x:w>'
    )
    assert "is not over the Timestamp" in refused(wrapped, Verify(certificate=certificate))


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("", "refers to no element"),
        ("#", "refers to no element"),
        ("b", "refers to no element"),
        ("#xpointer(/)", "refers to no element"),
        ("#xpointer(id('b'))", "refers to no element"),
        ("http://127.0.0.1:9/b", "refers to no element"),
        ("file:///etc/hostname", "refers to no element"),
    ],
)
def test_a_reference_to_anything_but_one_element_of_this_answer_is_refused(
    stamp: Stamp, certificate: Path, uri: str, why: str
) -> None:
    assert why in refused(replace(stamp, uris={"b": uri}).sign(envelope()), Verify(certificate=certificate))


@pytest.mark.parametrize(
    "transforms",
    [
        "",
        PLAIN + PLAIN,
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>false()</ds:XPath></ds:Transform>',
        '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>',
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>',
        '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>',
        '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"/>',
        f'<ds:Transform Algorithm="{INCLUSIVE}#WithComments"/>',
        f'<ds:Transform Algorithm="{BASE64.replace("#Base64Binary", "#STR-Transform")}"/>',
        PLAIN.replace("/>", "><ds:XPath>1</ds:XPath></ds:Transform>"),
    ],
)
def test_a_transform_that_chooses_what_is_signed_is_refused(stamp: Stamp, certificate: Path, transforms: str) -> None:
    content = replace(stamp, transforms=transforms).sign(envelope())
    assert "in a way that is not let in" in refused(content, Verify(certificate=certificate))


def test_a_canonical_form_with_comments_is_refused(stamp: Stamp, certificate: Path) -> None:
    content = replace(stamp, canonical=f"{INCLUSIVE}#WithComments").sign(envelope())
    assert "canonicalized in a way that is not let in" in refused(content, Verify(certificate=certificate))


@pytest.mark.parametrize(("method", "digest"), [(RSA_SHA1, SHA1), (RSA_SHA1, None), (None, SHA1)])
def test_sha_1_is_refused_unless_it_is_let_in(
    stamp: Stamp, certificate: Path, method: str | None, digest: str | None
) -> None:
    weak = replace(stamp, method=method or stamp.method, digest=digest or stamp.digest)
    content = weak.sign(envelope())

    assert "SHA-1; `sha1` lets it in" in refused(content, Verify(certificate=certificate))
    assert b"nomor" in opened(content, Verify(certificate=certificate, sha1=True))


def test_an_hmac_with_our_copy_of_the_certificate_is_refused(stamp: Stamp, certificate: Path) -> None:
    public = der_of(certificate)
    for secret in (public, b64encode(public), certificate.read_bytes()):
        content = replace(stamp, method=HMAC_SHA256, secret=secret).sign(envelope())
        assert "made in a way that is not let in" in refused(content, Verify(certificate=certificate, sha1=True))


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<ds:Object/>", "is built in an unusual way"),
        ('<ds:Object><ds:Manifest Id="m"/></ds:Object>', "is built in an unusual way"),
    ],
)
def test_a_signature_with_something_inside_is_refused(stamp: Stamp, certificate: Path, inside: str, why: str) -> None:
    assert why in refused(replace(stamp, inside=inside).sign(envelope()), Verify(certificate=certificate))


def test_a_signature_over_nothing_or_over_too_much_is_refused(stamp: Stamp, certificate: Path) -> None:
    for ids in ((), ("b",) * 21):
        assert "is over nothing, or over more" in refused(stamp.sign(envelope(), ids), Verify(certificate=certificate))


def test_two_signatures_and_two_security_headers_are_refused(stamp: Stamp, certificate: Path) -> None:
    signed = stamp.sign(envelope()).decode()
    signature = signed[signed.index("<ds:Signature ") : signed.index("</wsse:Security>")]
    twice = signed.replace(signature, signature * 2)
    assert "exactly one Signature" in refused(twice, Verify(certificate=certificate))
    block = f"<wsse:Security>{signature}</wsse:Security>"
    assert "several Security" in refused(
        signed.replace("<s:Header>", f"<s:Header>{block}"), Verify(certificate=certificate)
    )


def test_a_security_header_for_somebody_else_is_left_alone(stamp: Stamp, certificate: Path) -> None:
    other = '<wsse:Security s:actor="urn:lain"><x:y xmlns:x="urn:x"/></wsse:Security>'
    content = stamp.sign(envelope(before=other))
    assert b"nomor" in opened(content, Verify(certificate=certificate))


@pytest.mark.parametrize("ids", [("ts",), ("b",)])
def test_body_and_timestamp_must_both_be_signed(stamp: Stamp, certificate: Path, ids: tuple[str, ...]) -> None:
    assert "is not over the" in refused(stamp.sign(envelope(), ids), Verify(certificate=certificate))


def test_a_timestamp_may_be_missing_where_the_section_says_so(stamp: Stamp, certificate: Path) -> None:
    content = stamp.sign(envelope(timestamp=""), ("b",))
    assert "exactly one Timestamp" in refused(content, Verify(certificate=certificate))
    assert b"nomor" in opened(content, Verify(certificate=certificate, timestamp=False))


def test_an_answer_without_a_signature_is_refused(certificate: Path) -> None:
    for content in (envelope(signature=""), f'<s:Envelope xmlns:s="{SOAP}"><s:Body/></s:Envelope>'):
        assert "is not signed" in refused(content, Verify(certificate=certificate))


def test_the_corpus_answer_with_one_id_twice_is_refused(certificate: Path, corpus: Path) -> None:
    content = (corpus / "xml-attacks" / "39-duplicate-id-wrapping.xml").read_bytes()
    assert "is not signed" in refused(content, Verify(certificate=certificate))


def test_a_fault_without_a_signature_is_told_and_taken_only_where_the_section_says_so(certificate: Path) -> None:
    content = f'<s:Envelope xmlns:s="{SOAP}">{FAULT}</s:Envelope>'

    said = refused(content, Verify(certificate=certificate))

    assert "a fault that is not signed" in said
    assert "s:Server Tutup" in said
    assert b"Tutup" in opened(content.encode(), Verify(certificate=certificate, unsigned_faults=True))


def test_a_body_that_is_no_fault_gains_nothing_from_unsigned_faults(certificate: Path) -> None:
    for body in ('<m:Fault xmlns:m="urn:m"/>', '<m:ok xmlns:m="urn:m"/><s:Fault/>', ""):
        content = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{body}</s:Body></s:Envelope>'
        assert "is not signed" in refused(content, Verify(certificate=certificate, unsigned_faults=True))


def test_chosen_headers_must_be_there_once_and_be_signed(stamp: Stamp, certificate: Path) -> None:
    relates = '<a:RelatesTo xmlns:a="urn:a" wsu:Id="r">1</a:RelatesTo>'
    verify = Verify(certificate=certificate, headers=("RelatesTo",))

    assert b"nomor" in opened(stamp.sign(envelope(before=relates), ("b", "ts", "r")), verify)
    assert "is not over the RelatesTo" in refused(stamp.sign(envelope(before=relates)), verify)
    assert "exactly one RelatesTo" in refused(stamp.sign(envelope()), verify)
    twice = relates + relates.replace('"r"', '"r2"')
    assert "exactly one RelatesTo" in refused(stamp.sign(envelope(before=twice), ("b", "ts", "r")), verify)


@pytest.mark.parametrize("what", ['a{}="1"', 'xmlns:a{}="urn:{}"'])
def test_what_would_take_quadratic_time_to_verify_is_refused_first(stamp: Stamp, certificate: Path, what: str) -> None:
    many = " ".join(what.format(number, number) for number in range(1_900))
    content = stamp.sign(envelope()).replace(b"<m:nomor>", f"<m:nomor {many}>".encode())
    assert "too many attributes or namespaces" in refused(content, Verify(certificate=certificate))
    assert cheap(lambda: opened(content, Verify(certificate=certificate)))


@pytest.mark.parametrize("settings", [{}, {"certificate": "a", "ca": "b"}, {"certificate": "a", "subject": "x"}])
def test_whose_signature_counts_must_be_said_once(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"certificate"):
        Verify.model_validate(settings)
