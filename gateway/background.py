"""What goes on beside requests: files, probes, deliveries, the ledger's upkeep, the loop's health; answers nobody."""

import asyncio
import shutil
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gateway import contracts, registry
from gateway.answers import Inquirer
from gateway.became import became
from gateway.config import models
from gateway.config.models import Config
from gateway.contracts import ContractWatch
from gateway.deliver import Deliverer, Lane
from gateway.dropped import dropped
from gateway.errors import FieldError, GatewayError, LedgerUnavailable
from gateway.feed_figures import FeedFigures
from gateway.feed_watch import FeedWatch
from gateway.intake import FileNews, Intake
from gateway.lanes import inquiries, lanes
from gateway.ledger import Ledger
from gateway.ledger.opening import SQLITE, folder_of
from gateway.message import new_message_id
from gateway.metrics import Metrics
from gateway.ports import Clock, Log, Outbox
from gateway.records import LaneStats, Retention, State
from gateway.registry import Registry
from gateway.room import Rooms
from gateway.settle import Settler
from gateway.waiting import Waiting
from gateway.wording import say

Work = Callable[[], Awaitable[None]]

PROBE_EVERY = 30.0
RESTART_AFTER = 10.0
LAG_EVERY = 1.0
SWEEP_EVERY = 10.0
SHED_EVERY = 3600.0
SHED_AGAIN = 300.0
"""Seconds until it is tried again, when another process does it or the ledger is away."""
_SHED = "shed"
FIGURES_EVERY = 5.0
DISK_EVERY = 30.0
COUNTED = (State.PENDING, State.DELIVERING, State.HANDED_OVER, State.UNKNOWN, State.BURIED, State.EXPIRED)
"""What is not done: nobody has to count for ever what is."""
PAUSES = ("operator", "maintenance", "hours", "outage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Everything that runs until the gateway stops; `me` names this process, whatever configuration it has.

    Unless it `compares`, nobody looks whether agencies still publish what is pinned.
    """

    me: str
    known: Registry
    config: Config
    ledger: Ledger
    outbox: Outbox
    settler: Settler
    rooms: Rooms
    waiting: Waiting
    metrics: Metrics
    clock: Clock
    log: Log
    compares: bool = True

    @asynccontextmanager
    async def running(self, stop: asyncio.Event) -> AsyncIterator[None]:
        """Run it all; from `stop` on nothing more is claimed, and what is under way is finished before this returns."""
        ending = asyncio.Event()
        tasks = [asyncio.create_task(self._lasting(work)) for work in self._work()]
        tasks.append(asyncio.create_task(_pass_on(stop, ending)))
        all_lanes = lanes(self.known, self.log, self.waiting.outage, self.metrics)
        delivering = [asyncio.create_task(self._delivering(lane, ending)) for lane in all_lanes]
        try:
            yield
        finally:
            ending.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *delivering, return_exceptions=True)

    async def _delivering(self, lane: Lane, ending: asyncio.Event) -> None:
        deliverer = Deliverer(lane=lane, outbox=self.outbox, lanes=self.ledger, settler=self.settler, clock=self.clock)
        running = asyncio.create_task(deliverer.run())
        await ending.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await deliverer.drain()

    async def _lasting(self, work: Work) -> None:
        """Run something that goes on for ever; when it breaks, say so and start it again."""
        while True:
            try:
                await work()
            except (asyncio.CancelledError, SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001 - polars' panics are no Exception; nobody else would hear of it
                self.log("bug", level="error", traceback="".join(traceback.format_exception(error)))
            else:
                return
            await self.clock.sleep(RESTART_AFTER)

    def _work(self) -> Iterator[Work]:
        yield self._watch_loop
        yield self._sweep
        yield self._dropped
        yield self._shed
        yield self._lane_figures
        yield self._disk_figures
        for inquiry in inquiries(self.known, self.log, self.waiting.down):
            ledger = self.ledger
            yield Inquirer(inquiry, deadlines=ledger, lanes=ledger, upkeep=ledger, clock=self.clock).run
        for agency in self.known.agencies.values():
            watch = self._contract_watch(agency)
            if watch is None:
                contracts.forget(self.metrics, agency.name)
            else:
                yield watch.run
            if agency.unready:
                self.log("agency-unready", level="error", agency=agency.name, why=agency.unready)
                continue
            if agency.probe is not None:
                yield partial(self._probe, agency)
            if agency.source is not None:
                self.log("feeds-watched", agency=agency.name, feeds=sorted(agency.feeds))
                figures = FeedFigures(self.metrics, agency.name, agency.feeds)
                yield self._feed_watch(agency, figures).run
                yield Intake(
                    agency=agency.name,
                    source=agency.source,
                    feeds=agency.feeds,
                    ledger=self.ledger,
                    me=new_message_id(),  # not the process: at a reload the one before must have let go
                    clock=self.clock,
                    log=partial(self.log, agency=agency.name),
                    report=self._file_news(agency.name, figures),
                    waiting=figures.waiting,
                    left=figures.left,
                    room=self.rooms,
                    zone=agency.zone,
                ).run

    def _feed_watch(self, agency: registry.Agency, figures: FeedFigures) -> FeedWatch:
        return FeedWatch(
            agency=agency.name,
            feeds=agency.feeds,
            receipts=self.ledger,
            arrivals=self.ledger,
            figures=figures,
            clock=self.clock,
            log=self.log,
        )

    def _contract_watch(self, agency: registry.Agency) -> ContractWatch | None:
        compared = agency.compared
        if not self.compares or compared is None or (every := compared.compare_every) is None:
            return None
        return ContractWatch(
            agency=agency.name,
            compared=compared,
            every=every,
            me=self.me,
            upkeep=self.ledger,
            metrics=self.metrics,
            clock=self.clock,
            log=self.log,
        )

    async def _watch_loop(self) -> None:
        lag = self.metrics.histogram("gateway_event_loop_lag_seconds")
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY
            await asyncio.sleep(LAG_EVERY)
            lag(max(0.0, loop.time() - due))

    async def _probe(self, agency: registry.Agency) -> None:
        up = self.metrics.gauge("gateway_agency_up", agency.name)
        passed, failed = (
            self.metrics.counter("gateway_agency_probes_total", agency.name, outcome) for outcome in ("ok", "failed")
        )
        while agency.probe is not None:
            try:
                await agency.probe.probe()
            except GatewayError:
                failed(1)
                up.set(0)
            else:
                passed(1)
                up.set(1)
            await self.clock.sleep(PROBE_EVERY)

    async def _sweep(self) -> None:
        """Take up the leases of processes that went away, in lanes that nobody claims from too.

        It writes each time, so that a disk that is full, or read-only, is noticed before somebody's request fails.
        """
        while True:
            try:
                await self.ledger.sweep()
                await self.ledger.hold("pulse", by=self.me, seconds=1.0)
            except LedgerUnavailable as error:
                if self.rooms.writable:
                    self.log("ledger-unavailable", level="error", why=str(error))
                self.rooms.writable = False
            else:
                if not self.rooms.writable:
                    self.log("ledger-back")
                self.rooms.writable = True
            await self.clock.sleep(SWEEP_EVERY)

    async def _dropped(self) -> None:
        """Say once of which operations messages wait that nobody here delivers; they are not lost (11.22)."""
        known = {operation.id for operation in self.known.operations.values() if operation.recording is not None}
        while True:
            with suppress(LedgerUnavailable):
                for operation, count in dropped(await self.ledger.unsettled(), known):
                    what = f"{count} wait until it is declared again, or is known to this process"
                    self.log("operation-dropped", level="warning", operation=operation, what=what)
                return
            await self.clock.sleep(SWEEP_EVERY)

    async def _shed(self) -> None:
        """Let go of what need not be kept any more, of agencies that are gone too; who holds the lease does it."""
        while True:
            again = SHED_AGAIN
            with suppress(LedgerUnavailable):
                if await self.ledger.hold(_SHED, by=self.me, seconds=SHED_EVERY) is not None:
                    for name in sorted({*self.config.agency, *(await self.rooms.stats())}):
                        await self._shed_lane(name, self._retention(name))
                    for feed in await self.ledger.feeds_kept():
                        await self._shed_files(feed)
                    again = SHED_EVERY
            await self.clock.sleep(again)

    def _retention(self, lane: str) -> Retention:
        if (agency := self.config.agency.get(lane)) is None:
            return Retention()
        kept = agency.retention
        return Retention(keys=kept.keys, bodies=kept.bodies, metadata=kept.metadata)

    async def _shed_lane(self, lane: str, retention: Retention) -> None:
        while (shed := await self.ledger.shed(lane, retention)).keys or shed.bodies or shed.rows:
            await self.clock.sleep(0.05)

    async def _shed_files(self, feed: str) -> None:
        agency = self.config.agency.get(feed.partition("/")[0])
        kept = (agency.retention if agency is not None else models.Retention()).files
        while await self.ledger.shed_files(feed, kept):
            await self.clock.sleep(0.05)

    async def _lane_figures(self) -> None:
        while True:
            try:
                for stats in (await self.rooms.stats()).values():
                    if stats.lane not in self.known.agencies:
                        continue
                    for state in COUNTED:
                        gauge = self.metrics.gauge("gateway_lane_messages", stats.lane, state.value)
                        gauge.set(stats.depth.get(state, 0))
                    self.metrics.gauge("gateway_lane_held", stats.lane).set(stats.held)
                    self.metrics.gauge("gateway_lane_unacknowledged", stats.lane).set(stats.overdue)
                    queue = self.known.agencies[stats.lane].queue
                    patience = queue.patience if queue is not None else 0.0
                    self.metrics.gauge("gateway_lane_patience_seconds", stats.lane).set(patience)
                    oldest = stats.oldest.timestamp() if stats.oldest is not None else 0
                    self.metrics.gauge("gateway_lane_oldest_pending_timestamp_seconds", stats.lane).set(oldest)
                    self._paused(stats)
                    self._answers(stats)
                self.metrics.gauge("gateway_ledger_up").set(self.rooms.writable)
            except LedgerUnavailable:
                self.metrics.gauge("gateway_ledger_up").set(0)
            await self.clock.sleep(FIGURES_EVERY)

    def _paused(self, stats: LaneStats) -> None:
        """Show each reason; an outage is what this process saw, the others are shared through the ledger."""
        held: set[str] = {pause.reason for pause in stats.pauses}
        if self.waiting.down(stats.lane):
            held.add("outage")
        for reason in PAUSES:
            self.metrics.gauge("gateway_lane_paused", stats.lane, reason).set(reason in held)

    def _answers(self, stats: LaneStats) -> None:
        due = stats.answer_by.timestamp() if stats.answer_by is not None else 0
        self.metrics.gauge("gateway_answers_near", stats.lane).set(stats.near)
        self.metrics.gauge("gateway_answers_past", stats.lane).set(stats.past)
        self.metrics.gauge("gateway_answers_earliest_due_timestamp_seconds", stats.lane).set(due)

    async def _disk_figures(self) -> None:
        """Look at the disk that must not fill up: where the ledger is, or the key and the spool beside PostgreSQL."""
        address = self.config.gateway.ledger
        database = Path(address.removeprefix(SQLITE)) if address.startswith(SQLITE) else None
        folder = folder_of(address)
        while folder.is_dir():
            disk = await asyncio.to_thread(shutil.disk_usage, folder)
            self.metrics.gauge("gateway_ledger_disk_free_bytes").set(disk.free)
            self.metrics.gauge("gateway_ledger_disk_size_bytes").set(disk.total)
            if database is not None:
                files = (database, database.with_name(f"{database.name}-wal"))
                taken = sum(file.stat().st_size for file in files if file.exists())
                self.metrics.gauge("gateway_ledger_bytes").set(taken)
            await self.clock.sleep(DISK_EVERY)

    def _file_news(self, agency: str, figures: FeedFigures) -> Callable[[FileNews], None]:
        """Return who hears of each file."""

        def hear(news: FileNews) -> None:
            figures.ended(news.receipt)
            self._tell_of_file(agency, news.receipt.feed.partition("/")[2], news)

        return hear

    def _tell_of_file(self, agency: str, feed: str, news: FileNews) -> None:
        receipt = news.receipt
        self.log(
            f"file-{receipt.state.value}",
            level="warning" if receipt.reason or receipt.tally.rejected else "info",
            agency=agency,
            feed=feed,
            file=receipt.file,
            receipt=receipt.number,
            accepted=receipt.tally.accepted,
            unchanged=receipt.tally.unchanged,
            rejected=receipt.tally.rejected,
            rules=dict(receipt.tally.rules),
            first=[
                f"record {row.number}: {'; '.join(_reason(reason) for reason in row.reasons)}" for row in news.first
            ],
            refused=say(receipt.reason, "en") if receipt.reason else None,
            what=became(receipt),
        )


async def resign(ledger: Ledger, me: str, agencies: Iterable[str] = ()) -> None:
    """Leave what one process does for all to another, when this one ends."""
    with suppress(LedgerUnavailable):
        for name in (_SHED, *map(contracts.lease, agencies)):
            await ledger.hold(name, by=me, seconds=0.0)


async def _pass_on(one: asyncio.Event, other: asyncio.Event) -> None:
    await one.wait()
    other.set()


def _reason(reason: FieldError) -> str:
    value = f" ({reason.value})" if reason.value else ""
    return f"{reason.where or ''} {reason.pointer} {say(reason, 'en')}{value}".strip()
