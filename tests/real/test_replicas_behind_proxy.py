"""Three gateways, one PostgreSQL and HAProxy before them: limits, a rolling restart and a kill, all under load."""

import asyncio
import csv
import hashlib
import os
import re
import socket
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.chaos.agency import Arrival, CountingAgency
from tests.flows.pilot import KEY, ROOT
from tests.flows.process import Gateway, eventually
from tests.ports import free_ports
from tests.postgres import Cluster

PROXY = ROOT / "docs/haproxy.cfg"
REPLICAS, SLOTS, RATE = 3, 6, 30
UNDER_LOAD = 4.0
NOTICED = 1.5
"""Seconds in which the proxy sees for certain that a gateway is there again."""
DRAINED = 30.0

CONFIG = """
[gateway]
listen     = "127.0.0.1:{port}"
metrics    = "127.0.0.1:0"
ledger     = "{ledger}"
ledger_key = "{master}"
drain      = "2s"

[defaults]
timeout  = "2s"
deadline = "5s"

[client.uji]
keys  = [{{ sha256 = "{key}" }}]
allow = ["*"]

[agency.loket]
adapter     = "rest"
url         = "{agency}"
mapping     = "loket.toml"
concurrency = {slots}

[agency.loket.operation.harmless]
expose  = "POST /v1/harmless"
call    = "POST /harmless"
deliver = "store-and-forward"
repeat  = "harmless"

[agency.loket.operation.direct]
expose = "POST /v1/direct"
call   = "POST /direct"

[agency.kantor]
adapter = "rest"
url     = "{agency}"
mapping = "kantor.toml"
rate    = "{rate}/s"

[agency.kantor.operation.paced]
expose = "POST /v1/paced"
call   = "POST /paced"
"""
MAPPING = """
[{name}.request]
ref   = "@id"
warga = "warga"
n     = "n"

[{name}.reply]
nomor = "nomor"
"""
WORK = {"harmless": 4, "direct": 14, "paced": 6}
"""How many apps ask each, one request after the other."""
PAUSES = {"harmless": 0.1}
"""Seconds between two: what is filed must not pile up, or the end of the test would wait for it."""
NUMBERS = count(1)


@dataclass(slots=True)
class Apps:
    """Apps that ask through the proxy; `keyed` ones file again until they are told that it is."""

    url: str
    keyed: bool = False
    over: bool = False
    sent: int = 0
    accepted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.url, headers={"x-api-key": KEY}, timeout=20.0) as http:
            await asyncio.gather(*(self._ask(http, path) for path, apps in WORK.items() for _ in range(apps)))

    async def _ask(self, http: httpx.AsyncClient, path: str) -> None:
        while not self.over:
            self.sent += 1
            number = next(NUMBERS)
            headers = {"idempotency-key": f"k-{number}"} if self.keyed else {}
            while not await self._answered(http, path, number, headers) and self.keyed:
                if self.over and path != "harmless":
                    return  # it is known to the ledger, and nobody was told that it was done
                await asyncio.sleep(0.1)
            await asyncio.sleep(PAUSES.get(path, 0.0))

    async def _answered(self, http: httpx.AsyncClient, path: str, number: int, headers: dict[str, str]) -> bool:
        try:
            answer = await http.post(f"/v1/{path}", json={"warga": "w", "n": str(number)}, headers=headers)
        except httpx.TransportError as error:
            self.failed.append(f"{path}: {error!r}")
            return False
        if answer.status_code not in {200, 202}:
            self.failed.append(f"{path}: {answer.status_code} {answer.text[:200]}")
            return "outcome-unknown" in answer.text
        if path == "harmless":
            self.accepted.append(answer.headers["location"].rpartition("/")[2])
        return True


class Town:
    """Everything on the one machine; a gateway that is started anew has its old port."""

    def __init__(self, folder: Path, ledger: str, agency: str) -> None:
        self.ports = [free_ports() for _ in range(REPLICAS)]
        self._configs = [written(folder / f"gateway-{port}", port, ledger, agency) for port in self.ports]
        self.gateways: list[Gateway] = []

    def start(self) -> None:
        self.gateways = [Gateway(config, {}) for config in self._configs]

    def restart(self, number: int) -> None:
        assert self.gateways[number].stop() == 0
        self._no_bugs(number)
        self.gateways[number] = Gateway(self._configs[number], {})
        time.sleep(NOTICED)

    def kill(self, number: int) -> None:
        self.gateways[number].process.kill()
        self.gateways[number].process.wait()

    def end(self) -> None:
        for number, gateway in enumerate(self.gateways):
            gateway.http.close()
            if gateway.process.poll() is None:
                gateway.process.kill()
                gateway.process.wait()
            self._no_bugs(number)

    def counted(self, replicas: int) -> None:
        """Wait until each that runs divides by so many."""
        running = [gateway for gateway in self.gateways if gateway.process.poll() is None]
        wanted = f"gateway_replicas {replicas}.0"
        eventually(lambda: all(wanted in each.figures() for each in running) or None, wanted)

    def _no_bugs(self, number: int) -> None:
        assert [line for line in self.gateways[number].lines() if line.get("event") == "bug"] == []


def written(folder: Path, port: int, ledger: str, agency: str) -> Path:
    """Write one gateway's configuration; all that differs is its port."""
    folder.mkdir()
    (folder / "loket.toml").write_text("".join(MAPPING.format(name=name) for name in ("harmless", "direct")), "utf-8")
    (folder / "kantor.toml").write_text(MAPPING.format(name="paced"), "utf-8")
    key = hashlib.sha256(KEY.encode()).hexdigest()
    text = CONFIG.format(port=port, ledger=ledger, master="5c" * 32, key=key, agency=agency, slots=SLOTS, rate=RATE)
    (folder / "gateway.toml").write_text(text, "utf-8")
    return folder / "gateway.toml"


@contextmanager
def proxied(haproxy: str, folder: Path, ports: list[int]) -> Iterator[tuple[str, int]]:
    """Run HAProxy by the manual's own file with other ports, and one at which it can be asked how often it retried."""
    front, stats, text = free_ports(), free_ports(), PROXY.read_text("utf-8")
    for old, new in zip(("8000", "8081", "8082", "8083"), (front, *ports), strict=True):
        text, times = re.subn(rf"127\.0\.0\.1:{old}\b", f"127.0.0.1:{new}", text)
        assert times == 1
    text = text.replace("global\n", f"global\n    stats socket ipv4@127.0.0.1:{stats}\n", 1)
    file = folder / "haproxy.cfg"
    file.write_text(text, "utf-8")
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen([haproxy, "-db", "-f", str(file)], stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{front}"
        eventually(lambda: answers(f"{url}/readyz"), f"HAProxy: {folder / 'haproxy.log'}")
        yield url, stats
    finally:
        process.kill()
        process.wait()


def tried_again(stats: int) -> int:
    """How often the proxy had to ask a second time."""
    with socket.create_connection(("127.0.0.1", stats)) as asked:
        asked.sendall(b"show stat\n")
        rows = csv.DictReader(asked.makefile().read().removeprefix("# ").strip().splitlines())
    (backend,) = [row for row in rows if row["svname"] == "BACKEND"]
    return int(backend["wretr"]) + int(backend["wredis"])


def answers(url: str) -> bool | None:
    try:
        return httpx.get(url).status_code == 200 or None
    except httpx.TransportError:
        return None


def most_at_once(arrivals: list[Arrival]) -> int:
    """How many calls were at the agency at the same time, at most."""
    moments = sorted([(one.at, 1) for one in arrivals] + [(one.answered, -1) for one in arrivals if one.answered])
    inside = most = 0
    for _, step in moments:
        inside += step
        most = max(most, inside)
    return most


def most_ahead(arrivals: list[Arrival]) -> float:
    """By how many calls the agency got more than its rate, in the worst span of time of all."""
    worst = lowest = 0.0
    start = arrivals[0].at
    for number, one in enumerate(arrivals):
        level = number - RATE * (one.at - start)
        lowest = min(lowest, level)
        worst = max(worst, level - lowest + 1)
    return worst


@pytest.fixture
async def agency() -> AsyncIterator[CountingAgency]:
    counting = CountingAgency()
    async with counting.serving():
        yield counting


@pytest.fixture
def town(tmp_path: Path, postgres: Cluster, agency: CountingAgency) -> Iterator[Town]:
    made = Town(tmp_path, postgres.database(), agency.url)
    yield made
    made.end()


async def all_arrived(accepted: list[str], agency: CountingAgency) -> set[str]:
    """Return what was accepted and has not arrived when there was time enough."""
    until = time.monotonic() + DRAINED
    while (missing := set(accepted) - {one.ref for one in agency.arrivals}) and time.monotonic() < until:  # noqa: ASYNC110 - other processes deliver
        await asyncio.sleep(0.1)
    return missing


async def under_load(apps: Apps, act: Callable[[], object]) -> None:
    """Do something while the apps ask, and then let them come to an end."""
    running = asyncio.create_task(apps.run())
    await asyncio.to_thread(act)
    apps.over = True
    await running


@pytest.mark.skipif("CHAOS_KILLS" not in os.environ, reason="takes 40 seconds: make real runs it")
async def test_three_gateways_behind_a_proxy_are_one(
    program: Callable[[str], str], town: Town, agency: CountingAgency, tmp_path: Path
) -> None:
    haproxy = program("haproxy")
    await asyncio.to_thread(town.start)
    with proxied(haproxy, tmp_path, town.ports) as (url, stats):
        await asyncio.to_thread(town.counted, REPLICAS)

        # The limits hold for all together, and it was the limits that held.
        steady = Apps(url)
        await under_load(steady, lambda: time.sleep(UNDER_LOAD))
        by_slots = [one for one in agency.arrivals if one.operation != "paced"]
        paced = [one for one in agency.arrivals if one.operation == "paced"]
        assert steady.failed == []
        assert most_at_once(by_slots) == SLOTS
        assert most_ahead(paced) <= REPLICAS + 1
        assert len(paced) > RATE * UNDER_LOAD / 2
        assert await all_arrived(steady.accepted, agency) == set()

        # A rolling restart fails no request, and none even has to be sent again.
        rolling = Apps(url)
        await under_load(rolling, lambda: [town.restart(number) for number in range(REPLICAS)])
        assert rolling.failed == []
        assert tried_again(stats) == 0
        assert await all_arrived(rolling.accepted, agency) == set()

        # One that is killed costs no message that was accepted; what was in doubt there is asked again by its key.
        killed = Apps(url, keyed=True)

        def kill() -> None:
            time.sleep(1.0)
            town.kill(0)
            time.sleep(UNDER_LOAD / 2)

        await under_load(killed, kill)
        assert killed.accepted
        assert [said for said in killed.failed if " 502 " in said] == []
        assert await all_arrived(killed.accepted, agency) == set()
        await asyncio.to_thread(town.counted, REPLICAS - 1)

    # Over all of it the slots held, while replicas came and went, and nothing that may not be repeated was.
    assert most_at_once([one for one in agency.arrivals if one.operation != "paced"]) == SLOTS
    times = Counter(one.n for one in agency.arrivals if one.operation != "harmless")
    assert max(times.values()) == 1
