"""The httpx view: what a hand-written adapter sees."""

import gzip
from decimal import Decimal

import httpx
import pytest

from adapters.as_httpx import as_answer, as_httpx
from adapters.http import HttpClient
from gateway import AgencyTimeout, InvalidAnswer, Unavailable
from tests.contract.raw_agency import Link, RawAgency, unused_port
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said


async def test_requests_and_answers_look_like_httpx(http: HttpClient, agency: JsonAgency) -> None:
    async def behave(asked: Asked) -> Said:
        return Said(gzip.compress(asked.body), 201, (("Content-Encoding", "gzip"), ("X-Nomor", "7")))

    agency.behave = behave
    async with as_httpx(http) as client:
        answer = await client.post(f"{agency.url}/a%2Fb", params={"q": "x y"}, json={"nama": "Émilie"})
    assert (answer.status_code, answer.json(), answer.headers["x-nomor"]) == (201, {"nama": "Émilie"}, "7")
    assert agency.asked[0].path == "/a%2Fb?q=x+y"
    assert agency.asked[0].headers["user-agent"] == "opd-gateway"


async def test_cookies_are_not_kept(http: HttpClient, agency: JsonAgency) -> None:
    async def behave(_: Asked) -> Said:
        return Said(headers=(("Set-Cookie", "sesi=1; Path=/"),))

    agency.behave = behave
    async with as_httpx(http) as client:
        await client.get(agency.url)
        await client.get(agency.url)
    assert "cookie" not in agency.asked[1].headers


async def test_errors_are_httpx_errors_and_ours(http: HttpClient) -> None:
    async with as_httpx(http) as client:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.post(f"http://127.0.0.1:{unused_port()}/")
    assert isinstance(caught.value, Unavailable)
    assert not caught.value.maybe_done
    assert caught.value.request.method == "POST"


@pytest.mark.parametrize(
    ("end", "theirs", "ours"),
    [
        ("close", httpx.ReadError, Unavailable),
        ("stall", httpx.ReadTimeout, AgencyTimeout),
        ("junk", httpx.RemoteProtocolError, InvalidAnswer),
    ],
)
async def test_errors_after_sending_are_maybe_done(
    http: HttpClient, end: str, theirs: type[Exception], ours: type[Exception]
) -> None:
    async def script(link: Link) -> None:
        await link.request()
        if end == "stall":
            await link.stall()
        await link.say(b"junk\r\n\r\n" if end == "junk" else b"")

    async with RawAgency(script) as agency, as_httpx(http) as client:
        with pytest.raises(theirs) as caught:
            await client.post(agency.url, timeout=0.1 if end == "stall" else 5)
    assert isinstance(caught.value, ours)
    assert caught.value.maybe_done


async def test_a_connection_that_hangs_is_not_maybe_done(http: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.stall()

    async with RawAgency(script) as agency, as_httpx(http) as client:
        with pytest.raises(httpx.ConnectTimeout) as caught:
            await client.post(agency.url.replace("http:", "https:"), timeout=0.05)
    assert isinstance(caught.value, AgencyTimeout)
    assert not caught.value.maybe_done


async def test_an_answer_is_read_as_the_rest_adapter_reads_it(http: HttpClient, agency: JsonAgency) -> None:
    bodies = [Said(b'{"a":1.50}', 429, (("Retry-After", "3"),)), Said(b"<html>")]

    async def behave(_: Asked) -> Said:
        return bodies.pop(0)

    agency.behave = behave
    async with as_httpx(http) as client:
        answer = await as_answer(await client.post(agency.url), http.agency)
        assert (answer.document, answer.http_status, answer.headers) == (
            {"a": Decimal("1.50")},
            429,
            {"retry-after": "3"},
        )
        page = await client.post(agency.url)
    with pytest.raises(InvalidAnswer, match="dinkes: its answer is a page") as caught:
        await as_answer(page, http.agency)
    assert caught.value.maybe_done
