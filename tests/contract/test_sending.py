"""What the agency counts when its connection breaks at every possible moment, and what the gateway says about it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from adapters.as_httpx import as_httpx
from adapters.body import encode
from adapters.http import HttpClient
from adapters.rest import RestAdapter
from gateway import AgencyTimeout, Document, InvalidAnswer, Unavailable
from gateway.clock import SystemClock
from tests.contract.calls import a_call
from tests.contract.raw_agency import OK, Link, RawAgency, Script, answer_everything, unused_port

BRIEF = 0.1
SMALL = {"nik": "1405029001180001"}
LARGE = {"isi": "x" * 4_000_000}

Send = Callable[..., Awaitable[object]]


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    """Both loops: the gateway runs on uvloop where there is one."""
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient("dinkes")
    yield client
    await client.close()


@pytest.fixture(params=["client", "rest", "httpx"])
def send(client: HttpClient, request: pytest.FixtureRequest) -> Send:
    """Send by one of the three ways that lead out; each must behave the same."""

    async def by_client(method: str, url: str, body: Document | None, timeout: float, *, safe: bool) -> None:  # noqa: ASYNC109
        content = None if body is None else encode(body)
        await client.send(method, url, headers={}, body=content, timeout=timeout, safe=safe)

    async def by_rest(method: str, url: str, body: Document | None, timeout: float, *, safe: bool) -> None:  # noqa: ASYNC109
        adapter = RestAdapter(http=client, clock=SystemClock(), url=url)
        await adapter.exchange(a_call(f"{method} /x", body or {}, timeout=timeout, safe=safe))

    async def by_httpx(method: str, url: str, body: Document | None, timeout: float, *, safe: bool) -> None:  # noqa: ASYNC109
        async with as_httpx(client) as seen:
            extensions = {"safe": safe}
            await seen.request(method, url, json=body, timeout=timeout, extensions=extensions)

    way = {"client": by_client, "rest": by_rest, "httpx": by_httpx}[request.param]

    async def send(method: str, url: str, *, body: Document = SMALL, timeout: float = 5, safe: bool = False) -> None:  # noqa: ASYNC109
        await way(method, url, body if method in {"POST", "PUT"} else None, timeout, safe=safe)

    return send


WAYS = [("GET", True), ("GET", False), ("POST", True), ("POST", False), ("PUT", False), ("DELETE", False)]
every_way = pytest.mark.parametrize(("method", "safe"), WAYS, ids=[f"{m}-{'safe' if s else 'once'}" for m, s in WAYS])

PARTS = {
    "after the request": b"",
    "in the status line": b"HTTP/1.1 20",
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "in a counted body": OK[:-4],
    "in a chunked body": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"ok"\r\n7\r\n:tr',
}
ENDS = ["closes", "resets", "stalls"]


async def _end(link: Link, end: str) -> None:
    if end == "stalls":
        await link.stall()
    elif end == "resets":
        link.reset()
    else:
        link.close()


def breaking_off(part: bytes, end: str) -> Script:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(part)
        if part and end == "resets":
            # A reset overtakes what was just sent; give the bytes the time to be read.
            await asyncio.sleep(0.01)
        await _end(link, end)

    return script


def expected(end: str) -> tuple[type[Exception], float]:
    return (AgencyTimeout, BRIEF) if end == "stalls" else (Unavailable, 5.0)


@every_way
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("part", PARTS)
async def test_rule_11_1_an_agency_that_breaks_off_got_it_once_and_may_have_done_it(
    send: Send, method: str, safe: bool, part: str, end: str
) -> None:
    error, timeout = expected(end)
    for patience in (timeout, 20 * timeout):
        async with RawAgency(breaking_off(PARTS[part], end)) as agency:
            with pytest.raises(error) as caught:
                await send(method, agency.url, timeout=patience, safe=safe)
        if agency.arrivals:  # else this machine was too busy to connect in time
            break
    assert caught.value.maybe_done
    assert len(agency.arrivals) == 1
    assert agency.connections == 1


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_rule_11_1_an_agency_that_breaks_off_while_the_body_is_written_may_have_done_it(
    send: Send, method: str, end: str
) -> None:
    async def script(link: Link) -> None:
        await link.begin()
        await _end(link, end)

    error, timeout = expected(end)
    async with RawAgency(script) as agency:
        with pytest.raises(error) as caught:
            await send(method, agency.url, body=LARGE, timeout=max(timeout, 0.5))
        assert caught.value.maybe_done
        assert len(agency.arrivals) == agency.connections == 1


async def test_what_is_left_of_a_body_is_not_sent_after_the_failure_was_reported(send: Send) -> None:
    left = asyncio.Event()

    async def script(link: Link) -> None:
        try:
            await link.begin()
            await left.wait()
            await link.hung_up()
        finally:
            gone.set()

    gone = asyncio.Event()
    async with RawAgency(script) as agency:
        with pytest.raises(AgencyTimeout):
            await send("POST", agency.url, body={"isi": "x" * 16_000_000}, timeout=1)
        left.set()
        await asyncio.wait_for(gone.wait(), 30)


@every_way
async def test_rule_11_1_a_refused_connection_is_not_maybe_done(send: Send, method: str, safe: bool) -> None:
    with pytest.raises(Unavailable) as caught:
        await send(method, f"http://127.0.0.1:{unused_port()}", safe=safe)
    assert not caught.value.maybe_done


@pytest.mark.parametrize("safe", [True, False])
async def test_rule_11_1_an_unknown_name_is_not_maybe_done(client: HttpClient, safe: bool) -> None:
    # Where there is no resolver at all, it takes longer to find out.
    with pytest.raises((Unavailable, AgencyTimeout)) as caught:
        await client.send("POST", "http://tidak-ada.invalid", headers={}, body=b"{}", timeout=1, safe=safe)
    assert not caught.value.maybe_done


@every_way
async def test_rule_11_1_a_connection_that_never_opens_is_not_maybe_done(send: Send, method: str, safe: bool) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with pytest.raises(AgencyTimeout) as caught:
            await send(method, f"http://127.0.0.1:{full.getsockname()[1]}", timeout=BRIEF, safe=safe)
        assert not caught.value.maybe_done


@every_way
async def test_rule_11_1_an_agency_that_resets_every_connection_never_gets_a_second_one(
    send: Send, method: str, safe: bool
) -> None:
    async def script(link: Link) -> None:
        link.reset()

    async with RawAgency(script) as agency:
        with pytest.raises(Unavailable):
            await send(method, agency.url, safe=safe)
        assert agency.connections == 1


async def test_rule_11_1_waiting_for_a_free_connection_is_not_maybe_done() -> None:
    client = HttpClient("dinkes", connections=1)

    async def script(link: Link) -> None:
        await link.request()
        await link.stall()

    async with RawAgency(script) as agency:
        first = asyncio.create_task(client.send("POST", agency.url, headers={}, body=b"{}", timeout=1.5))
        await agency.arrived.wait()
        with pytest.raises(AgencyTimeout) as caught:
            await client.send("POST", agency.url, headers={}, body=b"{}", timeout=BRIEF)
        assert not caught.value.maybe_done
        with pytest.raises(AgencyTimeout) as caught:
            await first
        assert caught.value.maybe_done
        assert len(agency.arrivals) == 1
    await client.close()


@pytest.mark.parametrize("end", ["closes", "resets"])
@every_way
async def test_a_connection_closed_while_idle_is_replaced(send: Send, method: str, safe: bool, end: str) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.say(b"")
        if agency.connections == 1:
            await _end(link, end)
            return
        await link.stall()

    async with RawAgency(script) as agency:
        await send("GET", agency.url, safe=True)
        await asyncio.sleep(0.02)
        await send(method, agency.url, safe=safe)
        assert len(agency.arrivals) == agency.connections == 2


@pytest.mark.parametrize("end", ["closes", "resets"])
async def test_rule_11_1_a_read_that_meets_a_closing_connection_is_not_repeated(send: Send, end: str) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.request()
        await _end(link, end)

    async with RawAgency(script) as agency:
        await send("GET", agency.url, safe=True)
        with pytest.raises(Unavailable) as caught:
            await send("GET", agency.url, safe=True)
        assert caught.value.maybe_done
        assert len(agency.arrivals) == 2
        assert agency.connections == 1


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_rule_11_1_a_write_never_goes_on_a_connection_that_was_idle(send: Send, method: str) -> None:
    async with RawAgency(answer_everything) as agency:
        for _ in range(3):
            await send("GET", agency.url, safe=True)
        assert agency.connections == 1
        for _ in range(3):
            await send(method, agency.url, safe=False)
        assert agency.connections == 4
        assert len(agency.arrivals) == 6


async def test_an_answer_nobody_asked_for_is_never_taken_for_the_next_one(send: Send) -> None:
    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await asyncio.sleep(0.01)
        await link.say(OK.replace(b"true", b"fals"))
        said.set()
        await link.request()
        await link.say(OK)

    said = asyncio.Event()
    async with RawAgency(script) as agency:
        await send("GET", agency.url, safe=True)
        await said.wait()
        await asyncio.sleep(0.02)
        with pytest.raises(InvalidAnswer) as caught:
            await send("GET", agency.url, safe=True)
        assert not caught.value.maybe_done
        assert len(agency.arrivals) == 1


async def test_a_caller_that_leaves_takes_the_connection_along(client: HttpClient) -> None:
    gone = asyncio.Event()

    async def script(link: Link) -> None:
        await link.request()
        await link.hung_up()
        gone.set()

    async with RawAgency(script) as agency:
        call = asyncio.create_task(client.send("GET", agency.url, headers={}, body=None, timeout=5, safe=True))
        await agency.arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(gone.wait(), 30)


async def test_no_failure_keeps_a_connection_occupied() -> None:
    client = HttpClient("dinkes", connections=2)

    async def post(url: str, *, safe: bool, timeout: float = 5) -> None:  # noqa: ASYNC109
        await client.send("POST", url, headers={}, body=b"{}", timeout=timeout, safe=safe)

    for safe in (True, False):
        for part in PARTS.values():
            for end in ENDS:
                async with RawAgency(breaking_off(part, end)) as agency:
                    for _ in range(3):
                        with pytest.raises(expected(end)[0]):
                            await post(agency.url, safe=safe, timeout=expected(end)[1])
        async with RawAgency(breaking_off(b"", "stalls")) as agency:
            left = [asyncio.create_task(post(agency.url, safe=safe)) for _ in range(6)]
            await agency.arrived.wait()
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        async with RawAgency(answer_everything) as agency:
            await asyncio.gather(*(post(agency.url, safe=safe) for _ in range(6)))
            assert len(agency.arrivals) == 6
    await client.close()
