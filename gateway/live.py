"""The configuration in force: builds the next one beside it, checks it whole, swaps it in; knows no server."""

import asyncio
import gc
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.app import Assembled
from gateway.background import Background
from gateway.config.load import Located
from gateway.config.models import Gateway
from gateway.edge.tls import Secured
from gateway.errors import ConfigError, Finding
from gateway.ports import Clock, Log

GRACE = 1.0
"""Seconds beyond the longest deadline for which a configuration that was replaced may still be at work."""
_AT_ONCE = frozenset({"holidays", "tls"})
"""What a reload can change of `[gateway]`; the rest is sockets, the ledger and the clock, which stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """One configuration, ready to serve; `tls` is what whoever connects to the API is met with."""

    located: Located
    assembled: Assembled
    tls: Secured | None = None


@dataclass(slots=True, kw_only=True)
class _Work:
    """What goes on beside requests for one configuration, and how it is ended."""

    over: asyncio.Event
    task: asyncio.Task[None]


async def _no_objection(_before: Loaded, _after: Loaded) -> None:
    pass


async def _as_before(_loaded: Loaded) -> None:
    pass


class Live:
    """Holds what is in force, `loaded`. `read` and `build` block, in a thread; `check` may object to a change.

    `listen`, which meets those who connect with the new certificate, is the last that may.
    `swap` puts it before requests at once; `background` makes what goes on beside them; `forget` hears of an agency
    that is gone, once nothing of it is under way.
    """

    loaded: Loaded

    def __init__(  # noqa: PLR0913 - what a configuration goes through
        self,
        *,
        read: Callable[[], Located],
        build: Callable[[Located], Loaded],
        swap: Callable[[Loaded], None],
        background: Callable[[Loaded], Background],
        clock: Clock,
        log: Log,
        check: Callable[[Loaded, Loaded], Awaitable[None]] = _no_objection,
        listen: Callable[[Loaded], Awaitable[None]] = _as_before,
        forget: Callable[[str], None] = lambda _agency: None,
    ) -> None:
        self._read = read
        self._build = build
        self._check = check
        self._listen = listen
        self._forget = forget
        self._swap = swap
        self._background = background
        self._clock = clock
        self._log = log
        self._turn = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._closing = asyncio.Event()
        self._work: _Work | None = None

    @property
    def grace(self) -> float:
        """Seconds for which requests may be under way when the gateway stops."""
        return self.loaded.assembled.registry.longest_deadline + GRACE

    async def start(self, located: Located) -> None:
        """Put the first configuration in force; raises ConfigError."""
        self._put_in_force(await asyncio.to_thread(self._build, located))
        _settle_memory()

    async def reload(self) -> None:
        """Load the configuration as it is written now; raises ConfigError, and then nothing has changed.

        Requests under way finish on what they began with, deliveries too; its connections are closed afterwards.
        """
        async with self._turn:
            try:
                loaded = await self._built()
                _unchangeable(self.loaded.located, loaded.located)
                await self._check(self.loaded, loaded)
                await self._listen(loaded)
            except ConfigError as error:
                self._log("configuration-refused", level="error", why=[str(finding) for finding in error.findings])
                raise
            before, work = self.loaded, self._work
            self._put_in_force(loaded)
            self._log("configuration-loaded")
            task = asyncio.create_task(self._retire(before, work))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    def stop(self) -> None:
        """Claim nothing more from the ledger; what is under way goes on."""
        self._stopping = True
        if self._work is not None:
            self._work.over.set()

    async def close(self) -> None:
        """Finish what is under way beside requests, and close every connection."""
        self.stop()
        self._closing.set()
        if self._work is not None:
            await self._work.task
        await asyncio.gather(*self._retiring)
        await self.loaded.assembled.close()

    async def _built(self) -> Loaded:
        try:
            return await asyncio.to_thread(lambda: self._build(self._read()))
        except ConfigError:
            raise
        except Exception as error:
            # A hand-written adapter may fail in any way when it is made, and must not take the running one with it.
            self._log("bug", level="error", traceback="".join(traceback.format_exception(error)))
            what = f"can't be loaded: {type(error).__name__}; the log has the rest"
            raise ConfigError(Finding(where=self.loaded.located.file, what=what)) from error

    def _put_in_force(self, loaded: Loaded) -> None:
        loaded.assembled.draft.adopt()
        self._swap(loaded)
        self.loaded = loaded
        over = asyncio.Event()
        if self._stopping:
            over.set()
        self._work = _Work(over=over, task=asyncio.create_task(_going_on(self._background(loaded), over)))

    async def _retire(self, loaded: Loaded, work: _Work | None) -> None:
        if work is not None:
            work.over.set()
            await work.task
        await self._grace_of(loaded)
        await loaded.assembled.close()
        for agency in loaded.assembled.registry.agencies.keys() - self.loaded.assembled.registry.agencies.keys():
            self._forget(agency)
        if len(self._retiring) == 1:
            _settle_memory()

    async def _grace_of(self, loaded: Loaded) -> None:
        """Wait until no request can be under way with a configuration that was replaced."""
        seconds = loaded.assembled.registry.longest_deadline + GRACE
        waits = [asyncio.ensure_future(self._clock.sleep(seconds)), asyncio.ensure_future(self._closing.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()


async def _going_on(background: Background, over: asyncio.Event) -> None:
    async with background.running(over):
        await over.wait()


def _unchangeable(before: Located, after: Located) -> None:
    """Refuse a change of what is bound to this process."""
    old, new = before.config.gateway, after.config.gateway
    findings = [
        Finding(
            where=after.where("gateway", key),
            what=f"gateway.{key}: can't change while the gateway runs",
            remedy="restart it, or put the old value back",
        )
        for key in Gateway.model_fields
        if key not in _AT_ONCE and getattr(old, key) != getattr(new, key)
    ]
    if after.config.operator and not before.config.operator:
        what = "operator: the first operator needs the control listener, which is opened at the start"
        findings.append(Finding(where=after.where("operator"), what=what, remedy="restart the gateway"))
    if findings:
        raise ConfigError(*findings)


def _settle_memory() -> None:
    """What is in force stays; it need not be looked through again and again for what can be thrown away."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
