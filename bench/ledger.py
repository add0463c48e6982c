"""The ledger's own speed, whichever store: `python -m bench.ledger [--settled 500000] [--waiting 25000]`.

Prints put latency one at a time, put + claim + settle per second, and claims, searches and statistics over a long
history. Everything is on: encryption, lanes, order keys, attempts, fsync. No agency is called.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median, quantiles

import asyncpg
import uvloop

from gateway.clock import SystemClock
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import Message, OperationId, Outcome, Reply, new_message_id
from gateway.records import Buried, Claim, Delivered, Entry, Filter, Settlement, State, Tried
from tests.postgres import a_cluster, binaries

LANES = ("dpmptsp", "dinkes")
HELD = "disdukcapil"
BEHIND = 10_000
BODY = {"pemohon": {"nama": "Ani", "alamat": "Jl. Sultan Syarif Hasyim 12"}, "uraian": "x" * 900}
REPLY = Reply(body={"nomor": "503/0912/DPMPTSP/2026"})
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
BATCH = 1000
CONCURRENT = 64
IN_FLIGHT = 50
ALONE = 500
ROUNDS = 200
numbers = count()


def entry(*, ordered: bool = True) -> Entry:
    """Make a message of about 1 KB; every fiftieth is of one more person, and two in a lane share an order key."""
    number = next(numbers)
    lane = LANES[number % 2]
    person = f"1405029{number // 50 % 10**9:09}"
    message = Message(
        id=new_message_id(),
        operation=OperationId(f"{lane}/ajukan"),
        body=BODY,
        client=f"app-{number % 5}",
        correlation_id=f"c-{number}",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        accepted_at=START + timedelta(seconds=number * 20),
        deadline=0.0,
        idempotency_key=f"k-{number}",
    )
    key = f"{person}-{number // 2 % 12}" if ordered else None
    return Entry(message=message, lane=lane, repeat="harmless", expires=259200.0, order_key=key, subject=person)


def done(claim: Claim) -> Settlement:
    """Settle as delivered, with its attempt."""
    tried = Tried(at=START, seconds=0.1, outcome=Outcome.OK, status=200)
    return Settlement(ticket=claim.ticket, verdict=Delivered(reply=REPLY), tried=tried)


def show(name: str, seconds: list[float]) -> None:
    """Print the middle, the 99th percentile and the worst, in milliseconds."""
    ninety_nine = quantiles(seconds, n=100)[-1]
    print(
        f"{name:<58} p50 {median(seconds) * 1e3:8.2f}  p99 {ninety_nine * 1e3:8.2f}  max {max(seconds) * 1e3:8.2f} ms"
    )


async def timed(name: str, rounds: int, call: Callable[[], Awaitable[object]]) -> None:
    """Time one call after the other."""
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        await call()
        seconds.append(time.perf_counter() - started)
    show(name, seconds)


async def alone(ledger: Ledger) -> None:
    """Put one at a time, as an idle gateway does."""
    await timed("put, one at a time", ALONE, lambda: ledger.put(entry()))
    await drain(ledger)


async def behind_one(ledger: Ledger) -> None:
    """Time a claim where one message is buried and all that wait are of its order key."""
    await ledger.put(held())
    (claim,) = await ledger.claim(HELD, 1, lease=60.0)
    await ledger.settle(Settlement(ticket=claim.ticket, verdict=Buried(reason="poison")))
    for _ in range(BEHIND // BATCH):
        await ledger.put(*(held() for _ in range(BATCH)))
    await timed(f"claim, {BEHIND} behind one buried", ROUNDS, lambda: ledger.claim(HELD, 10, lease=60.0))
    await timed(f"backlog, {BEHIND} behind one buried", ROUNDS, lambda: ledger.backlog(HELD))


def held() -> Entry:
    """Make a message of the one order key."""
    return replace(entry(), lane=HELD, order_key="one")


async def drain(ledger: Ledger) -> int:
    """Deliver what waits, in big batches."""
    total = 0
    for lane in LANES:
        while claims := await ledger.claim(lane, BATCH, lease=600.0):
            await ledger.settle(*map(done, claims))
            total += len(claims)
    return total


async def together(ledger: Ledger, messages: int) -> None:
    """Put from many clients while each lane's deliverer claims and settles, one settlement a message."""
    left = iter(range(messages))
    delivered = 0

    async def client() -> None:
        for _ in left:
            await ledger.put(entry())

    async def deliver(claim: Claim) -> None:
        nonlocal delivered
        await ledger.settle(done(claim))
        delivered += 1

    async def lane(name: str) -> None:
        flying: set[asyncio.Task[None]] = set()
        while delivered < messages:
            claims = await ledger.claim(name, IN_FLIGHT - len(flying), lease=60.0)
            flying |= {asyncio.create_task(deliver(claim)) for claim in claims}
            if flying:
                _, flying = await asyncio.wait(flying, return_when=asyncio.FIRST_COMPLETED)
            else:
                await ledger.nudged(name, 0.05)

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(client() for _ in range(CONCURRENT)), *map(lane, LANES))
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    each = used / messages * 1e6
    print(f"put + claim + settle, {messages} messages: {messages / seconds:,.0f} a second, {each:.0f} us of CPU each")


async def fill(ledger: Ledger, settled: int, waiting: int) -> None:
    """Make a long history and a queue."""
    started = time.perf_counter()
    for _ in range(settled // BATCH):
        await ledger.put(*(entry() for _ in range(BATCH)))
        while await drain(ledger):
            pass
    for _ in range(waiting // BATCH):
        await ledger.put(*(entry() for _ in range(BATCH)))
    print(f"{settled} settled and {waiting} waiting made in {time.perf_counter() - started:.0f} s")


async def with_history(ledger: Ledger) -> None:
    """Time claims and searches as people and deliverers do them."""
    await timed("put", ROUNDS, lambda: ledger.put(entry()))
    for limit in (10, 50):
        seconds = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            claims = await ledger.claim(LANES[0], limit, lease=60.0)
            seconds.append(time.perf_counter() - started)
            await ledger.settle(*map(done, claims))
        show(f"claim {limit}", seconds)
    await timed("claim with nothing to do", ROUNDS, lambda: ledger.claim("pln", 10, lease=60.0))
    pending, buried = frozenset({State.PENDING}), frozenset({State.BURIED, State.UNKNOWN})
    day = START + timedelta(days=30)
    searches = {
        "search by subject": Filter(subject="1405029000001000"),
        "search by subject and state": Filter(subject="1405029000001000", states=pending),
        "search by lane, newest": Filter(lane=LANES[0]),
        "search by lane and state": Filter(lane=LANES[0], states=pending),
        "search by state that is rare": Filter(states=buried),
        "search by client": Filter(client="app-1"),
        "search by client and state": Filter(client="app-1", states=pending),
        "search by client and rare state": Filter(client="app-1", states=buried),
        "search by lane and an old day": Filter(lane=LANES[0], since=day, until=day + timedelta(days=1)),
        "search by operation and an old day": Filter(
            operation=OperationId("dinkes/ajukan"), since=day, until=day + timedelta(days=1)
        ),
        "search by state, older than a day": Filter(states=pending, until=day),
    }
    for name, wanted in searches.items():
        await timed(name, ROUNDS, lambda wanted=wanted: ledger.search(wanted))
    await timed("stats", 20, ledger.stats)


async def measure(
    ledger: Ledger, arguments: argparse.Namespace, *, settle_down: Callable[[], Awaitable[object]]
) -> None:
    """Run everything on one ledger; `settle_down` does what a store has done after a history of months, not minutes."""
    await alone(ledger)
    await behind_one(ledger)
    await together(ledger, arguments.messages)
    if arguments.settled or arguments.waiting:
        await fill(ledger, arguments.settled, arguments.waiting)
        await settle_down()
        await with_history(ledger)
        await together(ledger, arguments.messages)


async def main() -> None:
    """Measure the ledgers, each in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settled", type=int, default=0, help="rows of history")
    parser.add_argument("--waiting", type=int, default=0, help="messages that wait")
    parser.add_argument("--messages", type=int, default=5000, help="messages for each throughput figure")
    parser.add_argument("--folder", help="where the ledger is made; a temporary folder by default")
    parser.add_argument("--store", choices=("sqlite", "postgres"), action="append", help="one of them; both by default")
    arguments = parser.parse_args()
    stores = arguments.store or [name for name in ("sqlite", "postgres") if name == "sqlite" or binaries()]
    for name in stores:
        print(f"-- {name}")
        await (in_file if name == "sqlite" else in_server)(arguments)


async def in_file(arguments: argparse.Namespace) -> None:
    """Measure the embedded ledger."""
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        place = Path(folder)
        ledger = await SqliteLedger.open(place / "ledger.db", KeySource(path=place / "ledger.key"), SystemClock())
        await measure(ledger, arguments, settle_down=lambda: asyncio.sleep(0))
        await ledger.close()
        print(f"file: {(place / 'ledger.db').stat().st_size / 1e6:,.0f} MB")


async def in_server(arguments: argparse.Namespace) -> None:
    """Measure the shared ledger, on a PostgreSQL with Debian's settings."""
    with a_cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        url = cluster.database()
        ledger = await PostgresLedger.open(url, KeySource(path=Path(folder) / "ledger.key"), SystemClock())
        hand = await asyncpg.connect(url)
        await measure(ledger, arguments, settle_down=lambda: hand.execute("VACUUM (ANALYZE)"))
        await ledger.close()
        size = await hand.fetchval("SELECT pg_database_size(current_database())")
        await hand.close()
        print(f"database: {size / 1e6:,.0f} MB")


if __name__ == "__main__":
    uvloop.run(main())
