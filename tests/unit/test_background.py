"""What goes on beside requests: the ledger is looked after, and it is noticed when it takes nothing any more."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from gateway.background import PROBE_EVERY, RESTART_AFTER, SHED_AGAIN, SWEEP_EVERY, Background, resign
from gateway.config.models import Config
from gateway.errors import FieldError, LedgerUnavailable, Unavailable
from gateway.feed_figures import FeedFigures
from gateway.feeds import FileReceipt, FileState, Held, Keeping, Tally, Turn, lease_of
from gateway.intake import FileNews
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.metrics import Metrics
from gateway.records import Buried, Delivered, LaneStats, Retention, Shed, State
from gateway.registry import Agency, Registry
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting
from tests.contract.ledger import an_entry
from tests.delivery import count_threads
from tests.fakes import MONDAY_MORNING, FakeClock
from tests.office import Books


class Full(SqliteLedger):
    """A ledger whose disk can be full: it reads, and writes nothing new."""

    full = False
    pulsed: asyncio.Event
    read: asyncio.Event
    shedding: asyncio.Queue[tuple[str, Retention]]
    leading: asyncio.Queue[tuple[str, bool]]

    async def shed(self, lane: str, retention: Retention, /, *, limit: int = 500) -> Shed:
        shed = await super().shed(lane, retention, limit=limit)
        if shed == Shed():
            self.shedding.put_nowait((lane, retention))
        return shed

    async def hold(self, name: str, /, *, by: str, seconds: float) -> int | None:
        try:
            if self.full:
                raise LedgerUnavailable("database or disk is full")
            token = await super().hold(name, by=by, seconds=seconds)
            if name == "shed":
                self.leading.put_nowait((by, token is not None))
            return token
        finally:
            if name == "pulse":
                self.pulsed.set()

    async def stats(self) -> tuple[LaneStats, ...]:
        try:
            return await super().stats()
        finally:
            self.read.set()


class Told:
    """The log's events."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.facts: dict[str, list[dict[str, object]]] = {}

    def __call__(self, event: str, /, *, level: str = "info", **facts: object) -> None:
        self.events.append(f"{level} {event}")
        self.facts.setdefault(f"{level} {event}", []).append(facts)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Full]:
    opened = await Full.open(tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), FakeClock(autojump=False))
    assert isinstance(opened, Full)
    opened.pulsed, opened.read = asyncio.Event(), asyncio.Event()
    opened.shedding = asyncio.Queue()
    opened.leading = asyncio.Queue()
    yield opened
    await opened.close()


def a_background(ledger: Full, clock: FakeClock, log: Told, **more: Any) -> Background:
    known = Registry(agencies={"dpmptsp": Agency(name="dpmptsp", title="", operations={}, breaker=lambda: "closed")})
    count_threads(ledger, clock)
    return Background(
        me="a",
        ledger=ledger,
        outbox=ledger,
        settler=Settler(ledger, clock),
        rooms=Rooms(lanes=ledger, clock=clock),
        waiting=Waiting(lanes=ledger, clock=clock),
        clock=clock,
        log=log,
        **{"known": known, "config": Config(), "metrics": Metrics(), **more},
    )


async def test_what_is_near_its_date_and_past_it_is_a_figure(ledger: Full) -> None:
    clock, metrics, now = FakeClock(autojump=False), Metrics(), MONDAY_MORNING
    for hours in (-1, 1, 50):
        by = now + timedelta(hours=hours)
        await ledger.put(an_entry(near_at=by - timedelta(hours=24), answer_by=by))

    def figure(name: str) -> float | None:
        return metrics.registry.get_sample_value(f"gateway_answers_{name}", {"agency": "dpmptsp"})

    async with a_background(ledger, clock, Told(), metrics=metrics).running(asyncio.Event()):
        await ledger.pulsed.wait()
        await clock.settled()
        assert (figure("near"), figure("past")) == (1, 1)
        assert figure("earliest_due_timestamp_seconds") == (now - timedelta(hours=1)).timestamp()


async def test_a_full_disk_is_told_once_and_its_end_once(ledger: Full) -> None:
    clock, log = FakeClock(autojump=False), Told()
    background = a_background(ledger, clock, log)
    seen = []
    async with background.running(asyncio.Event()):
        for full in (False, True, True, False):
            await ledger.pulsed.wait()
            await clock.settled()
            ledger.full = full
            ledger.pulsed.clear()
            await clock.advance(SWEEP_EVERY)
            await ledger.pulsed.wait()
            await clock.settled()
            seen.append(background.rooms.writable)
    assert seen == [True, False, False, True]
    assert [event for event in log.events if "ledger" in event] == ["error ledger-unavailable", "info ledger-back"]


async def test_rule_11_22_messages_of_an_operation_that_is_gone_are_told_at_the_start_and_wait(ledger: Full) -> None:
    clock, log = FakeClock(autojump=False), Told()
    books = Books(ledger, clock)
    await books.ended(Buried(reason="poison"))
    message = await books.put()
    async with a_background(ledger, clock, log).running(asyncio.Event()):
        await ledger.pulsed.wait()
        await clock.settled()
        await clock.advance(10 * SWEEP_EVERY)
    (facts,) = log.facts["warning operation-dropped"]
    assert facts["operation"] == "dpmptsp/ajukan-izin"
    assert facts["what"].startswith("2 messages (1 buried, 1 pending) wait until it is declared again")
    assert await books.state(message) is State.PENDING


async def test_what_need_not_be_kept_is_let_go_of_each_agencys_own_time_and_of_agencies_that_are_gone(
    ledger: Full,
) -> None:
    clock = ledger._clock
    assert isinstance(clock, FakeClock)
    books = Books(ledger, clock)
    (gone,) = await books.ended(Delivered(), lane="dpupr")
    (kept,) = await books.ended(Delivered(), lane="dpmptsp")
    await clock.advance(31 * 86400.0)
    agency = {"adapter": "rest", "mapping": "m.toml", "retention": {"bodies": "60d"}}
    config = Config.model_validate({"agency": {"dpmptsp": agency}})
    async with a_background(ledger, clock, Told(), config=config).running(asyncio.Event()):
        while ledger.shedding.qsize() < 2:
            await clock.advance(0.05)
        shed = dict([await ledger.shedding.get() for _ in range(2)])
    assert {lane: retention.bodies / 86400.0 for lane, retention in shed.items()} == {"dpmptsp": 60.0, "dpupr": 30.0}
    assert (await books.record(gone)).body is None
    assert (await books.record(kept)).body is not None


async def test_receipts_of_files_are_kept_as_long_as_their_agency_says_or_as_usual(ledger: Full) -> None:
    for feed in ("puskesmas/imunisasi", "rsud/stok"):
        token = await ledger.hold(lease_of(feed), by="a", seconds=60.0)
        turn = Turn(feed=feed, by="a", token=token or 0)
        file = Held(feed="", name="a.csv", folder="", size=1, as_of=MONDAY_MORNING, sha256="0" * 64)
        receipt = await ledger.take_up(turn, file, Keeping())
        why = FieldError(pointer="", rule="unfinished")
        await ledger.refuse(turn, receipt.number, Tally(), why)
        await ledger.filed(turn, receipt.number, "rejected/a.csv")
    agency = {"adapter": "csv", "mapping": "m.toml", "retention": {"files": "90d"}}
    config = Config.model_validate({"agency": {"puskesmas": agency}})
    kept = []
    for days in (80, 20, 290, 20):
        await ledger._clock.advance(days * 86400.0)
        again = a_background(ledger, ledger._clock, Told(), config=config)
        for feed in await ledger.feeds_kept():
            await asyncio.gather(again._shed_files(feed), ledger._clock.advance(1.0))
        kept.append(await ledger.feeds_kept())
    assert kept == [("puskesmas/imunisasi", "rsud/stok"), ("rsud/stok",), ("rsud/stok",), ()]


class Fickle:
    """An agency's probe that passes, then fails."""

    def __init__(self) -> None:
        self.asked = 0

    async def probe(self) -> None:
        self.asked += 1
        if self.asked > 1:
            raise Unavailable("away", maybe_done=False)


async def test_what_is_looked_at_now_and_then_is_in_the_figures(ledger: Full, tmp_path: Path) -> None:
    clock, metrics, probe = FakeClock(autojump=False), Metrics(), Fickle()
    agency = Agency(name="dinkes", title="Dinkes", operations={}, breaker=lambda: "closed", probe=probe)
    await ledger.pause("dinkes", "operator", by="budi")
    config = Config.model_validate({"gateway": {"ledger": f"sqlite:{tmp_path}/ledger.db"}})
    known = Registry(agencies={"dinkes": agency})
    made = a_background(ledger, clock, Told(), known=known, config=config, metrics=metrics)
    made.waiting.outage("dinkes", True)
    await clock.settled()  # from now on it waits for threads
    async with made.running(asyncio.Event()):
        await ledger.read.wait()
        await clock.settled()
        figures = shown(metrics)
        await clock.advance(PROBE_EVERY)
        await clock.settled()
        later = shown(metrics)
    for reason, held in (("operator", 1.0), ("hours", 0.0), ("maintenance", 0.0), ("outage", 1.0)):
        assert f'gateway_lane_paused{{agency="dinkes",reason="{reason}"}} {held}' in figures
    for name in ("bytes", "disk_free_bytes", "disk_size_bytes"):
        assert re.search(f"^gateway_ledger_{name} [1-9]", figures, re.MULTILINE)
    assert 'gateway_agency_up{agency="dinkes"} 1.0' in figures
    assert 'gateway_agency_up{agency="dinkes"} 0.0' in later
    for outcome in ("ok", "failed"):
        assert f'gateway_agency_probes_total{{agency="dinkes",outcome="{outcome}"}} 1.0' in later


async def test_files_and_rows_are_counted_from_nought(ledger: Full) -> None:
    metrics = Metrics()
    figures = FeedFigures(metrics, "puskesmas", ["imunisasi"])
    hear = a_background(ledger, FakeClock(), Told(), metrics=metrics)._file_news("puskesmas", figures)
    before = shown(metrics)
    hear(FileNews(receipt=a_receipt(FileState.ACCEPTED, Tally(position=42, accepted=40, rejected=2))))
    hear(FileNews(receipt=a_receipt(FileState.DUPLICATE, Tally())))
    after = shown(metrics)
    for figure, outcomes in (
        ("drops_total", {"accepted": 1.0, "refused": 0.0, "duplicate": 1.0}),
        ("rows_total", {"accepted": 40.0, "rejected": 2.0}),
    ):
        for outcome, value in outcomes.items():
            series = f'gateway_file_{figure}{{agency="puskesmas",feed="imunisasi",outcome="{outcome}"}}'
            assert f"{series} 0.0" in before
            assert f"{series} {value}" in after


def a_receipt(state: FileState, tally: Tally) -> FileReceipt:
    now = FakeClock().now()
    return FileReceipt(
        number=1,
        feed="puskesmas/imunisasi",
        file="imunisasi_1.csv",
        reference="a",
        sha256="0" * 64,
        size=1,
        as_of=now,
        mapping="m",
        mode="snapshot",
        state=state,
        base=None,
        original=None,
        before=0,
        tally=tally,
        reason=None,
        claimed_at=now,
        ended_at=now,
        place="archive/imunisasi_1.csv",
        settled=True,
        confirmed="",
    )


def shown(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


async def test_a_process_goes_on_letting_go_when_its_configuration_is_reloaded(ledger: Full) -> None:
    clock = ledger._clock
    for _ in range(2):
        async with a_background(ledger, clock, Told()).running(asyncio.Event()):
            assert await ledger.leading.get() == ("a", True)


async def test_another_process_lets_go_within_minutes_of_the_end_of_the_one_that_did(ledger: Full) -> None:
    clock = ledger._clock
    await Books(ledger, clock).ended(Delivered())
    async with a_background(ledger, clock, Told()).running(asyncio.Event()):
        assert await ledger.leading.get() == ("a", True)
        assert (await ledger.shedding.get())[0] == "dpmptsp"
    async with replace(a_background(ledger, clock, Told()), me="b").running(asyncio.Event()):
        assert await ledger.leading.get() == ("b", False)
        await clock.advance(SHED_AGAIN)
        assert await ledger.leading.get() == ("b", False)
        await resign(ledger, "a")
        assert await ledger.leading.get() == ("a", True)
        await clock.advance(SHED_AGAIN)
        assert await ledger.leading.get() == ("b", True)
        assert (await ledger.shedding.get())[0] == "dpmptsp"


async def test_a_ledger_that_is_away_is_asked_again_within_minutes(ledger: Full) -> None:
    clock = ledger._clock
    ledger.full = True
    async with a_background(ledger, clock, Told()).running(asyncio.Event()):
        await ledger.pulsed.wait()
        await clock.settled()
        ledger.full = False
        await clock.advance(SHED_AGAIN)
        assert await ledger.leading.get() == ("a", True)


class Published:
    """An agency whose contract could be compared."""

    compare_every: float | None = 600.0
    looks = 0

    async def compare(self) -> tuple[str, ...]:
        self.looks += 1
        return ("field nik is gone",)


@pytest.mark.parametrize("compares", [True, False])
async def test_contracts_are_compared_unless_it_is_a_demo(ledger: Full, compares: bool) -> None:
    clock, metrics, published = FakeClock(autojump=False), Metrics(), Published()
    metrics.gauge("gateway_agency_contract_changed", "dpmptsp").set(0)
    agency = Agency(name="dpmptsp", title="", operations={}, breaker=lambda: "closed", compared=published)
    background = a_background(
        ledger, clock, Told(), known=Registry(agencies={"dpmptsp": agency}), metrics=metrics, compares=compares
    )
    async with background.running(asyncio.Event()):
        await ledger.pulsed.wait()
        await clock.settled()
        await clock.advance(301)

    found = metrics.registry.get_sample_value("gateway_agency_contract_changed", {"agency": "dpmptsp"})
    assert (published.looks, found) == ((1, 1) if compares else (0, None))


class Panic(BaseException):
    """As polars raises where its own code panics: no Exception, and no end of the process either."""


class Panicking(Fickle):
    """An agency whose first probe panics."""

    async def probe(self) -> None:
        self.asked += 1
        if self.asked == 1:
            raise Panic("called `Option::unwrap()` on a `None` value")


async def test_what_breaks_by_no_exception_is_told_and_started_again(ledger: Full) -> None:
    clock, log, probe = FakeClock(autojump=False), Told(), Panicking()
    agency = Agency(name="dinkes", title="Dinkes", operations={}, breaker=lambda: "closed", probe=probe)
    made = a_background(ledger, clock, log, known=Registry(agencies={"dinkes": agency}))
    async with made.running(asyncio.Event()):
        await ledger.pulsed.wait()
        await clock.settled()
        assert probe.asked == 1
        await clock.advance(RESTART_AFTER)
        await clock.settled()
        assert probe.asked == 2
    assert "Option::unwrap" in str(log.facts["error bug"])


async def test_an_end_of_the_process_is_no_bug_to_start_again_after(ledger: Full) -> None:
    log = Told()

    async def ends() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        await a_background(ledger, FakeClock(), log)._lasting(ends)
    assert log.events == []
