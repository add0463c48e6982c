"""Group commit: what is asked while the database writes is written together next; knows no SQL."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from gateway.errors import GatewayError, LedgerUnavailable

Asked = TypeVar("Asked")
Told = TypeVar("Told")


class Group(Generic[Asked, Told]):
    """Gathers calls into batches, a few of which are under way at once.

    `write` answers each call of a batch in order with what to return, or with an error to raise. When it raises
    LedgerUnavailable, so does every call of the batch; anything else is one call's fault, so each is written alone.
    There is no task between batches that could die.
    """

    __slots__ = ("_flights", "_most", "_parallel", "_waiting", "_write")

    def __init__(
        self,
        write: Callable[[Sequence[Asked]], Awaitable[Sequence[Told | GatewayError]]],
        *,
        most: int = 256,
        parallel: int = 2,
    ) -> None:
        self._write = write
        self._most = most
        self._parallel = parallel
        self._waiting: deque[tuple[Asked, asyncio.Future[Told]]] = deque()
        self._flights: set[asyncio.Task[None]] = set()

    async def __call__(self, asked: Asked) -> Told:
        """Return what `write` said of this call; it is written even when the caller goes away."""
        future: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, future))
        self._depart()
        return await future

    async def finish(self) -> None:
        """Return when everything asked so far is written or has failed."""
        while self._flights:
            await asyncio.wait(self._flights)

    def _depart(self) -> None:
        while self._waiting and len(self._flights) < self._parallel:
            calls = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
            flight = asyncio.get_running_loop().create_task(self._fly(calls))
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._depart()

    async def _fly(self, calls: Sequence[tuple[Asked, asyncio.Future[Told]]]) -> None:
        try:
            answers = await self._write([asked for asked, _ in calls])
        except asyncio.CancelledError:
            for _, future in calls:
                future.cancel()
            raise
        except Exception as error:  # noqa: BLE001 # whatever it is, the callers raise it
            if len(calls) > 1 and not isinstance(error, LedgerUnavailable):
                for call in calls:
                    await self._fly([call])
                return
            for _, future in calls:
                _fail(future, error)
            return
        for (_, future), answer in zip(calls, answers, strict=True):
            if isinstance(answer, GatewayError):
                _fail(future, answer)
            elif not future.done():
                future.set_result(answer)


def _fail(future: asyncio.Future[Told], error: Exception) -> None:
    if future.done():
        return
    # Raising an error writes into it, so each caller of a batch gets one of its own.
    own = type(error)(*error.args) if isinstance(error, GatewayError) else error
    own.__cause__ = error.__cause__
    future.set_exception(own)
