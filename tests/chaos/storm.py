"""Gateways that are killed while apps submit and an agency counts; what was promised is compared with what came."""

import asyncio
import hashlib
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from gateway.ledger import Ledger
from gateway.message import MessageId
from gateway.records import State
from tests.chaos.agency import SOAP, CountingAgency
from tests.chaos.killing import MASTER, begun, killed, looking
from tests.flows.pilot import KEY
from tests.flows.process import Gateway
from tests.ports import free_ports

STORED = ("harmless", "never", "ask", SOAP)
HARMLESS = frozenset({"harmless", SOAP})
ORDERED = HARMLESS | {"ask"}
WSDL = Path(__file__).parent / "kantor.wsdl"
APPS, DIRECT_APPS = 6, 2
FIRST_KILL, LAST_KILL = 0.2, 1.5
IN_FLIGHT = 2.0
"""Seconds after its answer for which a message counts as in flight: its end may not be on disk yet."""
DRAINED = 900.0

CONFIG = """
[gateway]
listen     = "127.0.0.1:{port}"
metrics    = "127.0.0.1:0"
ledger     = "{ledger}"
ledger_key = "{master}"

[defaults]
timeout  = "3s"
deadline = "5s"

[client.uji]
keys  = [{{ sha256 = "{key}" }}]
allow = ["*"]

[agency.loket]
adapter = "rest"
url     = "{agency}"
mapping = "loket.toml"

[agency.loket.operation.find]
safe = true
call = "GET /find"

[agency.loket.operation.harmless]
expose   = "POST /v1/harmless"
call     = "POST /harmless"
deliver  = "store-and-forward"
repeat   = "harmless"
order_by = "warga"

[agency.loket.operation.never]
expose  = "POST /v1/never"
call    = "POST /never"
deliver = "store-and-forward"

[agency.loket.operation.ask]
expose   = "POST /v1/ask"
call     = "POST /ask"
deliver  = "store-and-forward"
repeat   = "ask"
ask      = {{ operation = "find", with = {{ ref = "@id" }}, done = "ref" }}
order_by = "warga"

[agency.loket.operation.direct]
expose = "POST /v1/direct"
call   = "POST /direct"

[agency.kantor]
adapter = "soap"
wsdl    = "kantor.wsdl"
url     = "{agency}/soap"
mapping = "kantor.toml"
header_namespace = "urn:kantor"

[agency.kantor.operation.soap]
expose   = "POST /v1/soap"
call     = "soap"
deliver  = "store-and-forward"
repeat   = "harmless"
order_by = "warga"
"""
WRITE = """
[{name}.request]
ref   = "@id"
warga = "warga"
n     = "n"

[{name}.reply]
nomor = "nomor"
"""
MAPPING = """
[agency]
outcome = { from = "galat", absent = "ok", message = "pesan" }
http    = { 404 = "not-found" }

[find.request]
ref = "ref"

[find.reply]
ref   = "ref"
nomor = "nomor"
""" + "".join(WRITE.format(name=name) for name in ("harmless", "never", "ask", "direct"))
SOAP_MAPPING = """
[agency]
outcome = { from = "kode", ok = ["00"] }

[agency.headers]
Pengirim.Nomor = "@id"
""" + WRITE.format(name=SOAP)


@dataclass(slots=True)
class Submitted:
    """What an app sent under one key; `told` is the status it was given in the end, 0 while it was given none."""

    operation: str
    warga: str
    n: int
    told: int = 0
    id: str = ""


@dataclass(slots=True)
class Tally:
    """What came of it."""

    kills: int = 0
    submitted: int = 0
    acknowledged: int = 0
    arrived: int = 0
    repeated: int = 0
    unknown: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.submitted} submitted, {self.acknowledged} acknowledged, "
            f"{self.arrived} arrived, {self.repeated} repeated, {self.unknown} unknown, {self.lost} lost"
        )


class Storm:
    """One gateway that is killed, and as many others as wished that are not."""

    def __init__(self, folder: Path, address: str, agency: CountingAgency, *, others: int = 0) -> None:
        self.address = address
        self.agency = agency
        self.submitted: list[Submitted] = []
        self.killed: list[float] = []
        self._configs = [self._config(folder / f"gateway-{number}") for number in range(1 + others)]
        self._urls: list[str] = []
        self._gateways: list[Gateway | None] = [None] * (1 + others)
        self._over = False

    def _config(self, folder: Path) -> Path:
        folder.mkdir()
        (folder / "loket.toml").write_text(MAPPING, "utf-8")
        (folder / "kantor.toml").write_text(SOAP_MAPPING, "utf-8")
        (folder / "kantor.wsdl").write_bytes(WSDL.read_bytes())
        text = CONFIG.format(
            port=free_ports(),
            ledger=self.address,
            master=MASTER,
            key=hashlib.sha256(KEY.encode()).hexdigest(),
            agency=self.agency.url,
        )
        (folder / "gateway.toml").write_text(text, "utf-8")
        return folder / "gateway.toml"

    async def rage(self, kills: int, kill: Callable[[], Awaitable[None]] | None = None) -> Tally:
        """Kill so many times at random moments, then let all of it end, and compare.

        `kill` is what is done then; without it the first gateway is killed, and started again.
        """
        for number in range(len(self._configs)):
            await self._start(number)
        try:
            apps = [asyncio.create_task(self._app(number, STORED)) for number in range(APPS)]
            apps += [asyncio.create_task(self._app(APPS + number, ("direct",))) for number in range(DIRECT_APPS)]
            for _ in range(kills):
                await asyncio.sleep(random.uniform(FIRST_KILL, LAST_KILL))
                if kill is None:
                    self._kill(0)
                    await self._start(0)
                else:
                    self.killed.append(time.monotonic())
                    await kill()
            await self._each_has_come()
            self._over = True
            await asyncio.wait_for(asyncio.gather(*apps), DRAINED)
            async with looking(self.address) as ledger:
                await self._drained(ledger)
                assert all(gateway is not None and gateway.process.poll() is None for gateway in self._gateways)
                return await self._compared(ledger)
        finally:
            for number in range(len(self._gateways)):
                self._kill(number)

    async def _each_has_come(self) -> None:
        """Wait until the agency has seen every kind of call: two kills may be over before that."""
        until = time.monotonic() + DRAINED
        while missing := {*STORED, "direct"} - {arrival.operation for arrival in self.agency.arrivals}:
            assert time.monotonic() < until, missing
            await asyncio.sleep(0.05)

    async def _start(self, number: int) -> None:
        gateway = await begun(self._configs[number])
        self._gateways[number] = gateway
        self._urls = [gateway.url for gateway in self._gateways if gateway is not None]

    def _kill(self, number: int) -> None:
        if (gateway := self._gateways[number]) is None:
            return
        self.killed.append(time.monotonic())
        self._gateways[number] = None
        killed(gateway)

    async def _app(self, number: int, operations: tuple[str, ...]) -> None:
        """Submit one after the other, each under its own key until it is told how it ended."""
        async with httpx.AsyncClient(headers={"x-api-key": KEY}, timeout=5.0) as http:
            n = 0
            while not self._over:
                n += 1
                request = Submitted(operations[n % len(operations)], f"warga {number}", n)
                self.submitted.append(request)
                while not request.told:
                    await self._submit(http, request)
                await asyncio.sleep(random.uniform(0.0, 0.03))

    async def _submit(self, http: httpx.AsyncClient, request: Submitted) -> None:
        url = f"{random.choice(self._urls)}/v1/{request.operation}"
        key = f"{request.warga.replace(' ', '-')}-{request.n}"
        try:
            answer = await http.post(
                url, json={"warga": request.warga, "n": str(request.n)}, headers={"Idempotency-Key": key}
            )
        except httpx.TransportError:
            await asyncio.sleep(0.05)
            return
        if answer.status_code in {200, 202} or answer.json()["type"].endswith("outcome-unknown"):
            request.told = answer.status_code
            request.id = answer.headers["location"].rpartition("/")[2]
            return
        assert answer.status_code in {409, 503, 504}, answer.text
        await asyncio.sleep(0.2)

    async def _drained(self, ledger: Ledger) -> None:
        until = time.monotonic() + DRAINED
        while any(s.depth.get(State.PENDING) or s.depth.get(State.DELIVERING) for s in await ledger.stats()):
            assert time.monotonic() < until, await ledger.stats()
            await asyncio.sleep(0.2)

    async def _compared(self, ledger: Ledger) -> Tally:
        tally = Tally(kills=len(self.killed), submitted=len(self.submitted))
        tally.acknowledged = sum(request.told > 0 for request in self.submitted)
        times = Counter(arrival.ref for arrival in self.agency.arrivals)
        tally.arrived, tally.repeated = len(times), sum(count > 1 for count in times.values())
        for request in self.submitted:
            record = await ledger.get(MessageId(request.id))
            state = record.summary.state if record is not None else None
            came = times[request.id]
            tally.unknown += state is State.UNKNOWN
            tally.lost += _lost(request, state, came)
            if came > 1 and request.operation not in HARMLESS:
                tally.wrong.append(f"{request} came {came} times")
        tally.wrong += [*self._strangers(), *self._unexplained(times), *self._disordered()]
        return tally

    def _strangers(self) -> list[str]:
        """What arrived that no app submitted, or under another id than the app was told, wherever it carries one."""
        known = {(request.operation, request.warga, request.n): request.id for request in self.submitted}
        return [
            f"nobody submitted {arrival}"
            for arrival in self.agency.arrivals
            if known.get((arrival.operation, arrival.warga, arrival.n)) != arrival.ref or arrival.ids != {arrival.ref}
        ]

    def _unexplained(self, times: Counter[str]) -> list[str]:
        """Repetitions of what was not in flight at a kill."""
        by_ref = defaultdict(list)
        for arrival in self.agency.arrivals:
            by_ref[arrival.ref].append(arrival)
        return [
            f"repeated without a kill: {earlier}"
            for ref, count in times.items()
            if count > 1
            for earlier in by_ref[ref][:-1]
            if not any(earlier.at - IN_FLIGHT < kill < earlier.answered + IN_FLIGHT for kill in self.killed)
        ]

    def _disordered(self) -> list[str]:
        """First arrivals of one citizen that overtook an older one; apps submit one after the other."""
        last: dict[tuple[str, str], int] = {}
        seen, wrong = set(), []
        for arrival in self.agency.arrivals:
            if arrival.operation not in ORDERED or arrival.ref in seen:
                continue
            seen.add(arrival.ref)
            if arrival.n < last.get((arrival.operation, arrival.warga), 0):
                wrong.append(f"out of order: {arrival}")
            last[arrival.operation, arrival.warga] = arrival.n
        return wrong


def _lost(request: Submitted, state: State | None, came: int) -> bool:
    """Whether something that was acknowledged is neither there nor known to be in doubt."""
    if state is State.DELIVERED:
        return came == 0
    return not (state is State.UNKNOWN and request.operation in {"never", "direct"})


KILLS = int(os.environ.get("CHAOS_KILLS", "2"))
"""2 in `make test`, 20 in `make real`, 200 in `make chaos`."""


async def survived(
    folder: Path,
    address: str,
    *,
    others: int = 0,
    kills: int = KILLS,
    kill: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Check that nothing acknowledged is lost and nothing is done twice by guess; prints the figures."""
    agency = CountingAgency()
    async with agency.serving():
        tally = await Storm(folder, address, agency, others=others).rage(kills, kill)
    print(f"\n{address.partition(':')[0]}{' itself' if kill else ''}: {tally}")  # noqa: T201 - the figures are what the long run is for
    assert {arrival.operation for arrival in agency.arrivals} == {*STORED, "direct"}
    assert tally.wrong == []
    assert tally.lost == 0
    assert tally.acknowledged == tally.submitted > 0
