"""What goes out is what zeep makes and takes, an implementation that is not ours."""

import hashlib
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xmlsec
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree
from zeep.wsse import BinarySignature, Signature, UsernameToken
from zeep.wsse import utils as zeep_utils
from zeep.wsse.signature import verify_envelope

from adapters.soap.around import around
from adapters.soap.security import Secured, moment, password_digest, secured
from adapters.soap.settings import Security
from adapters.soap.wrap import Received, Sent
from adapters.soap.wss import DS, WSSE, WSU
from gateway import ConfigError
from tests.authority import Authority
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.soap.opening import parse

ENVELOPE = (
    b'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    b"<soap:Header><k:Kunci xmlns:k='urn:k'>1</k:Kunci></soap:Header>"
    b'<soap:Body><m:x xmlns:m="urn:m">R&amp;D &lt;soap:Body&gt;</m:x></soap:Body></soap:Envelope>'
)
SENT = Sent(soap="1.1", action="urn:x", address="http://x", message_id="1", media_type="text/xml", envelope=ENVELOPE)
NONCE = b"enam belas bytes"


def step(**settings: Any) -> Secured:
    made = secured(Security.model_validate(settings), HandClock(), "sipolan.wsdl")
    return Secured(
        settings=made.settings, clock=made.clock, signer=made.signer, verifier=made.verifier, nonce=lambda: NONCE
    )


def security(sent: Sent) -> etree._Element:
    found = etree.fromstring(sent.envelope).find(f"*/{WSSE}Security")
    assert found is not None
    return found


def text(element: etree._Element, path: str) -> str | None:
    return element.findtext(path)


@pytest.mark.parametrize("digest", [True, False])
def test_a_username_token_is_the_one_that_zeep_makes(digest: bool) -> None:
    ours = security(step(user="gate&way", password="ra<hasia", digest=digest).outgoing(SENT))

    theirs = etree.fromstring(ENVELOPE)
    created = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    known = UsernameToken(
        "gate&way", "ra<hasia", use_digest=digest, nonce=NONCE.decode(), created=created, zulu_timestamp=True
    )
    known.apply(theirs, {})
    token, expected = ours.find(f"{WSSE}UsernameToken"), theirs.find(f"*/{WSSE}Security/{WSSE}UsernameToken")
    assert token is not None
    assert expected is not None
    shown, wanted = token.find(f"{WSSE}Password"), expected.find(f"{WSSE}Password")
    assert shown is not None
    assert wanted is not None
    assert shown.attrib == wanted.attrib
    assert text(token, f"{WSSE}Username") == text(expected, f"{WSSE}Username")
    if digest:
        nonce, stamp = text(token, f"{WSSE}Nonce"), text(token, f"{WSU}Created")
        assert nonce == text(expected, f"{WSSE}Nonce") == b64encode(NONCE).decode()
        assert stamp == "2026-03-02T09:00:00.000Z"
        assert shown.text == password_digest("ra<hasia", NONCE, stamp)
        # zeep writes the seconds otherwise, so that its digest is over another text.
        assert wanted.text == password_digest("ra<hasia", NONCE, str(text(expected, f"{WSU}Created")))
    else:
        assert shown.text == wanted.text == "ra<hasia"
        assert token.find(f"{WSSE}Nonce") is None


def test_the_digest_is_sha_1_of_nonce_time_and_password() -> None:
    made = b64encode(hashlib.sha1(b"\x01\x02" + b"2026-03-02T09:00:00.000Z" + b"sandi").digest()).decode()
    assert password_digest("sandi", b"\x01\x02", "2026-03-02T09:00:00.000Z") == made


def test_no_two_messages_have_the_same_nonce() -> None:
    made = secured(Security.model_validate({"user": "a", "password": "b", "digest": True}), HandClock(), "x")
    nonces = {text(security(made.outgoing(SENT)), f"*/{WSSE}Nonce") for _ in range(20)}
    assert len(nonces) == 20
    assert all(nonce and len(b64decode(nonce)) == 16 for nonce in nonces)


def test_a_password_in_clear_may_have_nonce_and_time_too() -> None:
    token = security(step(user="a", password="b", nonce=True).outgoing(SENT))
    assert text(token, f"*/{WSSE}Nonce") == b64encode(NONCE).decode()
    assert text(token, f"*/{WSU}Created") == "2026-03-02T09:00:00.000Z"


def test_a_user_has_no_password_only_where_that_is_said() -> None:
    assert security(step(user="a", password="").outgoing(SENT)).find(f"*/{WSSE}Password") is None
    with pytest.raises(ConfigError, match="anybody could say so"):
        step(user="a")


def test_a_timestamp_says_when_it_was_made_and_when_it_ends() -> None:
    block = security(step(timestamp="5m", must_understand=False).outgoing(SENT))
    assert text(block, f"{WSU}Timestamp/{WSU}Created") == "2026-03-02T09:00:00.000Z"
    assert text(block, f"{WSU}Timestamp/{WSU}Expires") == "2026-03-02T09:05:00.000Z"
    assert dict(block.attrib) == {}


def test_other_header_blocks_and_the_body_stay_as_they_were() -> None:
    sent = step(timestamp="5m").outgoing(SENT).envelope
    assert b"<k:Kunci xmlns:k='urn:k'>1</k:Kunci></soap:Header><soap:Body>" in sent
    assert sent.endswith(ENVELOPE[ENVELOPE.index(b"<soap:Body>") :])


def test_a_message_without_a_header_gets_one() -> None:
    bare = ENVELOPE.replace(b"<soap:Header><k:Kunci xmlns:k='urn:k'>1</k:Kunci></soap:Header>", b"")
    sent = step(timestamp="5m").outgoing(Sent(**{**_fields(SENT), "envelope": bare}))
    assert [child.tag.rpartition("}")[2] for child in etree.fromstring(sent.envelope)] == ["Header", "Body"]


def test_where_only_answers_are_checked_nothing_is_sent(certificate: Path) -> None:
    assert step(verify={"certificate": certificate}).outgoing(SENT) is SENT


def _fields(sent: Sent) -> dict[str, Any]:
    return {name: getattr(sent, name) for name in sent.__slots__}


@pytest.mark.parametrize("show", ["token", "issuer", "thumbprint"])
@pytest.mark.parametrize("hash_", ["sha1", "sha256", "sha384", "sha512"])
@pytest.mark.parametrize("curve", [True, False])
def test_what_we_sign_zeep_verifies_and_so_do_we(
    authority: Authority, certificate: Path, hash_: str, show: str, curve: bool
) -> None:
    ours = authority.issue("kurva", key=ec.generate_private_key(ec.SECP256R1())) if curve else certificate
    sign = {"certificate": ours, "hash": hash_, "show": show, "headers": ["Kunci"]}
    sent = step(user="a", password="b", timestamp="5m", sign=sign).outgoing(SENT)

    verify_envelope(etree.fromstring(sent.envelope), str(ours))

    check = step(verify={"certificate": ours, "sha1": hash_ == "sha1", "headers": ["Kunci"]})
    received = check.incoming(Received(root=parse(sent.envelope), content=sent.envelope, asked="1"))
    assert b"R&amp;D &lt;soap:Body&gt;" in etree.tostring(received.root)


@pytest.mark.parametrize("kind", [Signature, BinarySignature])
def test_what_zeep_signs_we_verify(certificate: Path, kind: type[Signature]) -> None:
    signed = etree.fromstring(ENVELOPE)
    stamp = zeep_utils.WSU.Timestamp(zeep_utils.WSU.Created("2026-03-02T09:00:00Z"))
    zeep_utils.get_security_header(signed).append(stamp)
    key = str(certificate)
    kind(key, key, None, xmlsec.Transform.RSA_SHA256, xmlsec.Transform.SHA256).apply(signed, {})
    content = etree.tostring(signed)

    for settings in ({"certificate": certificate}, {"ca": certificate.parent / "Otoritas-Uji.pem"}):
        received = step(verify=settings).incoming(Received(root=parse(content), content=content, asked="1"))
        assert b"R&amp;D" in etree.tostring(received.root)


def test_zeep_is_taken_in_by_a_wrapped_answer_and_we_are_not(certificate: Path) -> None:
    sent = step(timestamp="5m", sign={"certificate": certificate}).outgoing(SENT).envelope
    start, end = sent.index(b"<soap:Body"), sent.index(b"</soap:Envelope>")
    forged = b'<soap:Body><m:x xmlns:m="urn:m">palsu</m:x></soap:Body>'
    moved = b'<w:w xmlns:w="urn:w">' + sent[start:end] + b"</w:w></soap:Header>"
    wrapped = sent[:start].replace(b"</soap:Header>", moved) + forged + sent[end:]

    verify_envelope(etree.fromstring(wrapped), str(certificate))

    with pytest.raises(Exception, match="is not over the Body"):
        step(verify={"certificate": certificate}).incoming(Received(root=parse(wrapped), content=wrapped, asked="1"))


def test_the_certificate_is_shown_as_the_section_says(certificate: Path) -> None:
    def shown(show: str) -> etree._Element:
        return security(step(sign={"certificate": certificate, "show": show}).outgoing(SENT))

    assert shown("token").find(f"{WSSE}BinarySecurityToken") is not None
    assert text(shown("issuer"), f".//{DS}X509IssuerName") == "CN=Otoritas Uji"
    assert shown("thumbprint").find(f".//{WSSE}KeyIdentifier") is not None


def test_the_username_token_is_signed_where_the_section_says_so(certificate: Path) -> None:
    sign = {"certificate": certificate, "headers": ["UsernameToken"]}
    block = security(step(user="a", password="b", sign=sign).outgoing(SENT))
    assert [one.get("URI") for one in block.iter(f"{DS}Reference")] == ["#body", "#user"]


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"digest": True, "user": "a"}, "no `password`"),
        ({"password": "x"}, "no `user`"),
        ({"nonce": True}, "no `user`"),
        ({"timestamp": "lama"}, "duration"),
        ({"sign": {"certificate": "x", "hash": "md5"}}, "sha1"),
    ],
)
def test_settings_that_do_not_fit_are_told(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Security.model_validate(settings)


def test_files_that_can_not_be_used_are_told_by_name(tmp_path: Path, certificate: Path) -> None:
    nothing, empty = tmp_path / "tidak-ada.pem", tmp_path / "kosong.pem"
    empty.write_text("bukan PEM")
    for settings, file, why in (
        ({"sign": {"certificate": nothing}}, nothing, "can't be read"),
        ({"sign": {"certificate": empty}}, empty, "holds no certificate"),
        ({"sign": {"certificate": certificate, "key": empty}}, empty, "holds no key"),
        ({"verify": {"certificate": empty}}, empty, "holds no certificate"),
        ({"verify": {"ca": nothing}}, nothing, "can't be read"),
    ):
        with pytest.raises(ConfigError, match=why) as caught:
            step(**settings)
        assert str(file) in str(caught.value)


def test_a_password_that_xml_can_not_hold_is_told_without_showing_it() -> None:
    with pytest.raises(ConfigError, match="control character") as caught:
        step(user="a", password="rahasia\x01")
    assert "rahasia" not in str(caught.value)


def test_times_are_utc_to_the_millisecond() -> None:
    at = datetime(2026, 3, 2, 16, 0, 0, 1999, tzinfo=ZoneInfo("Asia/Jakarta"))
    assert moment(at) == "2026-03-02T09:00:00.001Z"


def test_what_is_around_a_message_is_shown_without_what_is_secret() -> None:
    sent = step(user="gateway", password="rahasia", nonce=True, timestamp="5m").outgoing(SENT)

    shown = around(sent.envelope)

    assert shown["Kunci"] == "1"
    assert shown["Security"]["UsernameToken"] == {
        "Username": "gateway",
        "Password": "***",
        "Nonce": f"({len(b64encode(NONCE))} characters)",
        "Created": "2026-03-02T09:00:00.000Z",
    }
    assert shown["Security"]["Timestamp"].keys() == {"Created", "Expires"}
    assert "rahasia" not in str(shown)
