"""An agency made of raw bytes: counts what arrives and breaks off wherever its script says."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Self

OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}'


class Link:
    """One accepted connection."""

    def __init__(self, agency: "RawAgency", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._agency = agency
        self._reader = reader
        self._writer = writer

    async def begin(self) -> bytes:
        """Read up to the end of the head, counting one arrival at its first byte."""
        first = await self._reader.readexactly(1)
        self._agency.arrivals.append(b"")
        self._agency.arrived.set()
        head = first + await self._reader.readuntil(b"\r\n\r\n")
        self._agency.arrivals[-1] = head
        return head

    async def request(self) -> bytes:
        """Read one whole request, counting it."""
        head = await self.begin()
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                self._agency.arrivals[-1] += await self._reader.readexactly(int(line.split(b":")[1]))
        return self._agency.arrivals[-1]

    async def some(self) -> bytes:
        """Read whatever comes first, uncounted."""
        return await self._reader.read(65536)

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    def close(self) -> None:
        self._writer.close()

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        connection = self._writer.get_extra_info("socket")
        if connection is None:  # the other side has hung up
            return
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def stall(self) -> None:
        await self._agency.stopped.wait()

    async def hung_up(self) -> None:
        """Wait until the other side is gone, by FIN or RST."""
        with suppress(ConnectionError):
            while await self._reader.read(65536):
                """What still comes is of no interest."""


Script = Callable[[Link], Awaitable[None]]


async def answer_everything(link: Link) -> None:
    while True:
        await link.request()
        await link.say(OK)


class RawAgency:
    """A TCP (or TLS) server on an ephemeral port; `async with` it."""

    def __init__(self, script: Script = answer_everything, *, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.tls = tls
        self.connections = 0
        self.arrivals: list[bytes] = []
        self.arrived = asyncio.Event()
        self.stopped = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self.script(Link(self, reader, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            """The gateway hung up, or the test is over; what the gateway made of it is the test's question."""
        finally:
            writer.close()


def unused_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
