"""Several processes on one SQLite ledger, and what is left when they are killed."""

import asyncio
import os
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path

from gateway.clock import SystemClock
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.records import Delivered, Filter, Settlement, State, Terms
from tests.contract.ledger import LANE

WORKER = Path(__file__).with_name("ledger_worker.py")
KILLS = int(os.environ.get("LEDGER_KILLS", "2"))
"""50 in `make chaos`."""


async def worker(work: str, folder: Path) -> Process:
    process = await asyncio.create_subprocess_exec(sys.executable, str(WORKER), work, str(folder), stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def killed(process: Process, seconds: float) -> list[tuple[str, str]]:
    """Let it work, kill it as a power cut would, and return what it said in whole lines."""
    reading = asyncio.create_task(process.communicate())
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said, _ = await reading
    lines = said.decode().split("\n")[:-1]
    return [(word, message) for word, _, message in (line.partition(" ") for line in lines)]


async def opened(folder: Path) -> SqliteLedger:
    return await SqliteLedger.open(folder / "ledger.db", KeySource(path=folder / "ledger.key"), SystemClock())


async def all_in(ledger: SqliteLedger, state: State) -> set[str]:
    found: set[str] = set()
    cursor = None
    while True:
        page = await ledger.search(Filter(states=frozenset({state})), cursor=cursor, limit=1000)
        found |= {row.id for row in page.rows}
        if (cursor := page.cursor) is None:
            return found


async def drain(ledger: SqliteLedger) -> None:
    """Deliver what is left, the killed ones' leases included, and what waits since it was interrupted twice."""
    idle = 0
    while idle < 8:
        claims = await ledger.claim(LANE, 500, lease=5.0, terms=Terms(probe=True))
        await ledger.settle(*(Settlement(ticket=claim.ticket, verdict=Delivered()) for claim in claims))
        idle = 0 if claims else idle + 1
        if not claims:
            await asyncio.sleep(0.1)


async def test_what_was_acknowledged_is_there_after_kill_9_and_is_settled_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    said: list[tuple[str, str]] = []
    for _ in range(KILLS):
        workers = await asyncio.gather(*(worker(work, tmp_path) for work in ("put", "put", "deliver", "deliver")))
        told = await asyncio.gather(*(killed(process, chance.uniform(0.05, 0.5)) for process in workers))
        said += [line for lines in told for line in lines]
    ledger = await opened(tmp_path)
    await drain(ledger)
    delivered = await all_in(ledger, State.DELIVERED)
    await ledger.close()
    acknowledged = {message for word, message in said if word == "put"}
    done = Counter(message for word, message in said if word == "done")
    assert acknowledged
    assert acknowledged <= delivered
    assert done.keys() <= delivered
    assert not [message for message, times in done.items() if times > 1]


async def test_processes_share_the_work_and_no_message_is_sent_twice(tmp_path: Path) -> None:
    workers = [await worker(work, tmp_path) for work in ("put", "deliver", "deliver")]
    for process in workers[1:]:
        assert process.stdout is not None
        assert await process.stdout.readline()
    told = await asyncio.gather(*(killed(process, 1.0) for process in workers))
    sent = Counter(message for lines in told for word, message in lines if word == "sent")
    assert sent
    # A lease of half a second may end on a machine that is busy; nothing else makes a second sending.
    ledger = await opened(tmp_path)
    twice = [message for message, times in sent.items() if times > 1]
    records = [await ledger.get(message) for message in twice]
    await ledger.close()
    assert all(record is not None and record.attempts for record in records)
