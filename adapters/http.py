"""The shared HTTP client: pools, timeouts, TLS, and whether anything was sent; knows no protocol above HTTP.

Whether a call may have been done is decided by what this file saw happen, never by an exception's class: it is not
done until a request was handed to a connection, and maybe done from then on.
"""

import asyncio
import socket
import ssl
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import StringConstraints

from adapters.head import head, split
from adapters.pool import Pool
from adapters.wire import Flawed
from gateway import (
    AgencyTimeout,
    Answer,
    Call,
    ConfigError,
    Finding,
    InvalidAnswer,
    TranslationError,
    Unavailable,
    Unreachable,
    Unread,
)

MAX_BODY = 10 * 1024 * 1024
_OP_LEGACY_SERVER_CONNECT = 0x4  # ssl has this name from Python 3.12 on
# Decoding more than this takes longer than the event loop should wait; a thread does it.
LARGE = 256 * 1024
CONNECTIONS = 32
Url = Annotated[str, StringConstraints(pattern=r"^(https?://[^\s?#]*)?$")]
"""An agency's address in an adapter's settings. Empty where the environment lacks it: the agency is not asked then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How an agency's server is trusted (`ca`: a PEM file; `verify`) and how the gateway shows who it is.

    `minimum` is the oldest version that is spoken.
    """

    ca: Path | None = None
    verify: bool = True
    certificate: Path | None = None
    key: Path | None = None
    minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2

    def context(self) -> ssl.SSLContext:
        """Read the files and return what TLS needs; raises ConfigError when one can't be used. Blocks on disk."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate:
                # Without a password here, OpenSSL would ask for one on the terminal.
                context.load_cert_chain(self.certificate, self.key, password="")
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file)
            raise ConfigError(
                Finding(where=files, what=f"can't be used for TLS: {error}", remedy="give PEM files that can be read")
            ) from error
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.minimum < ssl.TLSVersion.TLSv1_2:
            _let_in_old(context, self.minimum)
        else:
            context.minimum_version = self.minimum
        context.set_alpn_protocols(("http/1.1",))
        return context


def _let_in_old(context: ssl.SSLContext, minimum: ssl.TLSVersion) -> None:
    """Versions before 1.2 sign with SHA-1, and their servers know no safe renegotiation; OpenSSL refuses either."""
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= _OP_LEGACY_SERVER_CONNECT
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # whoever sets it was warned by check
        context.minimum_version = minimum


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

    @classmethod
    def kept(cls, answer: Answer) -> Self:
        """Return as it came what could not be read then; its headers are not kept."""
        body = answer.unread.body if answer.unread else b""
        return cls(status=answer.http_status or 0, headers={}, body=body)

    def unread(self) -> Answer:
        """Return what is kept of it where it can't be read."""
        return Answer(http_status=self.status, headers=self.headers, size=len(self.body), unread=Unread.of(self.body))

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case, "" when there is none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def trace_headers(call: Call) -> dict[str, str]:
    """Return the headers by which an agency's log can be joined with ours.

    A write has its message's id as well, the same each time it is sent, so that an agency can recognise a second one.
    """
    joined = {"X-Correlation-ID": call.correlation_id, "traceparent": call.traceparent}
    if call.tracestate:
        joined["tracestate"] = call.tracestate
    return joined if call.safe else {**joined, "Idempotency-Key": call.message_id}


class HttpClient:
    """One agency's connections; made without a running loop, opened at the first call.

    Calls that are not `safe` never go on a connection that has been idle: the agency may be hanging up at that very
    moment, and nobody could tell whether such a write arrived. `certificate_ends` hears when the certificate ends that
    the server shows, in seconds since 1970.
    """

    __slots__ = ("_agency", "_pool", "_tls")

    def __init__(
        self,
        agency: str,
        *,
        tls: Tls | None = None,
        connections: int = CONNECTIONS,
        max_body: int = MAX_BODY,
        certificate_ends: Callable[[float], None] = lambda _time: None,
    ) -> None:
        self._agency = agency
        self._tls = tls.context() if tls and tls != Tls() else _usual_tls()
        self._pool = Pool(limit=connections, max_body=max_body, tls=self._tls, ends=certificate_ends)

    @property
    def agency(self) -> str:
        """The agency's name, for error texts."""
        return self._agency

    async def send(  # noqa: PLR0913 -- the parts of one request
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # noqa: ASYNC109 -- expiring is an outcome here, with maybe_done
        safe: bool = False,
    ) -> HttpAnswer:
        """Send one request once and return the whole answer within `timeout` seconds.

        `url` is already percent-encoded. Redirects are answers, cookies are dropped. Raises Unavailable, AgencyTimeout
        or InvalidAnswer, and TranslationError when a header or the URL can't be written in HTTP.
        """
        origin, target = split(url)
        length = None if body is None else len(body)
        written = head(method, origin, target, headers, length=length, close=not safe)
        loop = asyncio.get_running_loop()
        now = loop.time()
        deadline = now + timeout
        wire = self._pool.at_hand(origin, now) if safe and timeout > 0 else None
        try:
            if wire is None:
                wire = await self._pool.open(origin, reuse=safe, deadline=deadline)
            try:
                answer = wire.ask(written, body, bodiless=method == "HEAD")
                timer = loop.call_at(deadline, wire.expire)
                try:
                    heard = await answer
                finally:
                    timer.cancel()
            finally:
                self._pool.give_back(origin, wire, keep=safe)
        except Exception as error:  # noqa: BLE001 -- whatever it is, what counts is whether anything was sent
            # Without the cause: the system's texts hold addresses.
            raise self._failed(error, maybe_done=wire is not None and wire.asked) from None
        return HttpAnswer(status=heard.status, headers=heard.headers, body=heard.body)

    async def probe(self, url: str, *, timeout: float) -> None:  # noqa: ASYNC109 -- as in send
        """Connect, with TLS where the URL has it, and hang up; raises Unavailable or AgencyTimeout."""
        try:
            await self._pool.knock(split(url)[0], asyncio.get_running_loop().time() + timeout)
        except Exception as error:  # noqa: BLE001 -- as in send
            raise self._failed(error, maybe_done=False) from None

    async def close(self) -> None:
        """Close every connection; the next call would open new ones."""
        self._pool.close()

    def _failed(self, error: Exception, *, maybe_done: bool) -> Exception:
        match error:
            case TimeoutError():
                stage = "did not answer in time" if maybe_done else "could not be reached in time"
                return AgencyTimeout(f"{self._agency}: its server {stage}", maybe_done=maybe_done)
            case Flawed():
                return InvalidAnswer(f"{self._agency}: its answer is {error}", maybe_done=maybe_done)
            case _ if maybe_done:
                return Unavailable(
                    f"{self._agency}: its server hung up before its answer was complete", maybe_done=True
                )
            case _:
                return Unreachable(f"{self._agency}: its server {_why_unreachable(error)}", maybe_done=False)


def _why_unreachable(cause: Exception) -> str:
    match cause:
        # Before ValueError, which it is as well.
        case ssl.SSLCertVerificationError():
            return "shows a TLS certificate that is not trusted; check `tls`"
        case socket.gaierror() | ValueError() | TranslationError():
            return "has a name that can't be resolved; check `url`"
        case ssl.SSLError():
            return "does not complete the TLS handshake; check `url` and `tls`"
        case _:
            return "can't be reached; check that it runs"
