"""How many series a process with 100 operations has, whatever strangers send: at most 6,000, and never 11,000."""

import asyncio
import hashlib
import random
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from gateway import app
from gateway.clock import SystemClock
from gateway.config.load import load
from gateway.edge.accesslog import LineLog
from gateway.edge.ingress import Edge
from gateway.errors import AgencyTimeout, Unavailable
from gateway.figures import SOURCES, RequestFigures, deliveries
from gateway.front import Front, Lasting
from gateway.kept import Kept
from gateway.live import Loaded
from gateway.message import Answer, Call
from gateway.metrics import Metrics
from gateway.ports import Clock
from gateway.replicas import Replicas
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.shares import Shares
from gateway.traces import Traces
from gateway.waiting import Waiting
from tests.flows.pilot import KEY

AGENCIES, OPERATIONS, CLIENTS = 10, 10, 8
BUDGET, CEILING, STRANGE = 6000, 11_000, 10_000
FIGURE = random.Random(6000)

GATEWAY = '[gateway]\nlisten = "127.0.0.1:0"\n[defaults]\nretry = { attempts = 1 }\n'
CLIENT = '[client.app-{n}]\nkeys = [{{ sha256 = "{hash}" }}]\nallow = ["*"]\n'
AGENCY = """
[agency.opd-{n}]
adapter = "rest"
url     = "https://127.0.0.1:9/api"
mapping = "opd.toml"
quota   = "1000000/day"
hours   = "Mon-Sun 00:00-24:00"
breaker = {{ failures = 100000, minimum = 100000, window = 100000 }}
"""
READ = '[agency.opd-{n}.operation.op-{m}]\nexpose = "GET /v1/{n}/{m}"\ncall = "POST /op/{m}"\nstale = "1s"\n'
WRITE = '[agency.opd-{n}.operation.op-{m}]\nexpose = "POST /v1/{n}/{m}"\ncall = "POST /op/{m}"\n'
TABLES = """
[op-{m}.request]
nik = {{ from = "nik", digits = 16, mask = true }}
[op-{m}.reply]
nama = "nama"
"""


class Moody:
    """An adapter that answers in all the ways that an agency can, one after the other."""

    turn = 0

    async def exchange(self, _call: Call) -> Answer:
        Moody.turn += 1
        match Moody.turn % 8:
            case 0:
                raise Unavailable("away", maybe_done=False)
            case 1:
                raise AgencyTimeout("late", maybe_done=True)
            case 2:
                return Answer(document={"lain": "x"}, http_status=200)
            case 3 | 4 | 5 as kind:
                return Answer(document={"nama": "x"}, http_status={3: 404, 4: 422, 5: 401}[kind])
        return Answer(document={"nama": "x"}, http_status=200)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def edge(tmp_path: Path, metrics: Metrics) -> Iterator[Edge]:
    """The edge of a gateway with 100 operations; every lane has been delivering."""
    (tmp_path / "opd.toml").write_text(
        "[agency]\nhttp = { 404 = 'not-found', 422 = 'refused' }\n"
        + "".join(TABLES.format(m=m) for m in range(OPERATIONS))
    )
    config = tmp_path / "gateway.toml"
    config.write_text(
        GATEWAY
        + "".join(CLIENT.format(n=n, hash=hashlib.sha256(key(n).encode()).hexdigest()) for n in range(CLIENTS))
        + "".join(
            AGENCY.format(n=n) + "".join((READ if m % 2 else WRITE).format(n=n, m=m) for m in range(OPERATIONS))
            for n in range(AGENCIES)
        )
    )
    located = load(config, {})
    clock, log = SystemClock(), LineLog(BytesIO(), SystemClock())
    with pytest.MonkeyPatch.context() as here:
        here.chdir(tmp_path)
        assembled = app.assemble(located, clock=clock, metrics=metrics, tap=lambda _adapter: Moody())
    for agency in assembled.registry.agencies:
        deliveries(metrics, agency)
        for gauge in (
            "up",
            "last_success_timestamp_seconds",
            "certificate_expiry_timestamp_seconds",
            "own_certificate_expiry_timestamp_seconds",
        ):
            metrics.gauge(f"gateway_agency_{gauge}", agency).set(1)
        for outcome in ("ok", "failed"):
            metrics.counter("gateway_agency_probes_total", agency, outcome)
        for state in ("pending", "delivering", "unknown", "buried", "expired"):
            metrics.gauge("gateway_lane_messages", agency, state).set(1)
        for reason in ("operator", "maintenance", "hours", "outage"):
            metrics.gauge("gateway_lane_paused", agency, reason).set(0)
        for name in ("lane_held", "lane_oldest_pending_timestamp_seconds", "answers_near", "answers_past"):
            metrics.gauge(f"gateway_{name}", agency).set(0)
        metrics.gauge("gateway_answers_earliest_due_timestamp_seconds", agency).set(0)
    front = Front(located, without_a_ledger(clock, metrics, log), no_reload)
    assembled.draft.adopt()
    front.show(Loaded(located=located, assembled=assembled))
    yield front.edge
    log.close()


def without_a_ledger(clock: Clock, metrics: Metrics, log: LineLog) -> Lasting:
    """Return what lasts in a gateway to which nothing is delivered: nobody asks for what is recorded."""
    ledger: Any = None
    show = metrics.gauge("gateway_replicas").set
    return Lasting(
        me="uji",
        clock=clock,
        metrics=metrics,
        log=log,
        ledger=ledger,
        outbox=ledger,
        settler=Settler(ledger, clock),
        rooms=Rooms(lanes=ledger, clock=clock),
        waits=Waiting(lanes=ledger, clock=clock),
        kept=Kept(),
        replicas=Replicas(me="uji", census=ledger, shares=Shares(), show=show, clock=clock, log=log),
        guests=(),
        hours=True,
        stop=asyncio.Event(),
        traces=Traces(),
    )


async def no_reload() -> None:
    """Reload nothing."""


def key(n: int) -> str:
    return f"{KEY}-{n}"


async def ask(edge: Edge, method: str, path: str, key: str, nik: str = "") -> int:
    """Ask by the query and by the body alike; a GET has no body that counts."""
    body = b'{"nik": "%s"}' % nik.encode()
    status: list[int] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(event: dict[str, object]) -> None:
        if event["type"] == "http.response.start":
            status.append(event["status"])

    headers = [(b"host", b"x"), (b"x-api-key", key.encode()), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"nik={nik}".encode() if method == "GET" else b"",
        "headers": headers if method in {"GET", "HEAD"} else [*headers, (b"content-length", b"%d" % len(body))],
    }
    await edge(scope, receive, send)
    return status[0]


async def everybody_asks_everything(edge: Edge) -> set[int]:
    """Have each operation answered in each way at least once, by changing clients, and asked wrongly."""
    seen = set()
    for n in range(AGENCIES):
        for m in range(OPERATIONS):
            method = "GET" if m % 2 else "POST"
            for turn in range(9):
                nik = f"14050252{FIGURE.randrange(10**8):08d}"
                seen.add(await ask(edge, method, f"/v1/{n}/{m}", key((n + turn) % CLIENTS), nik))
            seen.add(await ask(edge, method, f"/v1/{n}/{m}", key(m % CLIENTS)))
    return seen


async def strangers_ask(edge: Edge) -> None:
    """Send made-up paths, methods, keys and NIKs, and made-up values to real operations."""
    for _ in range(STRANGE):
        strange = f"{FIGURE.randrange(10**16):016d}"
        method = FIGURE.choice(("GET", "POST", "DELETE", "BREW", f"X{strange[:6]}"))
        path = FIGURE.choice(("/v1/1/1", "/v1/1/2", f"/v1/{strange}", f"/v1/1/{strange}", f"/v1/{strange}/1"))
        shown = FIGURE.choice((strange, key(1), ""))
        await ask(edge, method, path, shown, strange)


def series(metrics: Metrics) -> list[str]:
    return [line for line in generate_latest(metrics.registry).decode().splitlines() if line[0] != "#"]


async def test_a_hundred_operations_and_ten_thousand_strange_requests_stay_within_6000_series(
    edge: Edge, metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await everybody_asks_everything(edge) == {200, 404, 422, 502, 503, 504}
    before = len(series(metrics))
    await strangers_ask(edge)
    found = series(metrics)
    with capsys.disabled():
        sys.stdout.write(f"\n{before} series of 100 operations, {len(found)} after {STRANGE} strange requests\n")
    assert len(found) <= BUDGET
    assert not [line for line in found if re.search(r'="[^"]*\d{6}', line)]


def every_way(metrics: Metrics) -> None:
    """Count each operation as answered in every way there is, to every client, and each agency as failing in all."""
    for n in range(AGENCIES):
        for m in range(OPERATIONS):
            agency, operation = f"opd-{n}", f"opd-{n}/op-{m}"
            figures = RequestFigures(metrics, operation, agency)
            for method in ("GET", "HEAD") if m % 2 else ("POST",):
                for at, outcome in enumerate(SOURCES):
                    figures.done(method, f"app-{at % CLIENTS}", 200, outcome, 0.1, 0.0, 1, 1)
                    metrics.counter("gateway_agency_retries_total", agency, outcome)
            for side in ("request", "reply"):
                metrics.counter("gateway_translation_errors_total", agency, operation, side)
            for result in ("shared", "stale") if m % 2 else ():
                metrics.counter("gateway_cache_requests_total", operation, result)
        for client, source in product([*(f"app-{one}" for one in range(CLIENTS)), "other"], set(SOURCES.values())):
            metrics.counter("gateway_client_requests_total", client, agency, source)


async def test_if_every_operation_were_answered_in_every_way_there_would_still_be_an_end(
    edge: Edge, metrics: Metrics, capsys: pytest.CaptureFixture[str]
) -> None:
    every_way(metrics)
    await strangers_ask(edge)
    found = len(series(metrics))
    with capsys.disabled():
        sys.stdout.write(f"\n{found} series if each operation were answered in every way\n")
    assert BUDGET < found <= CEILING
