"""Composition root: config -> objects -> ASGI app; the only file that knows everybody."""

import asyncio
import gc
import importlib
import platform
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from adapters import BUILTIN
from adapters.http import HttpClient
from adapters.http import Tls as HttpTls
from gateway import registry
from gateway.agency import BreakerNews, Tools, build
from gateway.clock import SystemClock
from gateway.config.load import Located, examine, without
from gateway.config.models import Agency, Tls
from gateway.dispatch import table
from gateway.edge.accesslog import LineLog
from gateway.edge.asgi import App
from gateway.edge.auth import Admission, KeyHash
from gateway.edge.current import Current, routes
from gateway.edge.health import Figures
from gateway.edge.ingress import Edge
from gateway.edge.needs import Exposed
from gateway.edge.server import on_signals
from gateway.edge.server import serve as serve_http
from gateway.edge.site import site
from gateway.errors import ConfigError, FieldError, Finding, GatewayError
from gateway.fill import Provided
from gateway.intake import FileReport, take_in
from gateway.metrics import OTHER, Metrics, RequestFigures
from gateway.policies.bucket import TokenBucket
from gateway.ports import Adapter, Clock, Snapshots
from gateway.registry import Registry
from gateway.snapshots import MemorySnapshots
from gateway.translate.load import load_mapping
from gateway.translate.rules import MappingFile
from gateway.version import __version__
from gateway.wording import say

GRACE = 2.0
"""Seconds that a graceful stop has beyond the longest deadline."""
PROBE_EVERY = 30.0
LAG_EVERY = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """Everything that can be asked, and the connections to close afterwards."""

    registry: Registry
    clients: Sequence[HttpClient]

    async def close(self) -> None:
        """Close every agency's connections."""
        for client in self.clients:
            await client.close()


def assemble(
    located: Located,
    *,
    clock: Clock,
    metrics: Metrics,
    tap: Callable[[Adapter], Adapter] = lambda adapter: adapter,
    on_breaker: BreakerNews = lambda _agency, _state: None,
) -> Assembled:
    """Build the whole table; raises ConfigError with every finding. Blocks on files, opens no connection."""
    opened: list[HttpClient] = []

    def provide(name: str, section: Agency) -> Provided:
        client = HttpClient(name, tls=_tls(section.tls))
        opened.append(client)
        zone = ZoneInfo(section.timezone) if section.timezone else None
        return {HttpClient: client, Clock: clock, Snapshots: MemorySnapshots(), ZoneInfo | None: zone}

    tools = Tools(clock=clock, metrics=metrics, find=_find, provide=provide, tap=tap, on_breaker=on_breaker)
    agencies: list[registry.Agency] = []
    findings: list[Finding] = []
    for name in located.config.agency:
        try:
            agencies.append(build(name, located, _mapping(name, located), tools))
        except ConfigError as error:
            findings += error.findings
    known = Registry()
    failed = located.config.agency.keys() - {agency.name for agency in agencies}
    try:
        known = table(agencies, without(located.config, failed), located.where)
    except ConfigError as error:
        findings += error.findings
    if findings:
        raise ConfigError(*findings)
    return Assembled(registry=known, clients=opened)


def check(path: Path, environment: Mapping[str, str]) -> list[Finding]:
    """Return everything there is to say about a configuration, offline and all in one go; warnings among it."""
    located, findings = examine(path, environment)
    missing = [
        Finding(
            where=located.where(*key),
            what=f"{'.'.join(key)}: the environment has no {name}; the agency would answer 503",
            remedy=f"set {name} before starting",
        )
        for key, name in located.absent
        if key[1] in located.config.agency
    ]
    try:
        assembled = assemble(located, clock=clock_of(located), metrics=Metrics())
    except ConfigError as error:
        return [*findings, *error.findings, *missing]
    return [*findings, *missing, *_personal_in_urls(assembled.registry, located)]


async def run(
    located: Located,
    *,
    guests: Iterable[Admission] = (),
    started: Callable[[str, str], None] = lambda _listen, _metrics: None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, Ctrl-C or `stop`, and finish what is under way. Raises ConfigError when it can't start."""
    stop, hurry = stop or asyncio.Event(), asyncio.Event()
    on_signals(stop, hurry)
    clock, metrics = clock_of(located), Metrics()
    log = LineLog(sys.stdout.buffer, clock)
    assembled = await asyncio.to_thread(
        assemble, located, clock=clock, metrics=metrics, on_breaker=partial(_breaker_news, log)
    )
    edge = _edge(located, assembled.registry, guests, metrics=metrics, clock=clock, log=log)
    async with _background(assembled.registry, metrics, clock, log):
        gc.collect()
        gc.freeze()  # what was made at the start stays; it need not be looked through again
        await serve_http(
            edge,
            Figures(metrics.registry, clock),
            listen=located.config.gateway.listen,
            metrics=located.config.gateway.metrics,
            stop=stop,
            hurry=hurry,
            grace=assembled.registry.longest_deadline + GRACE,
            started=started,
        )
    await assembled.close()
    log.close()


def _mapping(name: str, located: Located) -> MappingFile:
    """Read an agency's mapping; when there is no such file, the finding stands where it is named."""
    file = located.config.agency[name].mapping
    path = located.folder / file
    if path.is_file():
        return load_mapping(path, file)
    where = located.where("agency", name, "mapping")
    raise ConfigError(Finding(where=where, what=f"{file}: no such file", remedy="put the mapping there, or name it"))


def clock_of(located: Located) -> SystemClock:
    """Return the clock in the gateway's zone."""
    return SystemClock(located.config.gateway.timezone)


def _edge(  # noqa: PLR0913 - composed once, here
    located: Located,
    known: Registry,
    guests: Iterable[Admission],
    *,
    metrics: Metrics,
    clock: Clock,
    log: LineLog,
) -> Edge:
    gateway = located.config.gateway

    def observe(operation: Exposed | None) -> RequestFigures:
        return RequestFigures(metrics, operation.id if operation else OTHER, operation.agency if operation else OTHER)

    current = Current(routes(known.exposed, [*_admissions(located), *guests], observe))
    pages = site(
        current,
        clock,
        name=gateway.name,
        version=__version__,
        docs=gateway.docs,
        states=lambda: {agency.name: _state(agency) for agency in known.agencies.values()},
    )
    edge = Edge(current, cast("App", pages), clock=clock, log=log, origins=gateway.origins)
    metrics.gauge("gateway_requests_in_flight").set_function(lambda: edge.under_way)
    metrics.gauge("gateway_build_info", __version__, platform.python_version()).set(1)
    metrics.gauge("gateway_config_last_success_timestamp_seconds").set_to_current_time()
    return edge


def _admissions(located: Located) -> Iterator[Admission]:
    for name, client in located.config.client.items():
        yield Admission(
            name=name,
            title=client.title,
            keys=tuple(KeyHash(sha256=key.sha256, until=key.until) for key in client.keys),
            allow=client.allow,
            bucket=TokenBucket(client.rate.per_second, burst=client.rate.count) if client.rate else None,
        )


def _state(agency: registry.Agency) -> str:
    """Return how an agency stands in one word; anybody may read it, so it names no setting."""
    return (
        "unready" if agency.unready else {"closed": "ok", "open": "failing", "half-open": "failing"}[agency.breaker()]
    )


@asynccontextmanager
async def _background(known: Registry, metrics: Metrics, clock: Clock, log: LineLog) -> AsyncIterator[None]:
    """Run what goes on beside requests: taking in files, asking agencies whether they are there, watching the loop."""
    work = [_watch_loop(metrics), *(_probe(agency, metrics, clock) for agency in known.agencies.values())]
    for agency in known.agencies.values():
        if agency.source is not None and agency.snapshots is not None and not agency.unready:
            report = partial(_file_news, log, metrics, agency.name)
            work.append(take_in(agency.source, agency.feeds, agency.snapshots, report))
            log("feeds-watched", agency=agency.name, feeds=sorted(agency.feeds))
        if agency.unready:
            log("agency-unready", level="error", agency=agency.name, why=agency.unready)
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch_loop(metrics: Metrics) -> None:
    lag = metrics.gauge("gateway_event_loop_lag_seconds")
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY
        await asyncio.sleep(LAG_EVERY)
        lag.set(max(0.0, loop.time() - due))


async def _probe(agency: registry.Agency, metrics: Metrics, clock: Clock) -> None:
    if agency.probe is None or agency.unready:
        return
    up = metrics.gauge("gateway_agency_up", agency.name)
    while True:
        try:
            await agency.probe.probe()
        except GatewayError:
            up.set(0)
        else:
            up.set(1)
        await clock.sleep(PROBE_EVERY)


def _breaker_news(log: LineLog, agency: str, state: str) -> None:
    """Say it once when an outage starts and once when it ends; a probe on its way is no news."""
    if state == "open":
        log("agency-failing", level="warning", agency=agency, what="nothing is sent for a while, then one call tries")
    elif state == "closed":
        log("agency-back", agency=agency)


def _file_news(log: LineLog, metrics: Metrics, agency: str, news: FileReport) -> None:
    outcome = "refused" if news.refused else "accepted"
    metrics.counter("gateway_file_drops_total", agency, news.feed, outcome)(1)
    metrics.counter("gateway_file_rows_total", agency, news.feed, "rejected")(news.rejected)
    metrics.counter("gateway_file_rows_total", agency, news.feed, "accepted")(0 if news.refused else news.accepted)
    if not news.refused:
        metrics.gauge("gateway_file_drop_last_success_timestamp_seconds", agency, news.feed).set_to_current_time()
    log(
        f"file-{outcome}",
        level="warning" if news.refused or news.rejected else "info",
        agency=agency,
        feed=news.feed,
        file=news.file,
        accepted=news.accepted,
        rejected=news.rejected,
        rules=dict(news.rules),
        first=[f"{row.number}: {'; '.join(_reason(reason) for reason in row.reasons)}" for row in news.first],
        refused=say(news.refused, "id") if news.refused else None,
    )


def _reason(reason: FieldError) -> str:
    value = f" ({reason.value})" if reason.value else ""
    return f"{reason.where or ''} {reason.pointer} {say(reason, 'id')}{value}".strip()


def _personal_in_urls(known: Registry, located: Located) -> Iterator[Finding]:
    """Warn of personal data in a path or a query, which servers and proxies write into their logs."""
    for operation in known.exposed:
        names = operation.request.personal if operation.method == "GET" else set()
        if names:
            agency, name = operation.id.split("/", 1)
            yield Finding(
                where=located.where("agency", agency, "operation", name, "expose"),
                what=f"{operation.id}: {', '.join(sorted(names))} is personal (mask = true) and travels in the URL",
                remedy='expose it as "POST …/cari" with safe = true',
                warning=True,
            )


def _tls(settings: Tls) -> HttpTls:
    def file(name: str | None) -> Path | None:
        return Path(name) if name else None

    return HttpTls(
        ca=file(settings.ca), verify=settings.verify, certificate=file(settings.certificate), key=file(settings.key)
    )


def _find(name: str) -> Callable[..., object]:
    """Return an adapter's class by its short or dotted name; raises ConfigError."""
    dotted = BUILTIN.get(name, name)
    module, colon, attribute = dotted.partition(":")
    if not colon:
        remedy = f'write {", ".join(map(repr, BUILTIN))} or a dotted name like "adapters.pln:PlnAdapter"'
        raise ConfigError(Finding(where="adapter", what=f'there is no adapter "{name}"', remedy=remedy))
    try:
        found: Callable[..., object] = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(Finding(where="adapter", what=f'"{name}" can\'t be imported: {error}')) from error
    return found
