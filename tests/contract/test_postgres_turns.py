"""Several transactions at the messages of one order key at once: none of them is left waiting for ever."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from gateway.clock import SystemClock
from gateway.ledger.keys import Keys, KeySource
from gateway.ledger.postgres import PostgresLedger, people, putting
from gateway.ledger.postgres.putting import Put
from gateway.ledger.postgres.store import Connection
from gateway.ledger.rows import pack
from gateway.message import MessageId
from gateway.records import (
    Buried,
    Delivered,
    Entry,
    Filter,
    Postponed,
    Refused,
    Settlement,
    State,
    Unknown,
    Verdict,
)
from tests.contract.ledger import LANE, LEASE, Stage, an_entry, tried
from tests.postgres import Cluster

ORDER_KEYS = ("ani", "budi", "cici")
STEPS = 150
_LOST = """
SELECT count(*) FROM message AS m WHERE waits AND (state <> 'pending' OR NOT EXISTS (
    SELECT 1 FROM message AS older WHERE older.holds AND older.order_key = m.order_key AND older.seq < m.seq))
"""
_BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another replica, in the middle of a transaction."""

    lent: Connection
    keys: Keys

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        yield self.lent

    transaction = connection

    async def put(self, entry: Entry) -> MessageId:
        (receipts,) = await putting.put(self, [Put(packed=(pack(entry, self.keys),))])
        return receipts[0].id

    async def cancel(self, message: MessageId) -> None:
        assert await people.cancel(self.lent, self.keys, message, "sri") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A ledger, a rival, and somebody who looks."""

    stage: Stage
    rival: Rival
    looks: Connection

    async def put(self) -> MessageId:
        return await self.stage.put(an_entry(order_key="ani"))

    async def waits(self, message: MessageId) -> bool:
        return bool(await self.looks.fetchval("SELECT waits FROM message WHERE id = $1", message))

    async def lost(self) -> int:
        return int(await self.looks.fetchval(_LOST))

    async def somebody_is_blocked(self) -> None:
        async with asyncio.timeout(10):
            while not await self.looks.fetchval(_BLOCKED):  # noqa: ASYNC110 # nobody there could set an event
                await asyncio.sleep(0.01)


@pytest.fixture
async def scene(postgres: Cluster, tmp_path: Path) -> AsyncIterator[Scene]:
    url, source = postgres.database(), KeySource(path=tmp_path / "ledger.key")
    ledgers: list[PostgresLedger] = []

    async def another() -> PostgresLedger:
        ledgers.append(await PostgresLedger.open(url, source, SystemClock()))
        return ledgers[-1]

    async def pass_time(_: float) -> None: ...

    lent, looks = await asyncpg.connect(url), await asyncpg.connect(url)
    first = await another()
    rival = Rival(lent=lent, keys=source.load(None))
    yield Scene(stage=Stage(first, another, pass_time), rival=rival, looks=looks)
    for one in ledgers:
        await one.close()
    await lent.close()
    await looks.close()


async def test_what_is_put_behind_another_waits_until_that_ends(scene: Scene) -> None:
    first, second, third = [await scene.put() for _ in range(3)]
    assert [await scene.waits(one) for one in (first, second, third)] == [False, True, True]
    await scene.stage.end(first, Delivered())
    assert [await scene.waits(one) for one in (first, second, third)] == [False, False, True]


async def test_what_is_put_together_waits_too(scene: Scene) -> None:
    entries = [an_entry(order_key=key) for key in ("ani", "budi", "ani", "ani")]
    receipts = await scene.stage.ledger.put(*entries)
    assert [await scene.waits(one.id) for one in receipts] == [False, False, True, True]


async def test_cancelling_what_waits_lets_none_behind_it_into_the_claims_sight(scene: Scene) -> None:
    await scene.put()
    second, third = [await scene.put() for _ in range(2)]
    assert await scene.stage.ledger.cancel(second, by="sri")
    assert await scene.waits(third)


async def test_an_end_waits_for_a_put_that_saw_it_hold_the_key(scene: Scene) -> None:
    first = await scene.put()
    (claim,) = await scene.stage.claim()
    async with scene.rival.lent.transaction():
        second = await scene.rival.put(an_entry(order_key="ani"))
        ending = asyncio.create_task(scene.stage.settle(claim.ticket, Delivered()))
        await scene.somebody_is_blocked()
    assert await ending
    assert claim.ticket.id == first
    assert await scene.stage.claimed() == [second]


async def test_a_put_does_not_wait_for_an_end_but_stays_in_sight(scene: Scene) -> None:
    first = await scene.put()
    async with scene.rival.lent.transaction():
        await scene.rival.cancel(first)
        second = await scene.put()
        assert not await scene.waits(second)
        assert await scene.stage.claimed() == []
    assert await scene.stage.claimed() == [second]


async def test_a_put_under_way_keeps_no_claim_from_the_one_before_it(scene: Scene) -> None:
    first = await scene.put()
    async with scene.rival.lent.transaction():
        await scene.rival.put(an_entry(order_key="ani"))
        assert await scene.stage.claimed() == [first]


async def test_the_turn_passes_over_one_that_ends_at_the_same_time(scene: Scene) -> None:
    first, second = await scene.put(), await scene.put()
    (claim,) = await scene.stage.claim()
    async with scene.rival.lent.transaction():
        await scene.rival.cancel(second)
        third = await scene.put()  # nobody who ends the second could have seen it
        ending = asyncio.create_task(scene.stage.settle(claim.ticket, Delivered()))
        await scene.somebody_is_blocked()
    assert await ending
    assert claim.ticket.id == first
    assert await scene.stage.claimed() == [third]


async def test_the_turn_passes_on_when_one_is_taken_up_and_buried_while_others_are_put(scene: Scene) -> None:
    message = await scene.stage.put(an_entry(order_key="ani", repeat="never", skip_buried=True))
    await scene.stage.ledger.claim(LANE, 1, lease=0.0)
    second = await scene.put()
    assert await scene.stage.claimed() == [second]
    assert await scene.stage.state(message) is State.UNKNOWN


class Crowd:
    """Replicas that do everything to a few order keys at once, and never have two of a key in flight."""

    def __init__(self, scene: Scene, replicas: list[PostgresLedger]) -> None:
        self.scene = scene
        self.replicas = replicas
        self.chance = random.Random(4)
        self.numbers = count()
        self.keys: dict[MessageId, str] = {}
        self.flying: set[str] = set()

    async def put(self, replica: PostgresLedger) -> None:
        several = [self.chance.choice(ORDER_KEYS) for _ in range(self.chance.choice((1, 1, 3)))]
        skips = self.chance.random() < 0.5
        entries = [an_entry(order_key=key, skip_buried=skips, expires=3600.0) for key in several]
        self.keys |= {entry.message.id: key for entry, key in zip(entries, several, strict=True)}
        await replica.put(*entries)

    async def deliver(self, replica: PostgresLedger) -> None:
        verdict: Verdict = self.chance.choice(
            (Delivered(), Delivered(), Refused(), Buried(reason="poison"), Unknown(), Postponed(seconds=0.0))
        )
        claims = await replica.claim(LANE, 3, lease=LEASE)
        flying = [self.keys[claim.ticket.id] for claim in claims]
        assert len(set(flying)) == len(flying)
        assert self.flying.isdisjoint(flying)
        self.flying.update(flying)
        await asyncio.sleep(0)
        self.flying.difference_update(flying)
        if claims:
            done = await replica.settle(
                *(Settlement(ticket=one.ticket, verdict=verdict, tried=tried()) for one in claims)
            )
            assert all(done)

    async def cancel(self, replica: PostgresLedger) -> None:
        if self.keys:
            await replica.cancel(self.chance.choice(list(self.keys)), by="sri")

    async def replay(self, replica: PostgresLedger) -> None:
        if self.keys:
            chosen = self.chance.choices(list(self.keys), k=5)
            await replica.replay(chosen, by="sri", unknown=True)

    async def resolve(self, replica: PostgresLedger) -> None:
        if self.keys:
            await replica.resolve(self.chance.choice(list(self.keys)), Delivered(), by="sri")

    async def work(self, replica: PostgresLedger) -> None:
        acts = (self.put, self.put, self.deliver, self.deliver, self.deliver, self.cancel, self.replay, self.resolve)
        for _ in range(STEPS):
            await self.chance.choice(acts)(replica)

    async def deliver_all(self) -> None:
        ledger = self.replicas[0]
        for one in self.keys:
            if await self.scene.stage.state(one) is State.BURIED:
                await ledger.cancel(one, by="sri")  # unknown then, if it may have been done
            await ledger.resolve(one, Delivered(), by="sri")
        while claims := await ledger.claim(LANE, 100, lease=LEASE):
            await ledger.settle(*(Settlement(ticket=claim.ticket, verdict=Delivered()) for claim in claims))


async def test_in_a_crowd_none_is_lost_and_no_two_of_a_key_are_in_flight(scene: Scene) -> None:
    crowd = Crowd(scene, [scene.stage.ledger, await scene.stage.another()])
    await asyncio.gather(*(crowd.work(replica) for replica in crowd.replicas for _ in range(4)))
    assert await scene.lost() == 0
    await crowd.deliver_all()
    assert (await scene.stage.ledger.search(Filter(states=frozenset({State.PENDING})))).rows == ()
