"""How the gateway shows a REST agency who it is; the settings, and the token that has to be fetched first."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, SecretStr, Tag, model_validator

from adapters.body import JSON, read
from adapters.http import HttpClient
from adapters.target import compile_target
from gateway import (
    AgencyLogin,
    AgencyTimeout,
    Answer,
    Clock,
    Document,
    Duration,
    InvalidAnswer,
    Unavailable,
)


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Credentials(BaseModel):
    """Names and values that only the mapping reads, as `@login.user`; nothing is sent by itself."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, SecretStr]


class BasicLogin(_Settings):
    """HTTP basic."""

    kind: Literal["basic"] = Field(description="Says that it is this kind.")
    user: str = Field(description="The user's name.")
    password: SecretStr = Field(description="The password.")


class DigestLogin(_Settings):
    """HTTP digest: the agency challenges, and the password itself is never sent."""

    kind: Literal["digest"] = Field(description="Says that it is this kind.", examples=["digest"])
    user: str = Field(description="The user's name.", examples=["gateway"])
    password: SecretStr = Field(description="The password.", examples=["${SIKAP_PASSWORD}"])


class BearerLogin(_Settings):
    """A fixed token as `Authorization: Bearer`."""

    kind: Literal["bearer"] = Field(description="Says that it is this kind.", examples=["bearer"])
    token: SecretStr = Field(description="The token.", examples=["${SIKAP_TOKEN}"])


class HeaderLogin(_Settings):
    """A fixed value in a header of the agency's own."""

    header: str = Field(description="The header's name.")
    value: SecretStr = Field(description="Its value.")


class Expired(_Settings):
    """By which native field, holding which codes, the agency says under HTTP 200 that a token has expired."""

    from_: str = Field(alias="from", description="Where the code is in the answer.")
    codes: tuple[str, ...] = Field(description="The codes that mean: the token has expired.")


class TokenLogin(_Settings):
    """A token fetched by `call`, found at the path `token` of its answer, and sent in the header `send`."""

    call: str = Field(description="The call that gives a token, below `url`.")
    headers: dict[str, SecretStr] = Field({}, description="Headers of that call.")
    body: dict[str, SecretStr | int | bool] = Field(
        {},
        description="The JSON body of that call; a GET has none, so it shows who it is by `headers`.",
        examples=[{"user": "gateway", "password": "${SIKAP_PASSWORD}"}],
    )
    token: str = Field(description="Where the token is in the answer.")
    send: str = Field(description="The header in which every other call carries it.")
    prefix: str = Field("", description="What stands before the token there.", examples=["Bearer "])
    lifetime: Duration | None = Field(
        None, description="A new one is fetched after this time, before the agency has to say no.", examples=["45m"]
    )
    expired: Expired | None = Field(None, description="How an expired token is told under HTTP 200.")
    rejected: tuple[int, ...] = Field(
        (401, 403),
        description="The HTTP statuses that mean: this token does not hold, fetch another and send the call once more.",
        examples=[[401]],
    )

    @model_validator(mode="after")
    def _no_credentials_in_a_url(self) -> Self:
        if self.body and self.call.startswith(("GET ", "DELETE ")):
            raise ValueError("a GET would carry `body` in its URL, which servers log; use `headers`, or POST")
        return self


def _kind(value: object) -> str:
    keys = value if isinstance(value, Mapping) else vars(value)
    if "call" in keys:
        return "token"
    if "header" in keys:
        return "header"
    if "kind" in keys:
        return str(keys["kind"]) if keys["kind"] in {"bearer", "digest"} else "basic"
    return "credentials"


Login = Annotated[
    Annotated[TokenLogin, Tag("token")]
    | Annotated[HeaderLogin, Tag("header")]
    | Annotated[BearerLogin, Tag("bearer")]
    | Annotated[BasicLogin, Tag("basic")]
    | Annotated[DigestLogin, Tag("digest")]
    | Annotated[Credentials, Tag("credentials")],
    Discriminator(_kind),
]
SoapLogin = Annotated[
    Annotated[HeaderLogin, Tag("header")]
    | Annotated[BearerLogin, Tag("bearer")]
    | Annotated[BasicLogin, Tag("basic")]
    | Annotated[DigestLogin, Tag("digest")]
    | Annotated[Credentials, Tag("credentials")],
    Discriminator(_kind),
]
"""Where every call is a POST of an envelope, no call gives a token."""


def fixed_headers(login: Login | None) -> dict[str, str]:
    """Return the headers that a login adds to every call, none where a token is fetched or a challenge answered."""
    match login:
        case BasicLogin():
            pair = f"{login.user}:{login.password.get_secret_value()}".encode()
            return {"Authorization": f"Basic {b64encode(pair).decode()}"}
        case BearerLogin():
            return {"Authorization": f"Bearer {login.token.get_secret_value()}"}
        case HeaderLogin():
            return {login.header: login.value.get_secret_value()}
        case _:
            return {}


class FetchedToken:
    """The token all calls share: fetched once however many wait for it, and again when the agency rejects it."""

    __slots__ = ("_clock", "_fetching", "_http", "_login", "_send", "_target", "_token", "_until")

    def __init__(self, login: TokenLogin, *, http: HttpClient, clock: Clock, url: str) -> None:
        self._login = login
        self._http = http
        self._clock = clock
        self._target = compile_target(url, login.call)
        self._token: str | None = None
        self._until = float("inf")
        self._fetching: asyncio.Task[str] | None = None

    async def headers(self, *, timeout: float) -> dict[str, str]:  # noqa: ASYNC109 -- the caller's time, as in send
        """Return the header that carries the token, fetching it first where needed; errors are not maybe_done."""
        token = self._token
        if token is None or (self._login.lifetime and self._clock.monotonic() >= self._until):
            token = await self._fetched(timeout)
        return {self._login.send: self._login.prefix + token}

    def rejected(self, answer: Answer) -> bool:
        """Say whether an answer means that the token does not hold: the call was not done."""
        return answer.http_status in self._login.rejected or self.expired(answer)

    def expired(self, answer: Answer) -> bool:
        """Say whether an answer tells in its body that the token has expired."""
        expired = self._login.expired
        return expired is not None and str(_at(answer.document, expired.from_)) in expired.codes

    def drop(self, headers: Mapping[str, str]) -> None:
        """Forget the token that was sent with `headers`, unless another call has fetched a newer one already."""
        if self._token is not None and headers[self._login.send] == self._login.prefix + self._token:
            self._token = None

    async def _fetched(self, timeout: float) -> str:  # noqa: ASYNC109 -- as above
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch(timeout))
            self._fetching.add_done_callback(self._settle)
        try:
            # The task is shared: a caller that leaves must not take it away from the others.
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self._fetching)
        except TimeoutError:
            raise AgencyTimeout(f"{self._http.agency}: its login did not answer in time", maybe_done=False) from None

    def _settle(self, done: asyncio.Task[str]) -> None:
        self._fetching = None
        if done.cancelled() or done.exception():
            return
        self._token = done.result()
        self._until = self._clock.monotonic() + (self._login.lifetime or float("inf"))

    async def _fetch(self, timeout: float) -> str:  # noqa: ASYNC109 -- as above
        agency = self._http.agency
        try:
            url, body = self._target.request(_revealed(self._login.body))
            answer = await read(
                await self._http.send(
                    self._target.method,
                    url,
                    headers={"Accept": JSON, "Content-Type": JSON, **_revealed(self._login.headers)},
                    body=body,
                    timeout=timeout,
                ),
                agency,
            )
        except (Unavailable, AgencyTimeout, InvalidAnswer) as error:
            # Only the login may have been done, and doing it again harms nothing.
            raise type(error)(f"{error} (at its login)", maybe_done=False) from error
        return self._taken(answer, agency)

    def _taken(self, answer: Answer, agency: str) -> str:
        status = answer.http_status or 0
        token = _at(answer.document, self._login.token)
        if status < 400 and isinstance(token, str) and token and token.isprintable():  # noqa: PLR2004 -- RFC 9110 section 15.5
            return token
        if status == 429 or status >= 500:  # noqa: PLR2004 -- RFC 6585; RFC 9110 section 15.6
            raise Unavailable(f"{agency}: its login answers HTTP {status}", maybe_done=False)
        raise AgencyLogin(f"{agency}: its login gave no token; check `login`", maybe_done=False)


def _revealed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()}


def _at(document: Document | None, path: str) -> object:
    value: object = document
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
