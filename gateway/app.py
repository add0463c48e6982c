"""Composition root: config -> the table of everything that can be asked; the only file that knows the adapters."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
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
from gateway.errors import ConfigError, Finding
from gateway.fill import Provided
from gateway.metrics import Metrics
from gateway.ports import Adapter, Clock, Snapshots
from gateway.recorder import Recorder
from gateway.registry import Registry
from gateway.snapshots import MemorySnapshots
from gateway.translate.load import load_mapping
from gateway.translate.rules import MappingFile

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


def assemble(  # noqa: PLR0913 - what everything is made of
    located: Located,
    *,
    clock: Clock,
    metrics: Metrics,
    tap: Callable[[Adapter], Adapter] = lambda adapter: adapter,
    on_breaker: BreakerNews = lambda _agency, _state: None,
    recorder: Recorder | None = None,
    hours: bool = True,
) -> Assembled:
    """Build the whole table; raises ConfigError with every finding. Blocks on files, opens no connection.

    With a `recorder` the ledger stands before what writes; without `hours` every agency is open at any time.
    """
    opened: list[HttpClient] = []

    def provide(name: str, section: Agency) -> Provided:
        client = HttpClient(name, tls=_tls(section.tls))
        opened.append(client)
        zone = ZoneInfo(section.timezone) if section.timezone else None
        return {HttpClient: client, Clock: clock, Snapshots: MemorySnapshots(), ZoneInfo | None: zone}

    tools = Tools(
        clock=clock, metrics=metrics, find=_find, provide=provide, tap=tap, on_breaker=on_breaker, hours=hours
    )
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
        known = table(agencies, without(located.config, failed), located.where, recorder)
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
