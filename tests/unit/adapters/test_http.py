"""What the HTTP client does with answers: size, inflation, cookies, redirects; and what its errors don't tell."""

import gzip
import traceback
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
from pydantic import TypeAdapter, ValidationError

from adapters.http import HttpAnswer, HttpClient, Url
from gateway import InvalidAnswer, TranslationError, Unavailable
from tests.contract.raw_agency import OK, Link, RawAgency, Script
from tests.unit.adapters.json_agency import Asked, JsonAgency, Said

NIK = "1405029001180001"
SECRET = "sandi-kita"
MIB = 1024 * 1024


@pytest.fixture
async def small() -> AsyncIterator[HttpClient]:
    client = HttpClient("dinkes", max_body=1000)
    yield client
    await client.close()


async def get(client: HttpClient, url: str, *, safe: bool = True) -> HttpAnswer:
    return await client.send("GET", url, headers={"X-Rahasia": SECRET}, body=None, timeout=5, safe=safe)


def answering(said: Said) -> object:
    async def behave(_: Asked) -> Said:
        return said

    return behave


def saying(data: bytes) -> Script:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(data)
        await link.hung_up()

    return script


async def test_an_answer_is_whole_with_headers_found_by_any_case(http: HttpClient, agency: JsonAgency) -> None:
    agency.behave = answering(Said(b"{}", 200, (("Content-Type", "Application/JSON; charset=utf-8"),)))
    answer = await get(http, agency.url)
    assert (answer.status, answer.body, answer.media_type) == (200, b"{}", "application/json")
    assert answer.headers["content-type"].endswith("utf-8")
    assert agency.asked[0].headers["user-agent"] == "opd-gateway"


async def test_an_answer_without_length_ends_with_the_connection(http: HttpClient) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(b"HTTP/1.0 200 OK\r\n\r\n{}")

    async with RawAgency(script) as agency:
        assert (await get(http, agency.url)).body == b"{}"


async def test_an_early_hint_is_not_the_answer(http: HttpClient) -> None:
    async with RawAgency(saying(b"HTTP/1.1 100 Continue\r\n\r\n" + OK)) as agency:
        assert (await get(http, agency.url)).status == 200


@pytest.mark.parametrize("size", [1000, 1001])
async def test_an_answer_over_the_cap_is_refused(small: HttpClient, agency: JsonAgency, size: int) -> None:
    agency.behave = answering(Said(b"x" * size))
    if size == 1000:
        assert len((await get(small, agency.url)).body) == size
        return
    with pytest.raises(InvalidAnswer, match="over 1000 bytes") as caught:
        await get(small, agency.url)
    assert caught.value.maybe_done


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_answer_is_inflated(http: HttpClient, agency: JsonAgency, encoding: str) -> None:
    packed = gzip.compress(b'{"a":1}') if encoding == "gzip" else zlib.compress(b'{"a":1}')
    agency.behave = answering(Said(packed, 200, (("Content-Encoding", encoding),)))
    assert (await get(http, agency.url)).body == b'{"a":1}'
    assert agency.asked[0].headers["accept-encoding"] == "gzip, deflate"


async def test_a_bomb_is_not_inflated_beyond_the_cap(http: HttpClient, agency: JsonAgency) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(400)) + packer.flush()
    agency.behave = answering(Said(bomb, 200, (("Content-Encoding", "gzip"),)))
    tracemalloc.start()
    try:
        with pytest.raises(InvalidAnswer, match="over 10485760 bytes"):
            await get(http, agency.url)
        assert tracemalloc.get_traced_memory()[1] < 40 * MIB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"<html>maintenance</html>\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: banyak\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    ],
    ids=["ssh", "html", "no status", "bad length", "huge header", "bad chunk", "bad gzip"],
)
async def test_what_is_not_http_is_an_invalid_answer(http: HttpClient, data: bytes) -> None:
    async with RawAgency(saying(data)) as agency:
        with pytest.raises(InvalidAnswer) as caught:
            await get(http, agency.url)
        assert caught.value.maybe_done
        assert len(agency.arrivals) == 1


async def test_cookies_never_come_back(http: HttpClient, agency: JsonAgency) -> None:
    agency.behave = answering(Said(headers=(("Set-Cookie", "sesi=orang-pertama; Path=/"),)))
    for safe in (True, True, False, False):
        # Some clients keep cookies for names only.
        await get(http, agency.url.replace("127.0.0.1", "localhost"), safe=safe)
    assert not any("cookie" in asked.headers for asked in agency.asked)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_not_followed(http: HttpClient, agency: JsonAgency, status: int) -> None:
    agency.behave = answering(Said(b"", status, (("Location", "/lain"),)))
    assert (await get(http, agency.url)).status == status
    assert len(agency.asked) == 1


@pytest.mark.parametrize("value", ["a\r\nX-Sisip: 1", "a\nb"])
async def test_a_header_that_http_cannot_hold_is_never_sent(http: HttpClient, agency: JsonAgency, value: str) -> None:
    for safe in (True, False):
        with pytest.raises(TranslationError):
            await http.send("POST", agency.url, headers={"X": value}, body=b"{}", timeout=5, safe=safe)
    assert not agency.asked


async def test_an_error_tells_no_address_no_query_and_no_secret(http: HttpClient) -> None:
    async with RawAgency(saying(b"nonsense\r\n\r\n")) as agency:
        with pytest.raises(InvalidAnswer) as caught:
            await get(http, f"{agency.url}/cari?nik={NIK}")
    with pytest.raises(Unavailable) as refused:
        await get(http, f"{agency.url}/cari?nik={NIK}")
    for error in (caught.value, refused.value):
        told = "".join(traceback.format_exception(error)) + repr(vars(error))
        assert str(error).startswith("dinkes: ")
        assert not any(secret in told for secret in (NIK, SECRET, str(agency.port)))


async def test_a_closed_client_opens_again(http: HttpClient, agency: JsonAgency) -> None:
    await get(http, agency.url)
    await http.close()
    assert (await get(http, agency.url)).status == 200


@pytest.mark.parametrize("text", ["http://10.0.0.5/api", "https://[::1]:8443", "http://x:8080/ws/", ""])
def test_an_address_is_one_of_http(text: str) -> None:
    assert TypeAdapter(Url).validate_python(text) == text


@pytest.mark.parametrize("text", ["htp:/x", "10.0.0.5/api", "ftp://x", "http://x/api?kunci=1", "http://x/a b"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Url).validate_python(text)
