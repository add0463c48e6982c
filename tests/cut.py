"""A socket before PostgreSQL on which answers are lost: what was asked is done, and the connection then breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from tests.postgres import USER, Cluster

_READY = (b"Z\x00\x00\x00\x05I", b"Z\x00\x00\x00\x05E")
"""How PostgreSQL ends its answer to what is committed, or undone."""


class Cut:
    """Loses the next `times` answers to whatever holds the `marker`."""

    def __init__(self, folder: Path, database: str) -> None:
        self.url = f"postgresql://{USER}@/{database}?host={quote(str(folder))}"
        self.marker = b""
        self.times = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def lose(self, marker: str, times: int) -> None:
        self.marker, self.times = marker.encode(), times

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: Path) -> None:
        back, forth = await asyncio.open_unix_connection(to)
        doomed = asyncio.Event()
        ways = {
            asyncio.ensure_future(self._ask(reader, forth, doomed)),
            asyncio.ensure_future(_tell(back, writer, doomed)),
        }
        self._tasks |= ways
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._tasks -= ways
        writer.close()
        forth.close()

    async def _ask(self, reader: asyncio.StreamReader, forth: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
        while data := await reader.read(1 << 16):
            if self.times > 0 and self.marker in data:
                self.times -= 1
                doomed.set()
            forth.write(data)
            await forth.drain()

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _tell(back: asyncio.StreamReader, writer: asyncio.StreamWriter, doomed: asyncio.Event) -> None:
    while data := await back.read(1 << 16):
        if not doomed.is_set():
            writer.write(data)
            await writer.drain()
        elif data.endswith(_READY):
            return


@asynccontextmanager
async def a_cut(cluster: Cluster, url: str, folder: Path) -> AsyncIterator[Cut]:
    """Lead to the database of a URL by way of a socket in this folder."""
    cut = Cut(folder, url.partition("@/")[2].partition("?")[0])
    server = await asyncio.start_unix_server(
        lambda reader, writer: cut.serve(reader, writer, cluster.socket), folder / cluster.socket.name
    )
    async with server:
        yield cut
        await cut.close()
