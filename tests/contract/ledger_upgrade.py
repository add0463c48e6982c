"""What becomes of the work in a ledger that an earlier gateway made, when this one opens it.

A store gives a fixture `past`: `open` makes or opens its ledger as one process does, `age` puts everything in it into
tables as the first step alone made them, `waiting` reads whom the ledger keeps out of a claim's
sight, and `end_as_before` settles as a gateway that knows only the first step.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import pytest

from gateway.ledger import Ledger
from gateway.message import MessageId, Outcome, Reply
from gateway.records import Buried, Delivered, Filter, Postponed, State, Ticket
from tests.contract.ledger import ACCEPTED, BODY, LANE, Stage, an_entry, tried


class Past(Protocol):
    """A store whose ledger can be made old."""

    async def open(self) -> Ledger: ...

    async def age(self) -> None: ...

    async def waiting(self) -> set[str]: ...

    async def end_as_before(self, message: MessageId) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Old:
    """What is in the old ledger: of each order key the messages in order, and two that are not in the queue."""

    buried: tuple[MessageId, ...]
    sent: tuple[MessageId, ...]
    ticket: Ticket
    free: tuple[MessageId, ...]
    alone: MessageId
    delivered: MessageId
    waited: set[str]


def staged(ledger: Ledger) -> Stage:
    async def another() -> Ledger:
        return ledger

    async def pass_time(_: float) -> None: ...

    return Stage(ledger, another, pass_time)


@pytest.fixture
async def old(past: Past) -> Old:
    """Leave a ledger with work of every kind, as it was before this gateway."""
    stage = staged(await past.open())
    delivered = await stage.put(an_entry(subject="ani", key="k-1", answer_by=ACCEPTED))
    (claim,) = await stage.claim()
    assert await stage.settle(claim.ticket, Postponed(seconds=0.0), tried(error="HTTP 503"))
    (claim,) = await stage.claim()
    assert await stage.settle(claim.ticket, Delivered(reply=Reply(body=BODY)), tried(Outcome.OK))
    assert await stage.ledger.get(delivered, unmasked_by="sri")
    buried = [await stage.put(an_entry(order_key="ani"))]
    (claim,) = await stage.claim()
    assert await stage.settle(claim.ticket, Buried(reason="misfit", text="jenis"), tried())
    sent = [await stage.put(an_entry(order_key="budi"))]
    (claim,) = await stage.claim()
    buried += [await stage.put(an_entry(order_key="ani")) for _ in range(2)]
    sent += [await stage.put(an_entry(order_key="budi")) for _ in range(2)]
    free = [await stage.put(an_entry(order_key="cici")) for _ in range(2)]
    alone = await stage.put()
    waited = await past.waiting()
    assert waited == {*buried[1:], *sent[1:], free[1]}
    await past.age()
    return Old(
        buried=tuple(buried),
        sent=tuple(sent),
        ticket=claim.ticket,
        free=tuple(free),
        alone=alone,
        delivered=delivered,
        waited=waited,
    )


class UpgradeContract:
    async def test_what_was_queued_goes_on_in_order(self, past: Past, old: Old) -> None:
        stage = staged(await past.open())
        assert await past.waiting() == old.waited
        first, second = await stage.claim()
        assert (first.ticket.id, second.ticket.id) == (old.free[0], old.alone)
        assert first.message.body == BODY
        assert await stage.settle(first.ticket, Delivered(), tried())
        assert await stage.claimed() == [old.free[1]]
        assert await stage.settle(old.ticket, Delivered(), tried())
        for message in old.sent[1:]:
            (claim,) = await stage.claim()
            assert claim.ticket.id == message
            assert await stage.settle(claim.ticket, Delivered(), tried())
        assert await stage.claim() == ()

    async def test_what_a_buried_one_kept_back_waits_for_people(self, past: Past, old: Old) -> None:
        stage = staged(await past.open())
        await stage.claim()
        behind = await stage.put(an_entry(order_key="ani"))
        assert behind in await past.waiting()
        assert await stage.ledger.replay([old.buried[0]], by="sri") == (old.buried[0],)
        for message in (*old.buried, behind):
            (claim,) = await stage.claim()
            assert claim.ticket.id == message
            assert await stage.settle(claim.ticket, Delivered(), tried())
        assert await stage.claim() == ()

    async def test_what_is_settled_is_found_with_all_that_was_kept_of_it(self, past: Past, old: Old) -> None:
        ledger = await past.open()
        for wanted in (Filter(subject="ani"), Filter(states=frozenset({State.DELIVERED}))):
            assert [row.id for row in (await ledger.search(wanted)).rows] == [old.delivered]
        assert len((await ledger.search(Filter(lane=LANE))).rows) == 1 + 3 + 3 + 2 + 1
        record = await staged(ledger).record(old.delivered)
        assert (record.body, record.answer) == (BODY, Reply(body=BODY))
        assert [attempt.error for attempt in record.attempts] == ["HTTP 503", ""]
        assert [(deed.act, deed.by) for deed in record.deeds] == [("unmask", "sri")]
        assert (await ledger.put(an_entry(key="k-1")))[0].id == old.delivered
        assert (await staged(ledger).record(old.buried[2])).held == old.buried[0]

    async def test_two_that_open_it_at_once_share_it(self, past: Past, old: Old) -> None:
        one, other = await asyncio.gather(past.open(), past.open())
        claims = [*await staged(one).claim(1), *await staged(other).claim(1)]
        assert [claim.ticket.id for claim in claims] == [old.free[0], old.alone]
        assert await past.waiting() == old.waited

    async def test_what_an_old_process_kept_waiting_goes_on_at_the_next_start(self, past: Past, old: Old) -> None:
        stage = staged(await past.open())
        await stage.claim()
        await past.end_as_before(old.sent[0])
        assert await stage.claim() == ()
        assert await staged(await past.open()).claimed() == [old.sent[1]]
        assert await past.waiting() == old.waited - {old.sent[1]}
