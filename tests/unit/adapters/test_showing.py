"""A server that challenges is answered at once, and again when it challenges anew."""

import hashlib
import re
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from adapters.http import HttpClient
from adapters.login import DigestLogin
from adapters.rest import RestAdapter
from adapters.showing import Ask, showing
from gateway import AgencyLogin, AgencyTimeout
from tests.contract.calls import a_call
from tests.unit.adapters.hand_clock import HandClock
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said

LOGIN = DigestLogin(kind="digest", user="gateway", password=SecretStr("rahasia"))


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class Guard:
    """Checks digests by the book, and gives each nonce for so many requests."""

    def __init__(self, *, password: str = "rahasia", uses: int = 100) -> None:
        self.password = password
        self.uses = uses
        self.nonces: Iterator[int] = iter(range(1, 1000))
        self.nonce = ""
        self.used = 0

    async def __call__(self, asked: Asked) -> Said:
        said = dict(re.findall(r'(\w+)="?([^",]*)"?', asked.headers.get("authorization", "")))
        if self.nonce and said.get("nonce") == self.nonce and self.used < self.uses and self._right(asked, said):
            self.used += 1
            return Said(b'{"ok": true}')
        self.nonce, self.used = f"n{next(self.nonces)}", 0
        challenge = f'Digest realm="sikap", nonce="{self.nonce}", qop="auth", algorithm=MD5'
        return Said(b"{}", 401, (("WWW-Authenticate", 'Basic realm="lain"'), ("WWW-Authenticate", challenge)))

    def _right(self, asked: Asked, said: dict[str, str]) -> bool:
        secret = md5(f"gateway:sikap:{self.password}")
        request = md5(f"{asked.method}:{asked.path}")
        wanted = md5(f"{secret}:{said['nonce']}:{said['nc']}:{said['cnonce']}:auth:{request}")
        return said["response"] == wanted and int(said["nc"], 16) == self.used + 1


async def send(http: HttpClient, agency: JsonAgency, ask: Ask | None = None, *, seconds: float = 5.0) -> int:
    ask = ask or showing(LOGIN, http)
    answer = await ask("POST", f"{agency.url}/a?b=c", headers={}, body=b"{}", timeout=seconds)
    return answer.status


async def test_a_challenge_is_answered_and_the_answer_goes_along_from_then_on(
    http: HttpClient, agency: JsonAgency
) -> None:
    agency.behave = Guard()
    ask = showing(LOGIN, http)

    assert [await send(http, agency, ask) for _ in range(3)] == [200, 200, 200]

    assert len(agency.asked) == 4
    assert "authorization" not in agency.asked[0].headers


async def test_a_nonce_that_has_ended_is_replaced(http: HttpClient, agency: JsonAgency) -> None:
    agency.behave = Guard(uses=1)
    ask = showing(LOGIN, http)

    assert [await send(http, agency, ask) for _ in range(3)] == [200, 200, 200]

    assert len(agency.asked) == 6


async def test_a_wrong_password_is_not_tried_for_ever(http: HttpClient, agency: JsonAgency) -> None:
    agency.behave = Guard(password="lain")
    assert await send(http, agency) == 401
    assert len(agency.asked) == 2


async def test_a_401_without_a_challenge_is_an_answer(http: HttpClient, agency: JsonAgency) -> None:
    async def refuse(_: Asked) -> Said:
        return Said(b"{}", 401, (("WWW-Authenticate", "Bearer"),))

    agency.behave = refuse
    assert await send(http, agency) == 401
    assert len(agency.asked) == 1


async def test_without_digest_nothing_stands_between(http: HttpClient) -> None:
    assert showing(None, http) == http.send


async def test_a_rest_agency_may_challenge(http: HttpClient, agency: JsonAgency) -> None:
    agency.behave = Guard()
    adapter = RestAdapter(http=http, clock=HandClock(), url=agency.url, login=LOGIN)
    assert (await adapter.exchange(a_call("POST /x", {}))).document == {"ok": True}


@pytest.mark.parametrize(("password", "taken"), [("rahasia", True), ("lain", False)])
async def test_doctor_can_tell_whether_a_challenging_agency_takes_the_login(
    http: HttpClient, agency: JsonAgency, password: str, taken: bool
) -> None:
    agency.behave = Guard(password=password)
    adapter = RestAdapter(http=http, clock=HandClock(), url=agency.url, login=LOGIN)
    if taken:
        assert await adapter.log_in(timeout=5.0)
    else:
        with pytest.raises(AgencyLogin):
            await adapter.log_in(timeout=5.0)


async def test_a_challenge_that_comes_too_late_is_not_answered(http: HttpClient, agency: JsonAgency) -> None:
    agency.behave = Guard()
    with pytest.raises(AgencyTimeout) as caught:
        await send(http, agency, seconds=0.0)
    assert not caught.value.maybe_done
