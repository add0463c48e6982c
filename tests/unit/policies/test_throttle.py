import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.errors import Overloaded
from gateway.message import Reply
from gateway.policies.bucket import TokenBucket
from gateway.policies.quota import Period, Quota
from gateway.policies.throttle import throttle
from tests.virtual import LoopClock, Scripted, a_message

OK = Reply(body={"nomor": "1"})
JAKARTA = ZoneInfo("Asia/Jakarta")


class Calendar:
    """A clock that is set by hand."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def monotonic(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float, /) -> None:
        raise AssertionError(seconds)


async def test_calls_are_paced_in_the_order_they_came(clock: LoopClock) -> None:
    agency = Scripted(OK)
    handler = throttle(clock, bucket=TokenBucket(2))(agency)
    messages = [a_message() for _ in range(4)]
    await asyncio.gather(*map(handler, messages))
    assert agency.times == pytest.approx([1000, 1000.5, 1001, 1001.5], abs=1e-6)
    assert [message for message, _ in agency.calls] == messages


async def test_a_wait_past_the_deadline_is_overloaded_at_once_and_uses_nothing(clock: LoopClock) -> None:
    agency = Scripted(OK)
    handler = throttle(clock, bucket=TokenBucket(0.1))(agency)
    await handler(a_message())
    for _ in range(3):
        with pytest.raises(Overloaded, match="nothing was sent") as caught:
            await handler(a_message(9))
        assert caught.value.retry_after == pytest.approx(10)
    assert clock.monotonic() == 1000
    assert await handler(a_message(11)) is OK


async def test_a_clock_that_oversleeps_sends_nothing_late() -> None:
    class Sluggish(LoopClock):
        async def sleep(self, seconds: float, /) -> None:
            await asyncio.sleep(seconds + 60)

    agency = Scripted(OK)
    handler = throttle(Sluggish(), bucket=TokenBucket(1))(agency)
    await handler(a_message())
    with pytest.raises(Overloaded):
        await handler(a_message())
    assert len(agency.calls) == 1


async def test_a_spent_quota_is_overloaded_until_the_agencys_midnight(clock: LoopClock) -> None:
    told: list[float] = []
    quota = Quota(clock, limit=2, period="day", zone=JAKARTA, on_quota=lambda: told.append(clock.monotonic()))
    agency = Scripted(OK)
    handler = throttle(clock, quota=quota)(agency)
    await handler(a_message())
    await handler(a_message())
    with pytest.raises(Overloaded, match="quota is spent") as caught:
        await handler(a_message())
    assert caught.value.retry_after == 15 * 3600  # 09:00 to 24:00
    assert told == [1000]
    await clock.sleep(15 * 3600)
    assert await handler(a_message()) is OK
    assert len(agency.calls) == 3


async def test_what_is_left_of_a_quota_is_known_before_the_first_call_and_after_the_window(clock: LoopClock) -> None:
    quota = Quota(clock, limit=2, period="minute", zone=JAKARTA)
    assert quota.left == 2
    quota.take()
    assert quota.left == 1
    quota.take()
    quota.take()
    assert quota.left == 0
    await clock.sleep(60)
    assert quota.left == 2


async def test_rule_11_9_a_failed_attempt_counts_too(clock: LoopClock) -> None:
    handler = throttle(clock, quota=Quota(clock, limit=1, period="hour", zone=JAKARTA))(Scripted(RuntimeError("x")))
    with pytest.raises(RuntimeError):
        await handler(a_message())
    with pytest.raises(Overloaded):
        await handler(a_message())


async def test_rate_and_quota_hold_together(clock: LoopClock) -> None:
    agency = Scripted(OK)
    quota = Quota(clock, limit=3, period="minute", zone=JAKARTA)
    handler = throttle(clock, bucket=TokenBucket(1), quota=quota)(agency)
    ends = await asyncio.gather(*(handler(a_message()) for _ in range(5)), return_exceptions=True)
    assert [type(end) for end in ends] == [Reply, Reply, Reply, Overloaded, Overloaded]
    assert agency.times == pytest.approx([1000, 1001, 1002], abs=1e-6)


@pytest.mark.parametrize(
    ("now", "zone", "period", "end"),
    [
        (datetime(2026, 3, 2, 9, 0, 30, tzinfo=JAKARTA), "Asia/Jakarta", "minute", (2026, 3, 2, 2, 1)),
        (datetime(2026, 3, 2, 9, 59, tzinfo=JAKARTA), "Asia/Jakarta", "hour", (2026, 3, 2, 3, 0)),
        (datetime(2026, 3, 2, 9, 59, tzinfo=JAKARTA), "Asia/Jayapura", "day", (2026, 3, 2, 15, 0)),
        (datetime(2026, 12, 1, tzinfo=JAKARTA), "Asia/Jakarta", "month", (2026, 12, 31, 17, 0)),
        (datetime(2026, 12, 31, 23, tzinfo=JAKARTA), "Asia/Jakarta", "month", (2026, 12, 31, 17, 0)),
        (datetime(2024, 2, 10, tzinfo=JAKARTA), "Asia/Jakarta", "month", (2024, 2, 29, 17, 0)),
        # Europe's clocks went forward that night: a day of 23 hours.
        (datetime(2026, 3, 29, 0, 0, tzinfo=ZoneInfo("Europe/Berlin")), "Europe/Berlin", "day", (2026, 3, 29, 22, 0)),
    ],
)
def test_windows_are_the_calendars_of_the_agencys_zone(
    now: datetime, zone: str, period: Period, end: tuple[int, ...]
) -> None:
    calendar = Calendar(now)
    quota = Quota(calendar, limit=1, period=period, zone=ZoneInfo(zone))
    assert quota.take() == 0
    assert quota.take() == (datetime(*end, tzinfo=UTC) - now).total_seconds()
    calendar.time = datetime(*end, tzinfo=UTC)
    assert quota.take() == 0
