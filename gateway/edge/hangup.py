"""Watches for a client that hangs up while a read is under way; knows no handler."""

import asyncio

from gateway.edge.visit import Visit

_PATIENCE = 0.1
"""Seconds after which watching pays: nearly every read is answered before, for the price of one timer."""


class Hangup:
    """Cancels a visit's task once its client is gone; `stop` ends the watch."""

    __slots__ = ("_timer", "_visit", "_watcher")

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._watcher: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._start)

    def _start(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._visit.receive())["type"] != "http.disconnect":
            pass
        self._visit.gone = True
        self._visit.cancel()

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
