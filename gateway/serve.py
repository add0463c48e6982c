"""`gateway run` as one coroutine: ledger, configuration, edge and what goes on beside, started and stopped in order."""

import asyncio
import ssl
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from gateway import dropped
from gateway.app import assemble, clock_of
from gateway.background import Background, resign
from gateway.config.load import Located
from gateway.config.models import Gateway
from gateway.edge.accesslog import LineLog
from gateway.edge.auth import Admission
from gateway.edge.health import Figures
from gateway.edge.server import Door, Listener, bind, on_hangup, on_signals
from gateway.edge.server import serve as serve_http
from gateway.edge.tls import listener_tls
from gateway.errors import ConfigError, Finding, LedgerUnavailable
from gateway.front import Front, Lasting
from gateway.kept import Kept
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.late import opened_or_late
from gateway.ledger.opening import folder_of, open_ledger
from gateway.live import Live, Loaded
from gateway.message import new_message_id
from gateway.metrics import Metrics
from gateway.offered import accounts
from gateway.offered.serving import Offered
from gateway.ports import Clock, Log
from gateway.presence import Presence
from gateway.recorder import Recorder
from gateway.replicas import Replicas
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.shares import Shares
from gateway.snapshots import LedgerSnapshots
from gateway.traces import open_traces
from gateway.version import __version__
from gateway.waiting import Waiting

HAND_OVER = 0.0005
"""Seconds after which a thread that computes (figures, a large answer) lets the event loop go on; Python's are 5 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who hears of the start: the addresses of API and metrics, and that of the control listener."""

    started: Callable[[str, str], None] = lambda _listen, _metrics: None
    control: Callable[[str], None] = lambda _control: None


async def run(  # noqa: PLR0913 - what is served, to whom, and who is told
    located: Located,
    read: Callable[[], Located],
    *,
    guests: Iterable[Admission] = (),
    hours: bool = True,
    compares: bool = True,
    lost_key: bool = False,
    told: Told = Told(),
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, Ctrl-C or `stop`, and finish what is under way; at SIGHUP take what `read` reads then.

    Raises ConfigError when it can't start; a ledger that can't be reached is waited for while it serves. Without
    `hours` every agency is open at any time; unless it `compares`, nobody looks whether WSDLs have changed. With
    `lost_key` the ledger takes the key that is there, or a new one, though it was made with another.
    """
    stop, hurry = stop or asyncio.Event(), asyncio.Event()
    on_signals(stop, hurry)
    lasting = await _lasting(located, guests=guests, hours=hours, compares=compares, lost_key=lost_key, stop=stop)

    async def reload() -> None:
        try:
            await live.reload()
        except ConfigError as error:
            lasting.metrics.gauge("gateway_config_last_load_successful").set(0)
            presence.tell(error.findings)
            raise
        presence.tell(unready=_unready(live.loaded))

    front, door, gateway = Front(located, lasting, reload), Door(), located.config.gateway
    files = Offered(gateway.sftp, bind=bind, clock=lasting.clock, log=lasting.log, metrics=lasting.metrics)
    live = _live(lasting, read, front, door, files)
    async with lasting.replicas.among_them():
        await live.start(located)
        door.tls = _context(live.loaded)
        async with files.serving():
            with _presence(located, lasting.clock) as presence, on_hangup(reload):
                await serve_http(
                    front.edge,
                    Figures(lasting.metrics.registry, lasting.clock),
                    listen=gateway.listen,
                    metrics=gateway.metrics,
                    stop=stop,
                    hurry=hurry,
                    grace=lambda: live.grace,
                    drain=gateway.drain or 0.0,
                    leaving=partial(
                        lasting.log, "gateway-leaving", what="all is served; /readyz sends others elsewhere"
                    ),
                    started=partial(_started, lasting.log, told, live),
                    stopping=partial(_stopping, lasting.log, live),
                    control=_control(located, front, told),
                    door=door,
                )
            await live.close()
    await _close(lasting, live.loaded.assembled.registry.agencies)


def _presence(located: Located, clock: Clock) -> Presence:
    gateway = located.config.gateway
    return Presence.open(
        folder_of(gateway.ledger), gateway.listen, clock, config=str(located.folder.absolute() / located.file)
    )


def _unready(loaded: Loaded) -> tuple[str, ...]:
    """Return why agencies can't be asked, those to whom it happens."""
    agencies = loaded.assembled.registry.agencies
    return tuple(f"{name}: {agency.unready}" for name, agency in sorted(agencies.items()) if agency.unready)


def _live(lasting: Lasting, read: Callable[[], Located], front: Front, door: Door, files: Offered) -> Live:
    def show(loaded: Loaded) -> None:
        front.show(loaded)
        files.show(loaded.assembled.registry.agencies)

    return Live(
        read=read,
        build=partial(_build, lasting),
        swap=show,
        background=partial(_background, lasting),
        check=partial(_undelivered, lasting.ledger),
        listen=partial(_renew, door),
        forget=partial(lasting.metrics.forget, ""),
        clock=lasting.clock,
        log=lasting.log,
    )


async def _close(lasting: Lasting, agencies: Iterable[str]) -> None:
    await lasting.settler.close()
    await resign(lasting.ledger, lasting.me, agencies)
    await lasting.ledger.close()
    await lasting.traces.close()
    lasting.log("gateway-stopped")
    lasting.log.close()


def _started(log: Log, told: Told, live: Live, listen: str, metrics: str) -> None:
    known = live.loaded.assembled.registry
    sizes = {"agencies": len(known.agencies), "operations": len(known.operations)}
    log("gateway-started", version=__version__, listen=listen, metrics=metrics, loaded=sizes)
    told.started(listen, metrics)


def _stopping(log: Log, live: Live) -> None:
    log("gateway-stopping", what="nothing more is accepted; what is under way is finished")
    live.stop()


async def _lasting(  # noqa: PLR0913 - as run
    located: Located, *, guests: Iterable[Admission], hours: bool, compares: bool, lost_key: bool, stop: asyncio.Event
) -> Lasting:
    sys.setswitchinterval(HAND_OVER)
    clock = clock_of(located)
    log = LineLog(sys.stdout.buffer, clock)
    traces = open_traces(located, log)
    ledger = await opened_or_late(lambda: ledger_of(located, clock, lost_key=lost_key), clock, log)
    outbox = traces.outbox(ledger, clock)
    me, metrics, shares = new_message_id(), Metrics(), Shares()
    show = metrics.gauge("gateway_replicas").set
    replicas = Replicas(me=me, census=ledger, shares=shares, show=show, clock=clock, log=log)
    return Lasting(
        me=me,
        clock=clock,
        metrics=metrics,
        log=log,
        ledger=ledger,
        outbox=outbox,
        settler=Settler(outbox, clock),
        rooms=Rooms(lanes=ledger, clock=clock),
        waits=Waiting(lanes=ledger, clock=clock),
        kept=Kept(shares),
        replicas=replicas,
        guests=tuple(guests),
        hours=hours,
        compares=compares,
        stop=stop,
        traces=traces,
    )


def _recorder(lasting: Lasting) -> Recorder:
    return Recorder(
        outbox=lasting.outbox,
        settler=lasting.settler,
        clock=lasting.clock,
        room=lasting.rooms.of,
        shut=lambda lane: lasting.waits.down(lane) or lasting.rooms.paused(lane),
    )


def _build(lasting: Lasting, located: Located) -> Loaded:
    made = assemble(
        located,
        clock=lasting.clock,
        metrics=lasting.metrics,
        log=lasting.log,
        attempt=lasting.traces.attempt,
        recorder=_recorder(lasting),
        hours=lasting.hours,
        draft=lasting.kept.draft(),
        snapshots=partial(LedgerSnapshots, lasting.ledger),
    )
    if wrong := [one for one in accounts.findings(located, made.registry.agencies) if not one.warning]:
        raise ConfigError(*wrong)
    return Loaded(located=located, assembled=made, tls=listener_tls(located))


def _context(loaded: Loaded) -> ssl.SSLContext | None:
    return loaded.tls.context if loaded.tls is not None else None


async def _renew(door: Door, after: Loaded) -> None:
    """Meet whoever connects from now on with the certificate as it is in its file now."""
    tls = _context(after)
    if door.tls is None and tls is None:
        return
    try:
        await door.renew(tls)
    except OSError as error:
        what = f"gateway.tls: the listener can't be renewed: {error.strerror or type(error).__name__}"
        raise ConfigError(
            Finding(where=after.located.where("gateway", "tls"), what=what, remedy="try again")
        ) from error


def _background(lasting: Lasting, loaded: Loaded) -> Background:
    return Background(
        me=lasting.me,
        known=loaded.assembled.registry,
        config=loaded.located.config,
        ledger=lasting.ledger,
        outbox=lasting.outbox,
        settler=lasting.settler,
        rooms=lasting.rooms,
        waiting=lasting.waits,
        metrics=lasting.metrics,
        clock=lasting.clock,
        log=lasting.log,
        compares=lasting.compares,
    )


async def _undelivered(ledger: Ledger, before: Loaded, after: Loaded) -> None:
    """Refuse to take away an operation while the ledger has messages of it (design, 11.22)."""
    known = before.assembled.registry.operations
    with suppress(LedgerUnavailable):
        unsettled = {name: counts for name, counts in (await ledger.unsettled()).items() if name in known}
        if found := tuple(dropped.findings(unsettled, after.located)):
            raise ConfigError(*found)


def _control(located: Located, front: Front, told: Told) -> Listener | None:
    """Return the listener for operators, where there are any."""
    if not located.config.operator:
        return None
    address = located.config.gateway.control
    return Listener(app=front.control, address=address, setting="gateway.control", started=told.control)


async def ledger_of(located: Located, clock: Clock, *, lost_key: bool = False) -> Ledger:
    """Open the ledger that gateway.toml names; raises ConfigError when its place or its key can't be used."""
    gateway = located.config.gateway
    return await open_ledger(gateway.ledger, key_source(gateway, lost=lost_key), clock)


def key_source(gateway: Gateway, *, lost: bool = False) -> KeySource:
    """Return where the ledger's key is: in the settings, else beside an SQLite ledger, else in var/."""
    return KeySource(value=gateway.ledger_key or None, path=folder_of(gateway.ledger) / "ledger.key", lost=lost)
