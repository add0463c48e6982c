import gc
import tracemalloc
from decimal import Decimal

import pytest

from gateway.errors import (
    AgencyClosed,
    AgencyTimeout,
    BreakerOpen,
    GatewayError,
    InvalidAnswer,
    NotFound,
    Overloaded,
    Refused,
    Unavailable,
)
from gateway.message import Message, Reply
from gateway.policies.stale import Shelf, stale
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1", "biaya": Decimal("1234.50")})
DOWN = Unavailable("down", maybe_done=False)


def by_body(message: Message) -> bytes:
    return str(message.body).encode()


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        AgencyTimeout("slow", maybe_done=True),
        BreakerOpen("open", maybe_done=False),
        Overloaded("full", retry_after=1),
    ],
)
async def test_rule_11_10_the_last_good_reply_serves_while_the_agency_cant(
    clock: LoopClock, error: GatewayError
) -> None:
    told: list[None] = []
    handler = stale(clock, by_body, Shelf(), on_stale=lambda: told.append(None))(Scripted(OK, error))
    assert await handler(a_message()) is OK
    await clock.sleep(90)
    assert await handler(a_message()) == Reply(body=OK.body, age=90)
    assert told == [None]


@pytest.mark.parametrize(
    "error",
    [
        Refused("ditolak", maybe_done=False),
        InvalidAnswer("html", maybe_done=True),
        AgencyClosed("tutup", maybe_done=False),
        RuntimeError("a bug"),
    ],
)
async def test_rule_11_10_any_other_error_is_raised(clock: LoopClock, error: Exception) -> None:
    handler = stale(clock, by_body, Shelf())(Scripted(OK, error, DOWN))
    await handler(a_message())
    with pytest.raises(type(error)):
        await handler(a_message())
    assert (await handler(a_message())).age == 0


async def test_rule_11_10_not_found_drops_what_was_kept(clock: LoopClock) -> None:
    shelf = Shelf()
    handler = stale(clock, by_body, shelf)(Scripted(OK, NotFound("tidak ada", maybe_done=False), DOWN))
    await handler(a_message())
    with pytest.raises(NotFound):
        await handler(a_message())
    with pytest.raises(Unavailable):
        await handler(a_message())
    assert shelf.size == 0


async def test_a_reply_that_is_too_old_is_not_served_and_is_forgotten(clock: LoopClock) -> None:
    shelf = Shelf()
    handler = stale(clock, by_body, shelf, keep=600)(Scripted(OK, DOWN))
    await handler(a_message())
    await clock.sleep(600)
    assert (await handler(a_message())).age == 600
    await clock.sleep(1)
    with pytest.raises(Unavailable):
        await handler(a_message())
    assert shelf.size == 0


async def test_an_age_that_the_data_had_already_is_added(clock: LoopClock) -> None:
    handler = stale(clock, by_body, Shelf())(Scripted(Reply(body={}, age=3600.0), DOWN))
    assert (await handler(a_message())).age == 3600
    await clock.sleep(60)
    assert (await handler(a_message())).age == 3660


async def test_other_bodies_and_other_operations_are_apart(clock: LoopClock) -> None:
    handler = stale(clock, by_body, Shelf())(Scripted(OK, DOWN))
    await handler(a_message(body={"nomor": "1"}))
    for other in (a_message(body={"nomor": "2"}), a_message(body={"nomor": "1"}, operation="dinkes/antrean")):
        with pytest.raises(Unavailable):
            await handler(other)


def test_the_longest_unused_goes_first_when_the_shelf_is_full() -> None:
    one = Shelf()
    one.put(("o", b"a"), OK, 0.0)
    shelf = Shelf(cap_bytes=3 * one.size)
    for name in (b"a", b"b", b"c"):
        shelf.put(("o", name), OK, 0.0)
    shelf.get(("o", b"a"), 1.0, 600)
    shelf.put(("o", b"d"), OK, 0.0)
    kept = [name for name in (b"a", b"b", b"c", b"d") if shelf.get(("o", name), 1.0, 600)]
    assert kept == [b"a", b"c", b"d"]
    assert shelf.size == 3 * one.size


def test_what_is_put_twice_counts_once_and_what_cant_fit_is_not_kept() -> None:
    shelf = Shelf(cap_bytes=10_000)
    shelf.put(("o", b"a"), OK, 0.0)
    once = shelf.size
    shelf.put(("o", b"a"), OK, 5.0)
    assert shelf.size == once
    assert shelf.get(("o", b"a"), 6.0, 600).age == 1
    shelf.put(("o", b"a"), Reply(body={"isi": "x" * 10_000}), 7.0)
    assert shelf.get(("o", b"a"), 7.0, 600) is None
    assert shelf.size == 0


def test_the_memory_it_takes_is_about_its_cap() -> None:
    def bodies(count: int) -> None:
        for number in range(count):
            body = {f"kolom_{field}": f"nilai {number} {field}" for field in range(12)}
            shelf.put(("o", str(number).encode()), Reply(body={**body, "riwayat": [dict(body)]}), 0.0)

    shelf = Shelf(cap_bytes=2_000_000)
    gc.collect()
    tracemalloc.start()
    try:
        bodies(2000)
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.5 < used / shelf.size < 1.5
