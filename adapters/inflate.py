"""Compressed bodies, inflated as they come and never beyond what is asked for; knows nothing of HTTP but two names."""

import zlib
from typing import Protocol

# RFC 9110 section 8.4.1; x-gzip is what gzip was called once.
_GZIP = frozenset({"gzip", "x-gzip"})
# PHP scripts are seen that take Content-Encoding for the character set.
_PLAIN = frozenset({"", "identity", "none", "utf-8"})
_WITH_GZIP = 16 + zlib.MAX_WBITS
# RFC 1950 section 2.2: the low half of the first byte says "deflate"; in a raw stream it can't be 8.
_CM, _DEFLATE = 0x0F, 8


class Unreadable(Exception):
    """The bytes don't follow the coding, or the coding is not known."""


class Coding(Protocol):
    """One body's coding."""

    def feed(self, data: bytes, room: int) -> bytes:
        """Return what `data` inflates to, at most `room` + 1 bytes of it; raises Unreadable."""

    @property
    def done(self) -> bool:
        """Whether the stream may end here."""


def coding(name: str) -> Coding | None:
    """Return how to inflate what `Content-Encoding` names, None for what is plain; raises Unreadable."""
    name = name.strip().lower()
    if name in _PLAIN:
        return None
    if name in _GZIP:
        return _Gzip()
    if name == "deflate":
        return _Deflate()
    raise Unreadable


class _Gzip:
    """Any number of gzip members, one after the other, perhaps with zeros behind (RFC 1952 section 2.2)."""

    __slots__ = ("_began", "_member")

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_WITH_GZIP)
        self._began = False

    @property
    def done(self) -> bool:
        return self._member.eof or not self._began

    def feed(self, data: bytes, room: int) -> bytes:
        inflated = b""
        while data and len(inflated) <= room:
            if self._member.eof:
                data = data.lstrip(b"\0")
                if not data:
                    break
                self._member = zlib.decompressobj(_WITH_GZIP)
            self._began = True
            inflated += _inflate(self._member, data, room + 1 - len(inflated))
            data = self._member.unused_data
        return inflated


class _Deflate:
    """A zlib stream, or the raw one that some servers take "deflate" for."""

    __slots__ = ("_stream",)

    def __init__(self) -> None:
        self._stream: zlib._Decompress | None = None

    @property
    def done(self) -> bool:
        return self._stream is None or self._stream.eof

    def feed(self, data: bytes, room: int) -> bytes:
        if self._stream is None:
            if not data:
                return b""
            wrapped = data[0] & _CM == _DEFLATE
            self._stream = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        if self._stream.eof:
            raise Unreadable
        inflated = _inflate(self._stream, data, room + 1)
        if self._stream.unused_data:
            raise Unreadable
        return inflated


def _inflate(stream: "zlib._Decompress", data: bytes, most: int) -> bytes:
    try:
        return stream.decompress(data, most)
    except zlib.error as error:
        raise Unreadable from error
