"""A process that opens a shared ledger, claims what there is, says so, and holds it until it is killed."""

import asyncio
import sys
from pathlib import Path

from gateway.clock import SystemClock
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger


async def main(url: str, key: str, lane: str, lease: str) -> None:
    ledger = await PostgresLedger.open(url, KeySource(path=Path(key)), SystemClock())
    claims = await ledger.claim(lane, 100, lease=float(lease))
    sys.stdout.write(f"{len(claims)}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
