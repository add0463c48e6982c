"""Composition root: config -> the table of everything that can be asked; the only file that knows the adapters."""

import importlib
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters import BUILTIN
from adapters.http import HttpClient
from adapters.http import Tls as HttpTls
from gateway import certificates, registry
from gateway.agency import Tools, build
from gateway.clock import SystemClock
from gateway.config.load import Located, examine, without
from gateway.config.models import Agency
from gateway.config.tls import Tls
from gateway.destinations import linked
from gateway.dispatch import table
from gateway.edge.tls import listener_tls
from gateway.errors import ConfigError, Finding
from gateway.fill import Provided
from gateway.kept import Draft, Kept
from gateway.lookup import Snapshots
from gateway.metrics import Metrics
from gateway.offered import accounts
from gateway.overlap import overlapping
from gateway.paths import lost, personal
from gateway.ports import Adapter, Clock, Closes, Handler, Log, Tolerated
from gateway.recorder import Recorder
from gateway.registry import Registry
from gateway.snapshots import MemorySnapshots
from gateway.traces import untraceable
from gateway.translate.load import load_mapping
from gateway.translate.rules import MappingFile
from gateway.trust import signing_certificate, trusted

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """Everything that can be asked, its state, and the connections to close afterwards."""

    registry: Registry
    draft: Draft
    clients: Sequence[Closes]

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
    attempt: Callable[[Handler], Handler] = lambda send: send,
    log: Log = lambda _event, /, **_facts: None,
    recorder: Recorder | None = None,
    hours: bool = True,
    draft: Draft | None = None,
    snapshots: Callable[[str], Snapshots] = lambda _agency: MemorySnapshots(),
    elsewhere: Collection[str] = (),
) -> Assembled:
    """Build the whole table; raises ConfigError with every finding. Blocks on files, opens no connection.

    `tap` may wrap an adapter, `attempt` what sends once; with a `recorder` the ledger stands before what writes.
    `draft` has what outlives a reload, unchanged until adopted. Rows may go to operations `elsewhere`, left out here.
    """
    draft, opened = draft or Kept().draft(), list[Closes]()

    def provide(name: str, section: Agency) -> Provided:
        client = _client(name, located, metrics, draft)
        opened.append(client)
        return {
            HttpClient: client,
            Clock: clock,
            Log: partial(log, agency=name),
            Snapshots: snapshots(name),
            Tolerated: metrics.by_last_label("gateway_agency_tolerated_total", name),
            **_of_its_section(section),
        }

    def closed_later(adapter: Adapter) -> Adapter:
        if isinstance(adapter, Closes):
            opened.append(adapter)
        return tap(adapter)

    tools = Tools(
        clock=clock,
        metrics=metrics,
        find=_find,
        provide=provide,
        draft=draft,
        tap=closed_later,
        attempt=attempt,
        on_breaker=partial(_breaker_news, log),
        hours=hours,
    )
    built, findings = _built(located, tools)
    agencies, known = linked(built, located, findings, elsewhere=elsewhere), Registry()
    failed = located.config.agency.keys() - {one.name for one in agencies}
    try:
        known = table(agencies, without(located.config, failed), located.where, recorder)
    except ConfigError as error:
        findings += error.findings
    findings += lost(known.exposed, located.where)
    if findings:
        raise ConfigError(*findings)
    return Assembled(registry=known, draft=draft, clients=opened)


def _built(located: Located, tools: Tools) -> tuple[list[registry.Agency], list[Finding]]:
    agencies: list[registry.Agency] = []
    findings: list[Finding] = []
    for name in located.config.agency:
        try:
            agencies.append(build(name, located, _mapping(name, located), tools))
        except ConfigError as error:
            findings += error.findings
    return agencies, findings


def _of_its_section(section: Agency) -> Provided:
    return {HttpTls: tls_of(section.tls), ZoneInfo | None: ZoneInfo(section.timezone) if section.timezone else None}


def check(path: Path, environment: Mapping[str, str]) -> list[Finding]:
    """Return everything there is to say about a configuration, offline and all in one go; warnings among it."""
    located, findings = examine(path, environment)
    findings = (*findings, *untraceable(located), *_listener(located))
    warnings = [*trusted(located, clock_of(located).now()), *overlapping(located)]
    missing = [
        Finding(
            where=located.where(*key),
            what=f"{'.'.join(key)}: the environment has no {name}; the agency would answer 503",
            remedy=f"set {name} before starting (for a try with the stand-ins: --demo)",
        )
        for key, name in located.absent
        if key[1] in located.config.agency
    ]
    try:
        assembled = assemble(located, clock=clock_of(located), metrics=Metrics())
    except ConfigError as error:
        return [*findings, *error.findings, *missing, *warnings]
    offered = accounts.findings(located, assembled.registry.agencies)
    unused = (warning for agency in assembled.registry.agencies.values() for warning in agency.warnings)
    return [*findings, *missing, *unused, *offered, *warnings, *personal(assembled.registry.exposed, located.where)]


def _listener(located: Located) -> Sequence[Finding]:
    """Return why the files of the API's listener can't be used, if so."""
    try:
        listener_tls(located)
    except ConfigError as error:
        return error.findings
    return ()


def _breaker_news(log: Log, agency: str, state: str) -> None:
    """Say it once when an outage starts and once when it ends; a probe on its way is no news."""
    if state == "open":
        log("agency-failing", level="warning", agency=agency, what="nothing is sent for a while, then one call tries")
    elif state == "closed":
        log("agency-back", agency=agency)


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


def _client(name: str, located: Located, metrics: Metrics, draft: Draft) -> HttpClient:
    """Return an agency's connections; a file for TLS that can't be used is told where it is named."""
    agency = located.config.agency[name]
    settings = agency.tls
    draft.once_in_force(partial(_show_end, name, _own_end(settings.certificate, signing_certificate(agency)), metrics))
    expiry = partial(metrics.gauge, "gateway_agency_certificate_expiry_timestamp_seconds", name)
    try:
        return HttpClient(name, tls=tls_of(settings), certificate_ends=lambda at: expiry().set(at))
    except ConfigError as error:
        unread = next((key for key, file in settings if isinstance(file, str) and not Path(file).is_file()), "ca")
        where = located.where("agency", name, "tls", unread)
        raise ConfigError(
            *(replace(f, where=where, what=f"agency.{name}.tls: {f.where} {f.what}") for f in error.findings)
        ) from error


def _own_end(*files: str | None) -> float | None:
    """Return when the first of these certificates ends, None where there is none."""
    ends = []
    for file in filter(None, files):
        with suppress(ConfigError):
            ends.append(certificates.of_file(Path(file)).ends.timestamp())
    return min(ends, default=None)


def _show_end(name: str, ends: float | None, metrics: Metrics) -> None:
    metrics.forget("gateway_agency_own_certificate", name)
    if ends is not None:
        metrics.gauge("gateway_agency_own_certificate_expiry_timestamp_seconds", name).set(ends)


def tls_of(settings: Tls) -> HttpTls:
    """Return what the settings say of TLS, as the adapters' clients take it."""

    def file(name: str | None) -> Path | None:
        return Path(name) if name else None

    return HttpTls(
        ca=file(settings.ca),
        verify=settings.verify,
        certificate=file(settings.certificate),
        key=file(settings.key),
        minimum=_VERSIONS[settings.minimum],
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
    except Exception as error:
        # Whatever a hand-written file does when it is imported, its author reads it best in one line.
        what = f'"{name}" can\'t be imported: {type(error).__name__}: {error}'
        raise ConfigError(Finding(where="adapter", what=what)) from error
    if not callable(getattr(found, "exchange", None)):
        what = f'"{name}" has no exchange(call), so it is no adapter'
        raise ConfigError(Finding(where="adapter", what=what, remedy="see docs/adapters.md"))
    return found
