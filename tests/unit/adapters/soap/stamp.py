"""An agency's signatures, good and bad, without xmlsec: digests of lxml's canonical form, RSA by cryptography."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from adapters.soap.wss import BASE64, EXCLUSIVE, ID, WSSE_URI, WSU_URI, X509V3

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA1 = f"{DS}rsa-sha1"
HMAC_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA1 = f"{DS}sha1"
HOLE = "<signature/>"
PLAIN = f'<ds:Transform Algorithm="{EXCLUSIVE}"/>'
TIMESTAMP = (
    '<wsu:Timestamp wsu:Id="ts"><wsu:Created>2026-03-02T09:00:00Z</wsu:Created>'
    "<wsu:Expires>2026-03-02T09:05:00Z</wsu:Expires></wsu:Timestamp>"
)
BODY = '<s:Body wsu:Id="b"><m:ok xmlns:m="urn:m"><m:nomor>1</m:nomor></m:ok></s:Body>'
NAMESPACES = f'xmlns:s="{SOAP}" xmlns:wsse="{WSSE_URI}" xmlns:wsu="{WSU_URI}" xmlns:ds="{DS}"'


def envelope(
    *, body: str = BODY, timestamp: str = TIMESTAMP, token: str = "", signature: str = HOLE, before: str = ""
) -> str:
    security = f"<wsse:Security>{timestamp}{token}{signature}</wsse:Security>"
    return f"<s:Envelope {NAMESPACES}><s:Header>{before}{security}</s:Header>{body}</s:Envelope>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Signs what stands in an envelope under the ids, as odd as a test wants it."""

    key: rsa.RSAPrivateKey
    method: str = RSA_SHA256
    digest: str = SHA256
    canonical: str = EXCLUSIVE
    transforms: str = PLAIN
    key_info: str = ""
    inside: str = ""
    secret: bytes = b""
    uris: dict[str, str] = field(default_factory=dict)

    def sign(self, text: str, ids: Sequence[str] = ("b", "ts")) -> bytes:
        root = etree.fromstring(text.replace(HOLE, ""))
        references = "".join(self._reference(root, identity) for identity in ids)
        info = (
            f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{self.canonical}"/>'
            f'<ds:SignatureMethod Algorithm="{self.method}"/>{references}</ds:SignedInfo>'
        )
        value = b64encode(self._signed(canonical(etree.fromstring(info)))).decode()
        signature = (
            f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>{value}</ds:SignatureValue>'
            f"{self.key_info}{self.inside}</ds:Signature>"
        )
        return text.replace(HOLE, signature).encode()

    def _reference(self, root: etree._Element, identity: str) -> str:
        found = next((one for one in root.iter(etree.Element) if one.get(ID) == identity), root)
        name = "sha1" if self.digest == SHA1 else "sha256"
        value = b64encode(hashlib.new(name, canonical(found)).digest()).decode()
        return (
            f'<ds:Reference URI="{self.uris.get(identity, f"#{identity}")}">'
            f"<ds:Transforms>{self.transforms}</ds:Transforms>"
            f'<ds:DigestMethod Algorithm="{self.digest}"/><ds:DigestValue>{value}</ds:DigestValue></ds:Reference>'
        )

    def _signed(self, content: bytes) -> bytes:
        if self.secret:
            mac = hmac.HMAC(self.secret, hashes.SHA256())
            mac.update(content)
            return mac.finalize()
        return self.key.sign(content, padding.PKCS1v15(), hashes.SHA1() if self.method == RSA_SHA1 else hashes.SHA256())


def canonical(element: etree._Element) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False, with_tail=False)


def der_of(pem: Path) -> bytes:
    return x509.load_pem_x509_certificates(pem.read_bytes())[0].public_bytes(Encoding.DER)


def token(der: bytes) -> str:
    return (
        f'<wsse:BinarySecurityToken wsu:Id="x" ValueType="{X509V3}" EncodingType="{BASE64}">'
        f"{b64encode(der).decode()}</wsse:BinarySecurityToken>"
    )


TOKEN_NAMED = (
    "<ds:KeyInfo><wsse:SecurityTokenReference>"
    f'<wsse:Reference URI="#x" ValueType="{X509V3}"/></wsse:SecurityTokenReference></ds:KeyInfo>'
)
