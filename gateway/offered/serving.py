"""The SFTP server as `gateway run` has it: none without the setting, and then asyncssh is not imported at all."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

from gateway.config.sftp import Sftp
from gateway.metrics import Metrics
from gateway.offered.accounts import Account, accounts
from gateway.ports import Clock, Log
from gateway.registry import Agency

if TYPE_CHECKING:
    from gateway.offered.server import Server


class Offered:
    """Listens where `settings` say, by a socket of `bind`'s, for the accounts of the configuration in force."""

    def __init__(
        self,
        settings: Sftp | None,
        *,
        bind: Callable[[str, str], socket.socket],
        clock: Clock,
        log: Log,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._bind = bind
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._accounts: Mapping[str, Account] = {}
        self._server: Server | None = None

    def show(self, agencies: Mapping[str, Agency]) -> None:
        """Take the accounts of a configuration that is in force now."""
        self._accounts = accounts(agencies)
        if self._server is not None:
            self._server.offer(self._accounts)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Listen; raises ConfigError when the address can't be used."""
        if self._settings is None:
            yield
            return
        from gateway.offered.server import Server  # noqa: PLC0415 - only where it is wanted there is asyncssh

        server = Server(self._settings, clock=self._clock, log=self._log, metrics=self._metrics)
        server.offer(self._accounts)
        with closing(self._bind(self._settings.listen, "gateway.sftp.listen")) as bound:
            listener = await server.listen(bound)
            idle = asyncio.create_task(server.close_what_is_idle())
            host, port = bound.getsockname()[:2]
            self._server = server
            self._log("sftp-started", listen=f"{host}:{port}", accounts=sorted(self._accounts))
            try:
                yield
            finally:
                self._server = None
                listener.close()
                idle.cancel()
                await server.close()
