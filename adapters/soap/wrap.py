"""What goes around an envelope on its way out and comes off on its way in; the steps' contract, and none of them."""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from html import escape
from typing import Protocol, Self

from lxml import etree

from adapters.soap.plan import ENVELOPE, OCTETS, Soap
from gateway import InvalidAnswer

_BODY = b"<soap:Body>"
_HEADER = b"<soap:Header>"


Parse = Callable[[bytes], etree._Element]  # noqa: SLF001 -- so lxml calls them
"""Returns the root of an answer's envelope; raises InvalidAnswer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One attachment: its Content-ID, and the text that stands for it in an envelope that has no place for it yet.

    Its content is `base64` where it is to be sent, since it came so: files are large, and no copy of them is made
    before it is needed.
    """

    id: str
    content: bytes | memoryview = field(default=b"", repr=False)
    base64: str = field(default="", repr=False)
    media_type: str = OCTETS
    mark: str = ""

    def octets(self) -> Iterator[bytes | memoryview]:
        """Yield the content piece by piece."""
        if not self.base64:
            yield self.content
        for at in range(0, len(self.base64), _PIECE):
            yield a2b_base64(self.base64[at : at + _PIECE])

    def text(self) -> str:
        """Return the content as base64."""
        text = self.base64
        for at in range(0, len(self.content), _PIECE_OF_OCTETS):
            # CPython lengthens a text in place that nobody else has.
            text += b2a_base64(self.content[at : at + _PIECE_OF_OCTETS], newline=False).decode()
        return text


_PIECE_OF_OCTETS = 3 * 2**16
_PIECE = 4 * 2**16


def is_base64(text: str) -> bool:
    """Tell whether a text without blanks is base64."""
    try:
        pieces = (text[at : at + _PIECE] for at in range(0, len(text), _PIECE))
        ends = [len(a2b_base64(piece, strict_mode=True)) % 3 for piece in pieces]
    except ValueError:
        return False
    return not any(ends[:-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message before it is sent: what it asks for, whereto, which one it is, and its content so far."""

    soap: Soap
    action: str
    address: str
    message_id: str
    media_type: str
    envelope: bytes = field(default=b"", repr=False)
    parts: tuple[Part, ...] = field(default=(), repr=False)

    def with_block(self, block: str) -> Self:
        """Return it with one more header block, before all others."""
        before, body = self.envelope.split(_BODY, 1)
        start, header, others = before.partition(_HEADER)
        rest = others if header else b"</soap:Header>"
        return replace(self, envelope=b"".join((start, _HEADER, block.encode(), rest, _BODY, body)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer that is being opened: the envelope's root, which steps may change, and what it answers.

    `content` is the envelope as it came; `changed` says that it is the root now that counts.
    `asked` is the id of the message that was sent, None where it is not known any more: the answer was kept.
    """

    root: etree._Element
    content: bytes = field(repr=False)
    asked: str | None = None
    changed: bool = False
    parts: tuple[Part, ...] = field(default=(), repr=False)

    @property
    def header(self) -> etree._Element | None:
        """The envelope's Header, where there is one."""
        return next((child for child in self.root if child.tag == f"{{{namespace_of(self.root)}}}Header"), None)


class Step(Protocol):
    """One layer around an envelope."""

    def outgoing(self, sent: Sent, /) -> Sent:
        """Put the layer around."""
        ...

    def incoming(self, received: Received, /) -> Received:
        """Take the layer off; raises InvalidAnswer (maybe done) where it is not as it must be."""
        ...


def inlined(envelope: bytes, parts: tuple[Part, ...]) -> bytes:
    """Return an envelope with attachments in the places that are kept for them."""
    for part in parts:
        envelope = envelope.replace(part.mark.encode(), part.text().encode())
    return envelope


def namespace_of(envelope: etree._Element) -> str:
    """Return the namespace of an envelope; raises InvalidAnswer where it is none."""
    namespace = str(etree.QName(envelope).namespace)
    if namespace not in ENVELOPE.values() or etree.QName(envelope).localname != "Envelope":
        raise invalid("is no SOAP envelope")
    return namespace


def written(text: str) -> str:
    """Return a text as it is written in XML, in elements and attributes."""
    return escape(text).replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")


def fits_xml(text: str) -> bool:
    """Whether XML can hold a text: no control characters, not even escaped."""
    try:
        etree.Element("text").text = text
    except ValueError:
        return False
    return True


def invalid(what: str) -> InvalidAnswer:
    """Return why an answer can't be used."""
    return InvalidAnswer(f"the answer {what}", maybe_done=True)
