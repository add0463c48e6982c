"""Passes bytes on, and does nothing else: `relay.py PORT AGENCY-PORT OPERATION`.

What it costs is what any gateway on this event loop and this system pays before its first line of code: whatever a
client sends, it asks its agency for one operation, and hands back what comes. It reads no HTTP, no JSON and no XML.
"""

import asyncio
import sys
from functools import partial
from typing import cast

import uvloop

_ENVELOPE = b"<soap:Envelope/>".ljust(850)  # as long as a call of 12 fields; nginx does not look at it


class _Agency(asyncio.Protocol):
    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._client.close()


class _Client(asyncio.Protocol):
    def __init__(self, agency: int, asked: bytes) -> None:
        self._agency = agency
        self._asked = asked
        self._waiting = 0
        self._to: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._opening = asyncio.get_running_loop().create_task(self._open(cast("asyncio.Transport", transport)))

    async def _open(self, client: asyncio.Transport) -> None:
        made = partial(_Agency, client)
        self._to, _ = await asyncio.get_running_loop().create_connection(made, "127.0.0.1", self._agency)
        self._to.write(self._asked * self._waiting)

    def data_received(self, _data: bytes) -> None:
        if self._to is None:
            self._waiting += 1
        else:
            self._to.write(self._asked)

    def connection_lost(self, _exc: Exception | None) -> None:
        if self._to is not None:
            self._to.close()


async def main(port: int, agency: int, operation: str) -> None:
    """Listen until ended."""
    head = f'POST /soap HTTP/1.1\r\nHost: 127.0.0.1\r\nSOAPAction: "{operation}"\r\nContent-Length: {len(_ENVELOPE)}'
    asked = f"{head}\r\n\r\n".encode() + _ENVELOPE
    server = await asyncio.get_running_loop().create_server(partial(_Client, agency, asked), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
