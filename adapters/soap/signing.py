"""Our signature over an envelope's Body, Timestamp and chosen header blocks; needs xmlsec."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import replace

import xmlsec
from lxml import etree

from adapters.soap.settings import Sign
from adapters.soap.trusted import Shown, certificates, read, shown, unusable
from adapters.soap.wrap import Sent, inlined, written
from adapters.soap.wss import BASE64, DS, EXCLUSIVE, HASHES, ID, SIGNATURES, THUMBPRINT, WSSE, WSSE_URI, WSU_URI, X509V3

_NAMESPACE = DS.strip("{}")
_VALUES = (f"{DS}SignedInfo/{DS}Reference/{DS}DigestValue", f"{DS}SignatureValue")


class Signer:
    """Signs with one key; making one reads its files."""

    __slots__ = ("_algorithms", "_headers", "_key", "_key_info", "_token")

    def __init__(self, settings: Sign) -> None:
        certificate = certificates(settings.certificate)[0]
        try:
            said = shown(certificate)
        except ValueError as error:
            raise unusable(settings.certificate, str(error), "give one with an RSA or EC key") from error
        self._key = _key(settings)
        self._headers = frozenset(settings.headers)
        self._algorithms = (SIGNATURES[said.key, settings.hash], HASHES[settings.hash])
        self._token = _token(said) if settings.show == "token" else ""
        self._key_info = _key_info(said, settings.show)

    def sign(self, sent: Sent, before: str, after: str) -> Sent:
        """Return the message with a Security block, `before` and `after` around what the signature adds, signed."""
        bare = _parsed(_declaring(sent.with_block(f"{before}{self._token}{after}").envelope))
        signed = list(_marked(bare, self._headers))
        _security(bare).append(_parsed(self._template(signed).encode()))
        # What is signed has attachments in their places; what is sent has not.
        whole = _parsed(inlined(etree.tostring(bare), sent.parts)) if sent.parts else bare
        context = xmlsec.SignatureContext()
        context.key = self._key
        for element in whole.iter():
            if element.get(ID) in signed:
                context.register_id(element, "Id", WSU_URI)
        context.sign(_signature(whole))
        for path in _VALUES if sent.parts else ():
            for empty, filled in zip(_signature(bare).iterfind(path), _signature(whole).iterfind(path), strict=True):
                empty.text = filled.text
        return replace(sent, envelope=etree.tostring(bare, encoding="utf-8", xml_declaration=True))

    def _template(self, signed: Sequence[str]) -> str:
        signature, digest = self._algorithms
        references = "".join(
            f'<ds:Reference URI="#{identity}"><ds:Transforms><ds:Transform Algorithm="{EXCLUSIVE}"/></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference>'
            for identity in signed
        )
        return (
            f'<ds:Signature xmlns:ds="{_NAMESPACE}"><ds:SignedInfo>'
            f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/><ds:SignatureMethod Algorithm="{signature}"/>'
            f"{references}</ds:SignedInfo><ds:SignatureValue/>{self._key_info}</ds:Signature>"
        )


def _key(settings: Sign) -> xmlsec.Key:
    file = settings.key or settings.certificate
    try:
        # Without a password here, OpenSSL would ask for one on the terminal.
        return xmlsec.Key.from_memory(read(file), xmlsec.constants.KeyDataFormatPem, password="")
    except xmlsec.Error as error:
        raise unusable(file, "holds no key that can be used", "give a PEM file without a password") from error


def _token(said: Shown) -> str:
    return (
        f'<wsse:BinarySecurityToken wsu:Id="certificate" ValueType="{X509V3}" EncodingType="{BASE64}">'
        f"{base64.b64encode(said.der).decode()}</wsse:BinarySecurityToken>"
    )


def _key_info(said: Shown, show: str) -> str:
    """Return where the certificate is found (X.509 Token Profile 1.1 section 3.2)."""
    match show:
        case "token":
            found = f'<wsse:Reference URI="#certificate" ValueType="{X509V3}"/>'
        case "issuer":
            found = (
                "<ds:X509Data><ds:X509IssuerSerial>"
                f"<ds:X509IssuerName>{written(said.issuer)}</ds:X509IssuerName>"
                f"<ds:X509SerialNumber>{said.serial}</ds:X509SerialNumber>"
                "</ds:X509IssuerSerial></ds:X509Data>"
            )
        case _:
            print_ = base64.b64encode(said.thumbprint).decode()
            found = (
                f'<wsse:KeyIdentifier ValueType="{THUMBPRINT}" EncodingType="{BASE64}">{print_}</wsse:KeyIdentifier>'
            )
    reference = f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE_URI}">{found}</wsse:SecurityTokenReference>'
    return f"<ds:KeyInfo>{reference}</ds:KeyInfo>"


def _marked(envelope: etree._Element, headers: frozenset[str]) -> Iterator[str]:
    """Give everything that is to be signed an id, and yield them."""
    security = _security(envelope)
    body = envelope[-1]
    chosen = [block for block in envelope[0] if etree.QName(block).localname in headers]
    inside = [token for token in security if etree.QName(token).localname in {"Timestamp", *headers}]
    for number, element in enumerate((body, *inside, *chosen)):
        if element.get(ID) is None:
            element.set(ID, "body" if element is body else f"signed-{number}")
        yield str(element.get(ID))


def _declaring(envelope: bytes) -> bytes:
    """Let ids have the prefix that everybody gives them."""
    return envelope.replace(b"<soap:Envelope", f'<soap:Envelope xmlns:wsu="{WSU_URI}"'.encode(), 1)


def _parsed(content: bytes) -> etree._Element:
    """Parse what was written here; attachments may be larger than what is read of a stranger."""
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _security(envelope: etree._Element) -> etree._Element:
    found = envelope[0].find(f"{WSSE}Security")
    assert found is not None  # noqa: S101 -- it was written a moment ago
    return found


def _signature(envelope: etree._Element) -> etree._Element:
    found = _security(envelope).find(f"{DS}Signature")
    assert found is not None  # noqa: S101 -- as above
    return found
