"""The stand-ins in a thread of their own, on free ports, for tests."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from demo import PORTS
from demo.serve import HOST, StandIns, serve
from demo.switch import Arrival


class Running:
    """Stand-ins that run; its methods may be called from any thread."""

    def __init__(self, stand_ins: StandIns, until: asyncio.Event) -> None:
        self._stand_ins = stand_ins
        self._loop = asyncio.get_running_loop()
        self._until = until
        self.ports = {name: stand_in.port for name, stand_in in stand_ins.agencies.items()}
        self.control_url = f"http://{HOST}:{stand_ins.control_port}"

    def url(self, name: str) -> str:
        """The address of one agency, without a path."""
        return f"http://{HOST}:{self.ports[name]}"

    def switch(self, name: str, mode: str, **settings: Any) -> None:
        """Turn one agency's switch; `times` and `seconds` as over HTTP."""
        self._do(self._turn(name, mode, settings))

    def reset(self) -> None:
        """All agencies up, with their first data, and nothing arrived."""
        self._do(self._reset())

    def arrivals(self, name: str) -> list[Arrival]:
        """What has arrived at one agency, logins (operation "login") included."""
        return [*self._stand_ins.agencies[name].switch.arrivals]

    def stop(self) -> None:
        """Close all; the thread ends soon after."""
        self._loop.call_soon_threadsafe(self._until.set)

    async def _turn(self, name: str, mode: str, settings: dict[str, Any]) -> None:
        stand_in = self._stand_ins.agencies[name]
        await stand_in.turn(mode, **settings)
        stand_in.drop()

    async def _reset(self) -> None:
        for stand_in in self._stand_ins.agencies.values():
            await stand_in.reset()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """All stand-ins on free ports; the puskesmas drops its files into `folder`."""
    up: Future[Running] = Future()
    until = asyncio.Event()

    async def main() -> None:
        try:
            await serve(
                dict.fromkeys(PORTS, 0),
                0,
                folder,
                until=until,
                ready=lambda all_: up.set_result(Running(all_, until)),
            )
        except BaseException as error:
            if not up.done():
                up.set_exception(error)
            raise

    thread = threading.Thread(target=asyncio.run, args=(main(),), name="stand-ins")
    thread.start()
    try:
        here = up.result(timeout=30)
        yield here
    finally:
        if up.done() and up.exception() is None:
            up.result().stop()
        thread.join()
