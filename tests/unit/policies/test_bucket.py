import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policies.bucket import TokenBucket


def test_a_burst_is_taken_at_once_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(10, 3)
    assert [bucket.take(0.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(0.0) == pytest.approx(0.1)
    assert bucket.take(0.05) == pytest.approx(0.05)
    assert bucket.take(0.1) == 0
    assert bucket.take(0.1) == pytest.approx(0.1)


def test_a_refusal_takes_nothing() -> None:
    bucket = TokenBucket(1)
    bucket.take(0.0)
    assert [bucket.take(0.5) for _ in range(9)] == pytest.approx([0.5] * 9)
    assert bucket.take(1.0) == 0


def test_no_more_than_the_burst_is_saved() -> None:
    bucket = TokenBucket(10, 2)
    assert [bucket.take(3600.0) == 0 for _ in range(4)] == [True, True, False, False]


def test_reservations_come_one_after_the_other() -> None:
    bucket = TokenBucket(2, 1)
    assert [bucket.reserve(0.0) for _ in range(4)] == pytest.approx([0, 0.5, 1.0, 1.5], abs=1e-6)
    assert bucket.wait(0.0) == pytest.approx(2.0)


def test_waiting_as_long_as_told_is_enough() -> None:
    bucket, now = TokenBucket(3, 5), 0.1
    for _ in range(1000):
        now += bucket.take(now) or 0.0
        assert bucket.wait(now) < 1
        now += bucket.wait(now)
        assert bucket.take(now) == 0


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0, 5), min_size=1, max_size=200),
)
def test_in_any_stretch_of_time_no_more_than_rate_and_burst_get_through(
    rate: float, burst: int, steps: list[float]
) -> None:
    bucket, now, taken = TokenBucket(rate, burst), 100.0, []
    for step in steps:
        now += step
        if bucket.take(now) == 0:
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - taken[first]) * rate + 1e-3
