"""The whole examination: every agency and the gateway itself side by side, each with the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from adapters.csv.adapter import CsvAdapter
from adapters.soap.adapter import SoapAdapter
from gateway import app
from gateway.config.load import Located, examine, without
from gateway.config.locate import suggest
from gateway.doctor import asking, contracts, folders, wires
from gateway.doctor.apart import Apart
from gateway.doctor.found import Chart, Check, Found, error, foreign, skipped
from gateway.doctor.own import Usage, examine_own, usage
from gateway.errors import ConfigError, Finding
from gateway.metrics import Metrics
from gateway.opening import calendar
from gateway.ports import Adapter
from gateway.registry import Agency


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be examined: a configuration in the working folder, all agencies or some, in so many seconds."""

    config: Path
    environment: Mapping[str, str] = field(repr=False)
    only: Collection[str] = ()
    seconds: float = 15.0
    measure: Usage = usage


async def diagnose(wanted: Wanted) -> Sequence[Check]:
    """Look at everything; raises ConfigError when the configuration can't be read or an agency is not in it."""
    # One that hangs in a name server or a mounted folder must not take the others' threads.
    asyncio.get_running_loop().set_default_executor(Apart())
    located, findings = await asyncio.to_thread(examine, wanted.config, wanted.environment)
    _known(wanted, located)
    secrets = frozenset(filter(None, located.secrets))
    own = Chart(agency=None, secrets=secrets)
    charts = {name: Chart(agency=name, secrets=secrets) for name in located.config.agency if _asked(wanted, name)}
    looks = [_Case(name, located, wanted, chart).examine() for name, chart in charts.items()]
    await asyncio.gather(
        _in_time(own, wanted.seconds, examine_own(located, findings, own, wanted.measure)),
        *(_in_time(chart, wanted.seconds, look) for chart, look in zip(charts.values(), looks, strict=True)),
    )
    return [check for chart in (own, *charts.values()) for check in chart.checks]


def _asked(wanted: Wanted, agency: str) -> bool:
    return not wanted.only or agency in wanted.only


def _known(wanted: Wanted, located: Located) -> None:
    for name in wanted.only:
        if name not in located.config.agency:
            remedy = suggest(name, located.config.agency)
            raise ConfigError(Finding(where=located.file, what=f"has no agency {name}", remedy=remedy))


async def _in_time(chart: Chart, seconds: float, look: Awaitable[None]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await look
    except TimeoutError:
        what = " and ".join(chart.under_way) or "its files"
        remedy = "what hangs there must be mended first; --within gives it more time"
        chart.note("time", error(f"{what} did not come to an end within {seconds:g} s", remedy))
    except Exception as failure:  # noqa: BLE001 -- a hand-written adapter may fail in any way, and others go on
        chart.note("adapter", error(f"fails: {type(failure).__name__}: {foreign(failure)}", "look into its code"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """One agency, made as if there were no other."""

    agency: Agency
    adapter: Adapter
    assembled: app.Assembled


class _Case:
    """One agency under examination."""

    def __init__(self, name: str, located: Located, wanted: Wanted, chart: Chart) -> None:
        self.name = name
        self.section = located.config.agency[name]
        self.located = located
        self.wanted = wanted
        self.chart = chart
        self.clock = app.clock_of(located)
        self.until = self.clock.monotonic() + wanted.seconds

    async def examine(self) -> None:
        """Go from the outside in: what can't be reached is not asked."""
        ready = self._secrets()
        await self._hours()
        made = await self._made()
        try:
            if made is not None and isinstance(adapter := made.adapter, CsvAdapter):
                with self.chart.looking("folder"):
                    self._all(await asyncio.to_thread(lambda: list(folders.folders(adapter))))
                if ready:
                    with self.chart.looking("drop"):
                        self._all(await folders.elsewhere(adapter))
                return
            server = wires.server_of(self._url(made), app.tls_of(self.section.tls))
            if server is None:
                self.chart.note("connection", skipped("has no HTTP address that could be looked at"))
            elif not await self._reached(server):
                return
            if made is not None and ready:
                await asyncio.gather(self._asked(made), self._contract(made))
        finally:
            if made is not None:
                await made.assembled.close()

    def _secrets(self) -> bool:
        missing = self.located.missing(self.name)
        if missing:
            them = "it" if len(missing) == 1 else "them"
            remedy = f"put {them} where the gateway's environment comes from (for a look at the stand-ins: --demo)"
            self.chart.note("secrets", error(f"the environment has no {', '.join(missing)}", remedy))
        return not missing

    async def _hours(self) -> None:
        """A server that is switched off for the night needs no doctor."""
        with suppress(ConfigError):
            dates = await asyncio.to_thread(calendar, self.name, self.located)
            if not dates.is_open(self.clock.now()):
                self.chart.mild = {"connection"}.__contains__

    async def _made(self) -> _Made | None:
        agencies = self.located.config.agency
        others = agencies.keys() - {self.name}
        elsewhere = {f"{other}/{operation}" for other in others for operation in agencies[other].operation}
        alone = replace(self.located, config=without(self.located.config, others))
        adapters: list[Adapter] = []

        def tap(adapter: Adapter) -> Adapter:
            adapters.append(adapter)
            return adapter

        def assemble() -> app.Assembled:
            return app.assemble(alone, clock=self.clock, metrics=Metrics(), tap=tap, hours=False, elsewhere=elsewhere)

        try:
            assembled = await asyncio.to_thread(assemble)
        except ConfigError as failure:
            first = failure.findings[0]
            more = f"; and {len(failure.findings) - 1} more" if len(failure.findings) > 1 else ""
            says = f"{first.where}: {foreign(first.what)}{more}"
            self.chart.note("configuration", error(says, first.remedy or "gateway check names everything"))
            return None
        agency = assembled.registry.agencies[self.name]
        if isinstance(agency.source, CsvAdapter):
            adapters.append(agency.source)  # whose rows may all be sent on, so that nothing is asked of it
        if not adapters:
            self.chart.note("configuration", skipped("has no operation, so nothing can be asked"))
            return None
        return _Made(agency=agency, adapter=adapters[0], assembled=assembled)

    def _url(self, made: _Made | None) -> str:
        if made is not None and isinstance(made.adapter, SoapAdapter):
            return made.adapter.address
        return str((self.section.model_extra or {}).get("url", ""))

    async def _reached(self, server: wires.Server) -> bool:
        addresses: tuple[str, ...] = (server.host,)
        if wires.is_name(server.host):
            with self.chart.looking("name"):
                found, addresses = await wires.resolve(server)
            if not self.chart.note("name", found):
                return False
        with self.chart.looking("connection"):
            connected = await wires.connect(server, addresses)
        if not self.chart.note("connection", connected):
            return False
        for address in addresses:
            # Several are tried by the adapter as well; whichever takes a connection is looked at.
            with self.chart.looking("tls"):
                said, wire = await wires.open_wire(server, address)
            if wire is not None or address == addresses[-1]:
                return await self._spoken(server, list(said), wire)
        return False

    async def _spoken(self, server: wires.Server, said: Sequence[tuple[str, Found]], wire: wires.Wire | None) -> bool:
        fine = self._all(said)
        if wire is None:
            return False
        try:
            with self.chart.looking("clock"):
                check, found = await wires.clock(server, wire)
            # Who is let in may be asked by whatever clock.
            return (self.chart.note(check, found) or check == "clock") and fine
        finally:
            wire.close()

    async def _asked(self, made: _Made) -> None:
        said = self.section.model_extra or {}
        login = "login" in said or not {"user", "sign"}.isdisjoint(said.get("security") or ())
        left = self.until - self.clock.monotonic()
        with self.chart.looking("login and probe" if login else "probe"):
            self._all(await asking.ask(made.agency, made.adapter, self.clock, login=login, seconds=left))

    async def _contract(self, made: _Made) -> None:
        if isinstance(made.adapter, SoapAdapter):
            look: Callable[..., Found] = contracts.drift
            given = (self.wanted.config, self.name, made.adapter, self.wanted.environment)
            with self.chart.looking("wsdl"):
                found = await asyncio.to_thread(look, *given)
            self.chart.note("wsdl", found)

    def _all(self, said: Sequence[tuple[str, Found]]) -> bool:
        fine = True
        for check, found in said:
            fine = self.chart.note(check, found) and fine
        return fine
