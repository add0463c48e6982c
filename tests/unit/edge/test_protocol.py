"""Heads that never end, without a network."""

import asyncio
import json
import re

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.edge.asgi import WHOLE
from gateway.edge.protocol import Protocol


class FakeTransport(asyncio.Transport):
    def __init__(self):
        super().__init__()
        self.writes = []
        self.closed = False

    @property
    def sent(self):
        return b"".join(self.writes)

    def write(self, data):
        self.writes.append(data)

    def close(self):
        self.closed = True

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def is_closing(self):
        return self.closed


async def connection(*, waits=False, whole=None):
    async def app(scope, receive, send):
        if waits:
            await receive()
        if whole is not None and scope[WHOLE](*whole):
            return
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    config = uvicorn.Config(app, http=Protocol, ws="none", lifespan="off", log_config=None)
    config.load()
    protocol, transport = Protocol(config=config, server_state=ServerState(), app_state={}), FakeTransport()
    protocol.connection_made(transport)
    return protocol, transport


async def test_a_connection_that_says_nothing_is_closed_at_the_second_look():
    protocol, transport = await connection()
    protocol._check_head()
    assert not transport.closed
    protocol._check_head()
    assert transport.closed
    protocol.connection_lost(None)


async def test_a_head_that_comes_drop_by_drop_is_given_up():
    protocol, transport = await connection()
    for letter in b"GET / HTTP/1.1":
        protocol.data_received(bytes([letter]))
    protocol._check_head()
    protocol.data_received(b"\r\nx-a")
    protocol._check_head()
    assert transport.closed
    protocol.connection_lost(None)


async def test_a_connection_kept_between_requests_is_left_to_its_own_timeout():
    protocol, transport = await connection()
    for _ in range(3):
        protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        protocol._check_head()
        protocol._check_head()
    assert not transport.closed
    assert transport.sent.count(b"204") == 3
    protocol.connection_lost(None)


async def test_hundreds_of_offers_to_upgrade_in_one_packet_are_all_declined():
    protocol, transport = await connection()
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n" * 600)
    for _ in range(5000):
        await asyncio.sleep(0)
    assert transport.sent.count(b" 204 ") == 600
    protocol.connection_lost(None)


async def test_a_head_split_between_packets_is_no_offence():
    protocol, transport = await connection()
    protocol.data_received(b"GET / HTTP/1.1\r\nx-a: " + b"a" * 20_000)
    protocol.data_received(b"a" * 5_000 + b"\r\nhost: x\r\n\r\n")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert b" 204 " in transport.sent
    protocol.connection_lost(None)


@pytest.mark.parametrize("packet", [4096, 1 << 20])
async def test_an_address_that_httptools_can_not_hold_is_414(packet):
    protocol, transport = await connection()
    data = b"GET /v1/" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n"
    for start in range(0, len(data), packet):
        if not transport.closed:
            protocol.data_received(data[start : start + packet])
    assert transport.sent.startswith(b"HTTP/1.1 414 ")
    assert transport.closed
    protocol.connection_lost(None)


@pytest.mark.parametrize(("asked", "spoken"), [(b"en", "Invalid request"), (b"id", "Permintaan tidak sah")])
async def test_a_refusal_speaks_the_language_that_was_asked_for(asked, spoken):
    protocol, transport = await connection()
    protocol.data_received(
        b"GET / HTTP/1.1\r\nx-correlation-id: a-1\r\naccept-language: " + asked + b"\r\nhost: x\r\nno colon\r\n"
    )
    head, body = transport.sent.split(b"\r\n\r\n")
    assert b"x-correlation-id: a-1" in head
    assert json.loads(body)["title"] == spoken
    protocol.connection_lost(None)


@pytest.mark.parametrize(
    "second", [b"no http\r\n\r\n", b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n"]
)
async def test_a_refusal_waits_until_what_was_asked_before_is_answered(second):
    protocol, transport = await connection()
    good = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
    protocol.data_received(good + good + second)
    protocol.data_received(good)  # nobody reads on behind a refusal
    for _ in range(20):
        await asyncio.sleep(0)
    assert re.findall(rb"HTTP/1.1 (\d+)", transport.sent) == [b"204", b"204", b"400"]
    assert transport.closed
    protocol.connection_lost(None)


async def test_a_broken_body_is_refused_at_once_as_nobody_else_would_end_it():
    protocol, transport = await connection(waits=True)
    protocol.data_received(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nno size\r\n")
    assert transport.sent.startswith(b"HTTP/1.1 400 ")
    assert transport.closed
    protocol.connection_lost(None)
    await asyncio.sleep(0)


HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]


async def answered(status, headers, body, *, head=b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"):
    protocol, transport = await connection(whole=(status, headers, body))
    protocol.data_received(head)
    for _ in range(5):
        await asyncio.sleep(0)
    protocol.connection_lost(ConnectionResetError())
    return transport


async def test_an_answer_leaves_in_one_write_and_the_connection_is_kept():
    transport = await answered(200, HEADERS, b"{}")
    said = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    assert transport.writes == [said]
    assert not transport.closed


@pytest.mark.parametrize(
    ("version", "headers"), [(b"1.0", HEADERS), (b"1.1", [*HEADERS, (b"connection", b"close")])], ids=["asked", "said"]
)
async def test_an_answer_after_which_the_connection_closes_says_so_once(version, headers):
    head = b"GET / HTTP/" + version + b"\r\nhost: x\r\n\r\n"
    transport = await answered(200, headers, b"{}", head=head)
    assert len(transport.writes) == 1
    assert transport.sent.count(b"connection: close\r\n") == 1
    assert transport.closed


async def test_a_head_is_answered_without_a_body():
    transport = await answered(200, HEADERS, b"{}", head=b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert transport.sent.endswith(b"content-length: 2\r\n\r\n")


async def test_a_long_body_is_not_copied_behind_its_head():
    body = bytes(65 << 10)
    transport = await answered(200, [(b"content-length", b"%d" % len(body))], body)
    assert transport.sent.startswith(b"HTTP/1.1 204 ")  # what the app says when it is not taken whole


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
async def test_a_header_that_holds_the_end_of_a_line_is_never_sent(end):
    transport = await answered(200, [(b"location", b"/v1" + end + b"set-cookie: a=b"), *HEADERS], b"{}")
    assert b"set-cookie" not in transport.sent
    assert transport.sent.startswith(b"HTTP/1.1 500 ")


async def test_answers_to_requests_in_one_packet_keep_their_order_in_one_write_each():
    transport = await answered(200, HEADERS, b"{}", head=b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 2)
    assert [write[:15] for write in transport.writes] == [b"HTTP/1.1 200 OK"] * 2


async def test_nobody_is_told_after_hanging_up():
    protocol, transport = await connection(whole=(200, HEADERS, b"{}"))
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    protocol.connection_lost(ConnectionResetError())
    await asyncio.sleep(0)
    assert not transport.writes


async def test_who_reads_slowly_is_waited_for():
    protocol, transport = await connection(whole=(200, HEADERS, b"{}"))
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    protocol.pause_writing()
    await asyncio.sleep(0)
    assert not transport.writes
    protocol.resume_writing()
    for _ in range(3):
        await asyncio.sleep(0)
    assert transport.sent.startswith(b"HTTP/1.1 204 ")  # as events, which wait
    protocol.connection_lost(None)
