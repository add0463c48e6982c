"""How the server starts and stops, over real ports."""

import asyncio
import os
import signal
import socket

import pytest

from gateway.edge.server import bind, on_signals
from gateway.errors import ConfigError
from gateway.message import Reply

KEY = b"authorization: Bearer kunci-uji\r\n"
READ = b"GET /v1/x?nomor=1 HTTP/1.1\r\nhost: x\r\n" + KEY + b"\r\n"


class Waiting:
    """A handler that waits until it is let go."""

    def __init__(self):
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, _message):
        self.begun.set()
        await self.go.wait()
        return Reply(body={"nomor": "1"})


async def test_what_is_under_way_finishes_and_then_the_server_ends(stand, operation):
    handler = Waiting()
    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        under_way = asyncio.create_task(edge.http.get("/v1/x?nomor=1"))
        await handler.begun.wait()
        edge.stop.set()
        with pytest.raises(OSError, match=r"refused|Connect call failed"):  # noqa: PT012 - as soon as it has stopped
            while True:
                _, writer = await edge.connect()
                writer.close()
                await asyncio.sleep(0.01)
        handler.go.set()
        got = await under_way
        assert got.status_code == 200
        assert got.headers["connection"] == "close"
        await asyncio.wait_for(edge.done, 30)


async def test_while_it_drains_everything_is_served_and_it_says_that_it_leaves(stand, operation):
    async with stand([operation("dpmptsp/x", "GET /v1/x")], drain=60.0) as edge:
        assert (await edge.http.get("/readyz")).status_code == 200
        edge.stop.set()
        while (ready := await edge.http.get("/readyz")).status_code == 200:
            pass
        assert (ready.status_code, ready.json()["state"]) == (503, "leaving")
        reader, writer = await edge.connect()
        writer.write(READ)
        assert (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 200 ")
        writer.close()
        assert not edge.done.done()
        edge.hurry.set()
        await asyncio.wait_for(edge.done, 30)


async def test_after_the_draining_it_stops(stand, operation):
    async with stand([operation("dpmptsp/x", "GET /v1/x")], drain=0.05) as edge:
        edge.stop.set()
        await asyncio.wait_for(edge.done, 30)
        assert edge.edge._current.phase == "stopping"


async def test_new_requests_on_a_kept_connection_are_refused_while_stopping(stand, operation):
    handler = Waiting()
    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        reader, writer = await edge.connect()
        writer.write(READ)
        await handler.begun.wait()
        edge.edge.stop()
        handler.go.set()
        writer.write(READ)
        answers = await asyncio.wait_for(reader.read(), 30)
    first, second = answers.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200 ")
    assert second.startswith(b"503 ")
    assert b"connection: close" in second
    assert b"retry-after: 5" in second
    assert b'"type":"stopping"' in second
    writer.close()


@pytest.mark.parametrize(("expose", "maybe_done"), [("GET /v1/x", False), ("POST /v1/x", True)])
async def test_past_the_grace_the_rest_is_answered_503(stand, operation, expose, maybe_done):
    handler = Waiting()
    async with stand([operation("dpmptsp/x", expose, handler)], grace=0.2) as edge:
        method, path = expose.split(" ")
        more = {"json": {"nomor": "1"}} if method == "POST" else {"params": {"nomor": "1"}}
        under_way = asyncio.create_task(edge.http.request(method, path, **more))
        await handler.begun.wait()
        edge.stop.set()
        got = await under_way
        assert got.status_code == 503
        assert got.json()["type"] == "stopping"
        assert got.json()["maybe_done"] is maybe_done
        await asyncio.wait_for(edge.done, 30)


async def test_a_write_whose_body_was_still_coming_was_not_begun(stand, operation):
    async with stand([operation("dpmptsp/x", "POST /v1/x")], grace=0.2) as edge:
        reader, writer = await edge.connect()
        head = b"POST /v1/x HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n"
        writer.write(head + KEY + b'\r\n{"nomor"')
        while not edge.edge.under_way:  # noqa: ASYNC110 - the other end of a socket moves
            await asyncio.sleep(0.01)
        edge.stop.set()
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"maybe_done" not in answer


async def test_a_second_signal_ends_the_grace(stand, operation):
    handler = Waiting()
    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)], grace=60) as edge:
        under_way = asyncio.create_task(edge.http.get("/v1/x?nomor=1"))
        await handler.begun.wait()
        edge.stop.set()
        await asyncio.sleep(0)
        edge.hurry.set()
        assert (await under_way).status_code == 503
        await asyncio.wait_for(edge.done, 30)


async def test_an_idle_connection_and_half_a_request_hold_nothing_up(stand, operation):
    async with stand([operation("dpmptsp/x", "GET /v1/x")], grace=60) as edge:
        _, idle = await edge.connect()
        _, half = await edge.connect()
        half.write(b"GET /v1/x HTTP/1.1\r\nhost")
        await edge.http.get("/v1/x?nomor=1")
        edge.stop.set()
        await asyncio.wait_for(edge.done, 30)
        idle.close()
        half.close()


async def test_figures_and_health_answer_during_the_drain(stand, operation):
    handler = Waiting()
    async with stand([operation("dpmptsp/x", "GET /v1/x", handler)]) as edge:
        assert (await edge.http.get("/readyz")).status_code == 200
        under_way = asyncio.create_task(edge.http.get("/v1/x?nomor=1"))
        await handler.begun.wait()
        ready = await edge.connect()
        edge.edge.stop()
        ready[1].write(b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await ready[0].readline()).startswith(b"HTTP/1.1 503 ")
        ready[1].close()
        edge.stop.set()
        await asyncio.sleep(0.15)
        assert (await edge.http.get(f"{edge.metrics}/metrics")).status_code == 200
        handler.go.set()
        await under_way


def test_a_port_in_use_is_one_clear_finding():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            bind(f"127.0.0.1:{port}", "gateway.listen")
    [finding] = caught.value.findings
    assert finding.where == "gateway.listen"
    assert finding.what == f'can\'t listen on "127.0.0.1:{port}": address already in use'


@pytest.mark.parametrize("address", ["127.0.0.1:x", "300.1.1.1:80", "127.0.0.1:99999"])
def test_an_address_that_is_none_is_a_finding(address):
    with pytest.raises(ConfigError):
        bind(address, "gateway.listen")


def test_an_ipv6_address_may_stand_in_brackets():
    try:
        bound = bind("[::1]:0", "gateway.listen")
    except ConfigError as error:
        pytest.skip(str(error))
    with bound:
        assert bound.family == socket.AF_INET6


async def test_the_first_signal_stops_and_the_second_hurries():
    stop, hurry = asyncio.Event(), asyncio.Event()
    on_signals(stop, hurry)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), 30)
        assert not hurry.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.wait_for(hurry.wait(), 30)
    finally:
        for one in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().remove_signal_handler(one)
