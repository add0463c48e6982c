"""Carries news between replicas by LISTEN and NOTIFY, with a slow poll as the truth; knows no claims."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from gateway.ledger.keys import Keys
from gateway.ledger.news import News, Watch
from gateway.ledger.postgres.prepare import setting
from gateway.ledger.postgres.store import Connection, Store

CHANNEL = "opd_gateway"
_GATHER = 0.005
"""Seconds in which words gather before they are sent: every NOTIFY makes commits take turns."""
_POLL = 1.0
_RETRY = 0.5
_ROOM = 7000
"""Bytes of words in one notification, which holds less than 8000."""

_SETTLED = """
SELECT id FROM message WHERE id = ANY($1::text[]) AND state NOT IN ('pending', 'delivering')
UNION ALL SELECT u.id FROM unnest($1::text[]) AS u (id) WHERE NOT EXISTS (SELECT 1 FROM message AS m WHERE m.id = u.id)
"""


class Ears:
    """Listens on a connection of its own, which comes back by itself; whatever was missed meanwhile is looked up."""

    __slots__ = ("_keys", "_lanes", "_listening", "_news", "_pid", "_store", "_task", "_to_say", "_wake", "_watched")

    def __init__(self, store: Store, news: News, keys: Keys) -> None:
        self._store = store
        self._news = news
        self._keys = keys
        self._lanes: set[str] = set()
        self._watched: Counter[str] = Counter()
        self._to_say: set[str] = set()
        self._wake = asyncio.Event()
        self._listening = asyncio.Event()
        self._pid = 0
        self._task = asyncio.get_running_loop().create_task(self._live())

    async def ready(self) -> None:
        """Return once it listens for the first time."""
        await self._listening.wait()

    def tell(self, *, lanes: set[str], messages: list[str]) -> None:
        """Wake those in this process who wait for these, and soon those in others."""
        for lane in lanes:
            self._news.tell_lane(lane)
        for message in messages:
            self._news.tell_message(message)
        self._to_say |= {f"l{lane}" for lane in lanes} | {f"m{message}" for message in messages}
        self._wake.set()

    async def of_lane(self, lane: str, seconds: float) -> bool:
        """Return true when there is news of the lane, false when the time is up."""
        self._lanes.add(lane)
        return await self._news.of_lane(lane, seconds)

    @contextmanager
    def watch(self, message: str) -> Iterator[Watch]:
        """Watch a message, and let it be looked up now and then."""
        self._watched[message] += 1
        try:
            with self._news.watch(message) as watch:
                yield watch
        finally:
            self._watched[message] -= 1
            if not self._watched[message]:
                del self._watched[message]

    async def close(self) -> None:
        """Stop listening."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _live(self) -> None:
        while True:
            with suppress(Exception):  # whatever it was, to stay deaf would be worse
                connection = await self._store.apart()
                self._pid = connection.get_server_pid()
                try:
                    await connection.add_listener(CHANNEL, self._hear)
                    if self._listening.is_set():
                        self._catch_up()
                    self._listening.set()
                    await self._serve(connection)
                finally:
                    connection.terminate()
            await asyncio.sleep(_RETRY)

    async def _serve(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        looked = 0.0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL):  # asyncio.wait_for may swallow the cancellation that ends this
                    await self._wake.wait()
            await asyncio.sleep(_GATHER)
            self._wake.clear()
            await self._say(connection)
            if loop.time() - looked >= _POLL:
                await self._look(connection)
                looked = loop.time()

    async def _say(self, connection: Connection) -> None:
        while self._to_say:
            words, room = [self._to_say.pop()], _ROOM
            while self._to_say and (room := room - len(words[-1].encode()) - 1) > 0:
                words.append(self._to_say.pop())
            await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, "\n".join(words))

    async def _look(self, connection: Connection) -> None:
        """Look for what a lost notification would have told."""
        self._keys.current = int(await setting(connection, "key-number") or self._keys.current)
        if self._watched:
            for row in await connection.fetch(_SETTLED, list(self._watched)):
                self._news.tell_message(row["id"])

    def _hear(self, _connection: Connection, pid: int, _channel: str, words: str) -> None:
        if pid == self._pid:
            return
        for word in words.split("\n"):
            tell = self._news.tell_lane if word.startswith("l") else self._news.tell_message
            tell(word[1:])

    def _catch_up(self) -> None:
        """After a time of deafness anything may have happened."""
        for lane in self._lanes:
            self._news.tell_lane(lane)
        for message in self._watched:
            self._news.tell_message(message)
