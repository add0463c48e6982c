"""What is recorded before anything is sent, and what an app is told of it (docs/design.md, section 11)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from gateway.errors import (
    AgencyTimeout,
    GatewayError,
    IdempotencyMismatch,
    InProgress,
    LedgerUnavailable,
    Overloaded,
    Refused,
    TranslationError,
    Unavailable,
    UnknownOutcome,
)
from gateway.message import Reply
from gateway.recorder import Accepted, Recorder
from gateway.records import Delivered, Entry, Filter, Receipt, Record, Settlement, State, Unknown
from gateway.records import Refused as RefusedVerdict
from gateway.settle import Settler
from tests.delivery import LANE
from tests.recording import DIRECT, DONE, STORED, Desk


async def test_rule_11_5_the_same_key_with_another_body_is_a_mismatch(desk: Desk) -> None:
    await desk.ask(DIRECT)
    with pytest.raises(IdempotencyMismatch):
        await desk.ask(DIRECT, body={"n": 2})
    assert desk.calls == 1


async def test_rule_11_6_a_repeated_key_gets_the_kept_answer_and_the_agency_is_asked_once(desk: Desk) -> None:
    first, again = await desk.ask(DIRECT), await desk.ask(DIRECT)
    assert (first.body, first.recorded) == (again.body, again.recorded)
    assert desk.calls == 1
    assert await desk.states() == [State.DELIVERED]


async def test_rule_11_6_without_a_key_nothing_is_recorded(desk: Desk) -> None:
    await desk.ask(DIRECT, key=None)
    assert await desk.states() == []


async def test_rule_11_6_the_intent_is_on_disk_before_the_agency_is_asked(desk: Desk) -> None:
    desk.seconds = 5.0
    asking = asyncio.create_task(desk.ask(DIRECT))
    await desk.clock.sleep(1.0)
    assert await desk.states() == [State.DELIVERING]
    await asking


async def test_rule_11_6_a_refusal_is_kept_as_any_answer(desk: Desk) -> None:
    desk.end = Refused("tunggakan", maybe_done=False)
    for _ in range(2):
        with pytest.raises(Refused, match="tunggakan"):
            await desk.ask(DIRECT)
    assert desk.calls == 1


@pytest.mark.parametrize(
    "error",
    [Unavailable("HTTP 503", maybe_done=False), Overloaded("full", retry_after=1.0), TranslationError("request", [])],
)
async def test_rule_11_6_what_was_certainly_not_done_frees_the_key(desk: Desk, error: GatewayError) -> None:
    desk.end = error
    with pytest.raises(type(error)):
        await desk.ask(DIRECT)
    desk.end = DONE
    assert (await desk.ask(DIRECT)).body == DONE.body
    assert await desk.states() == [State.DELIVERED, State.CANCELLED]


async def test_rule_11_6_who_waited_for_a_key_that_was_freed_has_it_next(desk: Desk) -> None:
    desk.seconds, desk.end = 5.0, Unavailable("HTTP 503", maybe_done=False)
    first = asyncio.create_task(desk.ask(DIRECT))
    await desk.clock.sleep(1.0)
    second = asyncio.create_task(desk.ask(DIRECT))
    await desk.clock.sleep(1.0)
    desk.end = DONE
    with pytest.raises(Unavailable):
        await first
    assert (await second).body == DONE.body
    assert desk.calls == 2


@pytest.mark.parametrize("replayed", [True, False])
async def test_rule_11_6_what_was_cancelled_with_its_key_ends_the_call_that_comes_with_it_again(
    desk: Desk, replayed: bool
) -> None:
    """An operator replayed and cancelled it, or it was stored and its operation has become a direct one."""
    if replayed:
        desk.end = Refused("tunggakan", maybe_done=False)
        with pytest.raises(Refused) as told:
            await desk.ask(DIRECT)
        recorded = told.value.recorded
        assert await desk.ledger.replay([recorded], by="budi")
    else:
        recorded = (await desk.ask(STORED)).recorded
    assert await desk.ledger.cancel(recorded, by="budi")
    calls = desk.calls
    async with asyncio.timeout(5.0):
        again = await desk.ask(DIRECT)
    assert isinstance(again, Accepted)
    assert (again.recorded, again.record.summary.state) == (recorded, State.CANCELLED)
    assert desk.calls == calls


async def test_rule_11_6_who_waited_until_its_deadline_asks_for_the_key_no_more(desk: Desk) -> None:
    """Whoever has the key gives it back each time, and somebody else has it before it can be taken."""
    held = desk.ledger
    begun = 0

    class Contended:
        def __getattr__(self, name: str) -> Any:
            return getattr(held, name)

        async def begin(self, entry: Entry, **_: float) -> Receipt:
            nonlocal begun
            begun += 1
            return Receipt(id=entry.message.id, state=State.DELIVERING, accepted_at=desk.clock.now(), fresh=False)

        async def wait(self, _message: str, seconds: float) -> Record:
            await desk.clock.sleep(min(seconds, 8.0))
            return gone.record

    await desk.ask(STORED, key="another")
    (row,) = (await held.search(Filter())).rows
    assert await held.cancel(row.id, by="budi")
    gone = await desk.ask(STORED, key="another")
    assert isinstance(gone, Accepted)
    desk.ledger = Contended()
    async with asyncio.timeout(5.0):
        await desk.ask(DIRECT)
    assert begun == 4


async def test_rule_11_6_an_intent_whose_lease_ended_is_unknown(desk: Desk) -> None:
    desk.seconds = 10_000.0
    gone = asyncio.create_task(desk.ask(DIRECT))
    await desk.clock.sleep(1.0)
    gone.cancel()  # as a process that was killed
    with pytest.raises(InProgress):
        await desk.ask(DIRECT)
    await desk.clock.sleep(60.0)
    for _ in range(2):
        with pytest.raises(UnknownOutcome) as told:
            await desk.ask(DIRECT)
        assert told.value.recorded is not None
    assert desk.calls == 1


async def test_rule_11_6_a_lease_outlives_the_callers_own_deadline(desk: Desk) -> None:
    """A composite may allow more than its target does."""
    desk.seconds = 90.0
    message = desk.message("k", None).but(deadline=desk.clock.monotonic() + 100.0)

    async def room(_lane: str) -> None:
        return None

    recorder = Recorder(outbox=desk.ledger, settler=Settler(desk.ledger, desk.clock), clock=desk.clock, room=room)
    asking = asyncio.create_task(recorder.handler(DIRECT, desk.agency)(message))
    await desk.clock.sleep(80.0)
    assert await desk.ledger.sweep() == 0
    await asking


async def test_rule_11_7_the_same_key_in_flight_waits_for_the_answer(desk: Desk) -> None:
    desk.seconds = 5.0
    first, second = await asyncio.gather(desk.ask(DIRECT), desk.ask(DIRECT))
    assert first == second
    assert desk.calls == 1


async def test_rule_11_7_what_nobody_knows_is_told_each_time(desk: Desk) -> None:
    desk.end = AgencyTimeout("no answer", maybe_done=True)
    with pytest.raises(AgencyTimeout):
        await desk.ask(DIRECT)
    for _ in range(2):
        with pytest.raises(UnknownOutcome):
            await desk.ask(DIRECT)
    assert desk.calls == 1


async def test_rule_11_18_what_is_stored_is_safe_and_the_edge_never_delivers(desk: Desk) -> None:
    told = await desk.ask(STORED)
    assert isinstance(told, Accepted)
    assert (told.record.summary.state, told.recorded) == (State.PENDING, told.record.summary.id)
    assert desk.calls == 0
    assert desk.clock.monotonic() == 1003.0


@pytest.mark.parametrize("wait", [0.0, 10.0])
async def test_rule_11_18_the_caller_may_wait_as_long_as_it_likes_up_to_its_deadline(desk: Desk, wait: float) -> None:
    await desk.ask(replace(STORED, wait=wait))
    assert desk.clock.monotonic() == 1000.0 + wait


async def test_rule_11_18_nobody_waits_for_a_lane_that_is_known_to_be_shut_unless_the_app_says_so(desk: Desk) -> None:
    desk.shut = True
    assert isinstance(await desk.ask(STORED, "first"), Accepted)
    assert desk.clock.monotonic() == 1000.0
    await desk.ask(STORED, "second", wait=2.0)
    assert desk.clock.monotonic() == 1002.0


async def _settled_after(desk: Desk, seconds: float, verdict: Any) -> Reply:
    asking = asyncio.create_task(desk.ask(STORED))
    await desk.clock.sleep(seconds)
    (claim,) = await desk.ledger.claim(LANE, 1, lease=60.0)
    await desk.ledger.settle(Settlement(ticket=claim.ticket, verdict=verdict))
    return await asking


async def test_rule_11_18_delivered_within_the_wait_is_the_answer_itself(desk: Desk) -> None:
    told = await _settled_after(desk, 1.0, Delivered(reply=DONE))
    assert (told.body, isinstance(told, Accepted)) == (DONE.body, False)
    assert told.recorded is not None


async def test_rule_11_18_refused_within_the_wait_is_a_refusal(desk: Desk) -> None:
    with pytest.raises(Refused, match="tunggakan") as told:
        await _settled_after(desk, 1.0, RefusedVerdict(text="tunggakan"))
    assert told.value.recorded is not None


async def test_rule_11_18_anything_else_within_the_wait_is_accepted(desk: Desk) -> None:
    told = await _settled_after(desk, 1.0, Unknown(text="?"))
    assert isinstance(told, Accepted)
    assert told.record.summary.state is State.UNKNOWN


async def test_rule_11_18_what_was_put_is_accepted_though_the_ledger_then_went_away(desk: Desk) -> None:
    ledger = desk.ledger

    class Away:
        def __getattr__(self, name: str) -> Any:
            return getattr(ledger, name)

        async def wait(self, *_: object) -> None:
            raise LedgerUnavailable("the server is away")

    desk.ledger = Away()
    told = await desk.ask(STORED)
    assert isinstance(told, Accepted)
    assert told.record.summary.id == told.recorded


async def test_a_full_lane_takes_nothing(desk: Desk) -> None:
    desk.full = Overloaded("10000 messages wait already", retry_after=60.0)
    with pytest.raises(Overloaded):
        await desk.ask(STORED)
    assert await desk.states() == []


async def test_a_full_lane_still_knows_what_it_has(desk: Desk) -> None:
    first = await desk.ask(STORED)
    desk.full = Overloaded("10000 messages wait already", retry_after=60.0)
    assert (await desk.ask(STORED)).recorded == first.recorded
    with pytest.raises(IdempotencyMismatch):
        await desk.ask(STORED, body={"n": 2})
    with pytest.raises(Overloaded):
        await desk.ask(STORED, key="another")
    with pytest.raises(Overloaded):
        await desk.ask(STORED, key=None)
    assert await desk.states() == [State.PENDING]


async def test_a_repeated_key_is_the_same_stored_message(desk: Desk) -> None:
    first, again = await desk.ask(STORED), await desk.ask(STORED)
    assert first.recorded == again.recorded
    assert await desk.states() == [State.PENDING]
