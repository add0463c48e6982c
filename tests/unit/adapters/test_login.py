"""The token that has to be fetched: once for all, again when it is rejected, and never a doubled call."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from adapters.http import HttpClient
from adapters.login import Login
from adapters.rest import RestAdapter
from gateway import AgencyLogin, AgencyTimeout, InvalidAnswer, Unavailable
from tests.contract.calls import a_call
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said, said

SETTINGS: Mapping[str, Any] = {
    "call": "GET /auth",
    "headers": {"x-username": "gateway", "x-password": "sandi-kita"},
    "token": "response.token",
    "send": "x-token",
    "expired": {"from": "metadata.code", "codes": ["401"]},
}


class TokenAgency:
    """Gives tokens `t1`, `t2`, … and answers only the newest, unless told otherwise."""

    def __init__(self) -> None:
        self.logins = 0
        self.done: list[str] = []
        self.valid = ""
        self.rejection = Said(b"", 401)
        self.at_login: Said | None = None
        self.slow = 0.0

    async def __call__(self, asked: Asked) -> Said:
        if asked.path == "/auth":
            self.logins += 1
            await asyncio.sleep(self.slow)
            if self.at_login:
                return self.at_login
            self.valid = f"t{self.logins}"
            return said({"response": {"token": self.valid}, "metadata": {"code": 200}})
        if asked.headers.get("x-token") != self.valid:
            return self.rejection
        self.done.append(asked.path)
        return said({"metadata": {"code": 200}})


@pytest.fixture
def tokens() -> TokenAgency:
    return TokenAgency()


@pytest.fixture
async def agency(tokens: TokenAgency) -> AsyncIterator[JsonAgency]:
    async with JsonAgency(tokens) as agency:
        yield agency


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def adapter(http: HttpClient, agency: JsonAgency, clock: HandClock) -> RestAdapter:
    return made(http, agency, clock)


def made(http: HttpClient, agency: JsonAgency, clock: HandClock, **settings: Any) -> RestAdapter:
    login = TypeAdapter[Any](Login).validate_python({**SETTINGS, **settings})
    return RestAdapter(http=http, clock=clock, url=agency.url, login=login)


async def test_a_hundred_calls_at_once_log_in_once(adapter: RestAdapter, tokens: TokenAgency) -> None:
    answers = await asyncio.gather(*(adapter.exchange(a_call("POST /x", {})) for _ in range(100)))
    assert all(answer.http_status == 200 for answer in answers)
    assert (tokens.logins, len(tokens.done)) == (1, 100)


async def test_the_login_sends_what_it_was_given(adapter: RestAdapter, agency: JsonAgency) -> None:
    await adapter.exchange(a_call("POST /x", {}))
    login, call = agency.asked
    assert (login.method, login.headers["x-username"], login.headers["x-password"]) == ("GET", "gateway", "sandi-kita")
    assert call.headers["x-token"] == "t1"
    assert "x-password" not in call.headers


async def test_a_login_may_have_a_body_and_the_token_a_prefix(
    http: HttpClient, agency: JsonAgency, clock: HandClock, tokens: TokenAgency
) -> None:
    adapter = made(
        http, agency, clock, call="POST /auth", headers={}, body={"sandi": "x", "versi": 2}, send="x-token", prefix="t"
    )
    tokens.at_login = said({"response": {"token": "9"}})
    tokens.valid = "t9"
    await adapter.exchange(a_call("POST /x", {}))
    assert agency.asked[0].json == {"sandi": "x", "versi": 2}


@pytest.mark.parametrize(
    "rejection",
    [Said(b"", 401), Said(b"<html>", 403), said({"metadata": {"code": 401}}), said({"metadata": {"code": "401"}})],
)
async def test_a_rejected_token_is_renewed_once_for_all(
    adapter: RestAdapter, tokens: TokenAgency, rejection: Said
) -> None:
    tokens.rejection = rejection
    await adapter.exchange(a_call("POST /x", {}))
    tokens.valid = "none"
    await asyncio.gather(*(adapter.exchange(a_call("POST /y", {})) for _ in range(50)))
    assert (tokens.logins, len(tokens.done)) == (2, 51)


@pytest.fixture
def never(tokens: TokenAgency, agency: JsonAgency) -> TokenAgency:
    """Let the agency hand out tokens and accept none."""

    async def behave(asked: Asked) -> Said:
        tokens.valid = "t1" if asked.path == "/auth" else "none"
        return await tokens(asked)

    agency.behave = behave
    return tokens


async def test_a_token_expired_again_is_a_login_error_that_did_nothing(
    adapter: RestAdapter, never: TokenAgency, agency: JsonAgency
) -> None:
    never.rejection = said({"metadata": {"code": 401}})
    with pytest.raises(AgencyLogin) as caught:
        await adapter.exchange(a_call("POST /x", {}))
    assert not caught.value.maybe_done
    assert [asked.path for asked in agency.asked] == ["/auth", "/x", "/auth", "/x"]
    assert not never.done


@pytest.mark.parametrize("status", [401, 403])
async def test_a_status_that_a_fresh_token_gets_too_is_the_answer(
    adapter: RestAdapter, never: TokenAgency, agency: JsonAgency, status: int
) -> None:
    # The http table may say that a 403 is a refusal; only the channel knows it.
    never.rejection = said({"pesan": "Bukan wilayah Anda"}, status)
    answer = await adapter.exchange(a_call("POST /x", {}))
    assert (answer.http_status, answer.document) == (status, {"pesan": "Bukan wilayah Anda"})
    assert [asked.path for asked in agency.asked] == ["/auth", "/x", "/auth", "/x"]


async def test_an_agency_whose_403_is_no_matter_of_tokens_is_asked_once(
    http: HttpClient, agency: JsonAgency, clock: HandClock, never: TokenAgency
) -> None:
    adapter = made(http, agency, clock, rejected=[401])
    never.rejection = Said(b"", 403)
    answer = await adapter.exchange(a_call("POST /x", {}))
    assert answer.http_status == 403
    assert [asked.path for asked in agency.asked] == ["/auth", "/x"]


@pytest.mark.parametrize(
    ("at_login", "error"),
    [
        (Said(b"", 401), AgencyLogin),
        (said({"metadata": {"code": 201, "message": "Password salah"}}), AgencyLogin),
        (said({"response": {"token": ""}}), AgencyLogin),
        (said({"response": {"token": 7}}), AgencyLogin),
        (said({"response": {"token": "a\r\nX-Sisip: 1"}}), AgencyLogin),
        (Said(b"<html>"), InvalidAnswer),
        (Said(b"", 302), InvalidAnswer),
        (Said(b"", 503), Unavailable),
        (Said(b"", 500), Unavailable),
        (Said(b"", 429), Unavailable),
    ],
)
async def test_a_login_that_fails_did_nothing(
    adapter: RestAdapter, tokens: TokenAgency, at_login: Said, error: type[Exception]
) -> None:
    tokens.at_login = at_login
    with pytest.raises(error) as caught:
        await adapter.exchange(a_call("POST /x", {}))
    assert not getattr(caught.value, "maybe_done", True)
    assert "sandi-kita" not in str(caught.value)
    tokens.at_login = None
    await adapter.exchange(a_call("POST /x", {}))
    assert len(tokens.done) == 1


async def test_a_failed_login_fails_all_who_waited_for_it_at_once(adapter: RestAdapter, tokens: TokenAgency) -> None:
    tokens.at_login = Said(b"", 503)
    tokens.slow = 0.02
    results = await asyncio.gather(
        *(adapter.exchange(a_call("POST /x", {})) for _ in range(20)), return_exceptions=True
    )
    assert all(isinstance(result, Unavailable) for result in results)
    assert tokens.logins == 1


async def test_a_login_that_hangs_did_nothing(adapter: RestAdapter, tokens: TokenAgency) -> None:
    tokens.slow = 5
    with pytest.raises(AgencyTimeout) as caught:
        await adapter.exchange(a_call("POST /x", {}, timeout=0.05))
    assert not caught.value.maybe_done


async def test_who_leaves_does_not_take_the_login_away(adapter: RestAdapter, tokens: TokenAgency) -> None:
    tokens.slow = 0.05
    first = asyncio.create_task(adapter.exchange(a_call("POST /x", {})))
    second = asyncio.create_task(adapter.exchange(a_call("POST /y", {})))
    await asyncio.sleep(0.01)
    first.cancel()
    await second
    assert (tokens.logins, tokens.done) == (1, ["/y"])


async def test_a_token_is_renewed_when_its_lifetime_is_over(
    http: HttpClient, agency: JsonAgency, clock: HandClock, tokens: TokenAgency
) -> None:
    adapter = made(http, agency, clock, lifetime="10m")
    await adapter.exchange(a_call("POST /x", {}))
    clock.seconds += 599
    await adapter.exchange(a_call("POST /x", {}))
    assert tokens.logins == 1
    clock.seconds += 1
    await adapter.exchange(a_call("POST /x", {}))
    assert tokens.logins == 2


async def test_the_repeated_call_has_only_what_is_left_of_its_time(
    adapter: RestAdapter, tokens: TokenAgency, clock: HandClock, agency: JsonAgency
) -> None:
    await adapter.exchange(a_call("POST /x", {}))
    tokens.valid = "none"

    async def slow(asked: Asked) -> Said:
        clock.seconds += 10
        return await tokens(asked)

    agency.behave = slow
    with pytest.raises(AgencyTimeout) as caught:
        await adapter.exchange(a_call("POST /x", {}, timeout=10))
    assert not caught.value.maybe_done
    assert len(tokens.done) == 1
