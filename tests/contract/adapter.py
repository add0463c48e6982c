"""What every adapter promises; `outcome` is for all of them, `HttpAdapterContract` for those that speak HTTP.

A suite for an adapter is a subclass whose name begins with Test and which says how to build the adapter and a call.
"""

import time
from collections.abc import AsyncIterator

import pytest

from adapters.http import HttpClient
from gateway import (
    Adapter,
    AgencyLogin,
    AgencyTimeout,
    Answer,
    Call,
    InvalidAnswer,
    TranslationError,
    Unavailable,
)
from tests.contract.raw_agency import Link, RawAgency, Script, unused_port

Failure = Unavailable | AgencyTimeout | AgencyLogin | InvalidAnswer | TranslationError
SLACK = 0.5
BRIEF = 0.4

JUNK = {
    "nothing": b"",
    "a page": b"<!DOCTYPE html><html><body>Sedang dalam pemeliharaan</body></html>",
    "zero bytes": bytes(64),
    "no UTF-8": b"\xff\xfe\xe9\x80" * 8,
    "a notice": b"\nNotice: Undefined index: nik in /var/www/a.php on line 3\n",
    "deep brackets": b"[" * 50_000,
    "deep elements": b"<a>" * 50_000,
    "a lone text": b'"ok"',
}


async def outcome(adapter: Adapter, call: Call) -> Answer | Failure:
    """Exchange, and hold the adapter to its word: an Answer or one of the agreed errors, within the call's timeout."""
    started = time.monotonic()
    try:
        result: Answer | Failure = await adapter.exchange(call)
    except (Unavailable, AgencyTimeout, AgencyLogin, InvalidAnswer, TranslationError) as error:
        result = error
    assert time.monotonic() - started <= call.timeout + SLACK
    return result


def http_answer(body: bytes, status: int = 200, media_type: str = "text/html") -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class HttpAdapterContract:
    """Each test is a promise of `Adapter.exchange`; arrivals are counted where the agency is."""

    good: bytes
    media_type: str = "application/json"

    def adapter(self, http: HttpClient, url: str) -> Adapter:
        raise NotImplementedError

    def call(self, *, timeout: float = 5.0, safe: bool = False) -> Call:
        raise NotImplementedError

    @pytest.fixture
    async def http(self) -> AsyncIterator[HttpClient]:
        client = HttpClient("instansi")
        yield client
        await client.close()

    async def test_a_good_answer_is_an_answer(self, http: HttpClient) -> None:
        async with RawAgency(_saying(http_answer(self.good, media_type=self.media_type))) as agency:
            answer = await outcome(self.adapter(http, agency.url), self.call())
            assert isinstance(answer, Answer)
            assert answer.document
            assert len(agency.arrivals) == 1

    async def test_rule_11_1_what_never_left_is_not_maybe_done(self, http: HttpClient) -> None:
        error = await outcome(self.adapter(http, f"http://127.0.0.1:{unused_port()}"), self.call())
        assert isinstance(error, Unavailable)
        assert not error.maybe_done

    @pytest.mark.parametrize("safe", [True, False])
    async def test_rule_11_4_silence_is_a_timeout_that_may_be_done(self, http: HttpClient, safe: bool) -> None:
        async with RawAgency(_saying(b"")) as agency:
            error = await outcome(self.adapter(http, agency.url), self.call(timeout=BRIEF, safe=safe))
            assert isinstance(error, AgencyTimeout)
            assert error.maybe_done
            assert len(agency.arrivals) == 1

    @pytest.mark.parametrize("safe", [True, False])
    async def test_rule_11_1_an_answer_cut_anywhere_may_be_done_and_is_not_repeated(
        self, http: HttpClient, safe: bool
    ) -> None:
        whole = http_answer(self.good, media_type=self.media_type)
        for cut in range(0, len(whole), max(1, len(whole) // 40)):
            async with RawAgency(_saying(whole[:cut], hang_up=True)) as agency:
                error = await outcome(self.adapter(http, agency.url), self.call(safe=safe))
                assert isinstance(error, Unavailable | InvalidAnswer)
                assert error.maybe_done
                assert len(agency.arrivals) == agency.connections == 1

    async def test_a_body_cut_anywhere_is_an_invalid_answer(self, http: HttpClient) -> None:
        for cut in range(0, len(self.good), max(1, len(self.good) // 40)):
            cut_short = http_answer(self.good[:cut], media_type=self.media_type)
            async with RawAgency(_saying(cut_short)) as agency:
                error = await outcome(self.adapter(http, agency.url), self.call())
                assert isinstance(error, InvalidAnswer)
                assert error.maybe_done

    @pytest.mark.parametrize("junk", JUNK)
    async def test_rule_11_1_junk_under_200_is_an_invalid_answer_that_may_be_done(
        self, http: HttpClient, junk: str
    ) -> None:
        async with RawAgency(_saying(http_answer(JUNK[junk]))) as agency:
            error = await outcome(self.adapter(http, agency.url), self.call())
            assert isinstance(error, InvalidAnswer)
            assert error.maybe_done
            assert "Undefined index" not in str(error)

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    @pytest.mark.parametrize("junk", JUNK)
    async def test_junk_under_a_server_error_is_the_channels_to_judge(
        self, http: HttpClient, junk: str, status: int
    ) -> None:
        async with RawAgency(_saying(http_answer(JUNK[junk], status))) as agency:
            answer = await outcome(self.adapter(http, agency.url), self.call())
            assert isinstance(answer, Answer)
            assert (answer.document, answer.fault, answer.http_status) == (None, None, status)

    async def test_when_to_come_back_is_passed_on(self, http: HttpClient) -> None:
        busy = b"HTTP/1.1 429 X\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"
        async with RawAgency(_saying(busy)) as agency:
            answer = await outcome(self.adapter(http, agency.url), self.call())
            assert isinstance(answer, Answer)
            assert (answer.http_status, answer.headers.get("retry-after")) == (429, "7")


def _saying(data: bytes, *, hang_up: bool = False) -> Script:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(data)
        if not hang_up:
            await link.hung_up()

    return script
