"""Accepting and delivering together: `python -m bench.delivery [--messages 5000] [--waiting 100000]`.

The real ledger and the real deliverers, 1 KB messages from 64 clients, a local HTTP sink that answers at once; both
stores, and PgQueuer doing the same on the same PostgreSQL, with the same HTTP client, in turn. Everything is on:
encryption, lanes, order keys, attempts, fsync. PgQueuer has the message as its payload and nothing of those.
"""

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

import asyncpg
import msgspec
import uvloop
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.qm import QueueManager
from pgqueuer.models import Job

from adapters.http import HttpClient
from bench.ledger import BATCH, CONCURRENT, LANES, REPLY, entry
from gateway.attempt import Deliverable
from gateway.clock import SystemClock
from gateway.deliver import Deliverer, Lane
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import Message, OperationId, Reply
from gateway.settle import Settler
from tests.postgres import a_cluster

IN_FLIGHT = 50
POOL = 10
PATIENCE = 300.0
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_END = b"\r\n\r\n"


class Sink(asyncio.Protocol):
    """Answers each request when its body is whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with nothing heard."""
        self._transport = transport
        self._heard = b""

    def data_received(self, data: bytes) -> None:
        """Answer what is complete."""
        self._heard += data
        while (end := self._heard.find(_END)) >= 0:
            head = self._heard[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
            if len(self._heard) < (whole := end + len(_END) + length):
                return
            self._heard = self._heard[whole:]
            self._transport.write(ANSWER)  # type: ignore[attr-defined]


async def _sink() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@asynccontextmanager
async def a_sink() -> AsyncIterator[str]:
    """Run the sink as a process of its own; yields its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.delivery", "--sink", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/"
    finally:
        process.terminate()
        await process.wait()


class Counter:
    """Sends bodies to the sink and counts them; `all_sent` is set at the last."""

    def __init__(self, url: str, messages: int) -> None:
        self._client = HttpClient("sink", connections=IN_FLIGHT)
        self._url = url
        self._left = messages
        self.all_sent = asyncio.Event()

    async def send(self, body: bytes, message: str) -> None:
        """Post one body, on a connection that is kept."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": message}
        answer = await self._client.send("POST", self._url, headers=headers, body=body, timeout=10.0, safe=True)
        assert answer.status == 200  # noqa: PLR2004 - a bench that measures failures measures nothing
        self._left -= 1
        if self._left == 0:
            self.all_sent.set()

    async def close(self) -> None:
        """Hang up."""
        await self._client.close()


async def sent(counter: Counter, messages: int, put: Callable[[], Awaitable[object]]) -> None:
    """Put from as many clients as usual, each waiting for its own before the next; returns when all have arrived."""
    left = iter(range(messages))

    async def client() -> None:
        for _ in left:
            await put()

    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(client() for _ in range(CONCURRENT)), counter.all_sent.wait())


async def ours(ledger: Ledger, url: str, messages: int) -> float:
    """Return the messages a second that were put, delivered and settled."""
    counter, clock = Counter(url, messages), SystemClock()

    async def pipeline(message: Message) -> Reply:
        await counter.send(msgspec.json.encode(message.body), message.id)
        return REPLY

    made = Deliverable(pipeline=pipeline, check=lambda _body: (), deadline=20.0, harmless=True)
    settler = Settler(ledger, clock)
    deliverers = [
        Deliverer(
            lane=Lane(name=name, operations={OperationId(f"{name}/ajukan"): made}, concurrency=IN_FLIGHT // len(LANES)),
            outbox=ledger,
            lanes=ledger,
            settler=settler,
            clock=clock,
        )
        for name in LANES
    ]
    running = [asyncio.create_task(one.run()) for one in deliverers]
    started = time.perf_counter()
    await sent(counter, messages, lambda: ledger.put(entry()))
    for task, one in zip(running, deliverers, strict=True):
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await one.drain()
    seconds = time.perf_counter() - started
    await counter.close()
    return messages / seconds


async def theirs(url: str, sink: str, messages: int) -> float:
    """Return PgQueuer's messages a second, put and delivered, its log of them written."""
    counter = Counter(sink, messages)
    body = msgspec.json.encode(entry().message.body)
    pool = await asyncpg.create_pool(url, min_size=POOL, max_size=POOL)
    connection = await asyncpg.connect(url)
    worker, putting = QueueManager(Queries(AsyncpgDriver(connection))), Queries(AsyncpgPoolDriver(pool))

    @worker.entrypoint("deliver")
    async def deliver(job: Job) -> None:
        await counter.send(job.payload or b"", str(job.id))

    running = asyncio.create_task(
        worker.run(batch_size=IN_FLIGHT // 2, max_concurrent_tasks=IN_FLIGHT, dequeue_timeout=timedelta(seconds=0.05))
    )
    started = time.perf_counter()
    await sent(counter, messages, lambda: putting.enqueue("deliver", body))
    while await pool.fetchval("SELECT count(*) FROM pgqueuer"):  # noqa: ASYNC110 - it writes what is done in batches
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - started
    worker.shutdown.set()
    await running
    await counter.close()
    await connection.close()
    await pool.close()
    return messages / seconds


async def in_file(folder: Path) -> SqliteLedger:
    """Open an embedded ledger."""
    return await SqliteLedger.open(folder / "ledger.db", KeySource(path=folder / "ledger.key"), SystemClock())


async def compared(sink: str, folder: Path, messages: int, rounds: int) -> None:
    """Measure the three in turn, so that a neighbour's noise meets all alike."""
    seen: dict[str, list[float]] = {"SQLite": [], "PostgreSQL": [], "PgQueuer": []}
    with a_cluster() as cluster:
        url, peer = cluster.database(), cluster.database()
        hand = await asyncpg.connect(peer)
        await Queries(AsyncpgDriver(hand)).install()
        await hand.close()
        file = await in_file(folder)
        server = await PostgresLedger.open(url, KeySource(path=folder / "postgres.key"), SystemClock())
        for _ in range(rounds):
            seen["SQLite"].append(await ours(file, sink, messages))
            seen["PostgreSQL"].append(await ours(server, sink, messages))
            seen["PgQueuer"].append(await theirs(peer, sink, messages))
        await file.close()
        await server.close()
    for name, figures in seen.items():
        print(_line(f"{name}: put and delivered, {messages} messages", figures))
    ratio = [own / other for own, other in zip(seen["PostgreSQL"], seen["PgQueuer"], strict=True)]
    print(f"PostgreSQL's ledger is {median(ratio):.2f} x PgQueuer ({min(ratio):.2f} to {max(ratio):.2f})")


def _line(name: str, figures: Sequence[float]) -> str:
    return f"{name:<48} {median(figures):7,.0f} a second ({min(figures):,.0f} to {max(figures):,.0f})"


async def heavy(folder: Path, waiting: int) -> None:
    """Print what many waiting messages cost in memory, the lane known and looked at."""
    ledger = await in_file(folder)
    gc.collect()
    before = _resident()
    for _ in range(waiting // BATCH):
        await ledger.put(*(entry() for _ in range(BATCH)))
    await ledger.stats()
    for name in LANES:
        claims = await ledger.claim(name, 8, lease=60.0)
        assert len(claims) == 8  # noqa: PLR2004 - else nothing waits
    gc.collect()
    print(f"{waiting} waiting: {_resident() - before:+.1f} MB on {before:.1f} MB resident")
    await ledger.close()


def _resident() -> float:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


async def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=5000, help="for each figure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--waiting", type=int, default=100_000, help="for the memory figure")
    parser.add_argument("--sink", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.sink:
        await _sink()
        return
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        async with a_sink() as sink:
            await compared(sink, Path(one), chosen.messages, chosen.rounds)
        await heavy(Path(other), chosen.waiting)


if __name__ == "__main__":
    uvloop.run(main())
