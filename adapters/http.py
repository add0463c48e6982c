"""The shared HTTP client: pools, timeouts, TLS, and whether anything was sent; knows no protocol above HTTP.

Whether a call may have been done is decided by what this file saw happen, never by an exception's class: it is not
done until a request was handed to a connection, and maybe done from then on.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Annotated, cast

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http_exceptions import ContentEncodingError
from pydantic import StringConstraints
from yarl import URL

from gateway import (
    AgencyTimeout,
    Call,
    ConfigError,
    FieldError,
    Finding,
    InvalidAnswer,
    TranslationError,
    Unavailable,
    Unreachable,
)

MAX_BODY = 10 * 1024 * 1024
# Decoding more than this takes longer than the event loop should wait; a thread does it.
LARGE = 256 * 1024
# Shorter than the 5 s after which Apache, nginx and Node commonly hang up, so that a reused connection is seldom dead.
KEEP_ALIVE = 4.0
CONNECTIONS = 32
# aiohttp writes bytes in one go, which would hold up the loop; a file it writes in pieces.
IN_ONE_PIECE = 512 * 1024
OUR_HEADERS = {"User-Agent": "opd-gateway", "Accept-Encoding": "gzip, deflate"}
Url = Annotated[str, StringConstraints(pattern=r"^(https?://[^\s?#]*)?$")]
"""An agency's address in an adapter's settings. Empty where the environment lacks it: the agency is not asked then."""
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How an agency's server is trusted (`ca`: a PEM file; `verify`) and how the gateway shows who it is."""

    ca: Path | None = None
    verify: bool = True
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """Read the files and return what TLS needs; raises ConfigError when one can't be used. Blocks on disk."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file)
            raise ConfigError(
                Finding(where=files, what=f"can't be used for TLS: {error}", remedy="give PEM files that can be read")
            ) from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(("http/1.1",))
        return context


@cache
def _usual_tls() -> ssl.SSLContext:
    """Reading the system's authorities takes long, and nearly every agency is trusted by them."""
    return Tls().context()


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What came back, inflated; `headers` are found by any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case, "" when there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def trace_headers(call: Call) -> dict[str, str]:
    """Return the headers by which an agency's log can be joined with ours.

    A write has its message's id as well, the same each time it is sent, so that an agency can recognise a second one.
    """
    joined = {"X-Correlation-ID": call.correlation_id, "traceparent": call.traceparent}
    return joined if call.safe else {**joined, "Idempotency-Key": call.message_id}


class HttpClient:
    """One agency's connections; made without a running loop, opened at the first call.

    Calls that are not `safe` never go on a connection that has been idle: the agency may be hanging up at that very
    moment, and nobody could tell whether such a write arrived.
    """

    __slots__ = ("_agency", "_connections", "_fresh", "_max_body", "_reused", "_tls")

    def __init__(
        self, agency: str, *, tls: Tls | None = None, connections: int = CONNECTIONS, max_body: int = MAX_BODY
    ) -> None:
        self._agency = agency
        self._tls = tls.context() if tls and tls != Tls() else _usual_tls()
        self._connections = connections
        self._max_body = max_body
        self._fresh: aiohttp.ClientSession | None = None
        self._reused: aiohttp.ClientSession | None = None

    @property
    def agency(self) -> str:
        """The agency's name, for error texts."""
        return self._agency

    async def send(  # noqa: PLR0913 -- the parts of one request
        self,
        method: str,
        url: str | URL,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # noqa: ASYNC109 -- expiring is an outcome here, with maybe_done
        safe: bool = False,
    ) -> HttpAnswer:
        """Send one request once and return the whole answer within `timeout` seconds.

        `url` is already percent-encoded; one that is used again is best given as `URL(text, encoded=True)`. Redirects
        are answers, cookies are dropped. Raises Unavailable, AgencyTimeout or InvalidAnswer, and TranslationError when
        a header or the URL can't be written in HTTP.
        """
        trip = _Trip()
        try:
            async with (
                asyncio.timeout(timeout),
                self._session(safe=safe).request(
                    method,
                    URL(url, encoded=True) if isinstance(url, str) else url,
                    headers=headers,
                    data=body if body is None or len(body) <= IN_ONE_PIECE else BytesIO(body),
                    allow_redirects=False,
                    middlewares=(trip,),
                ) as response,
            ):
                content = await self._read(response)
        except Exception as error:  # noqa: BLE001 -- whatever it is, what counts is whether anything was sent
            trip.abort()
            # Without the cause: aiohttp's texts hold the URL, and a query may hold personal data.
            raise self._failed(error, trip) from None
        except BaseException:
            trip.abort()
            raise
        return HttpAnswer(status=response.status, headers=response.headers, body=content)

    async def probe(self, url: str, *, timeout: float) -> None:  # noqa: ASYNC109 -- as in send
        """Connect, with TLS where the URL has it, and hang up; raises Unavailable or AgencyTimeout."""
        target = URL(url)
        context = self._tls if target.scheme == "https" else None
        try:
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(target.host, target.port, ssl=context)
        except TimeoutError:
            raise self._timed_out(maybe_done=False) from None
        except (OSError, ValueError) as error:
            raise self._unavailable(error, maybe_done=False) from None
        writer.transport.abort()

    async def close(self) -> None:
        """Close every connection; the next call would open new ones."""
        sessions, self._fresh, self._reused = (self._fresh, self._reused), None, None
        for session in sessions:
            if session is not None:
                await session.close()

    def _session(self, *, safe: bool) -> aiohttp.ClientSession:
        session = self._reused if safe else self._fresh
        return session if session is not None else self._open(safe=safe)

    def _open(self, *, safe: bool) -> aiohttp.ClientSession:
        if safe:
            connector = aiohttp.TCPConnector(limit=self._connections, ssl=self._tls, keepalive_timeout=KEEP_ALIVE)
        else:
            connector = aiohttp.TCPConnector(limit=self._connections, ssl=self._tls, force_close=True)
        session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=OUR_HEADERS,
            timeout=NO_TIMEOUT,
            request_class=_Request,
        )
        if safe:
            self._reused = session
        else:
            self._fresh = session
        return session

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        size = 0
        # aiohttp inflates no further than what is read here, so a bomb stops at the cap.
        while chunk := await response.content.readany():
            size += len(chunk)
            if size > self._max_body:
                raise _TooLarge
            chunks.append(chunk)
        return b"".join(chunks)

    def _failed(self, error: Exception, trip: "_Trip") -> Exception:
        cause = error.cause if isinstance(error, _Stopped) else error
        sent = trip.transport is not None
        if isinstance(error, TimeoutError):
            return self._timed_out(maybe_done=sent)
        if isinstance(error, ValueError) and not sent:
            return TranslationError("request", [FieldError(pointer="", rule="control-character")])
        if flaw := self._flaw(cause):
            return InvalidAnswer(f"{self._agency}: its answer is {flaw}", maybe_done=sent)
        return self._unavailable(cause, maybe_done=sent)

    def _flaw(self, cause: Exception) -> str | None:
        match cause:
            case _TooLarge():
                return f"over {self._max_body} bytes"
            case _SpokeFirst():
                return "sent before anything was asked"
            case aiohttp.ClientResponseError():
                return "not HTTP"
            case aiohttp.ClientPayloadError() if isinstance(cause.__cause__, ContentEncodingError):
                return "compressed in a way that can't be read"
            case _:
                return None

    def _timed_out(self, *, maybe_done: bool) -> AgencyTimeout:
        stage = "did not answer in time" if maybe_done else "could not be reached in time"
        return AgencyTimeout(f"{self._agency}: its server {stage}", maybe_done=maybe_done)

    def _unavailable(self, cause: Exception, *, maybe_done: bool) -> Unavailable:
        if maybe_done:
            return Unavailable(f"{self._agency}: its server hung up before its answer was complete", maybe_done=True)
        return Unreachable(f"{self._agency}: its server {_why_unreachable(cause)}", maybe_done=False)


class _Stopped(Exception):
    """A failure, renamed: aiohttp repeats idempotent methods by itself after two classes of its own."""

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


class _TooLarge(Exception):
    """The answer is over the cap."""


class _SpokeFirst(Exception):
    """The connection already holds bytes that belong to no request: an answer read from it could be another's."""


class _Trip:
    """One request's way, as aiohttp middleware: remembers the connection that the request was handed to, if any."""

    __slots__ = ("transport",)

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        cast("_Request", request).trip = self
        try:
            return await handler(request)
        except (aiohttp.ClientError, OSError) as error:
            raise _Stopped(error) from None

    def abort(self) -> None:
        # Not close(), which would go on sending what is buffered after the failure has been reported.
        if self.transport is not None:
            self.transport.abort()


class _Request(aiohttp.ClientRequest):
    """A request that says when it is about to be written, and refuses a connection with something left in it."""

    trip: _Trip

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        if conn.protocol is None or not conn.protocol.is_connected():
            raise ConnectionResetError
        if conn.protocol.should_close:
            raise _SpokeFirst
        self.trip.transport = conn.transport
        try:
            return await super().send(conn)
        except ValueError:
            # A header that HTTP can't hold is found before the first byte is written.
            self.trip.transport = None
            raise


def _why_unreachable(cause: Exception) -> str:
    match cause:
        case aiohttp.ClientConnectorDNSError() | socket.gaierror() | UnicodeError():
            return "has a name that can't be resolved; check `url`"
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return "shows a TLS certificate that is not trusted; check `tls`"
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return "does not complete the TLS handshake; check `url` and `tls`"
        case _:
            return "can't be reached; check that it runs"
