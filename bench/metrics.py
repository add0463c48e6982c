"""What counting costs: CPU for each request and attempt, and a scrape of 6,000 series: `python -m bench.metrics`.

Prints microseconds, the best of several rounds; for the scrape milliseconds, and how late the event loop comes while a
thread renders, beside how late it comes otherwise.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import quantiles

import uvloop
from prometheus_client import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

from bench.cpu import microseconds
from gateway.figures import RequestFigures, attempts, deliveries
from gateway.message import Message, MessageId, OperationId, Outcome, Reply
from gateway.metrics import Metrics
from gateway.records import Claim, Delivered, Settlement, Ticket, Tried
from gateway.serve import HAND_OVER

CALLS, ROUNDS = 40_000, 7
OPERATIONS, BUSY = 100, 8
SCRAPES = 20
TICK = 0.001
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OUTCOMES = (
    (200, "ok"),
    (404, "not-found"),
    (422, "refused"),
    (422, "invalid-request"),
    (502, "agency-invalid-answer"),
    (503, "agency-unavailable"),
    (503, "breaker-open"),
    (504, "agency-timeout"),
)


def nothing(*_facts: object) -> None:
    """Count nothing."""


def a_delivery() -> tuple[Claim, Settlement]:
    """Return a claim and how it ended."""
    now = datetime.now(UTC)
    message = Message(
        id=MessageId("01a20cb8-a5d0-7d26-acfa-c0b6408d38d0"),
        operation=OperationId("dinkes/ambil-antrean"),
        body={},
        client="klik",
        correlation_id="c",
        traceparent=TRACEPARENT,
        accepted_at=now,
        deadline=0.0,
    )
    ticket = Ticket(id=message.id, token=1)
    tried = Tried(at=now, seconds=0.1, outcome=Outcome.OK)
    claim = Claim(ticket=ticket, message=message, lane="dinkes", repeat="never")
    return claim, Settlement(ticket=ticket, verdict=Delivered(reply=Reply(body={})), tried=tried)


def parts(metrics: Metrics) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what is measured, by name."""
    figures = RequestFigures(metrics, "dinkes/daftar-faskes", "dinkes")
    attempt = attempts(metrics, "dinkes", "dinkes/daftar-faskes")
    wrote = metrics.histogram("gateway_translation_duration_seconds", "dinkes", "request")
    read = metrics.histogram("gateway_translation_duration_seconds", "dinkes", "reply")
    delivered, end = deliveries(metrics, "dinkes"), a_delivery()

    def request(done: Callable[..., None]) -> None:
        done("GET", "klik", 200, "ok", 0.103, 0.1, 10, 200, TRACEPARENT)

    def whole() -> None:
        wrote(0.00001)
        attempt(Outcome.OK, 0.1)
        read(0.00001)
        request(figures.done)

    yield "calling something that counts nothing", lambda: request(nothing)
    yield "a request at the edge, its exemplar included", lambda: request(figures.done)
    yield "an attempt at an agency", lambda: attempt(Outcome.OK, 0.1)
    yield "a translation", lambda: wrote(0.00001)
    yield "all of a request with one attempt", whole
    yield "a delivery from the ledger", lambda: delivered(*end)


def full() -> Metrics:
    """Return the metrics of a process with 100 operations that have seen much: about 6,000 series."""
    metrics = Metrics()
    for number in range(OPERATIONS):
        agency = f"opd-{number % 10}"
        operation = f"{agency}/operasi-{number}"
        figures, attempt = RequestFigures(metrics, operation, agency), attempts(metrics, agency, operation)
        for at, (status, outcome) in enumerate(OUTCOMES):
            for turn in range(BUSY):
                client = f"app-{(at + turn + number) % BUSY}"
                figures.done("POST", client, status, outcome, 0.01 * turn, 0.0, 10, 10, TRACEPARENT)
            attempt(Outcome.OK, 0.01 * at)
        deliveries(metrics, agency)
        for side in ("request", "reply"):
            metrics.histogram("gateway_translation_duration_seconds", agency, side)(0.0001)
            metrics.counter("gateway_translation_errors_total", agency, operation, side)
    return metrics


async def lateness(render: Callable[[], object] | None) -> list[float]:
    """Return how many milliseconds late each tick of a millisecond is, while a thread renders, or nothing does."""
    late: list[float] = []
    done = asyncio.Event()

    async def tick() -> None:
        while not done.is_set():
            due = time.perf_counter() + TICK
            await asyncio.sleep(TICK)
            late.append((time.perf_counter() - due) * 1000)

    ticking = asyncio.create_task(tick())
    for _ in range(SCRAPES):
        await (asyncio.to_thread(render) if render else asyncio.sleep(0.05))
    done.set()
    await ticking
    return late


async def main() -> None:
    """Measure and print."""
    for name, call in parts(Metrics()):
        print(f"{name:46}{microseconds(call, calls=CALLS, rounds=ROUNDS):7.2f} us")
    metrics = full()
    series = sum(line[:1] != b"#" for line in generate_latest(metrics.registry).splitlines())
    for name, encode in (("text", generate_latest), ("OpenMetrics", openmetrics)):
        started = time.process_time()
        for _ in range(SCRAPES):
            encode(metrics.registry)
        each = (time.process_time() - started) / SCRAPES * 1000
        print(f"{f'rendering {series} series as {name}':46}{each:7.1f} ms")
    sys.setswitchinterval(HAND_OVER)
    for name, render in (("otherwise", None), ("while a thread renders", lambda: generate_latest(metrics.registry))):
        late = await lateness(render)
        print(f"{f'the loop comes late, {name}: 99 % within':46}{quantiles(late, n=100)[98]:7.2f} ms")


if __name__ == "__main__":
    uvloop.run(main())
