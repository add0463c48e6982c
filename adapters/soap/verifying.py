"""The agency's signature: it must hold, by a certificate that counts, over the very Body that is used; needs xmlsec.

A signature says that something is signed, not that it is what will be read. So what must be signed is taken from its
place in the envelope, never looked up by name, and a reference must lead to it and to nothing else.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import xmlsec
from lxml import etree

from adapters.soap.reference import Allowed, by_id, referred, refused
from adapters.soap.settings import Verify
from adapters.soap.trusted import Authorities, Untrusted, certificates, der, unusable
from adapters.soap.wrap import Received, invalid, namespace_of
from adapters.soap.wss import DS, WSSE, WSU, WSU_URI, X509V3
from gateway import mask_text

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_TOKEN = f"{DS}KeyInfo/{WSSE}SecurityTokenReference/{WSSE}Reference"
_EMBEDDED = (
    f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate",
    f"{DS}KeyInfo/{WSSE}SecurityTokenReference/{DS}X509Data/{DS}X509Certificate",
)
_MOST_CERTIFICATES = 5


class Verifier:
    """Verifies by what was configured; making one reads its files."""

    __slots__ = ("_allowed", "_authorities", "_keys", "_settings")

    def __init__(self, settings: Verify) -> None:
        self._settings = settings
        self._allowed = Allowed.beside(sha1=settings.sha1)
        self._keys = _keys(settings.certificate) if settings.certificate else ()
        self._authorities = (
            Authorities(roots=certificates(settings.ca), subject=settings.subject) if settings.ca else None
        )

    def verify(self, received: Received, now: datetime) -> None:
        """Raise InvalidAnswer unless the Body, the Timestamp and the chosen headers are signed, and in time.

        An answer that was kept is not asked whether it is in time.
        """
        header, body = _parts(received.root)
        security = None if header is None else _security(header)
        if header is None or security is None or security.find(f"{DS}Signature") is None:
            self._unsigned(body)
            return
        signature = _only(security, f"{DS}Signature")
        signed = referred(signature, received.root, self._allowed)
        self._covers(signed, header, body, security)
        _holds(signature, signed, self._candidates(signature, security, received.root, now))
        if self._settings.timestamp and received.asked is not None:
            _in_time(_only(security, f"{WSU}Timestamp"), now, timedelta(seconds=self._settings.tolerance))

    def _unsigned(self, body: etree._Element) -> None:
        # What is read as a fault, and nothing that only bears its name.
        if not len(body) or body[0].tag != f"{{{etree.QName(body).namespace}}}Fault":
            raise invalid("is not signed")
        if not self._settings.unsigned_faults:
            said = " ".join(" ".join(map(str, body[0].itertext())).split())
            raise invalid(f"is a fault that is not signed (`unsigned_faults` takes it): {mask_text(said[:200])}")

    def _covers(
        self, signed: Sequence[etree._Element], header: etree._Element, body: etree._Element, security: etree._Element
    ) -> None:
        needed = [body, *([_only(security, f"{WSU}Timestamp")] if self._settings.timestamp else [])]
        needed += [_named(name, header, security) for name in self._settings.headers]
        for element in needed:
            if not any(element is found for found in signed):
                raise refused(f"is not over the {etree.QName(element).localname} that would be used")

    def _candidates(
        self, signature: etree._Element, security: etree._Element, root: etree._Element, now: datetime
    ) -> Sequence[xmlsec.Key]:
        """Return the keys of which one must have signed; what an answer brings counts by an authority only."""
        if self._authorities is None:
            return self._keys
        brought = _brought(signature, security, root)
        try:
            self._authorities.check(brought[0], brought[1:], now)
            return [xmlsec.Key.from_memory(brought[0], xmlsec.constants.KeyDataFormatCertDer)]
        except Untrusted as error:
            raise invalid(f"is signed with a certificate that {error}") from error
        except xmlsec.Error as error:
            raise invalid("is signed with a certificate whose key can't be used") from error


def _keys(file: Path) -> Sequence[xmlsec.Key]:
    try:
        return [xmlsec.Key.from_memory(der(one), xmlsec.constants.KeyDataFormatCertDer) for one in certificates(file)]
    except xmlsec.Error as error:
        raise unusable(file, "holds a certificate whose key can't be used", "give one with an RSA or EC key") from error


def _holds(signature: etree._Element, signed: Sequence[etree._Element], keys: Sequence[xmlsec.Key]) -> None:
    for key in keys:
        context = xmlsec.SignatureContext()
        context.key = key
        # These ids alone are known to it, so that its references lead where ours did.
        for element in signed:
            context.register_id(element, "Id", WSU_URI)
        try:
            context.verify(signature)
        except xmlsec.Error:
            continue
        return
    raise refused("does not hold: the answer was changed on its way, or somebody else signed it")


def _parts(root: etree._Element) -> tuple[etree._Element | None, etree._Element]:
    """Return Header and Body, which must be all there is."""
    namespace = namespace_of(root)
    header = root[0] if len(root) and root[0].tag == f"{{{namespace}}}Header" else None
    rest = list(root)[0 if header is None else 1 :]
    if [child.tag for child in rest] != [f"{{{namespace}}}Body"]:
        raise invalid("does not have exactly one Body after its Header")
    return header, rest[0]


def _security(header: etree._Element) -> etree._Element | None:
    """Return the Security block that is for us: the one without an actor."""
    actors = [f"{{{etree.QName(header).namespace}}}{name}" for name in ("actor", "role")]
    blocks = [found for found in header.iterfind(f"{WSSE}Security") if not any(map(found.get, actors))]
    if len(blocks) > 1:
        raise invalid("has several Security headers")
    return blocks[0] if blocks else None


def _only(parent: etree._Element, tag: str) -> etree._Element:
    found: list[etree._Element] = parent.findall(tag)
    if len(found) != 1:
        raise invalid(f"does not have exactly one {etree.QName(tag).localname} in its {etree.QName(parent).localname}")
    return found[0]


def _named(name: str, header: etree._Element, security: etree._Element) -> etree._Element:
    found: list[etree._Element] = [block for block in (*header, *security) if etree.QName(block).localname == name]
    if len(found) != 1:
        raise invalid(f"does not have exactly one {name} in its Header")
    return found[0]


def _brought(signature: etree._Element, security: etree._Element, root: etree._Element) -> Sequence[bytes]:
    """Return the certificate that an answer says it was signed with, and those between it and an authority."""
    texts = [str(found.text) for path in _EMBEDDED for found in signature.iterfind(path)]
    named = signature.find(_TOKEN)
    if named is not None:
        token = by_id(root).get(named.get("URI", ""))
        is_ours = token is not None and token.getparent() is security and token.tag == f"{WSSE}BinarySecurityToken"
        if token is None or not is_ours or token.get("ValueType", X509V3) != X509V3:
            raise refused("names a certificate that is not there")
        texts.insert(0, str(token.text))
    if not 0 < len(texts) <= _MOST_CERTIFICATES:
        raise refused("brings no certificate along, which `ca` needs")
    try:
        return [base64.b64decode("".join(text.split()), validate=True) for text in texts]
    except (binascii.Error, ValueError) as error:
        raise refused("brings a certificate along that can't be read") from error


def _in_time(timestamp: etree._Element, now: datetime, tolerance: timedelta) -> None:
    created = _time(_only(timestamp, f"{WSU}Created"))
    ends = [_time(found) for found in timestamp.iterfind(f"{WSU}Expires")]
    if len(ends) > 1:
        raise invalid("has a Timestamp that expires several times")
    if created > now + tolerance:
        raise invalid("was made in the future; is a clock wrong? (`tolerance` of verify)")
    if now > (ends[0] if ends else created) + tolerance:
        raise invalid("has expired; is a clock wrong? (`tolerance` of verify)")


def _time(element: etree._Element) -> datetime:
    found = _TIME.fullmatch((element.text or "").strip())
    try:
        time = datetime.fromisoformat(found[0] if found else "")
    except ValueError as error:
        raise invalid("has a Timestamp whose time can't be read") from error
    # WS-Security section 10: all times are in UTC.
    return time if time.tzinfo else time.replace(tzinfo=UTC)
