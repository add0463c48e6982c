"""WS-Security around an envelope: a UsernameToken, a Timestamp and our signature out; the agency's signature in."""

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from adapters.soap.settings import Security, Sign, Verify
from adapters.soap.wrap import Received, Sent, fits_xml, namespace_of, written
from adapters.soap.wss import BASE64, PASSWORD_DIGEST, PASSWORD_TEXT, WSSE_URI, WSU_URI
from gateway import Clock, ConfigError, Finding

if TYPE_CHECKING:
    from adapters.soap.signing import Signer
    from adapters.soap.verifying import Verifier

_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Secured:
    """The step; `nonce` gives what no message before had."""

    settings: Security
    clock: Clock
    signer: "Signer | None" = None
    verifier: "Verifier | None" = None
    nonce: Callable[[], bytes] = lambda: os.urandom(_NONCE_BYTES)

    def outgoing(self, sent: Sent, /) -> Sent:
        """Add the Security block, and sign what the settings say."""
        now = self.clock.now()
        content = self._timestamp(now) + self._user(now)
        understood = ' soap:mustUnderstand="1"' if self.settings.must_understand else ""
        opened = f'<wsse:Security xmlns:wsse="{WSSE_URI}" xmlns:wsu="{WSU_URI}"{understood}>'
        if self.signer is None:
            return sent.with_block(f"{opened}{content}</wsse:Security>") if content else sent
        return self.signer.sign(sent, f"{opened}{content}", "</wsse:Security>")

    def incoming(self, received: Received, /) -> Received:
        """Check the signature, and leave of the envelope only the Body, which is signed: nothing else can be read."""
        if self.verifier is None:
            return received
        self.verifier.verify(received, self.clock.now())
        namespace = namespace_of(received.root)
        for child in list(received.root):
            if child.tag != f"{{{namespace}}}Body":
                received.root.remove(child)
        return replace(received, changed=True)

    def _timestamp(self, now: datetime) -> str:
        if self.settings.timestamp is None:
            return ""
        ends = now + timedelta(seconds=self.settings.timestamp)
        times = f"<wsu:Created>{moment(now)}</wsu:Created><wsu:Expires>{moment(ends)}</wsu:Expires>"
        return f'<wsu:Timestamp wsu:Id="timestamp">{times}</wsu:Timestamp>'

    def _user(self, now: datetime) -> str:
        settings = self.settings
        if not settings.user:
            return ""
        secret = (settings.password.get_secret_value() if settings.password else "") or None
        fresh = self.nonce() if settings.digest or settings.nonce else b""
        created = moment(now)
        name = f"<wsse:Username>{written(settings.user)}</wsse:Username>"
        shown = "" if secret is None else _password(secret, fresh, created, digest=settings.digest)
        once = (
            f'<wsse:Nonce EncodingType="{BASE64}">{base64.b64encode(fresh).decode()}</wsse:Nonce>'
            f"<wsu:Created>{created}</wsu:Created>"
        )
        content = f"{name}{shown}{once if fresh else ''}"
        return f'<wsse:UsernameToken wsu:Id="user">{content}</wsse:UsernameToken>'


def _password(secret: str, nonce: bytes, created: str, *, digest: bool) -> str:
    kind = PASSWORD_DIGEST if digest else PASSWORD_TEXT
    shown = password_digest(secret, nonce, created) if digest else written(secret)
    return f'<wsse:Password Type="{kind}">{shown}</wsse:Password>'


def password_digest(password: str, nonce: bytes, created: str) -> str:
    """Return the digest of UsernameToken Profile 1.0 section 3.1, which is made with SHA-1 and nothing else."""
    whole = nonce + created.encode() + password.encode()
    return base64.b64encode(hashlib.sha1(whole, usedforsecurity=False).digest()).decode()


def moment(at: datetime) -> str:
    """Return a time as WS-Security has it: UTC, to the millisecond."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def secured(settings: Security, clock: Clock, where: str) -> Secured:
    """Make the step; raises ConfigError for files that can't be used, or without what signatures need. Blocks."""
    shown = (settings.user, settings.password.get_secret_value() if settings.password else "")
    if not all(map(fits_xml, shown)):
        what = "security: user or password has a control character, which XML can't hold"
        raise ConfigError(Finding(where=where, what=what, remedy="ask the agency for another one"))
    if settings.user and settings.password is None and settings.sign is None:
        what = f'security: user "{settings.user}" has no password, and nothing is signed: anybody could say so'
        remedy = 'write password = "${NAME}"; where the agency wants none, password = ""'
        raise ConfigError(Finding(where=where, what=what, remedy=remedy))
    return Secured(
        settings=settings,
        clock=clock,
        signer=_signer(settings.sign, where) if settings.sign else None,
        verifier=_verifier(settings.verify, where) if settings.verify else None,
    )


def _signer(settings: Sign, where: str) -> "Signer":
    try:
        from adapters.soap.signing import Signer  # noqa: PLC0415 - only those who sign have what it needs
    except Exception as error:
        raise ConfigError(_missing(error, where)) from error
    return Signer(settings)


def _verifier(settings: Verify, where: str) -> "Verifier":
    try:
        from adapters.soap.verifying import Verifier  # noqa: PLC0415 - as above
    except Exception as error:
        raise ConfigError(_missing(error, where)) from error
    return Verifier(settings)


def _missing(error: Exception, where: str) -> Finding:
    if isinstance(error, ModuleNotFoundError):
        what = "security: signatures need xmlsec, which is not installed here"
    else:  # xmlsec refuses to run beside an lxml that was built with another libxml2
        what = f"security: xmlsec can't be used here: {error}"
    remedy = "install the extra: make .venv/soap-security; or leave `sign` and `verify` out"
    return Finding(where=where, what=what, remedy=remedy)
