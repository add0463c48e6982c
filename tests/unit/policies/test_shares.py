"""What an agency allows holds for all replicas together: each has its part, at once when their number changes."""

import asyncio
import gc
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.kept import Kept
from gateway.message import Reply
from gateway.policies.bucket import TokenBucket
from gateway.policies.bulkhead import Bulkhead, bulkhead
from gateway.policies.quota import Quota
from gateway.shares import Shares
from tests.fakes import FakeClock
from tests.virtual import LoopClock, Scripted, a_message

JAKARTA = ZoneInfo("Asia/Jakarta")
OK = Reply(body={})


def shares_of(replicas: int) -> Shares:
    shares = Shares()
    shares.divide(replicas)
    return shares


@given(concurrency=st.integers(1, 20), replicas=st.integers(1, 12))
def test_all_slots_together_are_the_limit_and_less_than_a_slot_more_for_each_further_replica(
    concurrency: int, replicas: int
) -> None:
    parts = [shares_of(replicas).part(Bulkhead(FakeClock(), concurrency=concurrency)) for _ in range(replicas)]
    taken = sum(part.take() for part in parts for _ in range(concurrency))
    assert taken == sum(part.busy for part in parts)
    assert concurrency <= taken <= concurrency + replicas - 1


@given(rate=st.floats(0.1, 100), replicas=st.integers(1, 12))
def test_all_paces_together_are_the_rate_and_one_call_at_the_start_for_each_replica(rate: float, replicas: int) -> None:
    seconds = 20.0
    taken = 0
    for _ in range(replicas):
        bucket, now = shares_of(replicas).part(TokenBucket(rate)), 0.0
        while (now := now + bucket.reserve(now)) < seconds:
            taken += 1
    assert taken <= rate * seconds + replicas + 1e-6 * rate  # what the clock rounds


@given(limit=st.integers(1, 100), replicas=st.integers(1, 12))
def test_all_quotas_together_are_no_more_than_the_quota_but_one_call_each(limit: int, replicas: int) -> None:
    clock = FakeClock()
    parts = [shares_of(replicas).part(Quota(clock, limit=limit, period="day", zone=JAKARTA)) for _ in range(replicas)]
    taken = sum(part.take() == 0 for part in parts for _ in range(limit))
    assert limit - replicas < taken <= max(limit, replicas)


async def test_fewer_slots_hold_at_once_and_calls_that_run_finish(clock: LoopClock) -> None:
    shares = Shares()
    slots = shares.part(Bulkhead(clock, concurrency=4))
    agency = Scripted((1.0, OK))
    calls = [asyncio.create_task(bulkhead(slots)(agency)(a_message())) for _ in range(8)]
    await asyncio.sleep(0)
    shares.divide(2)
    assert (slots.limit, slots.busy, slots.waiting) == (2, 4, 4)
    assert await asyncio.gather(*calls) == [OK] * 8
    assert agency.times == [1000] * 4 + [1001, 1001, 1002, 1002]
    assert slots.busy == 0


async def test_more_slots_are_taken_at_once_by_those_in_line(clock: LoopClock) -> None:
    shares = shares_of(4)
    slots = shares.part(Bulkhead(clock, concurrency=4))
    agency = Scripted((1.0, OK))
    calls = [asyncio.create_task(bulkhead(slots)(agency)(a_message())) for _ in range(4)]
    await clock.sleep(0.5)
    shares.divide(1)
    assert await asyncio.gather(*calls) == [OK] * 4
    assert agency.times == [1000, 1000.5, 1000.5, 1000.5]


def test_a_pace_changes_at_once_and_who_waits_keeps_the_place() -> None:
    shares = Shares()
    bucket = shares.part(TokenBucket(2))
    assert [bucket.reserve(0.0) for _ in range(2)] == pytest.approx([0, 0.5])
    shares.divide(3)
    assert [bucket.reserve(0.0) for _ in range(2)] == pytest.approx([1.0, 2.5])


def test_a_quota_that_becomes_a_part_counts_what_was_spent() -> None:
    shares = Shares()
    quota = shares.part(Quota(FakeClock(), limit=9, period="day", zone=JAKARTA))
    assert [quota.take() for _ in range(2)] == [0, 0]
    shares.divide(3)
    assert (quota.limit, quota.left) == (3, 1)
    shares.divide(9)
    assert (quota.limit, quota.left) == (1, 0)
    assert quota.take() > 0
    shares.divide(1)
    assert quota.left == 7


def test_what_a_reload_makes_is_divided_and_what_nobody_uses_any_more_is_forgotten() -> None:
    shares = shares_of(3)
    kept = Kept(shares)
    draft = kept.draft()
    bulkhead_of = [draft.shared(("dinkes", "slots"), 9, lambda: Bulkhead(FakeClock(), concurrency=9))]
    draft.adopt()
    assert bulkhead_of[0].limit == 3
    again = kept.draft().shared(("dinkes", "slots"), 9, lambda: Bulkhead(FakeClock(), concurrency=9))
    assert again is bulkhead_of[0]
    other = kept.draft().shared(("dinkes", "slots"), 6, lambda: Bulkhead(FakeClock(), concurrency=6))
    shares.divide(2)
    assert (again.limit, other.limit) == (5, 3)
    del other
    gc.collect()
    shares.divide(1)
    assert again.limit == 9
    assert len(shares._parts) == 1
