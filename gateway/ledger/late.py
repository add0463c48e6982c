"""A ledger whose server is not there yet: the gateway starts without it, and it is opened by itself; knows no store."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

from gateway.errors import ConfigError, LedgerUnavailable
from gateway.ledger import Ledger
from gateway.ports import Clock, Log

TRY_EVERY = 2.0
"""Seconds between two tries to open it."""

Opening = Callable[[], Awaitable[Ledger]]


async def opened_or_late(opening: Opening, clock: Clock, log: Log) -> Ledger:
    """Open a ledger, now or as soon as it can be reached; raises ConfigError when it can be and is not to be used."""
    try:
        return await opening()
    except LedgerUnavailable as error:
        log("ledger-unavailable", level="error", why=str(error))
        return cast("Ledger", _Late(opening, clock, log, str(error)))


class _Late:
    """In place of a ledger: whatever it is asked raises LedgerUnavailable until it is open, and goes to it then."""

    def __init__(self, opening: Opening, clock: Clock, log: Log, why: str) -> None:
        self._opening = opening
        self._clock = clock
        self._log = log
        self._why = why
        self._ledger: Ledger | None = None
        self._task = asyncio.create_task(self._open())

    def __getattr__(self, name: str) -> Any:
        return self._away if self._ledger is None else getattr(self._ledger, name)

    async def close(self) -> None:
        """Give up opening it, or close what was opened."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._ledger is not None:
            await self._ledger.close()

    async def _away(self, *_: object, **__: object) -> NoReturn:
        raise LedgerUnavailable(self._why)

    async def _open(self) -> None:
        while self._ledger is None:
            await self._clock.sleep(TRY_EVERY)
            try:
                self._ledger = await self._opening()
            except LedgerUnavailable as error:
                self._why = str(error)
            except ConfigError as error:
                self._refused(error)
            except Exception as error:  # noqa: BLE001 - nobody else would hear of it, and the next try may do
                self._log("bug", level="error", traceback="".join(traceback.format_exception(error)))
        self._log("ledger-opened")

    def _refused(self, error: ConfigError) -> None:
        """Say once why it is not to be used; a key or a version that was put right is taken at the next try."""
        if str(error) != self._why:
            self._log("ledger-refused", level="error", why=[str(finding) for finding in error.findings])
        self._why = str(error)
