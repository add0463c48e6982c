"""An agency that drops files, with everything real behind it, folder, ledger and rows; time moves when told."""

import csv
import io
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.csv.adapter import CsvAdapter
from adapters.csv.drop import Drop
from adapters.csv.settings import Feed, Out
from gateway import Answer, Call, Document, FeedColumns, FieldError, TranslationError
from gateway.feeds import FileReceipt, Keeping
from gateway.intake import FileNews, Intake
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import new_message_id
from gateway.registry import Feed as Plan
from gateway.snapshots import LedgerSnapshots
from tests.fakes import MONDAY_MORNING, FakeClock

NIK = "1405029001180001"
GOOD = f"nik_anak;jenis\n{NIK};BCG\n{NIK};Polio\n1405029001180002;BCG\n"
FEED = "puskesmas/imunisasi"


def call(target: str, document: Document, timeout: float = 5.0) -> Call:
    return Call(
        target=target,
        document=document,
        timeout=timeout,
        message_id=new_message_id(),
        correlation_id="c",
        traceparent="00-0-0-00",
    )


def read(row: Document) -> Document:
    """Read a row as its mapping would: a NIK has digits only, and `bug` is one."""
    if row["jenis"] == "bug":
        raise KeyError(NIK)
    if errors := [
        FieldError(pointer=f"/{name}", rule="required") for name in ("nik_anak", "jenis") if not row[name].strip()
    ]:
        raise TranslationError("reply", errors)
    if not row["nik_anak"].isdigit():
        raise TranslationError("reply", [FieldError(pointer="/nik_anak", rule="rounded-number", value="1,40***")])
    return {"nik_anak": row["nik_anak"], "jenis": row["jenis"]}


class Site:
    """A CSV agency and one process of a gateway that takes its files in."""

    def __init__(
        self, folder: Path, *, keeping: Keeping | None = None, max_reject: float = 0.5, **feed: object
    ) -> None:
        self.folder, self.out = folder / "drop", folder / "out"
        for each in (self.folder, self.out):
            each.mkdir(exist_ok=True)
        self.place = folder
        self.clock = FakeClock(autojump=False)
        self.news: list[FileNews] = []
        self.lines: list[tuple[str, dict[str, object]]] = []
        indexes = (("nik_anak",), ("jenis",))
        self.keeping = keeping or Keeping(key=("nik_anak", "jenis"), indexes=indexes, mapping="m1")
        self.plan = Plan(read=read, keeping=self.keeping, max_reject=max_reject)
        self.settings = Feed.model_validate({"files": "imunisasi_*.csv", "ready": "rename", **feed})

    async def open(self, me: str = "a", *, drop: Callable[[Drop], Drop] = lambda drop: drop) -> "Site":
        self.ledger = await SqliteLedger.open(
            self.place / "ledger.db", KeySource(path=self.place / "ledger.key"), self.clock
        )
        self.adapter = CsvAdapter(
            clock=self.clock,
            log=self.log,
            snapshots=LedgerSnapshots(self.ledger, "puskesmas"),
            columns=FeedColumns(read={"imunisasi": ("nik_anak", "jenis")}, written={"jadwal": ("nik", "tanggal")}),
            drop=str(self.folder),
            feed={"imunisasi": self.settings},
            out={"jadwal": Out(folder=str(self.out), file="jadwal_{id}.csv")},
            limit=2,
        )
        files = self.adapter._inbox
        files.drop = drop(files.drop)
        self.intake = Intake(
            agency="puskesmas",
            source=self.adapter,
            feeds={"imunisasi": self.plan},
            ledger=self.ledger,
            me=me,
            clock=self.clock,
            log=self.log,
            report=self.news.append,
        )
        return self

    async def again(self, me: str = "b", **changes: object) -> "Site":
        """Return another process, after this one's lease is over; the plan may have changed."""
        other = Site(self.place, **{"keeping": self.keeping, "max_reject": self.plan.max_reject, **changes})
        other.settings = self.settings
        other.clock = self.clock
        self.clock._monotonic += 60
        return await other.open(me)

    async def close(self) -> None:
        await self.ledger.close()

    def drop(self, name: str, content: str | bytes = GOOD, at: float = 0.0) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        moment = MONDAY_MORNING.timestamp() + at
        os.utime(path, (moment, moment))
        return path

    async def look(self, seconds: float = 1.0, times: int = 1) -> None:
        """Let time pass and look into the drop, so many times."""
        for _ in range(times):
            await self.clock.advance(seconds)
            await self.intake.once()

    async def find(self, **where: object) -> Mapping[str, object]:
        answer: Answer = await self.adapter.exchange(call("imunisasi", where))
        assert answer.document is not None
        return answer.document

    async def rows(self) -> list[tuple[str, str]]:
        found = await self.ledger.look_up(FEED, {}, limit=100_000)
        return [(row["nik_anak"], row["jenis"]) for row in found.rows]

    def log(self, event: str, /, **facts: object) -> None:
        self.lines.append((event, facts))

    def told(self) -> list[tuple[str, str]]:
        """What was told of each file: its name, and its state or why it was refused."""
        return [
            (news.receipt.file, news.receipt.reason.rule if news.receipt.reason else news.receipt.state.value)
            for news in self.news
        ]

    def files(self) -> list[str]:
        """Everything that lies in the drop, papers left out."""
        found = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())
        return [name for name in found if ".receipt." not in name]

    def handed_back(self, name: str) -> list[list[str]]:
        """The rows of a file of rejects, its header first."""
        text = (self.folder / "rejected" / name).read_bytes().decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text), delimiter=";"))

    def paper(self, place: str) -> dict[str, object]:
        told: dict[str, object] = json.loads((self.folder / f"{place}.receipt.json").read_text("utf-8"))
        return told

    async def receipt(self, number: int) -> FileReceipt:
        receipt = await self.ledger.receipt(number)
        assert receipt is not None
        return receipt


def with_mode(mode: str, **more: object) -> Keeping:
    keeping = Keeping(key=("nik_anak", "jenis"), indexes=(("nik_anak",),), mapping="m1")
    return replace(keeping, mode=mode, **more)


OpenSite = Callable[..., Awaitable[Site]]


@pytest.fixture
async def open_site(tmp_path: Path) -> AsyncIterator[OpenSite]:
    sites: list[Site] = []

    async def make(*, drop: Callable[[Drop], Drop] = lambda drop: drop, **settings: object) -> Site:
        sites.append(await Site(tmp_path, **settings).open(drop=drop))
        return sites[-1]

    yield make
    for site in sites:
        await site.close()


def rows(count: int, first: int = 1) -> str:
    return "nik_anak;jenis\n" + "".join(f"{number};BCG\n" for number in range(first, first + count))
