"""What an end becomes, words apart from what may stand in clear; and how a settlement gets to the ledger at last."""

import asyncio

import pytest

from gateway.errors import FieldError, InvalidAnswer, LedgerUnavailable, NotFound, TranslationError, Unavailable
from gateway.message import Reply, new_message_id
from gateway.records import Buried, Delivered, Postponed, Refused, Settlement, Ticket, Unknown
from gateway.settle import RETRY_EVERY, Settler, verdict_of
from tests.fakes import FakeClock

SAYS = "Siti Rahmawati sudah ada"
MISFIT = FieldError(pointer="/nama", rule="max", params={"max": "5"}, where="m.toml:3", value="Siti R")


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (
            NotFound(SAYS, maybe_done=False, by="code '02'"),
            Refused(code="not-found", text=SAYS, why="code '02'"),
        ),
        (NotFound(SAYS, maybe_done=False), Refused(code="not-found", text=SAYS)),
        (
            Unavailable(SAYS, maybe_done=False, by="HTTP 503"),
            Postponed(seconds=0.0, text="HTTP 503", words=SAYS),
        ),
        (Unavailable("HTTP 503", maybe_done=True), Postponed(seconds=0.0, maybe_done=True, text="HTTP 503")),
        (
            InvalidAnswer("the answer does not fit", maybe_done=True, errors=[MISFIT]),
            Unknown(code="agency-invalid-answer", text="the answer does not fit; m.toml:3: /nama: max"),
        ),
        (
            TranslationError("request", [MISFIT]),
            Buried(reason="misfit", text="m.toml:3: /nama: max", errors=(MISFIT,)),
        ),
    ],
)
def test_an_agencys_words_and_a_fields_value_are_apart_from_what_is_kept_in_clear(end, verdict) -> None:
    assert verdict_of(end) == verdict
    assert "Siti" not in getattr(verdict, "why", "") + (verdict.text if not isinstance(verdict, Refused) else "")


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
    await asyncio.wait_for(settler.close(), 30)


async def test_many_are_told_in_one_go() -> None:
    outbox = Faltering()
    settlements = [delivered(), delivered()]
    assert await Settler(outbox, FakeClock()).settle_all(settlements) == (True, True)
    assert outbox.asked == settlements


async def test_many_are_told_one_by_one_once_the_ledger_is_back() -> None:
    outbox, clock = Faltering(LedgerUnavailable()), FakeClock(autojump=False)
    settlements = [delivered(), delivered()]
    assert await Settler(outbox, clock).settle_all(settlements) == (True, True)
    await clock.advance(RETRY_EVERY)
    assert outbox.asked == [*settlements, *settlements]


async def test_of_many_one_that_can_never_be_recorded_does_not_keep_the_others() -> None:
    outbox = Faltering(TypeError("no JSON"), TypeError("no JSON"))
    settlements = [delivered(), delivered()]
    with pytest.raises(TypeError):
        await Settler(outbox, FakeClock()).settle_all(settlements)
    told = {one.ticket: type(one.verdict) for one in outbox.asked}
    assert list(told.values()) == [Unknown, Delivered]
