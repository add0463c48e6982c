"""The uvicorn servers in one loop, API, figures and control, and how they stop; knows nothing of what they serve."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import ceil
from signal import SIGHUP, SIGINT, SIGTERM
from typing import Literal, cast

import uvicorn

from gateway.edge.asgi import App
from gateway.edge.ingress import Edge
from gateway.edge.protocol import Protocol, Refusal, plain
from gateway.errors import ConfigError, Finding

_BACKLOG, _LAST_PORT = 2048, 65535
_KEEP_ALIVE_SECONDS = 75  # longer than the 60 s for which proxies such as nginx keep a connection
_LAST_SECONDS = 1.0
"""After giving up, how long the answers may take to leave."""


class _Server(uvicorn.Server):
    """A server that leaves signals alone, tells when it listens, and takes another certificate while it does."""

    def __init__(
        self,
        app: App,
        *,
        lifespan: Literal["on", "off"],
        refusal: Refusal = plain,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=cast("type[asyncio.Protocol]", partial(Protocol, refusal=refusal)),
                ws="none",
                lifespan=lifespan,
                log_config=None,
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                ssl_context_factory=(lambda _config, _usual: tls) if tls is not None else None,
            )
        )
        self._bound: list[socket.socket] = []
        self.listening = asyncio.Event()
        self._leaving = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        # Of our own, since a server that is closed closes the one it was given.
        self._bound = [one.dup() for one in sockets or ()]
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the address, and finish what is under way."""
        for bound in self._bound:
            bound.close()
        await super().shutdown(sockets)

    async def renew(self, tls: ssl.SSLContext | None) -> None:
        """Meet whoever connects from now on with this; connections go on as they are. Raises OSError.

        Both listeners share one queue of the system, so that nobody is turned away in between.
        """
        loop = asyncio.get_running_loop()
        # Late, as uvicorn's own: what it takes is there only once the server has started.
        made = partial(
            cast("Callable[..., asyncio.Protocol]", self.config.http_protocol_class),
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        fresh = [await loop.create_server(made, sock=bound.dup(), ssl=tls, backlog=_BACKLOG) for bound in self._bound]
        replaced, self.servers = self.servers, fresh
        for server in replaced:
            server.close()

    async def main_loop(self) -> None:
        """Renew the Date header every second until asked to leave; uvicorn's own loop wakes ten times as often."""
        while not self._leaving.is_set():
            await self.on_tick(0)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 1.0)

    def leave(self, grace: float) -> None:
        """Close the listener and finish what is under way, in so many seconds."""
        self.config.timeout_graceful_shutdown = ceil(grace)
        self.should_exit = True
        self._leaving.set()


def bind(address: str, setting: str) -> socket.socket:
    """Return a socket that listens at `host:port`; raises ConfigError naming the setting when that can't be."""
    host, _, port = address.rpartition(":")
    try:
        if int(port) > _LAST_PORT:  # getaddrinfo would take it modulo 65536
            raise ValueError(f"there is no port {port}")  # noqa: TRY301 -- told like the system's own refusals
        family, kind, protocol, _, where = socket.getaddrinfo(
            host.strip("[]") or None, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except (OSError, ValueError) as error:
        raise ConfigError(_finding(address, setting, error)) from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(_BACKLOG)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise ConfigError(_finding(address, setting, error)) from error
    return bound


def _finding(address: str, setting: str, error: Exception) -> Finding:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return Finding(
        where=setting,
        what=f'can\'t listen on "{address}": {reason.lower()}',
        remedy="stop the program that uses it, or choose another address",
    )


def on_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """Let SIGTERM and Ctrl-C set `stop`, and the same again set `hurry`."""

    def asked() -> None:
        (hurry if stop.is_set() else stop).set()

    for signal in (SIGINT, SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal, asked)


@contextmanager
def on_hangup(reload: Callable[[], Awaitable[None]]) -> Iterator[None]:
    """Let SIGHUP reload, one after the other; a refusal is told by whoever refuses."""
    loop = asyncio.get_running_loop()
    under_way: set[asyncio.Task[None]] = set()

    async def once() -> None:
        with suppress(ConfigError):
            await reload()

    def asked() -> None:
        task = asyncio.create_task(once())
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    loop.add_signal_handler(SIGHUP, asked)
    try:
        yield
    finally:
        loop.remove_signal_handler(SIGHUP)


class Door:
    """The TLS of the API's listener, None for none; what is put here while it listens holds from then on."""

    def __init__(self) -> None:
        self.tls: ssl.SSLContext | None = None
        self._server: _Server | None = None

    async def renew(self, tls: ssl.SSLContext | None) -> None:
        """Take another; raises OSError, and then nothing has changed."""
        if self._server is not None and not self._server.should_exit:
            await self._server.renew(tls)
        self.tls = tls

    def opened(self, server: _Server) -> None:
        """Know who listens."""
        self._server = server


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A further private server: where it listens, the setting that says so; `started` is told once it does."""

    app: App
    address: str
    setting: str
    started: Callable[[str], None] = lambda _address: None


async def serve(  # noqa: PLR0913 -- the servers, and the three ways in which they end
    edge: Edge,
    figures: App,
    *,
    listen: str,
    metrics: str,
    stop: asyncio.Event,
    grace: Callable[[], float],
    drain: float = 0.0,
    hurry: asyncio.Event | None = None,
    leaving: Callable[[], None] = lambda: None,
    started: Callable[[str, str], None] = lambda _listen, _metrics: None,
    stopping: Callable[[], None] = lambda: None,
    control: Listener | None = None,
    door: Door | None = None,
) -> None:
    """Serve until `drain` seconds after `stop` is set and everything under way has been answered, or `grace()` later.

    `leaving` hears when the draining begins, `stopping` when no more is accepted, `started` both addresses once all
    listen; port 0 takes a free one.
    Setting `hurry` ends draining and grace.
    Raises ConfigError when an address can't be used.
    """
    hurry = hurry or asyncio.Event()
    figures_listener = Listener(app=figures, address=metrics, setting="gateway.metrics")
    others = [figures_listener, *([control] if control is not None else [])]
    with ExitStack() as bound:
        api = bound.enter_context(closing(bind(listen, "gateway.listen")))
        sockets = [bound.enter_context(closing(bind(other.address, other.setting))) for other in others]
        door = door or Door()
        public = _Server(edge, lifespan="on", refusal=edge.refused, tls=door.tls)
        private = [_Server(other.app, lifespan="off") for other in others]
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(public.serve([api]))
            for server, socket_ in zip(private, sockets, strict=True):
                group.create_task(server.serve([socket_]))
            for server in (public, *private):
                await server.listening.wait()
            door.opened(public)
            edge.start()
            started(_address(api), _address(sockets[0]))
            for other, socket_ in zip(others, sockets, strict=True):
                other.started(_address(socket_))
            await _first(stop, hurry, serving)
            if drain and not serving.done():
                edge.leave()
                leaving()
                await _first(hurry, serving, seconds=drain)
            stopping()
            await _drain(edge, public, serving, hurry, grace())
            for server in private:
                server.leave(_LAST_SECONDS)


async def _first(*ends: asyncio.Event | asyncio.Task[None], seconds: float | None = None) -> None:
    waits = [asyncio.create_task(end.wait()) for end in ends if isinstance(end, asyncio.Event)]
    tasks = [end for end in ends if isinstance(end, asyncio.Task)]
    await asyncio.wait([*waits, *tasks], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


async def _drain(edge: Edge, public: _Server, serving: asyncio.Task[None], hurry: asyncio.Event, grace: float) -> None:
    edge.stop()
    public.leave(grace + _LAST_SECONDS)
    hurried = asyncio.create_task(hurry.wait())
    await asyncio.wait([serving, hurried], timeout=grace, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    edge.give_up()
    await asyncio.wait([serving], timeout=_LAST_SECONDS)
    public.force_exit = True
    await asyncio.wait([serving])


def _address(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
