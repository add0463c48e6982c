"""multipart/related (RFC 2387) from and to bytes: parts and their headers; knows no XML."""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator, Mapping, Sequence
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import collapse_rfc2231_value
from io import BytesIO
from typing import NamedTuple

from adapters.soap.wrap import Part, invalid

MOST_PARTS = 100
_MOST_HEAD = 8 * 1024
_AS_IT_IS = frozenset({"", "7bit", "8bit", "binary"})
_FIRST = re.compile(rb"\s*--([^\r\n]{1,200}?)[ \t]*\r?\n")


class Related(NamedTuple):
    """The part that is read first, and the others by Content-ID."""

    root: Part
    others: Mapping[str, Part]


def write(root: Part, others: Sequence[Part], boundary: str) -> bytes:
    """Return the body; the boundary must be in none of the parts."""
    body = BytesIO()
    for part in (root, *others):
        head = f"Content-Type: {part.media_type}\r\nContent-Transfer-Encoding: binary\r\nContent-ID: <{part.id}>"
        body.write(f"--{boundary}\r\n{head}\r\n\r\n".encode())
        for piece in part.octets():
            body.write(piece)
        body.write(b"\r\n")
    body.write(f"--{boundary}--\r\n".encode())
    return body.getvalue()


def read(content_type: str, body: bytes) -> Related:
    """Return the parts; raises InvalidAnswer unless all of them are there whole.

    Without a content type (it isn't kept of what could not be read before) the boundary is what the body begins with.
    """
    said = _parameters(content_type)
    boundary = said.get("boundary", "").encode("latin-1", "replace") or _first_boundary(body)
    parts = list(_parts(body, boundary))
    start = _bare(said.get("start", "")) or parts[0].id
    by_id: dict[str, Part] = {}
    for part in parts:
        if part.id and by_id.setdefault(part.id, part) is not part:
            raise invalid("has two parts with the same Content-ID")
    if not all(part.id for part in parts[1:]):
        raise invalid("has a part without a Content-ID")
    root = by_id.pop(start, None) or (parts[0] if not start else None)
    if root is None:
        raise invalid("names a first part that is not there")
    return Related(root, by_id)


def _parameters(content_type: str) -> Mapping[str, str]:
    message = Message()
    message["Content-Type"] = content_type
    return {name.lower(): collapse_rfc2231_value(value) for name, value in message.get_params(failobj=[])}


def _first_boundary(body: bytes) -> bytes:
    found = _FIRST.match(body)
    if found is None:
        raise invalid("is multipart without a boundary")
    return found[1]


def _parts(body: bytes, boundary: bytes) -> Iterator[Part]:
    """Cut a body at its boundaries; lines end as the first boundary's does, so that no content loses a byte."""
    first = re.compile(rb"(?:\A|(?<=\n))--" + re.escape(boundary) + rb"[ \t]*(\r?\n)").search(body)
    if first is None:
        raise invalid("does not hold the boundary that it names")
    end = first[1]
    between = re.compile(end + b"--" + re.escape(boundary) + rb"(--)?[ \t]*(?=" + end + rb"|\Z)")
    start = first.end() - len(end)
    for _ in range(MOST_PARTS):
        found = between.search(body, start)
        if found is None:
            raise invalid("is cut off within a part")
        yield _part(body, start + len(end), max(found.start(), start + len(end)), end)
        if found[1]:
            return
        start = found.end()
    raise invalid(f"has more than {MOST_PARTS} parts")


def _part(body: bytes, start: int, stop: int, end: bytes) -> Part:
    """Return the part that is between two places; its content is no copy."""
    if body.startswith(end, start, stop):
        return Part(id="", content=memoryview(body)[start + len(end) : stop])
    head_ends = body.find(end + end, start, stop)
    if not 0 <= head_ends - start <= _MOST_HEAD:
        raise invalid("has a part whose headers have no end")
    headers = BytesHeaderParser().parsebytes(body[start:head_ends])
    content = memoryview(body)[head_ends + 2 * len(end) : stop]
    return Part(
        id=_bare(str(headers.get("Content-ID", ""))),
        content=_decoded(content, str(headers.get("Content-Transfer-Encoding", "")).strip().lower()),
        media_type=str(headers.get("Content-Type", "")),
    )


def _decoded(content: memoryview, encoding: str) -> bytes | memoryview:
    if encoding in _AS_IT_IS:
        return content
    if encoding == "quoted-printable":
        return quopri.decodestring(content)
    if encoding != "base64":
        raise invalid("has a part in a transfer encoding that is not read")
    try:
        return base64.b64decode(b"".join(bytes(content).split()), validate=True)
    except binascii.Error as error:
        raise invalid("has a part that is not the base64 it says it is") from error


def _bare(identity: str) -> str:
    return identity.strip().removeprefix("<").removesuffix(">")
