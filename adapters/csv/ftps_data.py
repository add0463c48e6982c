"""The data connection of FTPS, in a thread, as servers want it and an event loop's streams don't have it.

TLS begins once the server has said yes to the command, in the session of the first connection, and ends by saying so.
uvloop's own loses what has come when a server hangs up faster than a file is read.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
SILENCE = 30.0
ENDS = 5.0
"""Seconds that a server has to say that it has everything."""
RECEIVED = 1 << 17


class TlsData:
    """Reader and writer of a data connection, for aioftp."""

    def __init__(self, plain: socket.socket, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None):
        self._socket = plain
        self._context = context
        self._host = host
        self._session = session
        self._read = bytearray()
        self._written = bytearray()

    @classmethod
    async def connect(cls, host: str, port: int, name: str, control: ssl.SSLObject, seconds: float) -> "TlsData":
        """Connect, without TLS yet."""
        plain = await asyncio.to_thread(socket.create_connection, (host, port), seconds)
        plain.settimeout(SILENCE)
        return cls(plain, control.context, name, control.session)

    async def read(self, count: int = -1) -> bytes:
        """Return some bytes, none at the end."""
        if not self._read:
            return await self._do(lambda secured: _received(secured, count if count > 0 else RECEIVED))
        found = bytes(self._read[:count] if count > 0 else self._read)
        del self._read[: len(found)]
        return found

    async def readline(self) -> bytes:
        """Return a line with its end, what is left at the end."""
        while (end := self._read.find(b"\n")) < 0:
            block = await self._do(lambda secured: _received(secured, RECEIVED))
            if not block:
                end = len(self._read) - 1
                break
            self._read += block
        line = bytes(self._read[: end + 1])
        del self._read[: end + 1]
        return line

    def write(self, data: bytes) -> None:
        """Keep what is to be sent."""
        self._written += data

    async def drain(self) -> None:
        """Send it."""
        data, self._written = bytes(self._written), bytearray()
        await self._do(lambda secured: secured.sendall(data))

    async def finish(self) -> None:
        """Say that this was all, and hear that it has come."""
        await self._do(_end)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    async def _do(self, act: Callable[[ssl.SSLSocket], T]) -> T:
        return await asyncio.to_thread(lambda: act(self._secured()))

    def _secured(self) -> ssl.SSLSocket:
        if isinstance(self._socket, ssl.SSLSocket):
            return self._socket
        secured = self._context.wrap_socket(self._socket, server_hostname=self._host, session=self._session)
        self._socket = secured
        return secured


def _received(secured: ssl.SSLSocket, count: int) -> bytes:
    block = secured.recv(count)
    if not block:
        _end(secured)
    return block


def _end(secured: ssl.SSLSocket) -> None:
    secured.settimeout(ENDS)
    with suppress(OSError):
        secured.unwrap()
