"""`gateway run` as one coroutine: ledger, table, edge and what goes on beside, started and stopped in order."""

import asyncio
import gc
import platform
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import cast

from gateway import registry
from gateway.app import assemble, clock_of
from gateway.background import Background
from gateway.config.load import Located
from gateway.config.models import Key
from gateway.edge.accesslog import LineLog
from gateway.edge.asgi import App
from gateway.edge.auth import Admission, Clients, KeyHash
from gateway.edge.control import Control, Office
from gateway.edge.current import Current, Routes, routes
from gateway.edge.health import Figures
from gateway.edge.ingress import Edge
from gateway.edge.needs import Exposed
from gateway.edge.requests import Requests
from gateway.edge.server import Listener, on_signals
from gateway.edge.server import serve as serve_http
from gateway.edge.site import site
from gateway.errors import LedgerUnavailable
from gateway.figures import RequestFigures
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.opening import SQLITE, open_ledger
from gateway.metrics import OTHER, Metrics
from gateway.policies.bucket import TokenBucket
from gateway.ports import Clock
from gateway.recorder import Recorder
from gateway.registry import Registry
from gateway.room import Rooms, waiting
from gateway.settle import Settler
from gateway.version import __version__
from gateway.waiting import Waiting

GRACE = 1.0
"""Seconds that a graceful stop has beyond the longest deadline; the servers take one more to close."""
HAND_OVER = 0.0005
"""Seconds after which a thread that computes (figures, a large answer) lets the event loop go on; Python's are 5 ms."""


async def run(  # noqa: PLR0913 - what is served, to whom, and who is told
    located: Located,
    *,
    guests: Iterable[Admission] = (),
    hours: bool = True,
    lost_key: bool = False,
    started: Callable[[str, str], None] = lambda _listen, _metrics: None,
    control_started: Callable[[str], None] = lambda _control: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, Ctrl-C or `stop`, and finish what is under way. Raises ConfigError when it can't start.

    Without `hours` every agency is open at any time. With `lost_key` the ledger takes the key that is there, or a new
    one, though it was made with another.
    """
    stop, hurry = stop or asyncio.Event(), asyncio.Event()
    on_signals(stop, hurry)
    clock, metrics = clock_of(located), Metrics()
    log = LineLog(sys.stdout.buffer, clock)
    ledger = await ledger_of(located, clock, lost_key=lost_key)
    settler, rooms = Settler(ledger, clock), Rooms(lanes=ledger, clock=clock)
    recorder = Recorder(outbox=ledger, settler=settler, clock=clock, room=rooms.of)
    assembled = await asyncio.to_thread(
        assemble, located, clock=clock, metrics=metrics, log=log, recorder=recorder, hours=hours
    )
    known = assembled.registry
    rooms.queues = {agency.name: agency.queue for agency in known.agencies.values() if agency.queue is not None}
    waits = Waiting(lanes=ledger, clock=clock, calendars=rooms.calendars)
    requests = partial(Requests, ledger, waits, clock)
    background = Background(
        known=known,
        config=located.config,
        ledger=ledger,
        settler=settler,
        rooms=rooms,
        waiting=waits,
        metrics=metrics,
        clock=clock,
        log=log,
    )
    edge = _edge(located, known, guests, requests, rooms, metrics=metrics, clock=clock, log=log)
    office = _office(located, known, ledger, clock=clock, log=log, stop=stop)
    async with background.running(stop):
        _freeze()
        sys.setswitchinterval(HAND_OVER)
        await serve_http(
            edge,
            Figures(metrics.registry, clock),
            listen=located.config.gateway.listen,
            metrics=located.config.gateway.metrics,
            stop=stop,
            hurry=hurry,
            grace=known.longest_deadline + GRACE,
            started=started,
            control=_control(located, office, control_started),
        )
    await assembled.close()
    await ledger.close()
    log.close()


def _freeze() -> None:
    """What was made at the start stays; it need not be looked through again for what can be thrown away."""
    gc.collect()
    gc.freeze()


async def ledger_of(located: Located, clock: Clock, *, lost_key: bool = False) -> Ledger:
    """Open the ledger that gateway.toml names; raises ConfigError when its place or its key can't be used."""
    gateway = located.config.gateway
    path = Path(gateway.ledger.removeprefix(SQLITE)).parent if gateway.ledger.startswith(SQLITE) else Path("var")
    source = KeySource(value=gateway.ledger_key or None, path=path / "ledger.key", lost=lost_key)
    return await open_ledger(gateway.ledger, source, clock)


def _office(  # noqa: PLR0913 - composed once, here
    located: Located, known: Registry, ledger: Ledger, *, clock: Clock, log: LineLog, stop: asyncio.Event
) -> Office:
    return Office(
        archive=ledger,
        lanes=ledger,
        operations=known.operations,
        agencies=located.config.agency,
        clock=clock,
        log=log,
        stop=stop,
    )


def _control(located: Located, office: Office, started: Callable[[str], None]) -> Listener | None:
    """Return the listener for operators, where there are any."""
    config = located.config
    if not config.operator:
        return None
    operators = [Admission(name=name, keys=_keys(one.keys), allow=()) for name, one in config.operator.items()]
    control = Control(office, Clients(operators, ()))
    return Listener(app=control, address=config.gateway.control, setting="gateway.control", started=started)


def _edge(  # noqa: PLR0913 - composed once, here
    located: Located,
    known: Registry,
    guests: Iterable[Admission],
    requests: Callable[[Callable[[], Routes]], Requests],
    rooms: Rooms,
    *,
    metrics: Metrics,
    clock: Clock,
    log: LineLog,
) -> Edge:
    gateway = located.config.gateway

    def observe(operation: Exposed | None) -> RequestFigures:
        return RequestFigures(metrics, operation.id if operation else OTHER, operation.agency if operation else OTHER)

    recorded = requests(lambda: current.routes)
    admissions = [*_admissions(located), *guests]
    current = Current(routes(known.operations.values(), admissions, observe, own=recorded.operations))
    pages = site(
        current,
        clock,
        name=gateway.name,
        version=__version__,
        docs=gateway.docs,
        states=lambda: {agency.name: _state(agency) for agency in known.agencies.values()},
        ledger=partial(_standing, rooms),
    )
    edge = Edge(current, cast("App", pages), clock=clock, log=log, origins=gateway.origins, show=recorded.show)
    metrics.gauge("gateway_requests_in_flight").set_function(lambda: edge.under_way)
    metrics.gauge("gateway_build_info", __version__, platform.python_version()).set(1)
    metrics.gauge("gateway_config_last_load_successful").set(1)
    metrics.gauge("gateway_config_last_success_timestamp_seconds").set_to_current_time()
    return edge


def _admissions(located: Located) -> Iterator[Admission]:
    for name, client in located.config.client.items():
        yield Admission(
            name=name,
            title=client.title,
            keys=_keys(client.keys),
            allow=client.allow,
            bucket=TokenBucket(client.rate.per_second, burst=client.rate.count) if client.rate else None,
        )


def _keys(keys: Iterable[Key]) -> tuple[KeyHash, ...]:
    return tuple(KeyHash(sha256=key.sha256, until=key.until) for key in keys)


def _state(agency: registry.Agency) -> str:
    """Return how an agency stands in one word; anybody may read it, so it names no setting."""
    return (
        "unready" if agency.unready else {"closed": "ok", "open": "failing", "half-open": "failing"}[agency.breaker()]
    )


async def _standing(rooms: Rooms) -> Mapping[str, object]:
    """Return how the ledger stands and how many messages wait in each lane."""
    try:
        lanes = await rooms.stats()
    except LedgerUnavailable:
        return {"ledger": "unavailable"}
    return {
        "ledger": "ok" if rooms.writable else "unavailable",
        "lanes": {name: waiting(stats) for name, stats in lanes.items()},
    }
