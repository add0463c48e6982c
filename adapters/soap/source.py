"""Where an agency's WSDL is read from while it is taken in: addresses and files, within limits; knows no XML."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit

from adapters.http import HttpAnswer, HttpClient, Tls
from gateway import AgencyTimeout, ConfigError, Finding, InvalidAnswer, TranslationError, Unavailable

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_OK, _UNAUTHORIZED = 200, frozenset({401, 403})
_SECRET = re.compile(r"key|token|secret|pass|pwd|sandi|auth|sig|session|user", re.IGNORECASE)
_AS_IT_IS = "%:/?#[]@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be read for one WSDL, and for how long; `depth` is how far imports lead from one to the next."""

    file: int = 16 * 1024 * 1024
    total: int = 64 * 1024 * 1024
    files: int = 300
    depth: int = 32
    seconds: float = 60.0
    answer: float = 15.0


@dataclass(slots=True, kw_only=True)
class Source:
    """Reads what a WSDL is made of; `credentials` ("user:password") go to the origin of `start` and nowhere else.

    With `offline`, files only.
    """

    start: str
    credentials: str = field(default="", repr=False)
    tls: Tls | None = None
    offline: bool = False
    limits: Limits = field(default_factory=Limits)
    clock: Callable[[], float] = monotonic
    _read: int = field(default=0, init=False)
    _files: int = field(default=0, init=False)
    _until: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._until = self.clock() + self.limits.seconds

    def read(self, location: str) -> tuple[str, bytes]:
        """Return a document and where it was in the end; raises ConfigError saying why it can't be had."""
        self._files += 1
        if self._files > self.limits.files:
            raise _problem(shown(self.start), f"is made of more than {self.limits.files} files", "take in a part of it")
        final, content = self._get(location) if is_url(location) else (location, self._open(location))
        self._read += len(content)
        if len(content) > self.limits.file or self._read > self.limits.total:
            most = f"{self.limits.file >> 20} MiB a file, {self.limits.total >> 20} MiB in all"
            raise _problem(shown(location), f"is larger than what is read ({most})", "ask for a smaller WSDL")
        return final, content

    def _open(self, location: str) -> bytes:
        path = Path(location)
        try:
            if not path.is_file():
                raise _problem(shown(location), "there is no such file", "name another, or put it there")
            with path.open("rb") as file:
                return file.read(self.limits.file + 1)
        except OSError as error:
            raise _problem(shown(location), f"can't be read: {error.strerror}", "name another file") from None

    def _get(self, location: str) -> tuple[str, bytes]:
        for _ in range(_MOST_REDIRECTS):
            answer = self._ask(location)
            target = answer.headers.get("Location", "")
            if answer.status not in _REDIRECTS or not target:
                return location, _content(location, answer)
            location = urljoin(location, target).partition("#")[0]
            if not is_url(location):
                raise _problem(shown(self.start), "is redirected to what is no HTTP address", "name another address")
        raise _problem(shown(self.start), "is redirected without end", "name the address it ends at")

    def _ask(self, location: str) -> HttpAnswer:
        remaining = min(self.limits.answer, self._until - self.clock())
        where = shown(location)
        if self.offline:
            raise _problem(where, "is an address, and nothing may be fetched", "save the file and give its path")
        if remaining <= 0:
            raise _problem(where, f"could not be reached within {self.limits.seconds:g} s in all", "try again later")
        try:
            return asyncio.run(self._send(location, remaining))
        except AgencyTimeout:
            raise _problem(where, "did not answer in time", "try again, or save it and give its path") from None
        except TranslationError:
            raise _problem(where, "is no address that HTTP can hold", "write it percent-encoded") from None
        except (Unavailable, InvalidAnswer) as error:
            what = str(error).partition(": ")[2] or "can't be read"
            raise _problem(where, what, "correct the address, or save the file and give its path") from None

    async def _send(self, location: str, timeout: float) -> HttpAnswer:  # noqa: ASYNC109 -- the client's own
        client = HttpClient("wsdl", tls=self.tls, max_body=self.limits.file)
        headers = {"Accept": "text/xml, application/xml, */*;q=0.1"}
        if self.credentials and _origin(location) == _origin(self.start):
            headers["Authorization"] = f"Basic {b64encode(self.credentials.encode()).decode()}"
        try:
            address = quote(location, safe=_AS_IT_IS)
            return await client.send("GET", address, headers=headers, body=None, timeout=timeout, safe=True)
        finally:
            await client.close()


def is_url(location: str) -> bool:
    """Tell an address from a path."""
    return location.lower().startswith(("http://", "https://"))


def without_login(url: str) -> tuple[str, str]:
    """Return an address without its login, and the login as "user:password", "" when there is none."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    return (parts._replace(netloc=host).geturl(), unquote(login)) if at and is_url(url) else (url, "")


def shown(location: str) -> str:
    """Return a location as it may be shown and kept: no login, and no value in its query that may be a secret."""
    if not is_url(location):
        return location
    parts = urlsplit(without_login(location)[0])
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if not any(_SECRET.search(name) for name, _ in pairs):
        return parts._replace(fragment="").geturl()
    hidden = [(name, "***" if _SECRET.search(name) else value) for name, value in pairs]
    return parts._replace(query=urlencode(hidden, safe="*"), fragment="").geturl()


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _content(location: str, answer: HttpAnswer) -> bytes:
    if answer.status == _OK:
        return answer.body
    login = "name it as http://user:${PASSWORD}@..., in single quotes, with PASSWORD in the environment"
    remedy = login if answer.status in _UNAUTHORIZED else "correct the address, or save the file and give its path"
    raise _problem(shown(location), f"was answered with HTTP {answer.status}", remedy)


def _problem(where: str, what: str, remedy: str) -> ConfigError:
    return ConfigError(Finding(where=where, what=what, remedy=remedy))
