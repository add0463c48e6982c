"""Thousands of calls to an agency that breaks off at random: nothing arrives twice, nothing is left open."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from adapters.http import HttpClient, Tls
from gateway import AgencyTimeout, InvalidAnswer, Unavailable
from tests.contract.raw_agency import OK, Link, RawAgency
from tests.contract.test_sending_tls import TRUSTING, server_side

CALLS = int(os.environ.get("SOAK", "400"))
"""20,000 in `make chaos`."""
CONNECTIONS = 8


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def unreliable(link: Link) -> None:
    while True:
        if random.random() < 0.05:
            link.reset()
            return
        request = await link.request()
        chance = random.random()
        if chance < 0.5:
            await link.say(OK)
        elif chance < 0.6:
            await link.say(OK[: random.randrange(len(OK))])
            (link.close if chance < 0.55 else link.reset)()
            return
        elif chance < 0.65:
            await link.say(OK + random.randbytes(9))
        elif chance < 0.7:
            await link.say(OK)
            (link.close if chance < 0.68 else link.reset)()
            return
        elif chance < 0.75:
            await link.hung_up()
            return
        elif chance < 0.8:
            await link.say(random.randbytes(random.randrange(200)))
        else:
            for at in range(0, len(OK), 17):
                await link.say(OK[at : at + 17])
                await asyncio.sleep(0)
        assert request


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are counted in /proc")
@pytest.mark.parametrize("tls", [None, TRUSTING], ids=["plain", "tls"])
async def test_rule_11_1_random_failures_leave_nothing_open_and_double_nothing(tls: Tls | None) -> None:
    random.seed(20)
    client = HttpClient("dinkes", connections=CONNECTIONS, tls=tls)
    async with RawAgency() as agency:
        # What the loop itself opens at first use stays open.
        await client.probe(agency.url.replace("https:", "http:"), timeout=1)
    before = open_files()
    async with RawAgency(unreliable, tls=server_side() if tls else None) as agency:
        sent = {}

        async def one(number: int) -> None:
            safe = random.random() < 0.5
            try:
                answer = await client.send(
                    "POST", f"{agency.url}/{number}", headers={}, body=b"{}", timeout=0.3 if tls else 0.05, safe=safe
                )
                sent[number] = (answer.status, True)
            except (Unavailable, AgencyTimeout, InvalidAnswer) as error:
                sent[number] = (0, error.maybe_done)

        async def some(first: int) -> None:
            for number in range(first, CALLS, 20):
                task = asyncio.create_task(one(number))
                if random.random() < 0.05:
                    await asyncio.sleep(random.random() * 0.01)
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        await asyncio.gather(*(some(first) for first in range(20)))
        arrived = [int(head.split()[1][1:]) for head in agency.arrivals if head]
        assert len(arrived) == len(set(arrived))
        assert not [number for number in arrived if number in sent and not sent[number][1]]
        assert sum(status == 200 for status, _ in sent.values()) > CALLS / 4
        # No slot is lost: as many calls as there are slots still get through at once.
        agency.script = _agreeable
        await client.close()
        answers = await asyncio.gather(
            *(client.send("GET", agency.url, headers={}, body=None, timeout=5, safe=True) for _ in range(CONNECTIONS))
        )
        assert len(answers) == CONNECTIONS
        assert client._pool._taken == 0
        assert not client._pool._lent
    await client.close()
    for _ in range(300):
        if open_files() <= before:
            break
        await asyncio.sleep(0.01)
    assert open_files() <= before


async def _agreeable(link: Link) -> None:
    while True:
        await link.request()
        await link.say(OK)
