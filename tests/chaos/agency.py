"""An agency that counts: everything that reaches it, by our message id, with the moments it came and was answered."""

import asyncio
import json
import random
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import uvicorn

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

    async def __call__(self, scope, receive, send) -> None:
        body = b""
        while (event := await receive())["type"] == "http.request":
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        status, said = self.find(scope) if scope["method"] == "GET" else await self.file(scope, json.loads(body))
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})

    async def file(self, scope, given: dict[str, str]) -> tuple[int, dict[str, str]]:
        arrival = Arrival(
            operation=scope["path"].strip("/"),
            ref=given["ref"],
            key=dict(scope["headers"])[b"idempotency-key"].decode(),
            warga=given["warga"],
            n=int(given["n"]),
            at=time.monotonic(),
        )
        self.arrivals.append(arrival)
        await asyncio.sleep(random.uniform(QUICKEST, SLOWEST))
        self._done.add(arrival.ref)
        arrival.answered = time.monotonic()
        return 200, {"nomor": str(len(self._done))}

    def find(self, scope) -> tuple[int, dict[str, str]]:
        self.questions += 1
        (ref,) = parse_qs(scope["query_string"].decode())["ref"]
        return (200, {"ref": ref, "nomor": "ada"}) if ref in self._done else (404, {})

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(self, lifespan="off", ws="none", log_config=None, access_log=False))
        serving = asyncio.create_task(server._serve([listening]))
        try:
            yield
        finally:
            server.should_exit = True
            await serving
