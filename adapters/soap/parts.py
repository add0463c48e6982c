"""Attachments: binary fields that travel beside the envelope (MTOM, XOP), files that it refers to (SwA, swaRef)."""

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any, Literal
from urllib.parse import quote, unquote

from lxml import etree

from adapters.http import HttpAnswer
from adapters.soap import multipart
from adapters.soap.facets import NO_FACETS
from adapters.soap.plan import MEDIA_TYPE, OCTETS, TEXT, Field, MessagePlan, Shape
from adapters.soap.wrap import Parse, Part, Received, Sent, invalid, is_base64
from gateway import Document, FieldError, TranslationError

Attachments = Literal["mtom", "swa"]
MOST_INLINE = 7_000_000
"""Bytes of an attachment that is read into the envelope: as base64 they must fit into one text of an XML document."""

SWA_REF = ("http://ws-i.org/profiles/basic/1.1/xsd", "swaRef")
_XOP = "http://www.w3.org/2004/08/xop/include"
_INCLUDE = f"{{{_XOP}}}Include"
_MARK_BYTES = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What is sent beside envelopes; whatever comes beside an answer is read.

    `signed` says that answers are: then only what was read into the envelope is covered, and nothing else may come.
    """

    kind: Attachments
    signed: bool = False

    def taken(self, plan: MessagePlan, document: Document) -> tuple[Document, tuple[Part, ...]]:
        """Return the document without its attachments, and these; raises TranslationError for what is no base64."""
        taker = _Taker(self.kind)
        top = {found.name for found in plan.attached}
        rest = {name: value for name, value in document.items() if name not in top}
        if plan.payload is not None and plan.payload.shape is not None:
            rest = taker.taken(plan.payload.shape, rest, "")
        for found in plan.attached:
            taker.declared(found, document)
        if taker.errors:
            raise TranslationError("request", taker.errors)
        return rest, tuple(taker.parts)

    def outgoing(self, sent: Sent, /) -> Sent:
        """Put the envelope and its attachments into one body."""
        if self.kind == "swa" and not sent.parts:
            return sent
        envelope, kind = sent.envelope, sent.media_type
        if self.kind == "mtom":
            for part in sent.parts:
                envelope = envelope.replace(part.mark.encode(), _include(part).encode())
            kind = f'application/xop+xml; charset=utf-8; type="{_escaped(sent.media_type)}"'
        token = token_hex(16)
        root = Part(id=f"envelope-{token}@opd-gateway", content=envelope, media_type=kind)
        related = {"type": kind.partition(";")[0], "start": f"<{root.id}>", "boundary": f"opd-{token}"}
        if self.kind == "mtom":
            related["start-info"] = sent.media_type
        said = "".join(f'; {name}="{_escaped(value)}"' for name, value in related.items())
        body = multipart.write(root, sent.parts, related["boundary"])
        return replace(sent, envelope=body, media_type=f"multipart/related{said}", parts=())

    def opened(self, answer: HttpAnswer, asked: str | None, parse: Parse, *, inline: bool) -> Received:
        """Return an answer's envelope with all that belongs into it, and the attachments that it only refers to.

        Unless they are to be `inline`, what belongs into it is represented by a mark, which `restored` looks for.
        """
        kept = "Content-Type" not in answer.headers and answer.body.lstrip().startswith(b"--")
        if answer.media_type != "multipart/related" and not kept:
            return Received(root=parse(answer.body), content=answer.body, asked=asked)
        related = multipart.read(answer.headers.get("Content-Type", ""), answer.body)
        envelope = bytes(related.root.content)
        root = parse(envelope)
        used = list(_included(root, related.others, inline=inline or self.signed))
        ids = {part.id for part in used}
        parts = tuple(part for part in related.others.values() if part.id not in ids)
        if parts and self.signed:
            raise invalid("has an attachment that no signature covers")
        marked = tuple(part for part in used if part.mark)
        return Received(root=root, content=envelope, asked=asked, changed=bool(used), parts=(*parts, *marked))

    def restored(self, plan: MessagePlan, document: Document, parts: Sequence[Part]) -> Document:
        """Return the document with the attachments that it refers to, as base64; all must be asked for.

        Raises Misplaced where a mark was not found.
        """
        giver = _Giver(
            {part.id: part for part in parts if not part.mark}, {part.mark: part for part in parts if part.mark}
        )
        if plan.payload is not None and plan.payload.shape is not None:
            document = giver.given(plan.payload.shape, document)
        document = {**document, **dict(giver.declared(plan.attached))}
        if giver.placed != sum(1 for part in parts if part.mark):
            raise Misplaced
        if giver.left:
            raise invalid("has an attachment that nothing in it refers to")
        return document


class Misplaced(Exception):
    """An attachment belongs to what is no plain binary field."""


@dataclass(slots=True)
class _Taker:
    """Takes attachments out of a document along its plan."""

    kind: Attachments
    parts: list[Part] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)

    def taken(self, shape: Shape, document: Mapping[str, Any], before: str) -> dict[str, Any]:
        """Return an object without its attachments."""
        found = {one.name: one for one in shape.fields}
        taken = {
            name: self._value(found[name], value, before + name) if name in found else value
            for name, value in document.items()
        }
        text = taken.get(TEXT)
        if isinstance(text, str) and shape.text is not None and self._travels(shape.text):
            taken[TEXT] = self._mark(text, taken.get("@contentType"), before + TEXT)
        return taken

    def declared(self, found: Field, document: Document) -> None:
        """Take what the WSDL declares to travel beside the Body (WS-I Attachments Profile 1.0 section 3.8)."""
        value = document.get(found.name)
        if value is None:
            self.errors.append(FieldError(pointer=found.name, rule="required"))
        elif (content := self._content(value, found.name)) is not None:
            identity = f"{quote(found.name)}={token_hex(16)}@opd-gateway"
            self.parts.append(Part(id=identity, base64=content, media_type=found.type))

    def _value(self, found: Field, value: object, path: str) -> object:
        if isinstance(value, list | tuple):
            return [self._value(found, item, path) for item in value]
        if found.shape is not None and isinstance(value, Mapping):
            return self.taken(found.shape, value, f"{path}.")
        if isinstance(value, str) and self._travels(found):
            return self._mark(value, None, path)
        if isinstance(value, str) and self.kind == "swa" and found.xsi == SWA_REF:
            return self._referred(value, path)
        return value

    def _travels(self, found: Field) -> bool:
        """A limited length would be counted on what stands in its place: such a field stays where it is."""
        limited = found.max_length is not None or found.min_length
        return self.kind == "mtom" and found.type == "base64Binary" and not limited

    def _mark(self, value: str, media_type: object, path: str) -> str:
        content = self._content(value, path)
        if content is None:
            return value
        mark = _fresh_mark()
        kind = OCTETS if media_type is None else str(media_type)
        if not MEDIA_TYPE.fullmatch(kind):
            self.errors.append(FieldError(pointer=path, rule="native", params={"expected": "a media type"}))
        self.parts.append(Part(id=_identity(len(self.parts)), base64=content, mark=mark, media_type=kind))
        return mark

    def _referred(self, value: str, path: str) -> str:
        content = self._content(value, path)
        part = Part(id=_identity(len(self.parts)), base64=content or "")
        self.parts.append(part)
        return _url(part)

    def _content(self, value: object, path: str) -> str | None:
        text = "".join(str(value).split())
        if is_base64(text):
            return text
        self.errors.append(FieldError(pointer=path, rule="native", params={"expected": "base64"}))
        return None


@dataclass(slots=True)
class _Giver:
    """Puts attachments back into a document along its plan; `left` are not asked for yet, `placed` counts marks."""

    known: Mapping[str, Part]
    marked: Mapping[str, Part]
    placed: int = 0
    left: dict[str, Part] = field(init=False)

    def __post_init__(self) -> None:
        self.left = dict(self.known)

    def given(self, shape: Shape, document: Document) -> dict[str, Any]:
        """Return an object with its attachments."""
        found = {one.name: one for one in shape.fields} | ({TEXT: shape.text} if shape.text is not None else {})
        return {name: self._value(found[name], value) if name in found else value for name, value in document.items()}

    def declared(self, fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
        """Yield what the WSDL declares to travel beside the Body: by its Content-ID, or the only one that there is."""
        for found in fields:
            begins = f"{quote(found.name)}="
            part = next((part for identity, part in self.left.items() if identity.startswith(begins)), None)
            if part is None and len(fields) == len(self.left) == 1:
                part = next(iter(self.left.values()))
            if part is None:
                raise invalid(f"does not bring its attachment '{found.name}' along")
            del self.left[part.id]
            yield found.name, part.text()

    def _value(self, found: Field, value: object) -> object:
        if isinstance(value, list):
            return [self._value(found, item) for item in value]
        if found.shape is not None and isinstance(value, Mapping):
            return self.given(found.shape, value)
        if isinstance(value, str) and found.xsi == SWA_REF:
            part = _part(value, self.known)
            self.left.pop(part.id, None)
            return part.text()
        if isinstance(value, str) and value in self.marked and found.type == "base64Binary" and _is_plain(found):
            self.placed += 1
            return self.marked[value].text()
        return value


def _is_plain(found: Field) -> bool:
    """Tell whether a field takes any content, so that a mark was judged as that would have been."""
    return found.facets == NO_FACETS and not (found.fixed or found.listed or found.members)


def _included(root: etree._Element, parts: Mapping[str, Part], *, inline: bool) -> Iterator[Part]:
    """Put attachments, or marks, into the places that XOP keeps for them, and yield them (XOP 1.0 section 3.2)."""
    room = MOST_INLINE
    for include in list(root.iter(_INCLUDE)):
        parent = include.getparent()
        beside = "" if parent is None else f"{parent.text or ''}{include.tail or ''}".strip()
        if parent is None or len(parent) != 1 or beside or len(include):
            raise invalid("has something beside an xop:Include")
        part = _part(include.get("href", ""), parts)
        room -= len(part.content)
        if room < 0:
            raise invalid(f"has attachments of more than {MOST_INLINE:,} bytes")
        parent.remove(include)
        part = part if inline or not len(part.content) else replace(part, mark=_fresh_mark())
        parent.text = part.mark or part.text()
        yield part


def _fresh_mark() -> str:
    return base64.b64encode(os.urandom(_MARK_BYTES)).decode()


def _part(url: str, parts: Mapping[str, Part]) -> Part:
    """Return what an URL names, within this message only (RFC 2392)."""
    scheme, _, identity = url.strip().partition(":")
    found = parts.get(unquote(identity)) or parts.get(identity)
    if scheme.lower() != "cid" or found is None:
        raise invalid("refers to an attachment that it does not bring along")
    return found


def _include(part: Part) -> str:
    return f'<xop:Include xmlns:xop="{_XOP}" href="{_url(part)}"/>'


def _url(part: Part) -> str:
    return f"cid:{quote(part.id, safe='@')}"


def _identity(number: int) -> str:
    return f"part-{number}-{token_hex(16)}@opd-gateway"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
