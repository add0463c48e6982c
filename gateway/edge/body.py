"""A request's body: read up to a limit, inflated, decoded as JSON; knows no operation."""

import asyncio
import re
import zlib
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from gateway.edge.asgi import Receive
from gateway.errors import FieldError, InvalidRequest, TooLarge, UnsupportedMedia
from gateway.message import Document

LIMIT = 1 << 20
"""Bytes of a body, as sent and after inflating."""

_SECONDS = 30.0
_NUMBER_LENGTH, _NUMBER_SIZE = 64, 308
_JSON = re.compile(r"application/(?:json|[a-z0-9!#$&^_.+-]+\+json)")
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MEMBERS = 8  # RFC 1952 allows several; thousands of empty ones would only cost time


class ClientGone(Exception):
    """The client hung up before its request was answered."""


async def read(headers: Mapping[bytes, bytes], receive: Receive) -> tuple[Document, int]:
    """Return the body's JSON object and how many bytes were sent.

    Raises TooLarge, UnsupportedMedia, InvalidRequest (malformed unless only the top level is no object), ClientGone.
    """
    content_type = headers.get(b"content-type")
    if content_type is not None and content_type != b"application/json":
        _check_type(content_type.decode("latin-1"))
    encoding = headers.get(b"content-encoding", b"identity").lower()
    if encoding not in (b"identity", b"gzip", b"x-gzip"):
        raise UnsupportedMedia(f"content-encoding {encoding.decode('latin-1')}")
    data = await _receive(headers, receive)
    sent = len(data)
    if not data:
        raise _malformed("empty")
    if content_type is None:
        raise UnsupportedMedia("no content-type")
    return _decode(data if encoding == b"identity" else _inflate(data)), sent


def _malformed(rule: str) -> InvalidRequest:
    return InvalidRequest(rule, errors=[FieldError(pointer="", rule=rule)], malformed=True)


def _check_type(content_type: str) -> None:
    kind, *params = (part.strip().lower() for part in content_type.split(";"))
    if _JSON.fullmatch(kind) is None:
        raise UnsupportedMedia(f"content-type {kind}")
    for param in params:
        name, _, value = param.partition("=")
        if name.strip() == "charset" and value.strip().strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMedia(f"charset {value}")


async def _receive(headers: Mapping[bytes, bytes], receive: Receive) -> bytes:
    length = headers.get(b"content-length")
    if length is not None and int(length) > LIMIT:
        raise TooLarge
    event = await receive()
    if event["type"] == "http.request" and not event.get("more_body", False):
        body: bytes = event.get("body", b"")
        if len(body) > LIMIT:
            raise TooLarge
        return body
    try:
        async with asyncio.timeout(_SECONDS):
            return await _collect(event, receive)
    except TimeoutError as error:
        raise _malformed("late") from error


async def _collect(event: Mapping[str, object], receive: Receive) -> bytes:
    data = bytearray()
    while True:
        if event["type"] == "http.disconnect":
            raise ClientGone
        chunk = event.get("body", b"")
        if isinstance(chunk, bytes):
            data += chunk
        if len(data) > LIMIT:
            raise TooLarge
        if not event.get("more_body", False):
            return bytes(data)
        event = await receive()


def _inflate(data: bytes) -> bytes:
    inflated = bytearray()
    try:
        for _member in range(_GZIP_MEMBERS):
            member = zlib.decompressobj(_GZIP)
            inflated += member.decompress(data, LIMIT + 1 - len(inflated))
            if len(inflated) > LIMIT:
                raise TooLarge
            if not member.eof:
                raise _malformed("gzip")
            data = member.unused_data
            if not data:
                return bytes(inflated)
    except zlib.error as error:
        raise _malformed("gzip") from error
    raise _malformed("gzip")


def _exact(text: str) -> Decimal:
    """Keep a number's digits, but refuse one whose whole digits would fill the memory (1e999999999)."""
    number = Decimal(text)
    if len(text) > _NUMBER_LENGTH or (number and abs(number.adjusted()) > _NUMBER_SIZE):
        raise ValueError("a number is too long")
    return number


_decoder = msgspec.json.Decoder(float_hook=_exact)


def _decode(data: bytes) -> Document:
    try:
        body = _decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise _malformed("malformed") from error
    if not isinstance(body, dict):
        raise InvalidRequest(errors=[FieldError(pointer="", rule="type", params={"expected": "object"})])
    return body
