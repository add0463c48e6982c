"""A settlement gets to the ledger, or at last as much of it as can be recorded."""

import asyncio

import pytest

from gateway.errors import LedgerUnavailable
from gateway.message import Reply, new_message_id
from gateway.records import Delivered, Settlement, Ticket, Unknown
from gateway.settle import RETRY_EVERY, Settler
from tests.fakes import FakeClock


class Faltering:
    """An outbox that fails as it is told to, the next call first, and then takes everything."""

    def __init__(self, *failures: Exception) -> None:
        self._failures = [*failures]
        self.asked: list[Settlement] = []

    async def settle(self, *settlements: Settlement) -> tuple[bool, ...]:
        self.asked += settlements
        if self._failures:
            raise self._failures.pop(0)
        return (True,) * len(settlements)


def delivered() -> Settlement:
    return Settlement(ticket=Ticket(id=new_message_id(), token=1), verdict=Delivered(reply=Reply(body={})))


async def test_it_goes_on_while_the_ledger_is_away() -> None:
    outbox, clock = Faltering(LedgerUnavailable(), LedgerUnavailable()), FakeClock(autojump=False)
    settlement = delivered()
    assert await Settler(outbox, clock).settle(settlement)
    for _ in range(5):
        await clock.advance(RETRY_EVERY)
    assert outbox.asked == [settlement] * 3


async def test_what_can_never_be_recorded_is_unknown_and_still_a_bug_that_is_heard_of() -> None:
    outbox = Faltering(TypeError("no JSON"))
    settlement = delivered()
    with pytest.raises(TypeError):
        await Settler(outbox, FakeClock()).settle(settlement)
    assert [type(one.verdict) for one in outbox.asked] == [Delivered, Unknown]
    assert outbox.asked[1].ticket == settlement.ticket


async def test_what_turns_out_never_to_be_recorded_is_unknown_and_not_asked_for_ever() -> None:
    outbox, clock = Faltering(LedgerUnavailable(), TypeError(), LedgerUnavailable()), FakeClock(autojump=False)
    await Settler(outbox, clock).settle(delivered())
    for _ in range(9):
        await clock.advance(RETRY_EVERY)
    assert [type(one.verdict) for one in outbox.asked] == [Delivered, Delivered, Unknown, Unknown]


async def test_it_ends_even_when_nothing_at_all_can_be_recorded() -> None:
    outbox, clock = Faltering(LedgerUnavailable(), *(TypeError() for _ in range(9))), FakeClock(autojump=False)
    settler = Settler(outbox, clock)
    await settler.settle(delivered())
    for _ in range(9):
        await clock.advance(RETRY_EVERY)
    assert len(outbox.asked) == 3
    await asyncio.wait_for(settler.close(), 1.0)
