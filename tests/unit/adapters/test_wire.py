"""One request on one connection: framing, what makes a connection unfit for another, flow control, caps."""

import asyncio
import gzip
import zlib
from collections.abc import Callable

import pytest

from adapters.wire import MAX_HEAD, PIECE, Broken, Flawed, Heard, Wire
from tests.contract.raw_agency import OK, Link, RawAgency

START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"ok"\r\n6;why=x\r\n:true}\r\n0\r\nX-Later: 1\r\n\r\n'
PACKED = gzip.compress(b'{"ok":') + gzip.compress(b"true}")
GZIP = b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED
WHOLE = {
    "counted": OK,
    "chunked": START + CHUNKED,
    "two members of gzip": START + GZIP,
    "after hints": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK,
    "folded": START + b"X: a\r\n b\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}',
    "ended by LF": b'HTTP/1.1 200 OK\nContent-Length: 11\n\n{"ok":true}',
    "offering another protocol": START
    + b"Upgrade: h2,h2c\r\nConnection: Upgrade, Keep-Alive\r\n"
    + OK.split(b"\r\n", 1)[1],
}


class Line(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire
        self.written: list[bytes] = []
        self.gone = False
        self.full_after = 1_000_000
        wire.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))
        if len(self.written) % self.full_after == 0:
            self.wire.pause_writing()

    def is_closing(self) -> bool:
        return self.gone

    def abort(self) -> None:
        self.gone = True

    def get_extra_info(self, *_: object) -> object:
        class Unset:
            def setsockopt(self, *_: object) -> None:
                """There is no socket."""

        return Unset()


def asked(*, max_body: int = 1000, bodiless: bool = False) -> tuple[Wire, Line, asyncio.Future[Heard]]:
    wire = Wire(max_body=max_body)
    line = Line(wire)
    return wire, line, wire.ask(b"GET / HTTP/1.1\r\n\r\n", None, bodiless=bodiless)


async def heard(data: bytes, *, max_body: int = 1000, bodiless: bool = False, end: bool = False) -> tuple[Heard, bool]:
    """Return the answer, and whether the connection is fit for another."""
    wire, _, answer = asked(max_body=max_body, bodiless=bodiless)
    wire.data_received(data)
    if end:
        wire.eof_received()
    assert answer.done()
    return await answer, wire.reusable


@pytest.mark.parametrize("kind", WHOLE)
async def test_an_answer_may_come_in_any_two_pieces_or_byte_by_byte(kind: str) -> None:
    data = WHOLE[kind]
    for cut in range(len(data) + 1):
        wire, _, answer = asked()
        wire.data_received(data[:cut])
        if not answer.done():
            wire.data_received(data[cut:])
        assert (await answer).body == b'{"ok":true}'
        assert wire.reusable
    wire, line, answer = asked()
    for at in range(len(data)):
        assert not answer.done()
        wire.data_received(data[at : at + 1])
    assert (await answer).status == 200
    assert not line.gone
    assert "X-Later" not in (await answer).headers


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("end", ["eof", "lost", "reset", "expired"])
async def test_an_answer_cut_anywhere_is_never_taken_for_a_whole_one(kind: str, end: str) -> None:
    data = WHOLE[kind]
    for cut in range(len(data)):
        wire, line, answer = asked()
        wire.data_received(data[:cut])
        ends: dict[str, Callable[[], None]] = {
            "eof": wire.eof_received,
            "lost": lambda wire=wire: wire.connection_lost(None),
            "reset": lambda wire=wire: wire.connection_lost(ConnectionResetError()),
            "expired": wire.expire,
        }
        ends[end]()
        with pytest.raises(TimeoutError if end == "expired" else Broken):
            await answer
        assert wire.asked
        assert not wire.reusable
        assert line.gone or end in {"lost", "reset"}


@pytest.mark.parametrize("head", [b"", b"Content-Encoding: gzip\r\n"])
async def test_a_body_without_length_ends_with_the_connection_but_not_with_a_reset(head: bytes) -> None:
    body = gzip.compress(b"{}") if head else b"{}"
    data = b"HTTP/1.0 200 OK\r\n" + head + b"\r\n" + body
    answer, reusable = await heard(data, end=True)
    assert answer.body == b"{}"
    assert not reusable
    wire, _, future = asked()
    wire.data_received(data)
    wire.connection_lost(ConnectionResetError())
    with pytest.raises(Broken):
        await future
    if head:
        wire, _, future = asked()
        wire.data_received(data[:-1])
        wire.eof_received()
        with pytest.raises(Broken):
            await future


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize(("head", "reusable"), [(b"", True), (b"Content-Length: 5\r\n", False), (b"X: 1\r\n", True)])
async def test_a_status_without_body_ends_with_its_head(status: int, head: bytes, reusable: bool) -> None:
    answer, again = await heard(b"HTTP/1.1 %d X\r\n" % status + head + b"\r\n")
    assert (answer.status, answer.body, again) == (status, b"", reusable)


async def test_the_answer_to_head_has_no_body_whatever_its_length() -> None:
    answer, reusable = await heard(START + b"Content-Length: 5\r\n\r\n", bodiless=True)
    assert (answer.status, answer.body, reusable) == (200, b"", False)


@pytest.mark.parametrize(
    "data",
    [
        START + b"Connection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        OK + OK,
        OK + b"H",
    ],
    ids=["says so", "1.0", "another answer", "the start of one"],
)
async def test_a_connection_that_is_not_clean_is_not_used_again(data: bytes) -> None:
    answer, reusable = await heard(data)
    assert answer.status == 200
    assert not reusable


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: gzip\r\n\r\n{}",
        b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"Content-Length: +2\r\n\r\n{}",
        b"Content-Length: 99999999999999999999999\r\n\r\n{}",
        b"Content-Length: 2\r\n\r\n{} and more",
        b"X: a\0b\r\nContent-Length: 2\r\n\r\n{}",
        b"X: " + b"a" * MAX_HEAD + b"\r\nContent-Length: 2\r\n\r\n{}",
        b"X: 1\r\n" * 20_000 + b"Content-Length: 2\r\n\r\n{}",
        b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Encoding: gzip, gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
        b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n4\r\njunk\r\n0\r\n\r\n",
    ],
)
async def test_an_answer_that_can_be_read_in_two_ways_is_flawed(rest: bytes) -> None:
    with pytest.raises(Flawed):
        await heard(START + rest)
    wire, _, answer = asked()
    for at in range(0, len(START + rest), 7):
        wire.data_received((START + rest)[at : at + 7])
    if b"and more" not in rest:
        # What follows in a later piece is not seen before the answer is given.
        with pytest.raises(Flawed):
            await answer


async def test_another_protocol_is_flawed() -> None:
    with pytest.raises(Flawed, match="not HTTP"):
        await heard(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")


@pytest.mark.parametrize(
    "endless",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"X: 1\r\n",
        b"a",
        START + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: " + b"a" * 1000,
    ],
    ids=["hints", "headers", "a header", "a trailer"],
)
async def test_what_never_comes_to_a_point_is_given_up(endless: bytes) -> None:
    wire, line, answer = asked()
    if not endless.startswith(b"HTTP"):
        wire.data_received(START + b"Y: ")
    fed = 0
    while not answer.done():
        wire.data_received(endless if fed < 1000 or endless.startswith(b"HTTP/1.1 100") else endless[-100:])
        fed += len(endless)
        assert fed < 100 * MAX_HEAD
    with pytest.raises(Flawed):
        await answer
    assert line.gone


@pytest.mark.parametrize("size", [1000, 1001])
@pytest.mark.parametrize("way", ["plain", "chunked", "gzip", "deflate", "until close"])
async def test_the_cap_is_on_the_inflated_body(way: str, size: int) -> None:
    body = b"x" * size
    data = {
        "plain": b"Content-Length: %d\r\n\r\n%b" % (size, body),
        "chunked": b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n%x\r\n%b\r\n0\r\n\r\n" % (size - 1, body[1:]),
        "gzip": b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(body),
        "deflate": b"Content-Encoding: deflate\r\n\r\n" + zlib.compress(body),
        "until close": b"\r\n" + body,
    }[way]
    if size == 1000:
        assert (await heard(START + data, end=True))[0].body == body
    else:
        with pytest.raises(Flawed, match="over 1000 bytes"):
            await heard(START + data, end=True)


async def test_a_small_request_is_one_write_and_a_large_one_waits_for_the_agency() -> None:
    wire = Wire(max_body=10)
    line = Line(wire)
    answer = wire.ask(b"head", b"body")
    assert line.written == [b"headbody"]
    wire.data_received(OK.replace(b"11", b"2"[:1])[: -len(b'"ok":true}')] + b"}")
    await answer
    line.written.clear()
    line.full_after = 2
    body = bytes(range(256)) * (PIECE // 64)
    answer = wire.ask(b"head", body)
    assert len(line.written) == 2
    for sent in (4, 5):
        assert not answer.done()
        wire.resume_writing()
        assert len(line.written) == sent
    assert b"".join(line.written) == b"head" + body
    wire.abort()


async def test_an_answer_before_the_end_of_the_body_counts_and_ends_the_connection() -> None:
    wire = Wire(max_body=100)
    line = Line(wire)
    line.full_after = 1
    answer = wire.ask(b"head", bytes(3 * PIECE))
    wire.data_received(OK)
    assert (await answer).status == 200
    assert not wire.reusable
    written = len(line.written)
    wire.abort()
    wire.resume_writing()
    assert len(line.written) == written


async def test_nothing_is_asked_on_a_connection_that_spoke_or_is_gone() -> None:
    wire = Wire(max_body=10)
    line = Line(wire)
    wire.data_received(b"220 mail.example ready\r\n")
    with pytest.raises(Flawed, match="before anything was asked"):
        wire.ask(b"head", None)
    assert not line.written
    assert not wire.asked
    gone = Wire(max_body=10)
    with pytest.raises(Broken):
        gone.ask(b"head", None)
    assert not gone.asked


async def test_a_caller_that_left_hears_nothing_more() -> None:
    wire, _, answer = asked()
    answer.cancel()
    wire.data_received(OK)
    wire.connection_lost(None)
    assert answer.cancelled()


async def test_large_bodies_arrive_whole_over_real_sockets() -> None:
    body = bytes(range(256)) * 40_000

    async def script(link: Link) -> None:
        await asyncio.sleep(0)
        await link.request()
        await link.say(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await link.hung_up()

    async with RawAgency(script) as agency:
        wire = Wire(max_body=len(body))
        await asyncio.get_running_loop().create_connection(lambda: wire, "127.0.0.1", agency.port)
        head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body)
        assert (await wire.ask(head, body)).body == body
        assert agency.arrivals == [head + body]
        wire.abort()
