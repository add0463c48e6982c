"""Direct calls outside an agency's hours (docs/design.md, section 11, rule 16)."""

from datetime import timedelta

import pytest

from gateway.errors import AgencyClosed, AgencyTimeout, BreakerOpen, Refused, Unavailable
from gateway.hours import Calendar, Hours
from gateway.message import Message, MessageId, OperationId, Reply
from gateway.policies.breaker import Breaker, breaker
from gateway.policies.hours import outside_hours
from tests.fakes import JAKARTA, MONDAY_MORNING, FakeClock

CALENDAR = Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Fri 07:30-16:00"))
EVENING = MONDAY_MORNING.replace(hour=20)
DONE = Reply(body={})


def a_message() -> Message:
    return Message(
        id=MessageId("m1"),
        operation=OperationId("dpmptsp/status-izin"),
        body={},
        client="klik",
        correlation_id="c",
        traceparent="",
        accepted_at=EVENING,
        deadline=1e9,
    )


class Agency:
    def __init__(self, end: Reply | Exception) -> None:
        self.end = end
        self.seen: list[Message] = []

    async def __call__(self, message: Message) -> Reply:
        self.seen.append(message)
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


async def test_rule_11_16_a_call_outside_hours_is_tried_once_and_its_answer_is_as_good_as_any() -> None:
    agency = Agency(DONE)
    assert await outside_hours(CALENDAR, FakeClock(EVENING), agency)(a_message()) == DONE
    assert [message.once for message in agency.seen] == [True]


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("connection refused", maybe_done=False),
        AgencyTimeout("no answer", maybe_done=True),
        BreakerOpen("resting", maybe_done=False),
    ],
)
async def test_rule_11_16_a_failure_outside_hours_says_when_it_opens_and_is_counted_apart(error: Unavailable) -> None:
    counted: list[int] = []
    handler = outside_hours(CALENDAR, FakeClock(EVENING), Agency(error), on_closed=lambda: counted.append(1))
    with pytest.raises(AgencyClosed) as told:
        await handler(a_message())
    assert told.value.maybe_done is error.maybe_done
    assert told.value.retry_after == timedelta(hours=11, minutes=30).total_seconds()
    assert counted == [1]


async def test_rule_11_16_a_refusal_outside_hours_stays_a_refusal() -> None:
    with pytest.raises(Refused):
        await outside_hours(CALENDAR, FakeClock(EVENING), Agency(Refused("maaf", maybe_done=False)))(a_message())


async def test_rule_11_16_within_hours_nothing_is_changed() -> None:
    agency = Agency(Unavailable("connection refused", maybe_done=False))
    with pytest.raises(Unavailable):
        await outside_hours(CALENDAR, FakeClock(), agency)(a_message())
    assert [message.once for message in agency.seen] == [False]


@pytest.mark.parametrize(("serves", "state"), [(True, "open"), (False, "closed")])
async def test_rule_11_16_failures_outside_hours_open_no_breaker(serves: bool, state: str) -> None:
    held = Breaker(clock=FakeClock())
    call = breaker(held, lambda: serves)(Agency(Unavailable("connection refused", maybe_done=False)))
    for _ in range(5):
        with pytest.raises(Unavailable):
            await call(a_message())
    assert held.state == state
