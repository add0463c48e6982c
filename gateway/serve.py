"""`gateway run` as one coroutine: ledger, configuration, edge and what goes on beside, started and stopped in order."""

import asyncio
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gateway.app import assemble, clock_of
from gateway.background import Background
from gateway.config.load import Located
from gateway.edge.accesslog import LineLog
from gateway.edge.auth import Admission
from gateway.edge.health import Figures
from gateway.edge.server import Listener, on_hangup, on_signals
from gateway.edge.server import serve as serve_http
from gateway.errors import ConfigError
from gateway.front import Front, Lasting
from gateway.kept import Kept
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.opening import folder_of, open_ledger
from gateway.live import Live, Loaded
from gateway.metrics import Metrics
from gateway.ports import Clock
from gateway.presence import Presence
from gateway.recorder import Recorder
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting


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
    lost_key: bool = False,
    told: Told = Told(),
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGTERM, Ctrl-C or `stop`, and finish what is under way; at SIGHUP take what `read` reads then.

    Raises ConfigError when it can't start. Without `hours` every agency is open at any time. With `lost_key` the
    ledger takes the key that is there, or a new one, though it was made with another.
    """
    stop, hurry = stop or asyncio.Event(), asyncio.Event()
    on_signals(stop, hurry)
    clock, metrics = clock_of(located), Metrics()
    log = LineLog(sys.stdout.buffer, clock)
    ledger = await ledger_of(located, clock, lost_key=lost_key)
    settler, rooms = Settler(ledger, clock), Rooms(lanes=ledger, clock=clock)
    waits = Waiting(lanes=ledger, clock=clock)
    recorder = Recorder(outbox=ledger, settler=settler, clock=clock, room=rooms.of)
    kept = Kept()

    def build(fresh: Located) -> Loaded:
        made = assemble(
            fresh, clock=clock, metrics=metrics, log=log, recorder=recorder, hours=hours, draft=kept.draft()
        )
        return Loaded(located=fresh, assembled=made)

    def background(loaded: Loaded) -> Background:
        return Background(
            known=loaded.assembled.registry,
            config=loaded.located.config,
            ledger=ledger,
            settler=settler,
            rooms=rooms,
            waiting=waits,
            metrics=metrics,
            clock=clock,
            log=log,
        )

    async def reload() -> None:
        try:
            await live.reload()
        except ConfigError as error:
            presence.tell(error.findings)
            raise
        presence.tell(())

    lasting = Lasting(
        clock=clock,
        metrics=metrics,
        log=log,
        ledger=ledger,
        rooms=rooms,
        waits=waits,
        guests=tuple(guests),
        stop=stop,
    )
    front = Front(located, lasting, reload)
    live = Live(read=read, build=build, swap=front.show, background=background, clock=clock, log=log)
    await live.start(located)
    gateway = located.config.gateway
    control = Listener(app=front.control, address=gateway.control, setting="gateway.control", started=told.control)
    with Presence.open(folder_of(gateway.ledger), gateway.listen, clock) as presence, on_hangup(reload):
        await serve_http(
            front.edge,
            Figures(metrics.registry, clock),
            listen=gateway.listen,
            metrics=gateway.metrics,
            stop=stop,
            hurry=hurry,
            grace=lambda: live.grace,
            started=told.started,
            stopping=live.stop,
            control=control if located.config.operator else None,
        )
        await live.close()
    await settler.close()
    await ledger.close()
    log.close()


async def ledger_of(located: Located, clock: Clock, *, lost_key: bool = False) -> Ledger:
    """Open the ledger that gateway.toml names; raises ConfigError when its place or its key can't be used."""
    gateway = located.config.gateway
    source = KeySource(value=gateway.ledger_key or None, path=folder_of(gateway.ledger) / "ledger.key", lost=lost_key)
    return await open_ledger(gateway.ledger, source, clock)
