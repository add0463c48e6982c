"""What a small archive says, with and without attachments, and what it is asked."""

import email.policy
from base64 import b64encode
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage

from lxml import etree

from adapters.soap.adapter import SoapAdapter
from gateway import Call
from tests.contract.calls import a_call
from tests.unit.adapters.json_agency import Asked, Said

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
WSA = "http://www.w3.org/2005/08/addressing"
XOP = "http://www.w3.org/2004/08/xop/include"
PDF = b"%PDF-1.7\r\n\x00\xff--batas\r\n" * 3
PDF64 = b64encode(PDF).decode()
Adapt = Callable[..., SoapAdapter]


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


def saying(body: bytes, media_type: str = "text/xml", status: int = 200) -> Callable[[Asked], Awaitable[Said]]:
    async def behave(_: Asked) -> Said:
        return Said(body, status, (("Content-Type", media_type),))

    return behave


def a_save(**document: object) -> Call:
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
