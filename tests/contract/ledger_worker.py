"""A process that works on an SQLite ledger until it is killed, and says on its output what was acknowledged to it.

`python tests/contract/ledger_worker.py put|deliver FOLDER`: a line `put ID` when a put returned, `sent ID` before and
`done ID` after a settlement.
"""

import asyncio
import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from gateway.clock import SystemClock
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.records import Delivered, Settlement
from tests.contract.ledger import LANE, an_entry

CLIENTS = 8
LEASE = 0.5


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def put(ledger: SqliteLedger) -> None:
    async def client(name: str) -> None:
        for number in count():
            (receipt,) = await ledger.put(an_entry(order_key=f"{name}-{number // 3}"))
            say("put", receipt.id)

    await asyncio.gather(*(client(str(number)) for number in range(CLIENTS)))


async def deliver(ledger: SqliteLedger) -> None:
    while True:
        claims = await ledger.claim(LANE, CLIENTS, lease=LEASE)
        for claim in claims:
            say("sent", claim.ticket.id)
        done = await ledger.settle(*(Settlement(ticket=claim.ticket, verdict=Delivered()) for claim in claims))
        for claim, good in zip(claims, done, strict=True):
            if good:
                say("done", claim.ticket.id)
        if not claims:
            await ledger.nudged(LANE, 0.02)


async def main(work: str, folder: str) -> None:
    place = Path(folder)
    ledger = await SqliteLedger.open(place / "ledger.db", KeySource(path=place / "ledger.key"), SystemClock())
    say("ready")
    await {"put": put, "deliver": deliver}[work](ledger)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
