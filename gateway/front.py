"""What answers apps and operators, and how another configuration is put before them; opens no socket."""

import asyncio
import platform
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import cast

from gateway import registry
from gateway.awaited import Awaiting
from gateway.config.load import Located
from gateway.config.models import Config, Key
from gateway.edge.accesslog import LineLog
from gateway.edge.asgi import App, Receive, Scope, Send
from gateway.edge.auth import Admission, Clients, KeyHash
from gateway.edge.control import Control, Office
from gateway.edge.current import Current, routes
from gateway.edge.ingress import Edge
from gateway.edge.needs import Exposed
from gateway.edge.requests import Requests
from gateway.edge.site import site
from gateway.edge.spans import RequestSpans
from gateway.errors import LedgerUnavailable
from gateway.figures import RequestFigures
from gateway.kept import Draft, Kept
from gateway.ledger import Ledger
from gateway.live import Loaded
from gateway.metrics import OTHER, Metrics
from gateway.policies.bucket import TokenBucket
from gateway.ports import Clock, Outbox
from gateway.registry import Registry
from gateway.replicas import Replicas
from gateway.room import Rooms, waiting
from gateway.settle import Settler
from gateway.traces import Traces
from gateway.version import __version__
from gateway.waiting import Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """What stays while configurations come and go; `me` names this process to others on the same ledger.

    `outbox` is the ledger as a queue, each step traced where tracing is on; `guests` are clients that no file names;
    without `hours` every agency is open at any time; unless it `compares`, nobody looks whether contracts changed.
    """

    me: str
    clock: Clock
    metrics: Metrics
    log: LineLog
    ledger: Ledger
    outbox: Outbox
    settler: Settler
    rooms: Rooms
    waits: Waiting
    kept: Kept
    replicas: Replicas
    guests: tuple[Admission, ...]
    hours: bool
    stop: asyncio.Event
    traces: Traces
    compares: bool = True


class Latest:
    """An ASGI app that can be replaced; requests under way keep theirs."""

    app: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on to the latest."""
        await self.app(scope, receive, send)


class Front:
    """The API, `edge`, and the operators' listener, `control`; `show` puts a configuration before both."""

    def __init__(self, located: Located, lasting: Lasting, reload: Callable[[], Awaitable[None]]) -> None:
        self._lasting = lasting
        self._reload = reload
        self._known = Registry()
        self._requests = Requests(lasting.ledger, lasting.waits, lasting.clock, lambda: self._current.routes)
        self._current = Current(routes((), (), self._observe))
        self.control = Latest()
        self.edge = self._edge(located)

    def show(self, loaded: Loaded) -> None:
        """Put a configuration in force before apps and operators at once."""
        located, known = loaded.located, loaded.assembled.registry
        admissions = [*_admissions(located.config, loaded.assembled.draft), *self._lasting.guests]
        own = self._requests.operations
        self._current.routes = routes(known.operations.values(), admissions, self._observe, own=own)
        self._known = known
        queues = {agency.name: agency.queue for agency in known.agencies.values() if agency.queue is not None}
        self._lasting.rooms.queues = queues
        self._lasting.waits.now_of(self._lasting.rooms.calendars)
        self.control.app = self._control(located.config, known)
        ends = loaded.tls.ends if loaded.tls is not None else 0
        self._lasting.metrics.gauge("gateway_certificate_expiry_timestamp_seconds").set(ends)
        self._lasting.metrics.gauge("gateway_config_last_load_successful").set(1)
        self._lasting.metrics.gauge("gateway_config_last_success_timestamp_seconds").set_to_current_time()

    def _edge(self, located: Located) -> Edge:
        gateway, lasting = located.config.gateway, self._lasting
        pages = site(
            self._current,
            lasting.clock,
            name=gateway.name,
            version=__version__,
            docs=gateway.docs,
            states=lambda: {agency.name: _state(agency) for agency in self._known.agencies.values()},
            ledger=partial(_standing, lasting.rooms),
        )
        edge = Edge(
            self._current,
            cast("App", pages),
            clock=lasting.clock,
            log=lasting.log,
            origins=gateway.origins,
            show=self._requests.show,
            spans=self._spans(),
        )
        lasting.metrics.gauge("gateway_requests_in_flight").set_function(lambda: edge.under_way)
        lasting.metrics.gauge("gateway_build_info", __version__, platform.python_version()).set(1)
        return edge

    def _spans(self) -> RequestSpans | None:
        traces = self._lasting.traces
        return RequestSpans(traces.record, self._lasting.clock, traces.ratio) if traces.record is not None else None

    def _control(self, config: Config, known: Registry) -> Control:
        operators = [Admission(name=name, keys=_keys(one.keys), allow=()) for name, one in config.operator.items()]
        office = Office(
            archive=self._lasting.ledger,
            deadlines=self._lasting.ledger,
            lanes=self._lasting.ledger,
            awaiting=Awaiting(archive=self._lasting.ledger, waiting=self._lasting.waits),
            operations=known.operations,
            agencies=config.agency,
            clock=self._lasting.clock,
            log=self._lasting.log,
            stop=self._lasting.stop,
            reload=self._reload,
        )
        return Control(office, Clients(operators, ()))

    def _observe(self, operation: Exposed | None) -> RequestFigures:
        metrics = self._lasting.metrics
        return RequestFigures(metrics, operation.id if operation else OTHER, operation.agency if operation else OTHER)


def _admissions(config: Config, draft: Draft) -> Iterator[Admission]:
    for name, client in config.client.items():
        rate = client.rate
        made = (lambda rate=rate: TokenBucket(rate.per_second, burst=rate.count)) if rate else None
        yield Admission(
            name=name,
            title=client.title,
            keys=_keys(client.keys),
            allow=client.allow,
            bucket=draft.same(("client", name), rate, made) if made else None,
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
