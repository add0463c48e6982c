"""What clerks, couriers and storms share: a gateway that is begun and killed, a drop, and a look into the ledger."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.clock import SystemClock
from gateway.ledger import Ledger
from gateway.ledger.keys import KeySource
from gateway.ledger.opening import open_ledger
from tests.flows.process import Gateway

MASTER = "5c" * 32
ENOUGH = 20
"""Kills of which some must have come in the midst of a file."""


async def begun(config: Path) -> Gateway:
    """Begin a gateway; returns when it serves."""
    return await asyncio.to_thread(Gateway, config, {})


def killed(gateway: Gateway) -> None:
    """Kill a gateway without warning; nothing that it did until then may have been a bug."""
    gateway.process.kill()
    gateway.process.wait()
    gateway.http.close()
    assert [line for line in gateway.lines() if line.get("event") == "bug"] == []


def stopped(gateway: Gateway) -> None:
    """Let a gateway end as it should."""
    gateway.stop()
    gateway.http.close()


@asynccontextmanager
async def looking(address: str) -> AsyncIterator[Ledger]:
    """Look into a ledger, as another process does."""
    ledger = await open_ledger(address, KeySource(value=MASTER), SystemClock())
    try:
        yield ledger
    finally:
        await ledger.close()


@dataclass(frozen=True, slots=True)
class Drop:
    """A folder that a gateway takes files from."""

    folder: Path

    def in_work(self) -> list[Path]:
        """Return what a gateway is at, or was when it was killed."""
        return [*self.folder.glob(".taking/*.csv")]

    def untaken(self) -> list[Path]:
        """Return what nobody has begun with."""
        return [*self.folder.glob("*.csv")]

    def put(self, name: str, lines: Sequence[str]) -> None:
        """Drop a file whole."""
        unfinished = self.folder / f".{name}.tmp"
        unfinished.write_text("\n".join([*lines, ""]), "utf-8")
        unfinished.rename(self.folder / name)

    async def taken_up(self, seconds: float) -> bool:
        """Wait until a gateway is at a file; returns whether it was in time."""
        until = time.monotonic() + seconds
        while not self.in_work():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.002)
        return True
