"""A clerk at an SFTP client, and the gateway's own server before a real drop; time moves when told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import asyncssh
import pytest

from adapters.csv.offer import FeedNames
from adapters.csv.settings import Feed
from gateway import Offer
from gateway.config.sftp import Sftp
from gateway.edge.server import bind
from gateway.metrics import Metrics
from gateway.offered import keys
from gateway.offered.accounts import Account
from gateway.offered.server import Server
from tests.fakes import FakeClock

PASSWORD = "imunisasi-2026"
NAME = "puskesmas-imunisasi"
FEEDS = {
    "imunisasi": Feed(files="imunisasi_*.csv"),
    "stok": Feed(files="stok.csv"),
    "semua": Feed(files="*.csv"),
}


class Office:
    """The server, and what it told; `drop` is shared by three feeds, of which two have an account."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.key = folder / "host.key"
        keys.made(self.key)
        self.clock = FakeClock(autojump=False)
        self.lines: list[tuple[str, dict[str, object]]] = []
        self.metrics = Metrics()
        self.settings = Sftp.model_validate({"listen": "127.0.0.1:0", "host_key": str(self.key), **settings})
        self.server = Server(self.settings, clock=self.clock, log=self.log, metrics=self.metrics)
        self.server.offer({NAME: self.account("imunisasi"), "puskesmas-stok": self.account("stok")})

    def account(self, feed: str, password: str = PASSWORD, keys: tuple[str, ...] = ()) -> Account:
        hashed = sha256(password.encode()).hexdigest() if password else ""
        names = FeedNames(feed, FEEDS)
        offer = Offer(
            feed=feed, setting=("feed", feed, "account"), folder=self.drop, names=names, password=hashed, keys=keys
        )
        return Account(agency="puskesmas", offer=offer)

    def log(self, event: str, /, **facts: object) -> None:
        self.lines.append((event, facts))

    def told(self, event: str) -> list[dict[str, object]]:
        return [facts for name, facts in self.lines if name == event]

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def files(self) -> dict[str, bytes]:
        """What lies in the drop itself."""
        return {path.name: path.read_bytes() for path in sorted(self.drop.iterdir()) if path.is_file()}

    async def connection(
        self, name: str = NAME, password: str = PASSWORD, **options: object
    ) -> asyncssh.SSHClientConnection:
        options = {"client_keys": None, "agent_path": None, **options}
        return await asyncssh.connect(
            "127.0.0.1",
            self.port,
            username=name,
            password=password,
            known_hosts=([keys.host_key(self.key).convert_to_public()], [], []),
            config=None,
            **options,
        )

    @asynccontextmanager
    async def client(self, name: str = NAME, **options: object) -> AsyncIterator[asyncssh.SFTPClient]:
        async with await self.connection(name, **options) as connection, connection.start_sftp_client() as sftp:
            yield sftp

    async def open(self) -> "Office":
        self.socket = bind(self.settings.listen, "listen")
        self.port = self.socket.getsockname()[1]
        self.listener = await self.server.listen(self.socket)
        return self

    async def close(self) -> None:
        self.listener.close()
        await self.server.close()
        self.socket.close()


OpenOffice = Callable[..., Awaitable[Office]]


@pytest.fixture
async def open_office(tmp_path: Path) -> AsyncIterator[OpenOffice]:
    offices: list[Office] = []

    async def make(**settings: object) -> Office:
        offices.append(await Office(tmp_path, **settings).open())
        return offices[-1]

    yield make
    for office in offices:
        await office.close()


@pytest.fixture
async def office(open_office: OpenOffice) -> Office:
    return await open_office()


async def until(look: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for what happens in another task."""
    async with asyncio.timeout(seconds):
        while not look():  # noqa: ASYNC110 - what is looked at knows of no event
            await asyncio.sleep(0.005)
