"""Of a signed answer nothing but what is signed is ever used; each way around that ends in a typed error."""

import time
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from adapters.soap.envelope import parse
from adapters.soap.security import secured
from adapters.soap.settings import Security, Verify
from adapters.soap.wrap import Received
from adapters.soap.wss import BASE64
from gateway import InvalidAnswer
from tests.authority import Authority
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.soap.stamp import (
    BODY,
    HMAC_SHA256,
    HOLE,
    PLAIN,
    RSA_SHA1,
    SHA1,
    SOAP,
    TIMESTAMP,
    TOKEN_NAMED,
    Stamp,
    der_of,
    envelope,
    token,
)

FORGED = BODY.replace("<m:nomor>1", "<m:nomor>666")
FAULT = "<s:Body><s:Fault><faultcode>s:Server</faultcode><faultstring>Tutup</faultstring></s:Fault></s:Body>"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def certificate(authority: Authority, key: rsa.RSAPrivateKey) -> Path:
    return authority.issue("sipolan", key=key, since=3000, days=3000)


@pytest.fixture(scope="module")
def stamp(key: rsa.RSAPrivateKey) -> Stamp:
    return Stamp(key=key)


class Moved(HandClock):
    def __init__(self, moment: datetime) -> None:
        super().__init__()
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def opened(content: bytes, verify: Verify, *, at: datetime | None = None, asked: str | None = "1") -> bytes:
    clock = Moved(at) if at else HandClock()
    step = secured(Security(verify=verify), clock, "sipolan.wsdl")
    received = step.incoming(Received(root=parse(content), content=content, asked=asked))
    return etree.tostring(received.root)


def refused(content: bytes | str, verify: Verify, **at: Any) -> str:
    with pytest.raises(InvalidAnswer) as caught:
        opened(content.encode() if isinstance(content, str) else content, verify, **at)
    assert caught.value.maybe_done
    return str(caught.value)


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


NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "tolerance", "why"),
    [
        (NINE - timedelta(seconds=61), "1m", "in the future"),
        (NINE - timedelta(seconds=59), "1m", ""),
        (NINE + timedelta(minutes=5, seconds=59), "1m", ""),
        (NINE + timedelta(minutes=6, seconds=1), "1m", "has expired"),
        (NINE + timedelta(minutes=9, seconds=59), "5m", ""),
        (NINE + timedelta(days=30), "5m", "has expired"),
    ],
)
def test_an_answer_must_be_in_time_by_our_clock_give_or_take(
    stamp: Stamp, certificate: Path, at: datetime, tolerance: str, why: str
) -> None:
    verify = Verify.model_validate({"certificate": certificate, "tolerance": tolerance})
    content = stamp.sign(envelope())
    if why:
        assert why in refused(content, verify, at=at)
    else:
        assert b"nomor" in opened(content, verify, at=at)


def test_a_timestamp_without_an_end_ends_after_the_tolerance(stamp: Stamp, certificate: Path) -> None:
    endless = TIMESTAMP[: TIMESTAMP.index("<wsu:Expires>")] + "</wsu:Timestamp>"
    content = stamp.sign(envelope(timestamp=endless))
    assert b"nomor" in opened(content, Verify(certificate=certificate), at=NINE + timedelta(minutes=4))
    assert "has expired" in refused(content, Verify(certificate=certificate), at=NINE + timedelta(minutes=6))


@pytest.mark.parametrize("time", ["kemarin", "2026-02-30T09:00:00Z", "2026-03-02", "", "2026-03-02T09:00:00Z<a/>"])
def test_a_timestamp_that_is_no_time_is_refused(stamp: Stamp, certificate: Path, time: str) -> None:
    content = stamp.sign(envelope(timestamp=TIMESTAMP.replace("2026-03-02T09:00:00Z", time)))
    if time.endswith("<a/>"):
        assert b"nomor" in opened(content, Verify(certificate=certificate))
    else:
        assert "whose time can't be read" in refused(content, Verify(certificate=certificate))


def test_an_answer_that_was_kept_is_not_asked_whether_it_is_in_time(stamp: Stamp, certificate: Path) -> None:
    later = NINE + timedelta(days=3)
    assert b"nomor" in opened(stamp.sign(envelope()), Verify(certificate=certificate), at=later, asked=None)


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


def test_only_the_configured_certificate_counts_whatever_an_answer_brings_along(
    authority: Authority, certificate: Path
) -> None:
    thief = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    theirs = authority.issue("maling", key=thief, since=3000, days=3000)
    content = Stamp(key=thief, key_info=TOKEN_NAMED).sign(envelope(token=token(der_of(theirs))))

    assert "does not hold" in refused(content, Verify(certificate=certificate))
    assert b"nomor" in opened(content, Verify(ca=authority.file))


def test_during_a_change_either_of_two_certificates_counts(
    tmp_path: Path, authority: Authority, certificate: Path, stamp: Stamp
) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(authority.issue("lama").read_bytes() + certificate.read_bytes())
    assert b"nomor" in opened(stamp.sign(envelope()), Verify(certificate=both))


@pytest.mark.parametrize("embedded", [True, False])
def test_an_authority_vouches_for_the_certificate_that_an_answer_brings_along(
    stamp: Stamp, authority: Authority, certificate: Path, embedded: bool
) -> None:
    der = der_of(certificate)
    inside = f"<ds:X509Data><ds:X509Certificate>{b64encode(der).decode()}</ds:X509Certificate></ds:X509Data>"
    info = f"<ds:KeyInfo>{inside}</ds:KeyInfo>" if embedded else TOKEN_NAMED
    content = replace(stamp, key_info=info).sign(envelope(token="" if embedded else token(der)))

    assert b"nomor" in opened(content, Verify(ca=authority.file))
    assert b"nomor" in opened(content, Verify(ca=authority.file, subject="sipolan"))
    assert "is not for `subject`" in refused(content, Verify(ca=authority.file, subject="simpeg"))


def test_a_certificate_of_nobody_we_know_is_refused(tmp_path: Path, authority: Authority) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    theirs = Authority(tmp_path, "Otoritas Lain").issue("sipolan", key=key, since=3000, days=3000)
    content = Stamp(key=key, key_info=TOKEN_NAMED).sign(envelope(token=token(der_of(theirs))))
    assert "was not issued by `ca`" in refused(content, Verify(ca=authority.file))


def test_a_certificate_that_has_ended_is_refused_where_an_authority_vouches(
    stamp: Stamp, authority: Authority, certificate: Path
) -> None:
    content = replace(stamp, key_info=TOKEN_NAMED).sign(envelope(token=token(der_of(certificate))))
    late = datetime(2050, 1, 1, tzinfo=UTC)
    assert "is not valid now" in refused(content, Verify(ca=authority.file), at=late)


@pytest.mark.parametrize(
    ("key_info", "tokens", "why"),
    [
        ("", "", "brings no certificate along"),
        (TOKEN_NAMED, "", "names a certificate that is not there"),
        (TOKEN_NAMED.replace("#x", "#b"), "", "names a certificate that is not there"),
        (TOKEN_NAMED, token(b"bukan sertifikat"), "can't be read"),
        (TOKEN_NAMED, token(b"").replace("></wsse:B", ">%%%</wsse:B"), "can't be read"),
    ],
)
def test_an_authority_needs_a_certificate_to_vouch_for(
    stamp: Stamp, authority: Authority, key_info: str, tokens: str, why: str
) -> None:
    content = replace(stamp, key_info=key_info).sign(envelope(token=tokens))
    assert why in refused(content, Verify(ca=authority.file))


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
    many = " ".join(what.format(number, number) for number in range(20_000))
    content = stamp.sign(envelope()).replace(b"<m:nomor>", f"<m:nomor {many}>".encode())
    started = time.process_time()
    assert "too many attributes or namespaces" in refused(content, Verify(certificate=certificate))
    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("settings", [{}, {"certificate": "a", "ca": "b"}, {"certificate": "a", "subject": "x"}])
def test_whose_signature_counts_must_be_said_once(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"certificate"):
        Verify.model_validate(settings)


def test_the_hole_is_filled(stamp: Stamp) -> None:
    assert HOLE.encode() not in stamp.sign(envelope())
