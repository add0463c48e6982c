"""A clerk whose rows go on to a SOAP agency while gateways are killed; each row must come once, and none be lost."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from gateway.feeds import FileReceipt, FileState
from gateway.ledger import Ledger
from gateway.records import Filter, State
from tests.chaos.agency import CountingAgency
from tests.chaos.clerk import KILLS
from tests.chaos.killing import ENOUGH, MASTER, Drop, begun, killed, looking, stopped
from tests.chaos.storm import SOAP_MAPPING, WSDL

FEEDS = {"surat": "", "daftar": 'key = ["warga"]'}
"""Whose rows are each a message, and whose rows are known by a person."""
ROWS = (20, 150) if KILLS < ENOUGH else (50, 3000)
IN_WORK, LATEST = (0.01, 0.05, 0.3), 5.0
DRAINED = 300.0

CONFIG = """
[gateway]
listen     = "127.0.0.1:0"
metrics    = "127.0.0.1:0"
ledger     = "{ledger}"
ledger_key = "{master}"

[defaults]
timeout  = "3s"
deadline = "5s"

[agency.kantor]
adapter     = "soap"
wsdl        = "kantor.wsdl"
url         = "{agency}/soap"
mapping     = "kantor.toml"
concurrency = 32
header_namespace = "urn:kantor"

[agency.kantor.operation.soap]
call     = "soap"
deliver  = "store-and-forward"
repeat   = "harmless"

[agency.loket]
adapter = "csv"
drop    = "{drop}"
every   = "50ms"
mapping = "loket.toml"
"""
FEED = """
[agency.loket.feed.{name}]
files      = "{name}_*.csv"
ready      = "rename"
mode       = "forward"
to         = "kantor/soap"
max_reject = "row-wise"
{key}
"""
MAPPING = """
[{name}.row]
warga = "warga"
n     = {{ from = "n", pattern = "[0-9]+" }}
"""


@dataclass(slots=True)
class Dropped:
    """One file: its rows as (person, number) in their order, how many are bad, and how many are no rows."""

    feed: str
    rows: list[tuple[str, int]] = field(default_factory=list)
    bad: int = 0
    skipped: int = 0


@dataclass(slots=True)
class Tally:
    """What became of all of it."""

    kills: int = 0
    files: int = 0
    rows: int = 0
    put: int = 0
    unchanged: int = 0
    rejected: int = 0
    arrived: int = 0
    repeated: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.files} files of {self.rows} rows, {self.put} put, {self.unchanged} unchanged, "
            f"{self.rejected} rejected, {self.arrived} arrived, {self.repeated} of them repeated by a kill in flight, "
            f"{self.resumed} kills in the midst of a file"
        )


class Courier:
    """Drops files into one folder; a gateway sends their rows on."""

    def __init__(self, folder: Path, ledger: str, agency: CountingAgency) -> None:
        self._ledger = ledger
        self._agency = agency
        self._drop = Drop(folder / "drop")
        self._drop.folder.mkdir()
        self._config = folder / "gateway.toml"
        text = CONFIG.format(ledger=ledger, master=MASTER, drop=self._drop.folder, agency=agency.url)
        self._config.write_text(text + "".join(FEED.format(name=n, key=k) for n, k in FEEDS.items()), "utf-8")
        (folder / "loket.toml").write_text("".join(MAPPING.format(name=name) for name in FEEDS), "utf-8")
        (folder / "kantor.toml").write_text(SOAP_MAPPING, "utf-8")
        (folder / "kantor.wsdl").write_bytes(WSDL.read_bytes())
        self._files: dict[str, Dropped] = {}
        self._n = 0

    async def survive(self, kills: int) -> Tally:
        """Kill so many times while files are read and rows sent on, then let all of it end, and compare."""
        tally = Tally(kills=kills)
        for _ in range(kills):
            gateway = await begun(self._config)
            try:
                for _ in range(random.randint(1, 2)):
                    self._put()
                if await self._drop.taken_up(LATEST):
                    await asyncio.sleep(random.uniform(0.0, random.choice(IN_WORK)))
            finally:
                killed(gateway)
            tally.resumed += len(self._drop.in_work())
        gateway = await begun(self._config)
        try:
            async with looking(self._ledger) as ledger:
                await self._ended(ledger)
                await self._compare(ledger, tally)
        finally:
            stopped(gateway)
        return tally

    def _put(self) -> None:
        """Drop a file whole, with bad rows and headers in its midst, and of the keyed feed some rows twice."""
        feed = random.choice([*FEEDS])
        dropped = Dropped(feed=feed)
        lines = ["warga;n"]
        for number in range(random.randint(*ROWS)):
            if number % 31 == 7:
                lines.append("warga;n" if number % 2 else f"siapa;{number}x")
                dropped.skipped += number % 2
                dropped.bad += 1 - number % 2
                continue
            self._n += 1
            row = (f"warga-{random.randrange(40)}" if feed == "daftar" else "-", self._n)
            if feed == "daftar" and dropped.rows and number % 5 == 0:
                row = dropped.rows[-1]
            dropped.rows.append(row)
            lines.append(f"{row[0]};{row[1]}")
        name = f"{feed}_{len(self._files):05}.csv"
        self._files[name] = dropped
        self._drop.put(name, lines)

    async def _ended(self, ledger: Ledger) -> None:
        until = time.monotonic() + DRAINED
        while self._drop.in_work() or self._drop.untaken() or await self._waiting(ledger):
            assert time.monotonic() < until, await ledger.stats()
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)

    async def _waiting(self, ledger: Ledger) -> bool:
        return any(s.depth.get(State.PENDING) or s.depth.get(State.DELIVERING) for s in await ledger.stats())

    async def _compare(self, ledger: Ledger, tally: Tally) -> None:
        arrived = {(one.warga, one.n): one.ref for one in self._agency.arrivals}
        times = Counter(one.ref for one in self._agency.arrivals)
        tally.arrived, tally.repeated = len(arrived), sum(count > 1 for count in times.values())
        if len(times) != len(arrived):
            tally.wrong.append(f"{len(times)} messages arrived of {len(arrived)} rows: some were put twice")
        for feed in FEEDS:
            receipts = await ledger.receipts(f"loket/{feed}", limit=100_000)
            tally.wrong += [str(one) for one in receipts if one.state is not FileState.ACCEPTED]
            for receipt in sorted(receipts, key=lambda one: one.number):
                await self._compare_file(ledger, receipt, tally)
        expected = {row for dropped in self._files.values() for row in dropped.rows}
        if expected != arrived.keys():
            lost, strange = len(expected - arrived.keys()), len(arrived.keys() - expected)
            tally.wrong.append(f"{lost} rows never arrived, {strange} arrived that nobody dropped")
        if tally.files != len(self._files):
            tally.wrong.append(f"{tally.files} receipts of {len(self._files)} files")

    async def _compare_file(self, ledger: Ledger, receipt: FileReceipt, tally: Tally) -> None:
        dropped, counts = self._files[receipt.file], receipt.tally
        total = len(dropped.rows) + dropped.bad + dropped.skipped
        distinct = [*dict.fromkeys(dropped.rows)]
        tally.files += 1
        tally.rows += total
        tally.put += counts.accepted
        tally.unchanged += counts.unchanged
        tally.rejected += counts.rejected
        parts = (counts.accepted, counts.unchanged, counts.rejected, counts.skipped)
        expected = (len(distinct), len(dropped.rows) - len(distinct), dropped.bad, dropped.skipped)
        if parts != expected or (counts.position, counts.put) != (total, total):
            tally.wrong.append(f"{receipt.file}: {parts} instead of {expected}: {receipt}")
        page = await ledger.search(Filter(receipt=receipt.number), limit=10_000)
        records = [row.origin.record for row in page.rows if row.origin is not None]
        if len(records) != len(distinct) or len(set(records)) != len(records):
            tally.wrong.append(f"{receipt.file}: {len(records)} messages, {len(set(records))} of different rows")
        if sum((await ledger.forwarded(receipt.number)).values()) != len(distinct):
            tally.wrong.append(f"{receipt.file}: {await ledger.forwarded(receipt.number)}")
        bodies = [await ledger.get(row.id) for row in reversed(page.rows[-20:])]
        if [(one.body["warga"], int(one.body["n"])) for one in bodies if one and one.body] != distinct[:20]:
            tally.wrong.append(f"{receipt.file}: its first messages are not its first rows")


async def delivered(folder: Path, ledger: str, kills: int) -> Tally:
    """Check that every row that was dropped arrives, as one message; prints the figures."""
    agency = CountingAgency()
    async with agency.serving():
        tally = await Courier(folder, ledger, agency).survive(kills)
    print(f"\n{ledger.partition(':')[0]}: {tally}")  # noqa: T201 - the figures are what the long run is for
    assert tally.wrong == []
    assert tally.files > 0
    return tally
