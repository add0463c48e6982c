"""Sends requests to an agency that challenges: the answer goes along, and a new challenge is answered at once."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from multidict import MultiMapping

from adapters.digest import Challenge, challenge
from adapters.head import split
from adapters.http import HttpAnswer, HttpClient
from adapters.login import DigestLogin, Login, fixed_headers
from gateway import AgencyLogin, AgencyTimeout

_UNAUTHORIZED = 401


class Ask(Protocol):
    """Sends one request, as HttpClient.send does."""

    async def __call__(  # noqa: PLR0913 -- the parts of one request
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # noqa: ASYNC109 -- as in HttpClient.send
        safe: bool = False,
    ) -> HttpAnswer:
        """Send it and return the answer; raises as HttpClient.send does."""
        ...


def showing(login: Login | None, http: HttpClient) -> Ask:
    """Return what sends with a login: where nobody is challenged, that is the client itself."""
    return _Digest(login, http) if isinstance(login, DigestLogin) else http.send


async def let_in(  # noqa: PLR0913 -- the parts of one request
    login: Login | None,
    http: HttpClient,
    ask: Ask,
    url: str,
    headers: Mapping[str, str],
    *,
    timeout: float,  # noqa: ASYNC109 -- as in HttpClient.send
) -> bool:
    """Ask for nothing with a login of HTTP and without: where only one is let in, that tells.

    Returns whether the agency took the login, False when only a call can tell; raises AgencyLogin and as `ask`.
    """
    shown = fixed_headers(login)
    if not shown and not isinstance(login, DigestLogin):
        return False
    time = asyncio.get_running_loop().time
    until = time() + timeout
    first = await ask("HEAD", url, headers={**headers, **shown}, body=None, timeout=timeout, safe=True)
    if first.status == _UNAUTHORIZED:
        raise AgencyLogin(f"{http.agency}: it rejects the gateway's login; check `login`", maybe_done=False)
    left = until - time()
    if left <= 0:
        raise AgencyTimeout(f"{http.agency}: no time was left to ask without the login", maybe_done=False)
    second = await http.send("HEAD", url, headers=headers, body=None, timeout=left, safe=True)
    return second.status == _UNAUTHORIZED


class _Digest:
    """Answers the last challenge at once, and a new one by sending again: what was challenged was not done."""

    __slots__ = ("_challenge", "_http", "_login")

    def __init__(self, login: DigestLogin, http: HttpClient) -> None:
        self._login = login
        self._http = http
        self._challenge: Challenge | None = None

    async def __call__(  # noqa: PLR0913 -- as in Ask
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: float,  # noqa: ASYNC109 -- as in HttpClient.send
        safe: bool = False,
    ) -> HttpAnswer:
        time = asyncio.get_running_loop().time
        until = time() + timeout
        shown = self._shown(method, url, body)
        first = await self._http.send(method, url, headers={**headers, **shown}, body=body, timeout=timeout, safe=safe)
        if first.status != _UNAUTHORIZED:
            return first
        self._challenge = challenge(_all(first.headers, "WWW-Authenticate"))
        if self._challenge is None:
            return first
        left = until - time()
        if left <= 0:
            raise AgencyTimeout(f"{self._http.agency}: no time was left to answer its challenge", maybe_done=False)
        every = {**headers, **self._shown(method, url, body)}
        second = await self._http.send(method, url, headers=every, body=body, timeout=left, safe=safe)
        if second.status == _UNAUTHORIZED:
            self._challenge = None
        return second

    def _shown(self, method: str, url: str, body: bytes | None) -> dict[str, str]:
        if self._challenge is None:
            return {}
        target = split(url)[1]
        secret = self._login.password.get_secret_value()
        return {
            "Authorization": self._challenge.answer(
                self._login.user, secret, method=method, target=target, body=body or b""
            )
        }


def _all(headers: Mapping[str, str], name: str) -> Sequence[str]:
    if isinstance(headers, MultiMapping):
        return headers.getall(name, [])
    return [headers[name]] if name in headers else []
