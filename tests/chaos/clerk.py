"""A clerk who drops files while gateways are killed; what was dropped is compared with what became of it."""

import asyncio
import csv
import io
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from gateway.arrivals import REREAD
from gateway.feeds import FileReceipt, FileState
from gateway.intake import LEASE
from gateway.ledger import Ledger
from tests.chaos.killing import ENOUGH, MASTER, Drop, begun, killed, looking, stopped
from tests.flows.process import Gateway

FEEDS = {"potret": "snapshot", "catatan": "append", "daftar": "upsert"}
ANY_TIME = 0.2
"""How many of the kills come at any time, the others while a file is put aside, read, stored or put away."""
IN_WORK, LATEST = (0.02, 0.1, 0.4, 2.0), 5.0
ROWS = (1_000, 20_000)
SPREAD = 20_000
"""Among how many ids a file begins: rows meet others of their key, and what is added to stays of a size."""
SETTLED = 240.0
QUIET = 8
"""How often in a row nothing must be wanted again: a gateway looks at what is live when it has begun."""
MOST = 6
"""Files that may lie in the drop: those that are killed for minutes must not have hours of work left at the end."""

CONFIG = """
[gateway]
listen     = "127.0.0.1:0"
metrics    = "127.0.0.1:0"
ledger     = "{ledger}"
ledger_key = "{master}"

[agency.kantor]
adapter = "csv"
drop    = "{drop}"
every   = "50ms"
mapping = "kantor.toml"
"""
FEED = """
[agency.kantor.feed.{name}]
files      = "{name}_*.csv"
ready      = "rename"
mode       = "{mode}"
key        = ["id"]
max_reject = "row-wise"

[agency.kantor.operation.cari-{name}]
expose = "GET /v1/{name}"
call   = "{name}"
safe   = true
"""
MAPPING = """
[{name}.row]
id   = {{ from = "id", digits = 16 }}
nama = {{ from = "nama", max = {longest} }}

[cari-{name}.request]
id = "id"

[cari-{name}.reply]
jumlah = "count"
"""


@dataclass(slots=True)
class Dropped:
    """One file: which ids it has, and how many of its records are bad."""

    feed: str
    ids: list[str]
    bad: int


@dataclass(slots=True)
class Tally:
    """What became of all of it."""

    kills: int = 0
    files: int = 0
    dropped: int = 0
    accepted: int = 0
    unchanged: int = 0
    rejected: int = 0
    resumed: int = 0
    anew: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.files} files of {self.dropped} rows, {self.accepted} accepted, "
            f"{self.unchanged} unchanged, {self.rejected} rejected, {self.resumed} kills in the midst of a file, "
            f"{self.anew} snapshots made anew"
        )


class Clerk:
    """Drops files into one folder, which gateways of one ledger take in."""

    def __init__(self, folder: Path, ledger: str, place: str = "", login: str = "") -> None:
        self._ledger = ledger
        self._drop = Drop(folder / "drop")
        self._drop.folder.mkdir()
        self._folder = folder
        self._place = f"{place}{self._drop.folder}"
        self._login = login
        self._files: dict[str, Dropped] = {}
        self._number = 0
        self._longest = 100

    async def survive(self, kills: int, *, beside: int = 0, remaps: int = 0) -> Tally:
        """Kill so many times while files are read, stored and moved, then let all of it end, and compare.

        With gateways `beside` the one, each may be killed, and the others go on with its files. After each so many
        kills the mapping changes, if it `remaps`, and what was taken in before is read anew.
        """
        tally = Tally(kills=kills)
        gateways = [await self._begun(place) for place in range(1 + beside)]
        try:
            for kill in range(1, kills + 1):
                for _ in range(random.randint(1, 2) if len(self._drop.untaken()) < MOST else 0):
                    self._put()
                await self._moment()
                victim = random.randrange(len(gateways))
                killed(gateways[victim])
                tally.resumed += len(self._drop.in_work())
                self._longest += bool(remaps and kill % remaps == 0)
                gateways[victim] = await self._begun(victim)
            await self._ended()
        finally:
            for gateway in gateways:
                stopped(gateway)
        await self._compare(tally)
        return tally

    async def _begun(self, place: int) -> Gateway:
        folder = self._folder / f"gateway-{place}"
        folder.mkdir(exist_ok=True)
        text = CONFIG.format(ledger=self._ledger, master=MASTER, drop=self._place) + self._login
        feeds = "".join(FEED.format(name=name, mode=mode) for name, mode in FEEDS.items())
        (folder / "gateway.toml").write_text(text + feeds, "utf-8")
        mapping = "".join(MAPPING.format(name=name, longest=self._longest) for name in FEEDS)
        (folder / "kantor.toml").write_text(mapping, "utf-8")
        return await begun(folder / "gateway.toml")

    async def _moment(self) -> None:
        """Wait for the moment to kill in; the lease of the one that was killed before must end first."""
        until = time.monotonic() + random.uniform(0.1, LATEST)
        if random.random() > ANY_TIME:
            if self._drop.in_work():
                await asyncio.sleep(LEASE)  # else nobody would ever get further than to wait for the one before
            if not await self._drop.taken_up(LATEST):
                return
            until = time.monotonic() + random.uniform(0.0, random.choice(IN_WORK))
        await asyncio.sleep(max(0.0, until - time.monotonic()))

    def _put(self) -> None:
        """Drop a file whole: some rows twice, some with bad ids."""
        self._number += 1
        feed = random.choice([*FEEDS])
        first, size = random.randrange(SPREAD), random.randint(*ROWS)
        ids = [f"{10**15 + first + number}" for number in range(size)]
        bad = sum(1 for number in range(size) if number % 97 == 0)
        rows = [f"{'1,0E+15' if number % 97 == 0 else ids[number]};nama {ids[number]}" for number in range(size)]
        name = f"{feed}_{self._number:05}.csv"
        good = [one for number, one in enumerate(ids) if number % 97]
        self._files[name] = Dropped(feed=feed, ids=good, bad=bad)
        self._drop.put(name, ["id;nama", *rows])

    async def _ended(self) -> None:
        until = time.monotonic() + SETTLED
        while left := [*self._drop.untaken(), *self._drop.folder.glob(".taking/*")]:
            assert time.monotonic() < until, left
            await asyncio.sleep(0.1)
        async with looking(self._ledger) as ledger:
            quiet = 0
            while quiet < QUIET:
                assert time.monotonic() < until, "files are still wanted again"
                await asyncio.sleep(0.25)
                wanted = [await ledger.wanted_again(f"kantor/{feed}") for feed in FEEDS]
                quiet = 0 if any(wanted) else quiet + 1

    async def _compare(self, tally: Tally) -> None:
        async with looking(self._ledger) as ledger:
            for feed in FEEDS:
                receipts = await ledger.receipts(f"kantor/{feed}", limit=100_000)
                self._compare_files(feed, receipts, tally)
                await self._compare_rows(ledger, feed, receipts, tally)

    def _compare_files(self, feed: str, receipts: object, tally: Tally) -> None:
        by_name: dict[str, list[FileReceipt]] = {}
        for receipt in receipts:  # type: ignore[attr-defined]
            begun_anew = receipt.reason is not None and receipt.reason.rule == "begun-anew"
            tally.anew += receipt.confirmed == REREAD and receipt.state is FileState.ACCEPTED
            if not begun_anew and receipt.confirmed != REREAD:
                by_name.setdefault(receipt.file, []).append(receipt)
        for name, dropped in self._files.items():
            if dropped.feed != feed:
                continue
            mine = by_name.get(name, [])
            total = len(dropped.ids) + dropped.bad
            tally.files += 1
            tally.dropped += total
            if len(mine) != 1:
                tally.wrong.append(f"{name} has {len(mine)} receipts")
                continue
            one = mine[0]
            counts = one.tally
            tally.accepted += counts.accepted
            tally.unchanged += counts.unchanged
            tally.rejected += counts.rejected
            if (
                not one.settled
                or (counts.position, counts.accepted + counts.unchanged + counts.rejected) != (total,) * 2
            ):
                tally.wrong.append(f"{name}: {one}")
            # The clerk is told of each row that did not fit, once, and of no other; the shrink guard refuses whole.
            back = self._handed_back(name)
            if len(back) != counts.rejected or len(set(back)) != len(back) or counts.rejected < dropped.bad:
                tally.wrong.append(f"{name}: {len(back)} rows handed back of {counts.rejected}")
            if not (self._drop.folder / f"{one.place}.receipt.json").is_file():
                tally.wrong.append(f"{name}: no paper beside {one.place}")

    def _handed_back(self, name: str) -> list[str]:
        path = self._drop.folder / "rejected" / f"{name}.rejected.csv"
        text = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
        return [row[0] for row in list(csv.reader(io.StringIO(text), delimiter=";"))[1:]]

    async def _compare_rows(self, ledger: Ledger, feed: str, receipts: object, tally: Tally) -> None:
        """Compare the live snapshot with what the accepted files, one after the other, come to."""
        accepted = [one for one in receipts if one.state is FileState.ACCEPTED]  # type: ignore[attr-defined]
        if not accepted:
            return
        expected: set[str] = set()
        for one in sorted(accepted, key=lambda one: one.number):
            ids = set(self._files[one.file].ids)
            expected = ids if FEEDS[feed] == "snapshot" else expected | ids
        found = await ledger.look_up(f"kantor/{feed}", {}, limit=10_000_000)
        times = Counter(row["id"] for row in found.rows)
        if max(times.values(), default=0) > 1:
            tally.wrong.append(f"{feed}: keys that are there twice: {times.most_common(3)}")
        if times.keys() != expected:
            lost, strange = len(expected - times.keys()), len(times.keys() - expected)
            tally.wrong.append(f"{feed}: {lost} rows lost, {strange} that nobody dropped")


KILLS = int(os.environ.get("CHAOS_KILLS", "5"))
"""5 in `make test`, 20 in `make real`, 200 in `make chaos`."""


async def survived(  # noqa: PLR0913 - what a storm is made of
    folder: Path,
    ledger: str,
    *,
    beside: int = 0,
    remaps: int = 0,
    place: str = "",
    login: str = "",
    kills: int = KILLS,
) -> None:
    """Check that every row that was dropped is taken once or handed back once; prints the figures.

    `place` is the address of a server that serves this machine's files, `login` the setting for it.
    """
    kills = min(kills, ENOUGH) if remaps else kills
    tally = await Clerk(folder, ledger, place, login).survive(kills, beside=beside, remaps=remaps)
    print(f"\n{ledger.partition(':')[0]}, {1 + beside} at a time: {tally}")  # noqa: T201 - the figures are what the long run is for
    assert tally.wrong == []
    assert tally.files > 0
    assert tally.anew > 0 or not remaps
    assert tally.resumed > 0 or kills < ENOUGH
