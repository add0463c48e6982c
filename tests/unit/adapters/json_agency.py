"""A small REST agency over real sockets: records requests and answers them by its function."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Said:
    body: bytes = b'{"ok":true}'
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


Behaviour = Callable[[Asked], Awaitable[Said]]


def said(document: object, status: int = 200, **headers: str) -> Said:
    return Said(json.dumps(document).encode(), status, tuple((k.replace("_", "-"), v) for k, v in headers.items()))


async def agreeable(_: Asked) -> Said:
    return Said()


class JsonAgency:
    def __init__(self, behave: Behaviour = agreeable) -> None:
        self.behave = behave
        self.asked: list[Asked] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while True:
                await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            """The gateway hung up, or the test is over."""
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        method, path, _ = start.split(" ")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        asked = Asked(method, path, headers, body)
        self.asked.append(asked)
        said = await self.behave(asked)
        extra = "".join(f"{name}: {value}\r\n" for name, value in said.headers)
        writer.write(
            f"HTTP/1.1 {said.status} X\r\nContent-Length: {len(said.body)}\r\n{extra}\r\n".encode() + said.body
        )
        await writer.drain()
