"""One connection to an agency's server: writes a request, reads its answer; knows no pool, no URL, no agency.

Whatever ends a request's way is told by the future that `ask` gives: an answer, Broken, Flawed or TimeoutError.
`asked` says whether anything of the request may have been written by then.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from typing import NamedTuple, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict

from adapters.inflate import Coding, Unreadable, coding

# Of a head, of what stands between two pieces of a body, and of what follows it.
MAX_HEAD = 64 * 1024
# What goes out in one write; of a longer body a slow agency asks piece by piece, and the loop is free in between.
PIECE = 64 * 1024
# RFC 9110 sections 15.3.5 and 15.4.5: no body, whatever their Content-Length says.
BODILESS = frozenset({204, 304})
_CONTINUE, _FINAL = 100, 200
_AT_ONCE = struct.pack("ii", 1, 0)


class Broken(Exception):
    """The connection ended before the answer did."""


class Flawed(Exception):
    """What came can't be taken for the answer; the text says what it is, as in "its answer is ..."."""


class Heard(NamedTuple):
    """An answer, inflated."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


class Wire(asyncio.Protocol):
    """A connection that carries one request at a time; `reusable` after an answer that leaves it clean."""

    __slots__ = (
        "_answer",
        "_clean",
        "_coding",
        "_done",
        "_headers",
        "_headless",
        "_max_body",
        "_pairs",
        "_parser",
        "_paused",
        "_pieces",
        "_quiet",
        "_size",
        "_status",
        "_transport",
        "_unsent",
        "_until_close",
        "asked",
        "idle_since",
        "reusable",
        "spoke",
    )

    def __init__(self, *, max_body: int) -> None:
        self._max_body = max_body
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Heard] | None = None
        # The parser and this object hold each other; `connection_lost` parts them.
        self._parser: HttpResponseParser | None = HttpResponseParser(self)
        # Old servers fold headers, put spaces where none belong, and end lines in LF; none of it is ambiguous here.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._done = True
        self._paused = False
        self._unsent = memoryview(b"")
        self.asked = False
        self.reusable = False
        self.spoke = False
        self.idle_since = 0.0

    @property
    def open(self) -> bool:
        """Whether something can still be written, as far as is known here."""
        return self._transport is not None and not self._transport.is_closing()

    def ask(self, head: bytes, body: bytes | None, *, bodiless: bool = False) -> asyncio.Future[Heard]:
        """Write a request and return its answer to be; `bodiless` when it was HEAD. Raises Flawed or Broken."""
        self.asked = self.reusable = False
        if self.spoke:
            raise Flawed("sent before anything was asked")
        transport = self._transport
        if transport is None or not self.open:
            raise Broken
        self._answer = answer = asyncio.get_running_loop().create_future()
        self._pairs: list[tuple[str, str]] = []
        self._pieces: list[bytes] = []
        self._coding: Coding | None = None
        self._status = self._quiet = self._size = 0
        self._until_close = self._done = self._clean = False
        self._headless = bodiless
        self.asked = True
        if body is None or len(body) <= PIECE:
            transport.write(head + body if body else head)
        else:
            transport.write(head)
            self._unsent = memoryview(body)
            self._write_on()
        return answer

    def cut(self) -> None:
        """Hang up; who waits for an answer hears that it broke."""
        self._fail(Broken())

    def expire(self) -> None:
        """Give up waiting for the answer."""
        self._fail(TimeoutError())

    def abort(self) -> None:
        """Hang up without sending what is buffered; in mid-request by RST, so that the system sends no more either."""
        answer, self._answer, self._done = self._answer, None, True
        transport, self._unsent, self.reusable = self._transport, memoryview(b""), False
        if transport is None:
            return
        connection = None if answer is None else transport.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: TCP is open, and TLS where there is any."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        """End; whoever still waits for an answer hears it."""
        self._transport = self._parser = None
        if error is None:
            self.eof_received()
        self._fail(Broken())

    def eof_received(self) -> None:
        """End an answer that has no other end; break off any other. The transport then closes itself."""
        self.reusable = False
        if self._answer is None:
            return
        if self._status and self._until_close and (self._coding is None or self._coding.done):
            self._clean = False
            self._finish()
        else:
            self._fail(Broken())

    def data_received(self, data: bytes) -> None:
        """Read on in the answer, or take note of bytes that belong to none."""
        if self._answer is None or self._parser is None:
            self.spoke = True
            self.abort()
            return
        self._quiet += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail(Flawed("not HTTP"))
            return
        if self._done:
            self._finish()
        elif self._quiet > MAX_HEAD:
            self._fail(Flawed("not HTTP"))

    def pause_writing(self) -> None:
        """Hold back the rest of the body: the agency reads more slowly than we write."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on with the body."""
        self._paused = False
        self._write_on()

    def _write_on(self) -> None:
        while self._unsent and not self._paused and self._transport is not None:
            piece, self._unsent = self._unsent[:PIECE], self._unsent[PIECE:]
            self._transport.write(piece)

    # What httptools calls. After the answer is complete or has failed, it is only the rest of what was read with it.

    def on_message_begin(self) -> None:
        """Notice that something follows the answer."""
        if self._done:
            self._clean = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; once there is a status, it is a trailer, and those are ignored."""
        if b"\0" in value:
            self._fail(Flawed("not HTTP"))
        elif not self._status:
            self._pairs.append((name.decode("latin-1"), value.decode("utf-8", "surrogateescape")))

    def on_headers_complete(self) -> None:
        """Begin the answer, unless it is an interim one (RFC 9110 section 15.2)."""
        if self._done or self._parser is None:
            return
        status = self._parser.get_status_code()
        if status < _CONTINUE or (self._quiet > MAX_HEAD and _length(self._pairs) > MAX_HEAD):
            self._fail(Flawed("not HTTP"))
        elif status < _FINAL:
            self._pairs.clear()
        else:
            self._status = status
            self._begin_body()

    def _begin_body(self) -> None:
        self._headers = headers = CIMultiDict(self._pairs)
        transfer = headers.get("Transfer-Encoding", "identity").strip().lower()
        length = headers.get("Content-Length")
        if self._headless or (self._status in BODILESS and (transfer != "identity" or length is not None)):
            self._done, self._clean = True, False
            return
        if transfer not in {"identity", "chunked"}:
            self._fail(Flawed("not HTTP"))
            return
        self._until_close = transfer == "identity" and length is None and self._status not in BODILESS
        if "Content-Encoding" in headers:
            try:
                self._coding = coding(",".join(headers.getall("Content-Encoding")))
            except Unreadable:
                self._fail(Flawed("compressed in a way that can't be read"))

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body, its chunking undone."""
        if self._done:
            return
        room = self._max_body - self._size
        if self._coding is not None:
            try:
                data = self._coding.feed(data, room)
            except Unreadable:
                self._fail(Flawed("compressed in a way that can't be read"))
                return
        if len(data) > room:
            self._fail(Flawed(f"over {self._max_body} bytes"))
            return
        if data:
            self._quiet = 0
            self._size += len(data)
            self._pieces.append(data)

    def on_message_complete(self) -> None:
        """End the answer, unless it is an interim one."""
        if self._done or self._parser is None or not self._status:
            return
        if self._coding is not None and not self._coding.done:
            self._fail(Flawed("compressed in a way that can't be read"))
        else:
            self._done, self._clean = True, self._parser.should_keep_alive() and not self._unsent

    def _finish(self) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            return
        self.reusable = self._clean
        if not answer.done():
            answer.set_result(Heard(self._status, self._headers, b"".join(self._pieces)))
        # An idle connection needn't hold what may be large.
        self._pieces = []

    def _fail(self, error: Exception) -> None:
        answer = self._answer
        self.abort()
        if answer is not None and not answer.done():
            answer.set_exception(error)


def _length(pairs: list[tuple[str, str]]) -> int:
    """Return how long the lines were: with a colon, a space and CRLF."""
    return sum(len(name) + len(value) + 4 for name, value in pairs)
