"""Composition root: config -> objects -> ASGI app; the only file that knows everybody."""

import asyncio
import gc
import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from adapters import BUILTIN
from adapters.http import HttpClient
from adapters.http import Tls as HttpTls
from gateway.agency import BreakerNews, Tools, build
from gateway.clock import SystemClock
from gateway.config.load import Located
from gateway.config.models import Agency, Client, Tls
from gateway.dispatch import table
from gateway.edge.accesslog import LineLog
from gateway.edge.auth import Admission, KeyHash
from gateway.edge.current import Current, routes
from gateway.edge.health import Figures
from gateway.edge.ingress import Edge
from gateway.edge.server import on_signals
from gateway.edge.server import serve as serve_http
from gateway.edge.site import site
from gateway.errors import ConfigError, Finding
from gateway.fill import Provided
from gateway.intake import FeedPlan, FileReport, take_in
from gateway.metrics import Metrics
from gateway.policies.bucket import TokenBucket
from gateway.ports import Adapter, Clock, Snapshots
from gateway.registry import Registry
from gateway.registry import Agency as RegisteredAgency
from gateway.snapshots import MemorySnapshots
from gateway.translate.load import load as load_mapping
from gateway.version import __version__

GRACE = 2.0
"""Seconds that a graceful stop has beyond the longest deadline."""
PROBE_EVERY = 30.0
LAG_EVERY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """Everything that can be asked, and the connections to close afterwards."""

    registry: Registry
    clients: list[HttpClient] = field(default_factory=list)

    async def close(self) -> None:
        """Close every agency's connections."""
        for client in self.clients:
            await client.close()


def assemble(
    located: Located,
    *,
    clock: Clock,
    metrics: Metrics,
    snapshots: Snapshots,
    tap: Callable[[Adapter], Adapter] = lambda adapter: adapter,
    on_breaker: BreakerNews = lambda _agency, _state: None,
) -> Assembled:
    """Build the whole table; raises ConfigError with every finding. Blocks on files, opens no connection."""
    opened: list[HttpClient] = []

    def provide(name: str, section: Agency) -> Provided:
        client = HttpClient(name, tls=_tls(section.tls, located.folder))
        opened.append(client)
        return {HttpClient: client, Clock: clock, Snapshots: snapshots}

    tools = Tools(clock=clock, metrics=metrics, find=_find, provide=provide, tap=tap, on_breaker=on_breaker)
    agencies, findings = [], []
    for name in located.config.agency:
        try:
            agencies.append(_agency(name, located, tools))
        except ConfigError as error:
            findings += error.findings
    if findings:
        raise ConfigError(*findings)
    return Assembled(registry=table(agencies, located.config, located.where), clients=opened)


def check(located: Located) -> list[Finding]:
    """Return everything there is to say about a configuration, offline; warnings among it."""
    missing = [
        Finding(
            where=located.where("agency", agency),
            what=f"agency.{agency}: the environment has no {name}; the agency would answer 503",
            remedy=f"set {name} before starting",
        )
        for agency, names in located.missing.items()
        for name in names
    ]
    try:
        assembled = assemble(located, clock=_clock(located), metrics=Metrics(), snapshots=MemorySnapshots())
    except ConfigError as error:
        return [*error.findings, *missing]
    return [*missing, *_personal_in_urls(assembled.registry, located)]


async def run(
    located: Located,
    *,
    guests: Iterable[Admission] = (),
    started: Callable[[str, str], None] = lambda _listen, _metrics: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, Ctrl-C or `stop`; requests under way are finished. Raises ConfigError when it can't start."""
    stop, hurry = stop or asyncio.Event(), asyncio.Event()
    on_signals(stop, hurry)
    clock, metrics, snapshots = _clock(located), Metrics(), MemorySnapshots()
    log = LineLog(sys.stdout.buffer, clock)
    news = partial(_breaker_news, log)
    assembled = await asyncio.to_thread(
        assemble, located, clock=clock, metrics=metrics, snapshots=snapshots, on_breaker=news
    )
    registry = assembled.registry
    for agency in registry.agencies.values():
        if agency.unready:
            log("agency-unready", level="error", agency=agency.name, why=agency.unready)
    observe = metrics.requests()
    current = Current(routes(registry.exposed, [*_admissions(located, clock), *guests], observe))
    gateway = located.config.gateway
    pages = site(
        current, clock, name=gateway.name, version=__version__, docs=gateway.docs, states=lambda: _states(registry)
    )
    edge = Edge(current, pages, clock=clock, log=log, origins=gateway.origins)
    tasks = [asyncio.create_task(work) for work in _background(registry, snapshots, metrics, clock, log)]
    metrics.started(__version__)
    gc.collect()
    gc.freeze()  # what was made at the start stays; it need not be looked through again
    try:
        await serve_http(
            edge,
            Figures(metrics.registry, clock),
            listen=gateway.listen,
            metrics=gateway.metrics,
            stop=stop,
            hurry=hurry,
            grace=registry.longest_deadline + GRACE,
            started=started,
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await assembled.close()
        log.close()
