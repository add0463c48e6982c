"""JSON over HTTP, declared: where each native field goes, and which login; knows nothing of what answers mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import Field

from adapters.body import JSON, read, read_now
from adapters.http import HttpAnswer, HttpClient, Url, trace_headers
from adapters.login import FetchedToken, Login, TokenLogin, fixed_headers
from adapters.showing import Ask, let_in, showing
from adapters.target import IN_QUERY, Target, compile_target, plain_text
from gateway import AgencyLogin, AgencyTimeout, Answer, Call, Clock, Document, FieldError, TranslationError, UrlFields

PROBE_TIMEOUT = 5.0
NOTHING: Mapping[str, str] = MappingProxyType({})
# RFC 9110 section 5.5: a field value holds no control character but the tab.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RestAdapter:
    """An agency that speaks JSON over HTTP; `url` is what every call's path stands below."""

    http: HttpClient
    clock: Clock
    url: Annotated[Url, Field(description="The address that every `call` stands below.")]
    login: Annotated[Login | None, Field(description="How the gateway shows who it is; six kinds, below.")] = None
    _targets: dict[str, Target] = field(init=False, repr=False, compare=False, default_factory=dict)
    _token: FetchedToken | None = field(init=False, repr=False, compare=False, default=None)
    _headers: dict[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)
    _ask: Ask = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._headers.update({"Accept": JSON, "Content-Type": JSON}, **fixed_headers(self.login))
        object.__setattr__(self, "_ask", showing(self.login, self.http))
        if isinstance(self.login, TokenLogin):
            token = FetchedToken(self.login, http=self.http, clock=self.clock, url=self.url)
            object.__setattr__(self, "_token", token)

    def prepare(self, target: str) -> Target:
        """Compile a call; raises ConfigError when it is not a method and a path."""
        return self._targets.setdefault(target, compile_target(self.url, target))

    def url_fields(self, target: str) -> UrlFields:
        """Return which fields stand in the URL of a call."""
        made = self.prepare(target)
        return UrlFields(path=made.fields, query=made.method in IN_QUERY)

    async def exchange(self, call: Call, /) -> Answer:
        """Send the call, and once more with a fresh token where the agency rejects the one it was sent with."""
        target = self._targets.get(call.target) or self.prepare(call.target)
        url, body = target.request(call.document)
        headers = {**self._headers, **trace_headers(call), **_flat(call.headers)}
        request = _Request(target.method, url, headers, body, call.safe)
        if self._token is None:
            return await self._send(request, call.timeout)
        return await self._with_token(self._token, request, self.clock.monotonic() + call.timeout)

    def reread(self, _target: str, answer: Answer, /) -> Answer:
        """Read what was kept because it was no JSON."""
        return read_now(HttpAnswer.kept(answer), self.http.agency)

    async def probe(self) -> None:
        """Connect and hang up; raises Unavailable or AgencyTimeout."""
        await self.http.probe(self.url, timeout=PROBE_TIMEOUT)

    async def log_in(self, *, timeout: float) -> bool:  # noqa: ASYNC109 -- as in HttpClient.send
        """Fetch the token, or ask for nothing with the login and without.

        Returns whether the agency took the login, False when only a call can tell; raises AgencyLogin and as exchange.
        """
        if self._token is not None:
            await self._token.headers(timeout=timeout)
            return True
        return await let_in(self.login, self.http, self._ask, self.url, {"Accept": JSON}, timeout=timeout)

    async def _with_token(self, token: FetchedToken, request: "_Request", deadline: float) -> Answer:
        shown = await token.headers(timeout=self._left(deadline))
        answer = await self._send(request, self._left(deadline), shown)
        if not token.rejected(answer):
            return answer
        token.drop(shown)
        answer = await self._send(request, self._left(deadline), await token.headers(timeout=self._left(deadline)))
        if token.expired(answer):
            raise AgencyLogin(f"{self.http.agency}: it rejects a fresh token too; check `login`", maybe_done=False)
        return answer  # a 401 or 403 to a fresh token may mean something else here: the channel has the http table

    def _left(self, deadline: float) -> float:
        left = deadline - self.clock.monotonic()
        if left <= 0:
            raise AgencyTimeout(f"{self.http.agency}: no time was left to send it", maybe_done=False)
        return left

    async def _send(self, request: "_Request", timeout: float, shown: Mapping[str, str] = NOTHING) -> Answer:  # noqa: ASYNC109 -- as in HttpClient.send
        answer = await self._ask(
            request.method,
            request.url,
            headers={**request.headers, **shown},
            body=request.body,
            timeout=timeout,
            safe=request.safe,
        )
        return await read(answer, self.http.agency)


class _Request(NamedTuple):
    """What is sent, the token apart."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    safe: bool


def _flat(headers: Document, above: str = "") -> dict[str, str]:
    """Return mapped headers by name; a dot in a name has nested it."""
    flat: dict[str, str] = {}
    for name, value in headers.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{above}{name}.")
        elif value is not None:
            flat[above + name] = _header(above + name, value)
    return flat


def _header(name: str, value: object) -> str:
    text = plain_text(value)
    if text is None:
        raise TranslationError("request", [FieldError(pointer=name, rule="type", params={"expected": "text"})])
    if _CONTROL.search(text):
        raise TranslationError("request", [FieldError(pointer=name, rule="control-character")])
    return text
