"""Where the stand-ins listen: one port each and one for the control, all in one event loop."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Collection, Generator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import uvicorn

from demo import STAND_INS
from demo.agency import Agency, AgencyApp
from demo.control import ControlApp
from demo.http import Reply, Request, json_reply
from demo.switch import COMMON, Mode, Switch

HOST = "127.0.0.1"


class _Connection(Protocol):
    client: tuple[str, int] | None
    transport: asyncio.Transport


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Nine servers share one loop; only the program itself listens to signals.
        yield


class Listener:
    """One ASGI app on one port, which can stop listening for good and start again on the same port."""

    def __init__(self, app: Callable[..., Awaitable[None]], port: int) -> None:
        self.port = port
        self._app = app
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; a port of 0 becomes a real one at the first start."""
        if self._server is not None:
            return
        await self._ended()
        listening = socket.create_server((HOST, self.port))
        # asyncio does it only where a socket names its protocol; without it, an answer in two pieces waits for 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(self._app, lifespan="off", ws="none", log_config=None, log_level=None, access_log=False)
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started and not self._task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # uvicorn has a flag here, and no event

    def close(self) -> None:
        """Refuse connections from now on; those that are open stay."""
        if self._server is not None:
            for server in self._server.servers:
                server.close()
            self._server.should_exit = True

    def drop(self) -> None:
        """Break what is still open after `close`."""
        if self._server is not None and self._server.should_exit:
            for connection in self._connections():
                connection.transport.abort()
            self._server = None

    def hang_up(self, client: tuple[str, int] | None) -> None:
        """Close the connection of one caller, after what was written to it."""
        for connection in self._connections():
            if connection.client == client:
                connection.transport.close()

    async def stop(self) -> None:
        """Refuse connections, break the open ones, and wait until all is gone."""
        self.close()
        self.drop()
        await self._ended()

    def _connections(self) -> list[_Connection]:
        return [] if self._server is None else cast("list[_Connection]", [*self._server.server_state.connections])

    async def _ended(self) -> None:
        if self._task is not None:
            await self._task
            self._task = None


class StandIn:
    """One agency: its business, its switch and its port."""

    def __init__(self, name: str, folder: Path, port: int) -> None:
        self.name = name
        self.switch = Switch()
        self._folder = folder
        self.agency: Agency = STAND_INS[name](folder)
        self._listener = Listener(AgencyApp(self), port)

    @property
    def port(self) -> int:
        """The port it listens on (0 before the first start)."""
        return self._listener.port

    async def start(self) -> None:
        """Be up."""
        await self._listener.start()

    async def stop(self) -> None:
        """Be down: connecting is refused, open connections are reset."""
        await self._listener.stop()

    def drop(self) -> None:
        """Break the connections of an agency that is down."""
        self._listener.drop()

    def hang_up(self, client: tuple[str, int] | None) -> None:
        """Close one caller's connection."""
        self._listener.hang_up(client)

    async def flip(self, request: Request, mode: str) -> Reply:
        """Turn the switch as a control request asks; its JSON body may hold `times` and `seconds`."""
        if request.method != "POST" or mode not in {*COMMON, *self.agency.modes}:
            return json_reply({"error": f"no mode {mode!r}", "modes": sorted({*COMMON, *self.agency.modes})}, 404)
        try:
            settings = request.json()
            await self.turn(mode, **settings)
        except (ValueError, TypeError):
            return json_reply({"error": 'the body may hold {"times": 3, "seconds": 8}'}, 400)
        return json_reply({"agency": self.name, "mode": mode, **settings})

    async def turn(self, mode: str, *, times: int | None = None, seconds: float = 8.0) -> None:
        """Turn the switch to `mode`, for the next `times` calls if given."""
        chosen = Mode(name=mode, seconds=float(seconds))
        act = self.agency.modes.get(mode)
        if mode == "down":
            self._listener.close()
        else:
            await self.start()
        if act is not None:
            act(chosen)
        self.switch.set(Mode() if act is not None or mode in ("up", "down") else chosen, times)

    async def reset(self) -> None:
        """Be as on the first day: up, with the first data, and nothing arrived."""
        self.agency = STAND_INS[self.name](self._folder)
        self.switch.arrivals.clear()
        await self.turn("up")


class StandIns:
    """All agencies and the control port, started and stopped together."""

    def __init__(self, ports: Mapping[str, int], control_port: int, folder: Path) -> None:
        self._folder = folder
        self.agencies = {name: StandIn(name, folder, port) for name, port in ports.items()}
        self._control = Listener(ControlApp(self.agencies), control_port)

    @property
    def control_port(self) -> int:
        """The port of the switches of all agencies."""
        return self._control.port

    async def start(self, down: Collection[str] = (), *, kept: bool = False) -> None:
        """Listen on every port but those of agencies that are down; the clerk of the puskesmas drops the first file.

        Not where one was taken before and the gateway has `kept` what was in it.
        """
        for name, stand_in in self.agencies.items():
            if name in down:
                continue
            if name == "puskesmas" and kept and any(self._folder.glob("archive/*/*.csv")):
                await stand_in.start()
            else:
                await stand_in.turn("up")
        await self._control.start()

    async def stop(self) -> None:
        """Close every port."""
        await asyncio.gather(self._control.stop(), *(each.stop() for each in self.agencies.values()))


async def serve(  # noqa: PLR0913 - what is served, and how
    ports: Mapping[str, int],
    control_port: int,
    folder: Path,
    *,
    until: asyncio.Event,
    ready: Callable[[StandIns], Any] = lambda _: None,
    down: Collection[str] = (),
    kept: bool = False,
) -> None:
    """Run the stand-ins in `ports` (0 takes a free one) until `until`; call `ready` once they listen.

    Those in `down` are switched off, until somebody switches them on. The clerk's first file is `kept` already.
    """
    stand_ins = StandIns(ports, control_port, folder)
    try:
        await stand_ins.start(down, kept=kept)
        ready(stand_ins)
        await until.wait()
    finally:
        await stand_ins.stop()
