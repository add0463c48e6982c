"""zeep's AsyncClient, called from JSON to JSON: `bare.py WSDL SENT`.

Each line of the input is one run; what it cost this process is a line of the output.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import uvloop
from zeep import AsyncClient
from zeep.helpers import serialize_object
from zeep.transports import AsyncTransport

_json = msgspec.json.Encoder(decimal_format="number")
_document = msgspec.json.Decoder(float_hook=Decimal)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What one run is: calls of one operation, so many at once, until the time or their number is up."""

    operation: str
    at_once: int
    seconds: float
    calls: int


async def _run(run: Run, call: Callable[..., Awaitable[object]], sent: str) -> dict[str, object]:
    before, until = time.process_time(), time.monotonic() + run.seconds
    begun, last = 0, b""

    async def turns() -> None:
        nonlocal begun, last
        while begun < run.calls and time.monotonic() < until:
            begun += 1
            answer = await call(**_document.decode(sent.replace("@N", str(begun))))
            last = _json.encode(serialize_object(answer, dict))

    await asyncio.gather(*(turns() for _ in range(run.at_once)))
    return {"calls": begun, "cpu": (time.process_time() - before) / begun * 1e6, "last": last.decode()}


async def main(wsdl: str, sent: str) -> None:
    """Do the runs that are asked for."""
    kept = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    transport = AsyncTransport(client=httpx.AsyncClient(limits=kept), wsdl_client=httpx.Client())
    service: Any = AsyncClient(wsdl, transport=transport).service
    for line in iter(sys.stdin.readline, ""):
        run = msgspec.json.decode(line, type=Run)
        print(json.dumps(await _run(run, service[run.operation], sent)), flush=True)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
