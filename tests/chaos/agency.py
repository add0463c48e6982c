"""An agency that counts: all that reaches it, in JSON or SOAP, by our message id, and when it came and was answered."""

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
from lxml import etree

QUICKEST, SLOWEST = 0.002, 0.06
SOAP = "soap"
_ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_SAID = (
    f'<e:Envelope xmlns:e="{_ENVELOPE}"><e:Body><soapResponse xmlns="urn:kantor">'
    "<kode>00</kode><nomor>{nomor}</nomor></soapResponse></e:Body></e:Envelope>"
)


@dataclass(slots=True)
class Arrival:
    """One call; `ids` are all that it carried beside the field `ref`, `answered` is 0.0 until it has been."""

    operation: str
    ref: str
    ids: frozenset[str]
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
        key = dict(scope["headers"]).get(b"idempotency-key", b"").decode()
        operation, status, media = scope["path"].strip("/"), 200, b"application/json"
        if scope["method"] == "GET":
            status, found = self.find(scope)
            said = json.dumps(found)
        elif operation == SOAP:
            media = b"text/xml"
            envelope = etree.fromstring(body)
            given = {etree.QName(field).localname: field.text for field in envelope.find(f"{{{_ENVELOPE}}}Body")[0]}
            (block,) = envelope.find(f"{{{_ENVELOPE}}}Header")
            said = _SAID.format(nomor=await self.file(operation, given, {key, block[0].text}))
        else:
            said = json.dumps({"nomor": await self.file(operation, json.loads(body), {key})})
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", media)]})
        await send({"type": "http.response.body", "body": said.encode()})

    async def file(self, operation: str, given: dict[str, str], ids: set[str]) -> str:
        arrival = Arrival(
            operation=operation,
            ref=given["ref"],
            ids=frozenset(ids),
            warga=given["warga"],
            n=int(given["n"]),
            at=time.monotonic(),
        )
        self.arrivals.append(arrival)
        await asyncio.sleep(random.uniform(QUICKEST, SLOWEST))
        self._done.add(arrival.ref)
        arrival.answered = time.monotonic()
        return str(len(self._done))

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
