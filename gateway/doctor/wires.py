"""The way to an agency's server: its name, a connection, TLS and certificate, its clock; sends no more than a HEAD."""

import asyncio
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

from adapters.http import Tls
from gateway import certificates
from gateway.certificates import Certificate
from gateway.doctor.found import Found, error, lasting, ok, skipped, warning
from gateway.errors import ConfigError

STEP = 5.0
"""Seconds for one step; who needs longer for it is as good as away."""
SKEW, TOO_MUCH = 30.0, 300.0
"""Seconds between two clocks from which on somebody should look, and from which on signatures are refused."""
_GLANCE = 0.1
_LONGEST_HEAD = 32 * 1024
_EXPIRED, _NOT_YET, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64  # X509_V_ERR_... of OpenSSL
_DATE = re.compile(rb"(?im)^date:[ \t]*([^\r\n]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where an agency's server is; nothing else of its address is ever shown."""

    host: str
    port: int
    path: str
    tls: Tls | None

    @property
    def place(self) -> str:
        """Host and port, as people write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def spelt(self) -> str:
        """The same in the letters that HTTP has."""
        return self.place if self.host.isascii() else f"{self.host.encode('idna').decode()}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """An open connection; `took` is how long its TLS handshake took."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    took: float = 0.0

    def close(self) -> None:
        """Hang up."""
        self.writer.transport.abort()


def server_of(url: str, tls: Tls) -> Server | None:
    """Return where an address leads, None when it is none."""
    with suppress(ValueError):
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        if parts.hostname and parts.scheme in {"http", "https"}:
            port = parts.port or (443 if secure else 80)
            return Server(host=parts.hostname, port=port, path=parts.path or "/", tls=tls if secure else None)
    return None


def is_name(host: str) -> bool:
    """Tell a name from an address."""
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return False
    return True


async def resolve(server: Server) -> tuple[Found, tuple[str, ...]]:
    """Look up the server's addresses."""
    try:
        async with asyncio.timeout(STEP):
            found = await asyncio.get_running_loop().getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as failure:
        return _unresolved(server.host, failure), ()
    addresses = tuple(dict.fromkeys(str(info[4][0]) for info in found))
    return ok(f"{server.host} is {', '.join(addresses)}"), addresses


def _unresolved(host: str, failure: OSError | UnicodeError) -> Found:
    silent = isinstance(failure, TimeoutError) or getattr(failure, "errno", None) == socket.EAI_AGAIN
    if silent:
        return error(f"no name server says what {host} is", "look at /etc/resolv.conf, and whether the VPN is up")
    return error(f"there is no name {host}", "correct `url`, or have the agency enter the name (or /etc/hosts)")


async def connect(server: Server, addresses: tuple[str, ...]) -> Found:
    """Connect to each address and hang up."""
    results = await asyncio.gather(*(_reached(address, server.port) for address in addresses))
    failed = [(address, why) for address, why in zip(addresses, results, strict=True) if why is not None]
    if not failed:
        return ok(f"{server.place} takes connections")
    address, (what, remedy) = failed[0]
    if len(failed) < len(addresses):
        return warning(f"one of its {len(addresses)} addresses, {address}, {what}; the others answer", remedy)
    return error(f"{server.place} {what}", remedy)


async def _reached(address: str, port: int) -> tuple[str, str] | None:
    """Return what went wrong, and what to do about it."""
    try:
        async with asyncio.timeout(STEP):
            _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return "refuses connections: nobody listens there", "have the agency start its web server, or correct `url`"
    except TimeoutError:
        remedy = "ask for the firewall or the VPN in between to let this machine through, and whether the server is on"
        return f"gives no answer in {STEP:g} s", remedy
    except OSError as failure:
        return f"can't be reached: {_reason(failure)}", "look at this machine's network, the VPN and `url`"
    writer.transport.abort()
    return None


async def open_wire(server: Server, address: str) -> tuple[Iterator[tuple[str, Found]], Wire | None]:
    """Open a connection, with TLS where there is some; returns what is to be said of it."""
    if server.tls is None:
        try:
            reader, writer = await asyncio.open_connection(address, server.port)
        except OSError as failure:
            remedy = "it did a moment ago: look at its load and its limit of connections"
            return iter(
                [("connection", error(f"{server.place} takes no second one: {_reason(failure)}", remedy))]
            ), None
        return iter(()), Wire(reader=reader, writer=writer)
    try:
        context = await asyncio.to_thread(server.tls.context)
        wire, shown = await _shaken(server, address, context)
    except ConfigError as failure:
        found = failure.findings[0]
        return iter([("tls", error(f"{found.where} {found.what}", found.remedy))]), None
    except ssl.SSLCertVerificationError as failure:
        return iter([("tls", await _untrusted(server, address, failure))]), None
    except (OSError, EOFError) as failure:
        return iter([("tls", await _unshaken(server, address, failure))]), None
    return _spoken(server.tls, wire, shown), wire


async def _shaken(server: Server, address: str, context: ssl.SSLContext) -> tuple[Wire, Certificate | None]:
    began = time.monotonic()
    async with asyncio.timeout(STEP):
        reader, writer = await asyncio.open_connection(
            address, server.port, ssl=context, server_hostname=server.host.rstrip(".")
        )
    wire = Wire(reader=reader, writer=writer, took=time.monotonic() - began)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    with suppress(ValueError):
        return wire, certificates.of_bytes(der) if der else None
    return wire, None


def _spoken(tls: Tls, wire: Wire, shown: Certificate | None) -> Iterator[tuple[str, Found]]:
    version = wire.writer.get_extra_info("ssl_object").version()
    old = version not in {"TLSv1.2", "TLSv1.3"}
    if not tls.verify:
        remedy = "name the authority that signed it in `tls.ca` and take `verify = false` away"
        yield "tls", warning(f"speaks {version}, but anybody could be there: its certificate is not checked", remedy)
    elif old:
        remedy = "have the agency renew its server; then take `tls.minimum` away"
        yield "tls", warning(f"speaks {version}, which can be listened to", remedy)
    else:
        yield "tls", ok(f"speaks {version}, and its certificate is trusted")
    if shown is not None:
        yield "certificate", lasting(shown, "the agency's IT staff must renew it before")
    if tls.certificate is not None:
        yield "own-certificate", _own(tls)


def _own(tls: Tls) -> Found:
    assert tls.certificate is not None  # noqa: S101 -- asked before
    try:
        own = certificates.of_file(tls.certificate)
    except ConfigError as failure:
        found = failure.findings[0]
        return error(f"{found.where} {found.what}", found.remedy)
    return lasting(own, f"ask the agency for a new one, put it into {tls.certificate}, then gateway reload")


async def _untrusted(server: Server, address: str, failure: ssl.SSLCertVerificationError) -> Found:
    shown = await _shown(server, address)
    match failure.verify_code:
        case code if code == _EXPIRED:
            when = f" on {shown.ends:%Y-%m-%d}" if shown else ""
            remedy = "the agency must renew it; if it did, look at this machine's clock"
            return error(f"its certificate, or one that signed it, has expired{when}", remedy)
        case code if code == _NOT_YET:
            when = f"; it begins on {shown.begins:%Y-%m-%d}" if shown else ""
            return error(f"its certificate is not valid yet{when}", "look at this machine's clock (timedatectl)")
        case code if code in {_OTHER_NAME, _OTHER_ADDRESS}:
            names = ", ".join(shown.names[:5]) if shown else ""
            remedy = "write that name in `url`, or have the agency get a certificate for this one"
            return error(f"its certificate is not for {server.host}{f', but for {names}' if names else ''}", remedy)
        case _:
            remedy = "put the certificate of the agency's authority into a file and name it in `tls.ca`"
            return error(f"its certificate is signed by nobody whom we trust ({failure.verify_message})", remedy)


async def _shown(server: Server, address: str) -> Certificate | None:
    """Return the certificate that a server shows, whoever signed it."""
    assert server.tls is not None  # noqa: S101 -- it was refused
    with suppress(OSError, EOFError, ConfigError):
        tls = replace(server.tls, verify=False)
        wire, shown = await _shaken(server, address, await asyncio.to_thread(tls.context))
        wire.close()
        return shown
    return None


async def _unshaken(server: Server, address: str, failure: Exception) -> Found:
    """Say why a handshake failed: another one, with whatever a server may speak, shows whether it is too old."""
    assert server.tls is not None  # noqa: S101 -- it was shaken
    reason = getattr(failure, "reason", None) or ""
    if isinstance(failure, TimeoutError):
        return error(f"does not finish the TLS handshake in {STEP:g} s", "does `url` lead to a web server?")
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "PACKET_LENGTH_TOO_LONG"}:
        return error("speaks no TLS there", 'write "http://" or the port that speaks TLS in `url`')
    if _wants_certificate(failure):
        return _certificate_wanted()
    with suppress(OSError, EOFError, ConfigError):
        old = replace(server.tls, minimum=ssl.TLSVersion.TLSv1, verify=False)
        wire, _ = await _shaken(server, address, await asyncio.to_thread(old.context))
        version = str(wire.writer.get_extra_info("ssl_object").version())
        wire.close()
        written = version.removeprefix("TLSv")
        written = "1.0" if written == "1" else written
        remedy = f'have the agency renew its server; until then tls = {{ minimum = "{written}" }} lets it in'
        return error(f"speaks nothing better than TLS {written}", remedy)
    remedy = "does it want a client certificate (`tls.certificate`)? ask the agency what its server's log says"
    return error(f"breaks the TLS handshake off{f' ({reason})' if reason else ''}", remedy)


def _wants_certificate(failure: Exception) -> bool:
    return isinstance(failure, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (failure.reason or "")


def _certificate_wanted() -> Found:
    remedy = "ask the agency for one, and name its files in `tls.certificate` and `tls.key`"
    return error("wants a client certificate", remedy)


async def clock(server: Server, wire: Wire) -> tuple[str, Found]:
    """Ask for the head of the server's answer, and compare its Date with our clock; returns what was looked at."""
    try:
        async with asyncio.timeout(STEP):
            await _let_in(wire)
            began = time.time()
            path = quote(server.path, safe="/%:@!$&'()*+,;=~")
            wire.writer.write(f"HEAD {path} HTTP/1.1\r\nHost: {server.spelt}\r\nConnection: close\r\n\r\n".encode())
            head = await _head(wire.reader)
            ended = time.time()
    except TimeoutError:
        return "clock", skipped("does not answer a HEAD, so its clock can't be told")
    except (OSError, EOFError) as failure:
        if _wants_certificate(failure):
            return "tls", _certificate_wanted()
        unknown = server.tls is not None and server.tls.certificate is None
        remedy = "does it want a client certificate (`tls.certificate`)?" if unknown else ""
        return "clock", skipped("hangs up on a HEAD, so its clock can't be told", remedy)
    said = _DATE.search(head)
    with suppress(ValueError):
        # A Date has whole seconds, the fraction cut off.
        if said:
            told = parsedate_to_datetime(said[1].decode("ascii", "replace")).timestamp() + 0.5
            return "clock", _skew(told - (began + ended) / 2)
    return "clock", skipped("says no Date, so its clock can't be told")


async def _let_in(wire: Wire) -> None:
    """Under TLS 1.3 a server says only after the handshake whether it misses our certificate; what is sent hides it."""
    if wire.took:
        with suppress(TimeoutError):
            async with asyncio.timeout(max(_GLANCE, 2 * wire.took)):
                if not await wire.reader.read(1):
                    raise EOFError


async def _head(reader: asyncio.StreamReader) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head and len(head) < _LONGEST_HEAD:
        more = await reader.read(4096)
        if not more:
            break
        head += more
    if not head:
        raise EOFError
    return head


def _skew(seconds: float) -> Found:
    if abs(seconds) < SKEW:
        return ok("its clock agrees with ours")
    way = "ahead of" if seconds > 0 else "behind"
    amount = f"{abs(seconds):.0f} s" if abs(seconds) < TOO_MUCH else f"{abs(seconds) / 60:.0f} minutes"
    remedy = "look at ours (timedatectl) if other agencies differ as well, else have the agency set its own"
    says = f"its clock is {amount} {way} ours"
    return (
        error(f"{says}; tokens and signatures will be refused", remedy)
        if abs(seconds) >= TOO_MUCH
        else warning(says, remedy)
    )


def _reason(failure: Exception) -> str:
    said = failure.strerror if isinstance(failure, OSError) else None
    return (said or type(failure).__name__).lower()
