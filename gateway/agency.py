"""One agency from its section and its mapping: the adapter, and for each operation its translator and pipeline."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ParamSpec, TypeVar, cast
from zoneinfo import ZoneInfo

from gateway import registry
from gateway.channel import Channel, context_of
from gateway.columns import FeedColumns
from gateway.config.load import Located
from gateway.config.locate import suggest
from gateway.config.models import Agency, Operation
from gateway.engines import feed_columns, read_by_python
from gateway.errors import ConfigError, Finding
from gateway.feeds import Keeping, Source
from gateway.figures import attempts
from gateway.fill import Provided, fill
from gateway.keeping import keeping_of
from gateway.kept import Draft
from gateway.limits import Limits, limits
from gateway.lookup import Snapshots
from gateway.message import Message, OperationId
from gateway.metrics import Metrics
from gateway.native import Compared, Contract, Described, Planned, Prepared
from gateway.offers import Offers
from gateway.opening import calendar
from gateway.outgoing import Outgoing
from gateway.paths import called
from gateway.pipeline import SHARING, stack
from gateway.policies.hours import outside_hours
from gateway.ports import Adapter, Addressed, Clock, Handler, Probe
from gateway.punctual import due_of
from gateway.recorder import Recording
from gateway.recording import recording
from gateway.translate.compile import Compiled, CompiledRow, compile_operation, compile_row
from gateway.translate.pairs import Native
from gateway.translate.rules import MappingFile
from gateway.unready import unready, unready_handler
from gateway.verdict import share

P = ParamSpec("P")
T = TypeVar("T")
_DETOUR = "it works, only slower; gateway try --plan shows which fields it has"
BreakerNews = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the composition root hands every agency.

    `find` returns an adapter's class by name, `provide` what its fields may ask for by type, `tap` may wrap it, and
    `attempt` what sends a message once; `draft` has the state that outlives a reload; without `hours` every agency is
    open at any time, though the law counts its working days all the same.
    """

    clock: Clock
    metrics: Metrics
    find: Callable[[str], Callable[..., object]]
    provide: Callable[[str, Agency], Provided]
    draft: Draft
    attempt: Callable[[Handler], Handler] = lambda send: send
    tap: Callable[[Adapter], Adapter] = lambda adapter: adapter
    on_breaker: BreakerNews = lambda _agency, _state: None
    hours: bool = True


def build(name: str, located: Located, mapping: MappingFile, tools: Tools) -> registry.Agency:
    """Build one agency; raises ConfigError with every finding about it. Blocks: a WSDL is read here."""
    return _Builder(name, located, mapping, tools).build()


class _Builder:
    """One agency under construction: what each step needs, and the findings so far."""

    def __init__(self, name: str, located: Located, mapping: MappingFile, tools: Tools) -> None:
        self.name = name
        self.section = located.config.agency[name]
        self.located = located
        self.mapping = mapping
        self.tools = tools
        self.title = self.section.title or name
        self.zone = self.section.timezone or located.config.gateway.timezone
        self.provided = tools.provide(name, self.section)
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []
        self.unready = unready(located.missing(name))
        self.dates = self._try(calendar, name, located)
        self.calendar = self.dates if tools.hours else None

    def build(self) -> registry.Agency:
        rows = self._rows()
        keepings = {feed: self._keeping(feed, row) for feed, row in rows.items()}
        adapter = self._adapter(rows, keepings)
        shared = self._limits()
        out = Outgoing(self.name, adapter, lambda name: self._where(("agency", self.name, "operation", name, "call")))
        operations = [
            made
            for operation, section in self.section.operation.items()
            if (made := self._operation(operation, section, adapter, shared, out)) is not None
        ]
        feeds = {feed: self._feed(feed, row, keepings[feed]) for feed, row in rows.items()} | out.feeds()
        self.findings += out.findings
        if self.findings:
            raise ConfigError(*self.findings)
        return registry.Agency(
            name=self.name,
            title=self.title,
            operations={operation.id: operation for operation in operations},
            breaker=lambda: shared.breaker.state,
            probe=adapter if isinstance(adapter, Probe) else None,
            compared=adapter if isinstance(adapter, Compared) else None,
            source=adapter if feeds and isinstance(adapter, Source) else None,
            offers=tuple(adapter.offers()) if isinstance(adapter, Offers) else (),
            snapshots=cast("Snapshots | None", self.provided.get(Snapshots)),
            feeds=feeds,
            queue=registry.Queue(
                concurrency=self.section.concurrency or self.located.config.defaults.concurrency,
                slots=lambda: shared.slots.limit,
                waiting=lambda: shared.slots.waiting,
                depth=self.section.depth,
                age=self.section.age + out.patience,
                operations=frozenset(operation.id for operation in operations if operation.recording is not None),
                patience=out.patience,
                calendar=self.calendar,
            ),
            warnings=(*self._unused(), *self.warnings),
            unready=self.unready,
            zone=ZoneInfo(self.zone),
        )

    def _unused(self) -> Iterator[Finding]:
        """Warn of tables of the mapping that belong to no operation and no feed: misspelt, they are empty replies."""
        known = [*self.section.operation, *self._settings("feed")]
        for name, tables in self.mapping.operations.items():
            if name not in known:
                yield Finding(
                    where=self.mapping.at(tables.line),
                    what=f"[{name}...] belongs to no operation and no feed of {self.name}",
                    remedy=suggest(name, known),
                    warning=True,
                )

    def _where(self, path: tuple[str, ...]) -> str:
        return self.located.where(*path)

    def _rows(self) -> dict[str, CompiledRow]:
        found: dict[str, CompiledRow] = {}
        for feed in self._settings("feed"):
            row = self._try(self._at, ("feed", feed), compile_row, self.mapping, feed, timezone=self.zone)
            if row is not None:
                found[feed] = row
        return found

    def _settings(self, key: str) -> Mapping[str, Mapping[str, Any]]:
        found = (self.section.model_extra or {}).get(key, {})
        return found if isinstance(found, dict) else {}

    def _keeping(self, feed: str, row: CompiledRow) -> Keeping:
        settings = self._settings("feed")[feed]
        key, newer = tuple(settings.get("key", ())), settings.get("newer")
        for setting, names in (("key", key), ("newer", (newer,) if newer else ())):
            for name in names:
                if name not in row.schema.paths:
                    self.findings.append(
                        Finding(
                            where=self._where(("agency", self.name, "feed", feed, setting)),
                            what=f'{self.name}.feed.{feed}.{setting}: "{name}" is no field of [{feed}.row]',
                            remedy=suggest(name, row.schema.paths),
                        )
                    )
        if newer in row.schema.paths - row.schema.ordered:
            self.findings.append(
                Finding(
                    where=self._where(("agency", self.name, "feed", feed, "newer")),
                    what=f"{self.name}.feed.{feed}.newer: {newer} is no date and no number in [{feed}.row], "
                    "and of texts 2/1/2026 is newer than 10/1/2026",
                    remedy=f'write there {newer} = {{ from = "...", date = "dd/mm/yyyy" }}, or number or integer',
                )
            )
        asked = [self.mapping.asked(name) for name, made in self.section.operation.items() if made.call == feed]
        return keeping_of(row, asked, mode=settings.get("mode", "snapshot"), key=key, newer=newer)

    def _feed(self, feed: str, row: CompiledRow, keeping: Keeping) -> registry.Feed:
        settings = self._settings("feed")[feed]
        return registry.Feed(
            read=row.read,
            keeping=keeping,
            max_reject=share(settings.get("max_reject", 0.1)),
            due=due_of(settings, self.dates),
            row=row,
            ahead=settings.get("engine") == "polars",
        )

    def _written(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of each file we write: the native fields of the operation that writes it."""
        operations = self.section.operation.items()
        return {
            made.call: self.mapping.columns(name) for name, made in operations if made.call in self._settings("out")
        }

    def _adapter(self, rows: Mapping[str, CompiledRow], keepings: Mapping[str, Keeping]) -> Adapter:
        """Build the adapter; without one nothing else about the agency can be checked, so its findings end here."""
        section = ("agency", self.name)
        columns = feed_columns(rows, keepings, self._written())
        try:
            make = self.tools.find(self.section.adapter)
            provided = {**self.provided, FeedColumns: columns}
            adapter = fill(make, self.section.model_extra or {}, provided, section=section, where=self._where)
        except ConfigError as error:
            raise ConfigError(*self.findings, *(self._placed(finding) for finding in error.findings)) from None
        self.warnings += read_by_python(columns, self._settings("feed"), partial(self.located.where, *section, "feed"))
        return adapter

    def _placed(self, finding: Finding) -> Finding:
        """Say where in gateway.toml a finding is that an adapter made, which knows only its own keys."""
        if ":" in finding.where or self.located.file in finding.where:
            return finding
        settings = self.section.model_extra or {}
        if file := next((key for key, value in settings.items() if value == finding.where), None):
            return replace(
                finding, where=self._where(("agency", self.name, file)), what=f"{finding.where}: {finding.what}"
            )
        path = ("agency", self.name, *finding.where.split("."))
        return replace(finding, where=self._where(path), what=f"{'.'.join(path)}: {finding.what}")

    def _limits(self) -> Limits:
        is_open = partial(self.tools.metrics.gauge, "gateway_agency_open", self.name)
        self.tools.draft.once_in_force(lambda: is_open().set_function(self._serves))
        return limits(
            self.name,
            self.section,
            self.located.config.defaults,
            clock=self.tools.clock,
            zone=ZoneInfo(self.zone),
            metrics=self.tools.metrics,
            draft=self.tools.draft,
            on_breaker=lambda state: self.tools.on_breaker(self.name, state),
            serves=self._serves,
        )

    def _serves(self) -> bool:
        return self.calendar is None or self.calendar.is_open(self.tools.clock.now())

    def _operation(
        self, name: str, section: Operation, adapter: Adapter, shared: Limits, out: Outgoing
    ) -> registry.Operation | None:
        compiled = self._try(self._compile, name, section, adapter)
        if compiled is None:
            return None
        seconds = section.deadline or self.section.deadline or self.located.config.defaults.deadline
        channel = self._channel(name, section, adapter, compiled)
        handler, pipeline = self._pipelines(name, section, channel, compiled, shared, seconds)
        return registry.Operation(
            id=OperationId(f"{self.name}/{name}"),
            title=section.title or name,
            about=section.about,
            agency=self.name,
            agency_title=self.title,
            safe=section.reads,
            method=section.expose.split(" ", 1)[0] if section.expose else None,
            path=section.expose.split(" ", 1)[1] if section.expose else None,
            deadline=seconds,
            request=compiled.request,
            reply=compiled.reply,
            handler=self._within_hours(handler),
            pipeline=pipeline,
            stored=section.deliver == "store-and-forward" and not section.reads,
            recording=self._recording(name, section, compiled),
            reread=channel.reread,
            plan=partial(adapter.plan, section.call) if isinstance(adapter, Planned) else None,
            version=compiled.fingerprint,
            together=out.together(name, section, channel.send_many),
            within=out.within(name, section),
        )

    def _within_hours(self, handler: Handler) -> Handler:
        # What is not ready would be no more so when it opens.
        if self.calendar is None or self.calendar.always_open or self.unready:
            return handler
        closed = self.tools.metrics.counter("gateway_agency_closed_calls_total", self.name)
        return outside_hours(self.calendar, self.tools.clock, handler, on_closed=lambda: closed(1))

    def _recording(self, name: str, section: Operation, compiled: Compiled) -> Recording | None:
        if section.reads:
            return None
        fields = compiled.request.fields
        return self._try(recording, self.name, name, located=self.located, fields=fields, calendar=self.dates)

    def _compile(self, name: str, section: Operation, adapter: Adapter) -> Compiled:
        contract = self._contract(name, section, adapter)
        if contract is not None and contract.detour:
            where = self._where(("agency", self.name, "operation", name, "call"))
            what = f"{self.name}/{name}: {contract.detour}"
            self.warnings.append(Finding(where=where, what=what, remedy=_DETOUR, warning=True))
        native: Native = "csv" if isinstance(adapter, Source) else "json"
        compiled = self._at(
            ("operation", name), compile_operation, self.mapping, name,
            contract=contract, timezone=self.zone, native=native,
        )  # fmt: skip
        if isinstance(adapter, Addressed):
            where = self._where(("agency", self.name, "operation", name, "call"))
            found = tuple(called(f"{self.name}/{name}", adapter.url_fields(section.call), compiled, where))
            if found:
                raise ConfigError(*found)
        self._logins(name, compiled)
        return compiled

    def _logins(self, name: str, compiled: Compiled) -> None:
        """Find what a mapping reads of a login that has no such thing."""
        login = self._login()
        for used in compiled.translator.context:
            part = used.removeprefix("@login.")
            if part not in (used, *login):
                self.findings.append(
                    Finding(
                        where=self.mapping.at(self.mapping.operations[name].line),
                        what=f'{name}: the login of {self.name} in gateway.toml has no "{part}"',
                        remedy=suggest(part, login),
                    )
                )

    def _at(self, path: tuple[str, ...], make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `make` makes; what it says of the whole mapping stands at the section that asks for it."""
        where = self._where(("agency", self.name, *path))
        try:
            return make(*args, **kwargs)
        except ConfigError as error:
            raise ConfigError(
                *(replace(f, where=where) if f.where == self.mapping.name else f for f in error.findings)
            ) from error

    def _contract(self, name: str, section: Operation, adapter: Adapter) -> Contract | None:
        """Return what the adapter knows of the operation beforehand; its findings are placed at `call`."""
        try:
            if isinstance(adapter, Prepared):
                adapter.prepare(section.call)
            return adapter.contract(section.call) if isinstance(adapter, Described) else None
        except ConfigError as error:
            path = ("agency", self.name, "operation", name, "call")
            raise ConfigError(*(replace(f, where=self._where(path)) for f in error.findings)) from None

    def _channel(self, name: str, section: Operation, adapter: Adapter, compiled: Compiled) -> Channel:
        operation, metrics = f"{self.name}/{name}", self.tools.metrics
        return Channel(
            adapter=self.tools.tap(adapter),
            translator=compiled.translator,
            opened=compiled.opened,
            outcomes=compiled.outcomes,
            target=section.call,
            timeout=section.timeout or self.section.timeout or self.located.config.defaults.timeout,
            safe=section.reads,
            clock=self.tools.clock,
            context=context_of(self.tools.clock, self._login(), read=bool(compiled.translator.context)),
            observe=attempts(metrics, self.name, operation),
            on_misfit=metrics.by_last_label("gateway_translation_errors_total", self.name, operation, known=("reply",)),
            wrote=metrics.histogram("gateway_translation_duration_seconds", self.name, "request"),
            read=metrics.histogram("gateway_translation_duration_seconds", self.name, "reply"),
        )

    def _pipelines(  # noqa: PLR0913, PLR0917 - everything an operation is made of
        self, name: str, section: Operation, channel: Channel, compiled: Compiled, shared: Limits, seconds: float
    ) -> tuple[Handler, Handler]:
        """Return how it is asked directly, and how for the ledger: that answer is its own and fresh."""
        if self.unready:
            return (answer := unready_handler(self.unready)), answer
        policies = shared.policies(
            f"{self.name}/{name}",
            safe=section.reads,
            repeatable=section.reads or section.repeat == "harmless",
            deadline_seconds=seconds,
            stale_seconds=section.stale,
            key=self._key(compiled, channel),
        )
        alone = {policy: made for policy, made in policies.items() if policy not in SHARING}
        send = self.tools.attempt(channel.send)
        return stack(policies, send), stack(alone, send)

    def _login(self) -> dict[str, str]:
        login = (self.section.model_extra or {}).get("login", {})
        return {key: value for key, value in login.items() if isinstance(value, str)}

    def _key(self, compiled: Compiled, channel: Channel) -> Callable[[Message], bytes]:
        key, context = compiled.translator.key, channel.context
        return lambda message: key(message.body, context(message))

    def _try(self, make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what `make` makes, or keep its findings and go on to the next thing."""
        try:
            return make(*args, **kwargs)
        except ConfigError as error:
            self.findings += error.findings
            return None
