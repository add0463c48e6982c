"""uvicorn's httptools protocol with what it leaves out: limits on a head, offers to upgrade, our own refusals."""

from asyncio import Transport
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from gateway.edge.asgi import WHOLE, Header
from gateway.edge.problems import Problem, language, problem
from gateway.edge.trace import follow
from gateway.edge.visit import ADDRESS_LIMIT
from gateway.errors import FieldError, GatewayError, HeadersTooLarge, InvalidRequest, UriTooLong

_HEAD_LIMIT = 64 << 10
"""Bytes of request line and headers held before they are complete; the exact limits are the visit's."""

_HEAD_SECONDS = 30.0
"""A head that stands unfinished at two looks, this far apart, is given up: nobody may hold a connection for nothing."""

_FAREWELL_SECONDS = 0.5

_ONE_WRITE = 64 << 10
"""Bytes of a body up to which copying it behind its head is cheaper than a write of its own."""

_CLOSE: Header = (b"connection", b"close")

Refusal = Callable[[GatewayError, Mapping[bytes, bytes]], tuple[Problem, str]]
"""Makes of an error, and of the headers read so far, what is answered, and its correlation id."""


def plain(error: GatewayError, headers: Mapping[bytes, bytes]) -> tuple[Problem, str]:
    """Return an error as a problem, in the language that the headers ask for."""
    correlation_id, _ = follow(headers.get(b"x-correlation-id"), headers.get(b"traceparent"))
    spoken = language(headers.get(b"accept-language"))
    return problem(error, language=spoken, correlation_id=correlation_id), correlation_id


class Protocol(HttpToolsProtocol):
    """One connection; costs nothing per header and no timer per request."""

    def __init__(self, *args: Any, refusal: Refusal = plain, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url, self.headers = b"", []  # a refusal may come before the first message begins
        self._refusal = refusal
        self._last_words = b""
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

    def shutdown(self) -> None:
        """Close when idle; whoever stands idle over TLS does not hear the farewell, and need not answer it."""
        idle = self.cycle is None or self.cycle.response_complete
        super().shutdown()
        if idle and self.scheme == "https" and not self.transport.get_write_buffer_size():
            self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)

    def _check_head(self) -> None:
        if self._in_head and self._heads == self._heads_seen:
            self.transport.close()
            return
        self._heads_seen = self._heads
        self._look = self.loop.call_later(_HEAD_SECONDS, self._check_head)

    def data_received(self, data: bytes) -> None:
        """Parse, unless the head outgrows every limit, or what came before was refused already."""
        self._unset_keepalive_if_required()
        left = b"" if self._last_words else data
        while left:
            left = self._parse(left)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > _HEAD_LIMIT:
                self._refuse(UriTooLong() if len(self.url) > ADDRESS_LIMIT else HeadersTooLarge())

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
            super().on_headers_complete()
            self._in_head = False
            # In time: the task that answers has been made, but has not begun.
            self.scope[WHOLE] = partial(_whole, self.cycle)  # type: ignore[literal-required]

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
        """Refuse what is no HTTP, in our form; httptools takes an address of 64 KB for none as well."""
        if self._in_head and len(self.url) > ADDRESS_LIMIT:
            self._refuse(UriTooLong())
            return
        self._refuse(InvalidRequest(msg, errors=[FieldError(pointer="", rule="http")], malformed=True))

    def on_response_complete(self) -> None:
        """Go on with the next request, or end with the refusal that had to wait for this answer."""
        if self._last_words and not self.pipeline and not self.transport.is_closing():
            self._end(self._last_words)
        super().on_response_complete()

    def _refuse(self, error: GatewayError) -> None:
        if self._last_words or self.transport.is_closing():
            return
        said, correlation_id = self._refusal(error, dict(self.headers))
        head = (
            f"HTTP/1.1 {said.status} {HTTPStatus(said.status).phrase}\r\n"
            "content-type: application/problem+json\r\n"
            f"content-length: {len(said.body)}\r\n"
            f"x-correlation-id: {correlation_id}\r\n"
            "connection: close\r\n\r\n"
        )
        if self._is_answering():
            self._last_words = head.encode() + said.body
        else:
            self._end(head.encode() + said.body)

    def _is_answering(self) -> bool:
        """Say whether an earlier request of this connection has yet to be answered: refusals keep their turn."""
        if self.pipeline and self.cycle.more_body:
            self.pipeline.popleft()  # what is refused is the rest of this one, whose turn has not come
            return True
        return bool(self.pipeline) or not (self.cycle is None or self.cycle.response_complete or self.cycle.more_body)

    def _end(self, words: bytes) -> None:
        self.transport.write(words)
        self.transport.close()


def _whole(cycle: RequestResponseCycle, status: int, headers: Sequence[Header], body: bytes) -> bool:
    """Answer as the two events of ASGI would, in one write instead of two; see Whole.

    The headers are in lower case and say how long the body is.
    """
    if cycle.disconnected:
        return True  # nobody is there to be told
    if cycle.flow.write_paused or cycle.response_started or len(body) > _ONE_WRITE:
        return False
    if _CLOSE in headers:
        cycle.keep_alive = False
    elif not cycle.keep_alive:
        headers = [*headers, _CLOSE]
    lines = [b"%b: %b\r\n" % header for header in (*cycle.default_headers, *headers)]
    head = b"".join((STATUS_LINE[status], *lines, b"\r\n"))
    if head.count(b"\n") != len(lines) + 2 or head.count(b"\r") != len(lines) + 2:
        raise RuntimeError("a header holds the end of a line")
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.transport.write(head if cycle.scope["method"] == "HEAD" else head + body)
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
    return True
