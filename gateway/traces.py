"""Tracing as gateway.toml wants it: opened where it is on, and where it is off nothing is wrapped around anything."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec

from gateway import traced
from gateway.config.load import Located
from gateway.errors import ConfigError, Finding
from gateway.ports import Clock, Handler, Log, Outbox
from gateway.trail import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Where spans go, None when tracing is off; `ratio` is the share of requests that begin a trace."""

    record: Record | None = None
    ratio: float = 0.0
    shut: Callable[[], None] = lambda: None

    @property
    def attempt(self) -> Callable[[Handler], Handler]:
        """Return what is put around each attempt at an agency."""
        return traced.attempt if self.record is not None else lambda send: send

    def outbox(self, outbox: Outbox, clock: Clock) -> Outbox:
        """Return the ledger as those see it who put, claim and settle."""
        return traced.TracedOutbox(outbox, self.record, clock) if self.record is not None else outbox

    async def close(self) -> None:
        """Send what is left, in a few seconds at most."""
        await asyncio.to_thread(self.shut)


def untraceable(located: Located) -> tuple[Finding, ...]:
    """Return why what gateway.toml asks for can't be: tracing needs packages that the gateway does without."""
    if located.config.gateway.tracing is None or _installed():
        return ()
    what = "gateway.tracing: OpenTelemetry is not installed here"
    remedy = "install the extra: make .venv/tracing; or leave the section out"
    return (Finding(where=located.where("gateway", "tracing"), what=what, remedy=remedy),)


def open_traces(located: Located, log: Log) -> Traces:
    """Begin to send spans, if gateway.toml says where to; raises ConfigError. Within a running loop."""
    settings = located.config.gateway.tracing
    if settings is None:
        return Traces()
    if findings := untraceable(located):
        raise ConfigError(*findings)
    from gateway.tracing import Export  # noqa: PLC0415 - half a second that only those wait for who want it

    export = Export(settings.endpoint, partial(_news, asyncio.get_running_loop(), log))
    return Traces(record=export.record, ratio=settings.ratio, shut=export.close)


def _news(loop: asyncio.AbstractEventLoop, log: Log, reached: bool) -> None:
    if reached:
        say = partial(log, "tracing-back")
    else:
        say = partial(log, "tracing-unavailable", level="warning", what="the collector takes no spans; they are lost")
    with suppress(RuntimeError):  # the loop is over: nobody is left to hear it
        loop.call_soon_threadsafe(say)


def _installed() -> bool:
    with suppress(ModuleNotFoundError):
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    return False
