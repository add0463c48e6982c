"""Lending wires: how many, in which order, which may be used again; names and their addresses."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator

import pytest

from adapters.head import Origin, origin_of
from adapters.http import HttpClient, Tls
from adapters.pool import KEEP_ALIVE, Pool
from gateway import AgencyTimeout, TranslationError, Unavailable
from tests.contract.raw_agency import OK, Link, RawAgency, answer_everything, unused_port


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient("dinkes", connections=2)
    yield client
    await client.close()


async def get(client: HttpClient, url: str, *, safe: bool = True, timeout: float = 5) -> None:  # noqa: ASYNC109
    await client.send("GET", url, headers={}, body=None, timeout=timeout, safe=safe)


@pytest.mark.parametrize("safe", [True, False])
async def test_callers_wait_their_turn_and_no_more_connections_are_open_than_allowed(
    client: HttpClient, safe: bool
) -> None:
    at_once = most = 0
    order: list[bytes] = []

    async def script(link: Link) -> None:
        nonlocal at_once, most
        while True:
            order.append((await link.request()).split()[1])
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0.005)
            at_once -= 1
            await link.say(OK)

    async with RawAgency(script) as agency:
        await asyncio.gather(*(get(client, f"{agency.url}/{number:02}", safe=safe) for number in range(20)))
        assert most == 2
        assert sorted(order[:2]) == [b"/00", b"/01"]
        # Two at a time may swap, but nobody is overtaken by more than that.
        assert all(abs(at - int(path[1:])) <= 2 for at, path in enumerate(order))
        assert agency.connections == (2 if safe else 20)


async def test_callers_that_give_up_leave_the_queue(client: HttpClient) -> None:
    release = asyncio.Event()

    async def script(link: Link) -> None:
        while True:
            await link.request()
            await release.wait()
            await link.say(OK)

    async with RawAgency(script) as agency:
        held = [asyncio.create_task(get(client, agency.url)) for _ in range(2)]
        await asyncio.sleep(0.01)
        left = [asyncio.create_task(get(client, agency.url)) for _ in range(5)]
        late = [asyncio.create_task(get(client, agency.url, timeout=0.03)) for _ in range(5)]
        stays = asyncio.create_task(get(client, agency.url))
        await asyncio.sleep(0.01)
        for task in left:
            task.cancel()
        for outcome in await asyncio.gather(*late, return_exceptions=True):
            assert isinstance(outcome, AgencyTimeout)
            assert not outcome.maybe_done
        release.set()
        await asyncio.gather(*held, stays)
        assert len(agency.arrivals) == 3
        assert all(task.cancelled() for task in left)


async def test_a_slot_given_to_a_caller_who_leaves_at_that_moment_is_passed_on() -> None:
    client = HttpClient("dinkes", connections=1)
    async with RawAgency(answer_everything) as agency:
        for _ in range(30):
            tasks = [asyncio.create_task(get(client, agency.url)) for _ in range(6)]
            await tasks[0]
            # The second holds the slot from now on but has not run yet.
            tasks[1].cancel()
            tasks[3].cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await get(client, agency.url)
    await client.close()


@pytest.mark.parametrize("first", ["leaves", "is given back"])
async def test_a_caller_may_leave_in_the_moment_a_slot_becomes_free(first: str) -> None:
    loop = asyncio.get_running_loop()
    pool = Pool(limit=1, max_body=100, tls=Tls(verify=False).context())
    async with RawAgency() as agency:
        origin = origin_of(agency.url)
        wire = await pool.open(origin, reuse=False, deadline=loop.time() + 5)
        leaves = asyncio.create_task(pool.open(origin, reuse=False, deadline=loop.time() + 5))
        await asyncio.sleep(0)
        if first == "leaves":
            leaves.cancel()
        pool.give_back(origin, wire, keep=False)
        leaves.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaves
        wire = await pool.open(origin, reuse=False, deadline=loop.time() + 1)
        pool.give_back(origin, wire, keep=False)
        assert pool._taken == 0


async def test_an_idle_connection_makes_room_for_a_new_one(client: HttpClient) -> None:
    async with RawAgency(answer_everything) as one, RawAgency(answer_everything) as other:
        await asyncio.gather(get(client, one.url), get(client, one.url))
        assert one.connections == 2
        await get(client, other.url)
        await get(client, one.url)
        assert (one.connections, other.connections) == (2, 1)
        await asyncio.gather(get(client, one.url), get(client, one.url))
        assert one.connections == 3


async def test_an_idle_connection_is_dropped_after_a_while() -> None:
    loop = asyncio.get_running_loop()
    hung_up = asyncio.Event()

    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.hung_up()
        hung_up.set()

    async with RawAgency(script) as agency:
        pool = Pool(limit=2, max_body=100, tls=Tls(verify=False).context())
        origin = origin_of(agency.url)
        wire = await pool.open(origin, reuse=True, deadline=loop.time() + 5)
        await wire.ask(b"GET / HTTP/1.1\r\n\r\n", None)
        pool.give_back(origin, wire, keep=True)
        assert pool.at_hand(origin, loop.time() + KEEP_ALIVE) is None
        await asyncio.wait_for(hung_up.wait(), 30)
        pool.close()


async def test_idle_connections_are_dropped_without_a_next_call(client: HttpClient) -> None:
    gone = asyncio.Event()

    async def script(link: Link) -> None:
        await link.request()
        await link.say(OK)
        await link.hung_up()
        gone.set()

    async with RawAgency(script) as agency:
        await get(client, agency.url)
        pool = client._pool
        ((_, wire),) = pool._idle
        wire.idle_since -= KEEP_ALIVE
        pool._drop_old(asyncio.get_running_loop())
        assert not pool._idle
        assert pool._sweep is None
        await asyncio.wait_for(gone.wait(), 30)


async def test_a_call_without_time_sends_nothing(client: HttpClient) -> None:
    async with RawAgency(answer_everything) as agency:
        await get(client, agency.url)
        for safe in (True, False):
            with pytest.raises(AgencyTimeout) as caught:
                await get(client, agency.url, safe=safe, timeout=0)
            assert not caught.value.maybe_done
        assert len(agency.arrivals) == 1


async def test_closing_cuts_what_is_under_way_and_a_later_call_opens_anew(client: HttpClient) -> None:
    async with RawAgency(answer_everything) as agency:
        await get(client, agency.url)

        async def stalls(link: Link) -> None:
            await link.request()
            await link.stall()

        async with RawAgency(stalls) as other:
            under_way = asyncio.create_task(get(client, other.url))
            await other.arrived.wait()
            await client.close()
            with pytest.raises(Unavailable) as caught:
                await under_way
            assert caught.value.maybe_done
        await get(client, agency.url)
        assert agency.connections == 2


async def test_a_name_with_several_addresses_is_tried_at_each(client: HttpClient) -> None:
    async with RawAgency(answer_everything) as agency:
        origin = origin_of(f"http://dua-alamat.test:{agency.port}")
        pool = client._pool
        forever = asyncio.get_running_loop().time() + 60
        pool._names[origin.host] = (forever, ("127.0.0.2", "::1", "127.0.0.1"))
        await get(client, f"http://dua-alamat.test:{agency.port}", safe=False)
        assert len(agency.arrivals) == 1
        pool._names[origin.host] = (forever, ("127.0.0.2", "::1"))
        with pytest.raises(Unavailable) as caught:
            await get(client, f"http://dua-alamat.test:{agency.port}", safe=False)
        assert not caught.value.maybe_done
        # What didn't lead anywhere is looked up again.
        assert origin.host not in pool._names


async def test_an_address_that_swallows_everything_leaves_time_for_the_next(client: HttpClient) -> None:
    async with RawAgency(answer_everything) as agency:
        with socket.socket() as full, socket.socket() as first, socket.socket() as second:
            full.bind(("127.0.0.2", agency.port))
            full.listen(0)
            for filler in (first, second):
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            forever = asyncio.get_running_loop().time() + 60
            client._pool._names["lubang.test"] = (forever, ("127.0.0.2", "127.0.0.1"))
            await get(client, f"http://lubang.test:{agency.port}", safe=False, timeout=1.5)
            assert len(agency.arrivals) == 1


async def test_localhost_and_ipv6_addresses_lead_there(client: HttpClient) -> None:
    async with RawAgency(answer_everything) as agency:
        await get(client, f"http://localhost:{agency.port}", safe=False)
        await get(client, f"http://localhost:{agency.port}")
        assert b"Host: localhost:" in agency.arrivals[0]
    if not socket.has_ipv6:
        return
    server = await asyncio.start_server(_answer_one, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    await get(client, f"http://[::1]:{port}/")
    await client.close()
    server.close()
    await server.wait_closed()


async def test_a_probe_does_not_wait_for_a_free_connection() -> None:
    client = HttpClient("dinkes", connections=1)

    async def script(link: Link) -> None:
        await link.request()
        await link.stall()

    async with RawAgency(script) as agency:
        under_way = asyncio.create_task(get(client, agency.url))
        await agency.arrived.wait()
        await client.probe(agency.url, timeout=1)
        under_way.cancel()
        await asyncio.gather(under_way, return_exceptions=True)
        await client.probe(agency.url, timeout=1)
    for url in (f"http://127.0.0.1:{unused_port()}", "bukan-alamat"):
        with pytest.raises(Unavailable):
            await client.probe(url, timeout=1)
    with pytest.raises(TranslationError):
        await get(client, "bukan-alamat")
    await client.close()


async def test_a_used_client_leaves_no_garbage_cycles_of_connections(client: HttpClient) -> None:
    async with RawAgency(answer_everything) as agency:
        await get(client, agency.url, safe=False)
        await asyncio.sleep(0.02)
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                await get(client, agency.url, safe=False)
            await asyncio.sleep(0.02)
            from adapters.wire import Wire  # noqa: PLC0415 -- only to count them

            assert sum(isinstance(thing, Wire) for thing in gc.get_objects()) <= 2
        finally:
            gc.enable()


async def _answer_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(OK)
    await writer.drain()
    await reader.read()
    writer.close()


def test_origins_are_the_same_object_for_the_same_address() -> None:
    # Idle wires are found by identity.
    one: Origin = origin_of("http://dinkes.test:8080")
    assert one is origin_of("http://dinkes.test:8080")
