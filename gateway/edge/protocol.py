"""uvicorn's httptools protocol with what it leaves out: limits on a head, offers to upgrade, our own refusals."""

from asyncio import Transport
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.edge.problems import problem
from gateway.edge.trace import follow
from gateway.errors import FieldError, GatewayError, HeadersTooLarge, InvalidRequest

_HEAD_LIMIT = 64 << 10
"""Bytes of request line and headers held before they are complete; the exact limits are the visit's."""

_HEAD_SECONDS = 30.0
"""A head that stands unfinished at two looks, this far apart, is given up: nobody may hold a connection for nothing."""


class Protocol(HttpToolsProtocol):
    """One connection; costs nothing per header and no timer per request."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = 0
        self._heads, self._heads_seen = 0, -1

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Start looking at how heads come along."""
        super().connection_made(transport)
        self._look = self.loop.call_later(_HEAD_SECONDS, self._check_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking."""
        self._look.cancel()
        super().connection_lost(exc)

    def _check_head(self) -> None:
        if self._in_head and self._heads == self._heads_seen:
            self.transport.close()
            return
        self._heads_seen = self._heads
        self._look = self.loop.call_later(_HEAD_SECONDS, self._check_head)

    def data_received(self, data: bytes) -> None:
        """Parse, unless the head outgrows every limit."""
        self._unset_keepalive_if_required()
        left = data
        while left:
            left = self._parse(left)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_LIMIT:
                self._refuse(HeadersTooLarge())

    def _parse(self, data: bytes) -> bytes:
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as offer:
            return self._decline(data[offer.args[0] :])
        except HttpParserError as error:
            self.send_400_response(str(error))
        return b""

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head, self._head_bytes = True, 0
        self._heads += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End the head; one that offers an upgrade is read once more without the offer."""
        if not self.parser.should_upgrade():
            self._in_head = False
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the message."""
        if not self.parser.should_upgrade():
            super().on_message_complete()

    def _decline(self, rest: bytes) -> bytes:
        """Return the request as if it had not offered to change the protocol (RFC 9110, 7.8, lets us ignore that).

        httptools takes what follows such a head for the other protocol; Java's HttpClient sends the body there.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version()
        if method == b"CONNECT":
            self.send_400_response("this is no proxy")
            return b""
        kept = [(name, value) for name, value in self.headers if name not in (b"upgrade", b"http2-settings")]
        head = [b"%s %s HTTP/%s\r\n" % (method, self.url, version.encode())]
        head += [b"%s: %s\r\n" % pair for pair in kept]
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn sets its own
        return b"".join(head) + b"\r\n" + rest

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, in our form."""
        self._refuse(InvalidRequest(msg, errors=[FieldError(pointer="", rule="http")], malformed=True))

    def _refuse(self, error: GatewayError) -> None:
        correlation_id, _ = follow(None, None)
        said = problem(error, language="id", correlation_id=correlation_id)
        head = (
            f"HTTP/1.1 {said.status} {HTTPStatus(said.status).phrase}\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(said.body)}\r\n"
            f"x-correlation-id: {correlation_id}\r\n"
            "connection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + said.body)
        self.transport.close()
