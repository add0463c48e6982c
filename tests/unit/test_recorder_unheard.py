"""What an app is told, and what becomes of a key, when the ledger did what it was asked and nobody heard it."""

from typing import Any

import pytest

from gateway.errors import (
    LedgerSilent,
    LedgerUnavailable,
)
from gateway.recorder import Accepted
from gateway.records import Entry, Filter, State
from tests.recording import DIRECT, DONE, STORED, Desk


class Lossy:
    """A ledger that does what it is asked, and whose word of it is lost the first `times`."""

    def __init__(self, ledger: Any, times: int) -> None:
        self._ledger = ledger
        self.times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def put(self, *entries: Entry) -> Any:
        return self._heard(await self._ledger.put(*entries))

    async def begin(self, entry: Entry, *, lease: float) -> Any:
        return self._heard(await self._ledger.begin(entry, lease=lease))

    def _heard(self, receipt: Any) -> Any:
        self.times -= 1
        if self.times >= 0:
            raise LedgerSilent("the connection broke")
        return receipt


@pytest.mark.parametrize("key", ["k", None])
async def test_rule_11_18_what_was_recorded_is_accepted_though_the_word_of_it_was_lost(
    desk: Desk, key: str | None
) -> None:
    desk.ledger = Lossy(desk.ledger, 1)
    assert isinstance(await desk.ask(STORED, key), Accepted)
    assert await desk.states() == [State.PENDING]


async def test_rule_11_18_what_may_be_recorded_is_not_said_to_have_been_left_undone(desk: Desk) -> None:
    desk.ledger = Lossy(desk.ledger, 2)
    with pytest.raises(LedgerUnavailable) as told:
        await desk.ask(STORED)
    (row,) = (await desk.ledger.search(Filter())).rows
    assert (told.value.maybe_done, told.value.recorded) == (True, row.id)


async def test_rule_11_18_what_the_ledger_refused_to_record_was_not_done(desk: Desk) -> None:
    class Full(Lossy):
        async def put(self, *_: Entry) -> Any:
            raise LedgerUnavailable("no room")

    desk.ledger = Full(desk.ledger, 0)
    with pytest.raises(LedgerUnavailable) as told:
        await desk.ask(STORED)
    assert (told.value.maybe_done, told.value.recorded) == (False, None)


async def test_rule_11_6_an_intent_is_sent_once_though_the_word_of_it_was_lost(desk: Desk) -> None:
    desk.ledger = Lossy(desk.ledger, 1)
    assert (await desk.ask(DIRECT)).body == DONE.body
    assert desk.calls == 1
    assert await desk.states() == [State.DELIVERED]


async def test_rule_11_6_an_intent_that_was_never_sent_frees_its_key_when_the_ledger_is_back(desk: Desk) -> None:
    desk.ledger = Lossy(desk.ledger, 3)
    with pytest.raises(LedgerUnavailable) as told:
        await desk.ask(DIRECT)
    assert (told.value.maybe_done, desk.calls) == (False, 0)
    assert await desk.states() == [State.DELIVERING]
    await desk.clock.sleep(1.5)
    assert (await desk.ask(DIRECT)).body == DONE.body
    assert desk.calls == 1
    assert await desk.states() == [State.DELIVERED, State.CANCELLED]


async def test_rule_11_6_a_key_that_another_has_is_left_to_it(desk: Desk) -> None:
    """The intent was not recorded after all, and the app came again before the ledger could be asked."""
    ledger = desk.ledger

    class Losing(Lossy):
        async def begin(self, entry: Entry, *, lease: float) -> Any:
            self.times -= 1
            if self.times >= 0:
                raise LedgerSilent("the connection broke")
            return await ledger.begin(entry, lease=lease)

    desk.ledger = Losing(ledger, 2)
    with pytest.raises(LedgerUnavailable):
        await desk.ask(DIRECT)
    assert (await desk.ask(DIRECT)).body == DONE.body
    await desk.clock.sleep(5.0)
    assert await desk.states() == [State.DELIVERED]


async def test_rule_11_7_an_answer_that_can_not_be_looked_up_may_have_been_given(desk: Desk) -> None:
    await desk.ask(DIRECT)

    class Away(Lossy):
        async def wait(self, *_: object) -> None:
            raise LedgerUnavailable("the server is away")

    desk.ledger = Away(desk.ledger, 0)
    with pytest.raises(LedgerUnavailable) as told:
        await desk.ask(DIRECT)
    assert told.value.maybe_done
    assert told.value.recorded is not None
