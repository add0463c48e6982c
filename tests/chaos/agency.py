"""An agency that counts: everything that reaches it, by our message id, with the moments it came and was answered."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

QUICKEST, SLOWEST = 0.002, 0.06


@dataclass(slots=True)
class Arrival:
    """One call; `key` is its Idempotency-Key, `answered` is 0.0 until it has been."""

    operation: str
    ref: str
    key: str
    warga: str
    n: int
    at: float
    answered: float = 0.0


@dataclass(slots=True)
class CountingAgency:
    """Never refuses and never recognises a second one itself, so that every repetition shows."""

    arrivals: list[Arrival] = field(default_factory=list)
    url: str = ""
    questions: int = 0
    _done: set[str] = field(default_factory=set)

    async def file(self, request: web.Request) -> web.Response:
        given = await request.json()
        arrival = Arrival(
            operation=request.path.strip("/"),
            ref=given["ref"],
            key=request.headers["Idempotency-Key"],
            warga=given["warga"],
            n=int(given["n"]),
            at=time.monotonic(),
        )
        self.arrivals.append(arrival)
        await asyncio.sleep(random.uniform(QUICKEST, SLOWEST))
        self._done.add(arrival.ref)
        arrival.answered = time.monotonic()
        return web.json_response({"nomor": str(len(self._done))})

    async def find(self, request: web.Request) -> web.Response:
        self.questions += 1
        ref = request.query["ref"]
        return web.json_response({"ref": ref, "nomor": "ada"}) if ref in self._done else web.Response(status=404)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        app = web.Application()
        app.add_routes([web.post("/{operation}", self.file), web.get("/find", self.find)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://{}:{}".format(*runner.addresses[0][:2])
        try:
            yield
        finally:
            await runner.cleanup()
