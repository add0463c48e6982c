"""Whatever is asked of a ledger in whatever order, it does what the model does."""

import asyncio
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.errors import IdempotencyMismatch
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import OperationId, Outcome, new_message_id
from gateway.records import (
    Delivered,
    Entry,
    Filter,
    LaneStats,
    Pause,
    PauseReason,
    Receipt,
    Refused,
    Retention,
    Settlement,
    State,
    Terms,
    Ticket,
    Verdict,
)
from tests.contract.ledger import FILE_PERMIT, Stage, a_message, an_entry, tried
from tests.fakes import MONDAY_MORNING, Settable
from tests.laws.ledger_draws import (
    LANES,
    LEASE,
    ages,
    at_time,
    bodies,
    entries,
    lanes,
    maybe_at,
    places,
    reasons,
    verdicts,
    who,
)
from tests.laws.ledger_model import Closed, Kept, Model
from tests.laws.longer import LONGER


class LedgerMachine(RuleBasedStateMachine):
    """Does the same to a ledger and to the model; a store's machine says how to open it."""

    leases_move: ClassVar[bool]
    """Whether leases move with the clock on the wall when that is set."""

    async def open(self) -> Stage:
        raise NotImplementedError

    async def jump(self, seconds: int) -> None:
        """Set the clock on the wall."""
        raise NotImplementedError

    @initialize()
    def start(self) -> None:
        self.runner = asyncio.Runner()
        self.stage = self.runner.run(self.open())
        self.model = Model()
        self.tickets: list[Ticket] = []

    @rule(several=st.lists(entries, min_size=1, max_size=4))
    def put(self, several: list[Entry]) -> None:
        for entry in several:
            self.record(entry, direct=False)

    @rule(entry=entries)
    def begin(self, entry: Entry) -> None:
        self.record(entry, direct=True)

    def record(self, entry: Entry, *, direct: bool) -> None:
        message = entry.message.but(id=new_message_id(), accepted_at=at_time(self.model.now))
        entry = replace(entry, message=message)
        kept = self.model.put(self.kept(entry, direct=direct))
        try:
            receipt = self.runner.run(self.recorded(entry, direct=direct))
        except IdempotencyMismatch:
            assert kept is None
            return
        assert kept is not None
        assert (receipt.id, receipt.state, receipt.accepted_at) == (kept.id, kept.state, at_time(kept.accepted))
        assert receipt.fresh == (kept.id == entry.message.id)
        if receipt.ticket is not None:
            kept.good = receipt.ticket
            self.tickets.append(receipt.ticket)

    @rule(
        lane=lanes,
        limit=st.integers(0, 3),
        most=st.sampled_from([None, None, 2]),
        probe=st.sampled_from([False, False, True]),
    )
    def claim(self, lane: str, limit: int, most: int | None, probe: bool) -> None:
        wanted = self.model.claim(lane, limit, most, probe=probe)
        terms = Terms(most=most, probe=probe)
        claims = self.runner.run(self.stage.ledger.claim(lane, limit, lease=float(LEASE), terms=terms))
        assert [claim.ticket.id for claim in claims] == [message.id for message in wanted]
        for claim, message in zip(claims, wanted, strict=True):
            seen = (claim.uncertain, claim.attempts, claim.failures, claim.repeat)
            assert seen == (message.uncertain, message.attempts, message.failures, message.repeat)
            message.state, message.leased, message.good = State.DELIVERING, self.model.now + LEASE, claim.ticket
            self.tickets.append(claim.ticket)

    @precondition(lambda self: self.tickets)
    @rule(place=places, verdict=verdicts, attempted=st.booleans(), newest=st.booleans())
    def settle(self, place: int, verdict: Verdict, attempted: bool, newest: bool) -> None:
        ticket = self.tickets[-1 - place % len(self.tickets)] if newest else self.tickets[place % len(self.tickets)]
        self.settled(ticket, verdict, attempted=attempted)

    def settled(self, ticket: Ticket, verdict: Verdict, *, attempted: bool) -> None:
        attempt = tried(Outcome.OK) if attempted else None
        settlement = Settlement(ticket=ticket, verdict=verdict, tried=attempt)
        done = self.runner.run(self.stage.ledger.settle(settlement))
        assert done == (self.model.settle(ticket, verdict, tried=attempted),)

    @rule(
        lane=lanes,
        limit=st.sampled_from([1, 1, 3]),
        several=st.lists(verdicts, min_size=1, max_size=4),
        seconds=st.sampled_from([0, 0, 1, 15, 25]),
    )
    def deliver(self, lane: str, limit: int, several: list[Verdict], seconds: int) -> None:
        for verdict in several:
            before = len(self.tickets)
            self.claim(lane, limit, None, probe=False)
            self.let_time_pass(seconds)
            for ticket in self.tickets[before:]:
                self.settled(ticket, verdict, attempted=True)

    @precondition(lambda self: self.tickets)
    @rule(place=places)
    def extend(self, place: int) -> None:
        ticket = self.tickets[place % len(self.tickets)]
        held = self.runner.run(self.stage.ledger.extend(ticket, lease=float(LEASE)))
        wanted = [one for one in self.model.messages if one.good == ticket and one.state is State.DELIVERING]
        for message in wanted:
            message.leased = self.model.now + LEASE
        assert held == {message.id for message in wanted}

    @rule(seconds=st.sampled_from([1, 4, 15, 25, 100]))
    def let_time_pass(self, seconds: int) -> None:
        self.model.now += seconds
        self.runner.run(self.stage.pass_time(float(seconds)))

    @rule(by=st.sampled_from([-100, -25, -4, 4, 25]))
    def set_clock(self, by: int) -> None:
        for lane in LANES:  # how long a lane was open is only known as well as the clock by which it was
            self.idle(lane)
        self.runner.run(self.jump(by))
        self.model.set_clock(by, leases_move=self.leases_move)
        self.sweep()

    @rule()
    def sweep(self) -> None:
        over = [one for one in self.model.messages if one.state is State.DELIVERING and one.leased <= self.model.now]
        for message in over:
            self.model.take_up(message)
        assert self.runner.run(self.stage.ledger.sweep()) == len(over)

    @rule(
        lane=lanes,
        reason=reasons,
        by=who,
        until=st.sampled_from([None, 5, 25, 25]),
        then=st.sampled_from([None, 1, 25]),
    )
    def pause(self, lane: str, reason: PauseReason, by: str, until: int | None, then: int | None) -> None:
        end = None if until is None else self.model.now + until
        self.model.pause(lane, reason, by, end)
        self.runner.run(self.stage.ledger.pause(lane, reason, by=by, until=maybe_at(end)))
        if then is not None:
            self.claim(lane, 3, None, probe=False)
            self.let_time_pass(then)
            self.resume(lane, None, by)

    @rule(lane=lanes, reason=st.one_of(st.none(), st.none(), reasons), by=who)
    def resume(self, lane: str, reason: PauseReason | None, by: str) -> None:
        done = self.runner.run(self.stage.ledger.resume(lane, reason, by=by))
        assert done == self.model.resume(lane, reason, by)

    @rule(lane=lanes)
    def idle(self, lane: str) -> None:
        self.model.shut(lane)
        self.runner.run(self.stage.ledger.idle(lane))

    @precondition(lambda self: self.model.messages)
    @rule(place=places, unknown=st.booleans())
    def replay(self, place: int, unknown: bool) -> None:
        message = self.at(place, State.BURIED, State.EXPIRED, State.REFUSED)
        done = self.runner.run(self.stage.ledger.replay([message.id], by="sri", unknown=unknown))
        assert bool(done) == self.model.replay(message, unknown=unknown)

    @precondition(lambda self: self.model.messages)
    @rule(place=places, verdict=st.sampled_from([Delivered(), Refused()]))
    def resolve(self, place: int, verdict: Delivered | Refused) -> None:
        message = self.at(place, State.UNKNOWN)
        done = self.runner.run(self.stage.ledger.resolve(message.id, verdict, by="sri"))
        assert done == self.model.resolve(message, verdict)

    @precondition(lambda self: self.model.messages)
    @rule(place=places)
    def cancel(self, place: int) -> None:
        message = self.at(place, State.BURIED)
        assert self.runner.run(self.stage.ledger.cancel(message.id, by="sri")) == self.model.cancel(message)

    @precondition(lambda self: self.model.messages)
    @rule(place=places, body=bodies, sure=st.booleans())
    def edit(self, place: int, body: str, sure: bool) -> None:
        message = self.at(place, State.BURIED)
        done = self.runner.run(self.stage.ledger.edit(message.id, {"isi": body}, by="sri", sure=sure))
        assert done == self.model.edit(message, body, sure=sure)

    @rule(key=st.sampled_from(["k-1", "k-2"]), body=bodies)
    def find(self, key: str, body: str) -> None:
        wanted = self.model.find((key, body))
        entry = an_entry(key=key, body={"isi": body})
        if wanted is not None and wanted.key != (key, body):
            with pytest.raises(IdempotencyMismatch):
                self.runner.run(self.stage.ledger.find(entry))
        else:
            assert self.runner.run(self.stage.ledger.find(entry)) == (wanted and self.known(wanted))

    @precondition(lambda self: self.model.messages)
    @rule(place=places, unmask=st.booleans())
    def get(self, place: int, unmask: bool) -> None:
        message = self.at(place)
        message.deeds += ["unmask"] * unmask
        entry = an_entry(message=a_message(id=message.id))
        assert self.runner.run(self.stage.ledger.find(entry)) == self.known(message)
        record = self.runner.run(self.stage.ledger.get(message.id, unmasked_by="sri" if unmask else None))
        assert record is not None
        body = None if message.stage == 2 else {"isi": message.body}
        assert (record.shed, record.summary.answered_at) == (message.stage == 2, maybe_at(message.answered))
        assert (record.body, record.held, record.readable) == (body, self.model.held(message), True)
        assert [one.number for one in record.attempts] == list(range(1, message.attempts + 1))
        assert [one.act for one in record.deeds] == message.deeds

    @invariant()
    def every_lane_stands_where_the_model_says(self) -> None:
        seen = {one.lane: one for one in self.runner.run(self.stage.ledger.stats())}
        listed = self.runner.run(self.stage.ledger.list())
        assert sorted(seen) == list(seen)
        for lane in LANES:  # one that a store does not know stands as an empty one
            stats, oldest = seen.get(lane, LaneStats(lane=lane)), self.model.oldest(lane)
            assert (dict(stats.depth), stats.held) == (self.model.depth(lane), self.model.waiting(lane))
            assert stats.oldest == maybe_at(oldest)
            pauses = [Pause(lane=lane, **self.paused(why, one)) for why, one in self.model.pauses(lane)]
            assert list(stats.pauses) == pauses == [one for one in listed if one.lane == lane]
            near, past, answer_by = self.model.clocks(lane)
            assert (stats.near, stats.past, stats.answer_by) == (near, past, maybe_at(answer_by))
            assert round(stats.open_seconds, 3) == self.model.open_time(lane)

    @rule(lane=lanes, most=st.integers(0, 3))
    def look_how_far_behind(self, lane: str, most: int) -> None:
        backlog = self.runner.run(self.stage.ledger.backlog(lane, Terms(most=most)))
        waited, ended, since = self.model.backlog(lane, most)
        assert (round(backlog.waited, 3), backlog.ended) == (waited, ended)
        assert backlog.since == maybe_at(since)

    @rule(lane=lanes, keys=ages, bodies=ages, metadata=ages)
    def shed(self, lane: str, keys: float, bodies: float, metadata: float) -> None:
        retention = Retention(keys=keys, bodies=bodies, metadata=metadata)
        assert self.runner.run(self.stage.ledger.shed(lane, retention)) == self.model.shed(lane, retention)

    @rule(lane=lanes, ours=st.sampled_from([True, True, False]), again=st.sampled_from([0, 10, 50]))
    def ask(self, lane: str, ours: bool, again: int) -> None:
        operations = [FILE_PERMIT] if ours else [OperationId("dpmptsp/lain")]
        wanted = self.model.to_ask(lane) if ours else []
        message = self.runner.run(self.stage.ledger.to_ask(lane, operations, again=float(again)))
        assert (message is None) == (not wanted)
        if message is not None:
            (asked,) = (one for one in wanted if one.id == message.id)
            assert message.body == {"isi": asked.body}
            asked.ask = self.model.now + again

    @precondition(lambda self: self.model.messages)
    @rule(place=places)
    def answer(self, place: int) -> None:
        message = self.at(place, State.DELIVERED)
        assert self.runner.run(self.stage.ledger.answered(message.id, by="sri")) == self.model.answered(message)

    @rule()
    def be_another_process(self) -> None:
        self.stage = replace(self.stage, ledger=self.runner.run(self.stage.another()))

    @invariant()
    def every_message_stands_where_the_model_says(self) -> None:
        page = self.runner.run(self.stage.ledger.search(Filter(), limit=1000))
        seen = {row.id: (row.state, row.attempts, row.direct) for row in page.rows}
        assert seen == {one.id: (one.state, one.attempts, one.direct) for one in self.model.messages}

    def at(self, place: int, *states: State) -> Kept:
        """Return some message, in every other place one that is in these states, if there is one."""
        fit = [one for one in self.model.messages if one.state in states] if place % 2 else []
        some = fit or self.model.messages
        return some[place // 2 % len(some)]

    def paused(self, reason: PauseReason, one: Closed) -> dict[str, Any]:
        return {"reason": reason, "by": one.by, "since": at_time(one.since), "until": maybe_at(one.until)}

    def since_start(self, at: datetime | None) -> int | None:
        return None if at is None else round((at - MONDAY_MORNING).total_seconds())

    def known(self, message: Kept) -> Receipt:
        accepted = at_time(message.accepted)
        return Receipt(id=message.id, state=message.state, accepted_at=accepted, fresh=False)

    async def recorded(self, entry: Entry, *, direct: bool) -> Receipt:
        if direct:
            return await self.stage.ledger.begin(entry, lease=float(LEASE))
        return (await self.stage.ledger.put(entry))[0]

    def kept(self, entry: Entry, *, direct: bool) -> Kept:
        key = entry.message.idempotency_key
        return Kept(
            id=entry.message.id,
            lane=entry.lane,
            repeat=entry.repeat,
            body=entry.message.body["isi"],
            order=entry.order_key,
            skip=entry.skip_buried,
            key=None if key is None else (key, entry.message.body["isi"]),
            expires=None if entry.expires is None else int(entry.expires),
            limit=None,
            answer_by=self.since_start(entry.answer_by),
            near_at=self.since_start(entry.near_at),
            until_final=entry.until_final,
            direct=direct,
            accepted=self.model.now,
            due=self.model.now,
            state=State.DELIVERING if direct else State.PENDING,
            leased=self.model.now + LEASE,
        )


class SqliteMachine(LedgerMachine):
    opened: ClassVar[list[SqliteLedger]]
    leases_move = True

    async def open(self) -> Stage:
        self.folder = tempfile.TemporaryDirectory()
        self.opened = []
        self.clock = Settable(autojump=False)
        place = Path(self.folder.name)

        async def another() -> SqliteLedger:
            ledger = await SqliteLedger.open(place / "ledger.db", KeySource(path=place / "ledger.key"), self.clock)
            self.opened.append(ledger)
            return ledger

        return Stage(await another(), another, self.clock.advance)

    async def jump(self, seconds: int) -> None:
        self.clock.ahead += seconds

    def teardown(self) -> None:
        for ledger in self.opened:
            self.runner.run(ledger.close())
        self.runner.close()
        self.folder.cleanup()


TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = settings(
    max_examples=30 * LONGER, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
