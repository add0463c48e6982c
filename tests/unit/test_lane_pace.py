"""A lane that has a backlog: no quicker than the agency allows, and no slower than it must be."""

import pytest

from gateway.policies.bucket import TokenBucket
from gateway.policies.throttle import throttle
from gateway.records import State
from tests.delivery import Rig


@pytest.mark.parametrize(("a_minute", "count"), [(120, 240), (10, 30)], ids=["2/s", "10/min"])
async def test_rule_11_9_a_recovered_lane_drains_at_its_concurrency_and_rate(
    rig: Rig, a_minute: int, count: int
) -> None:
    """The second rate is so slow that a slot may wait for its turn beyond the deadline of an attempt."""
    bucket = TokenBucket(a_minute / 60, burst=a_minute)
    rig.having(concurrency=4)
    rig.delivering_by(pipeline=throttle(rig.clock, bucket=bucket)(rig.agency.file))
    rig.agency.down = True
    rig.agency.seconds = 1.0
    messages = await rig.put(*range(count))
    async with rig.delivering():
        await rig.clock.sleep(3600)
        rig.agency.down = False
        await rig.comes(lambda: _all_gone(rig), within=7200)
    times = rig.agency.times
    assert rig.agency.most_inside <= 4
    assert len(times) == count
    for start in times:
        assert sum(start <= time < start + 60.0 for time in times) <= 2 * a_minute
    needed = (count - a_minute) / a_minute * 60
    assert 0.9 * needed <= times[-1] - times[0] <= 1.5 * needed + 60
    attempts = [(await rig.record(message)).summary.attempts for message in messages]
    assert max(attempts) <= 2, "waiting for one's turn is no attempt"


async def _all_gone(rig: Rig) -> bool:
    return not await rig.depth(State.PENDING) and not await rig.depth(State.DELIVERING)


async def test_rule_11_9_a_slot_that_ends_while_the_ledger_is_asked_is_filled_at_once(rig: Rig) -> None:
    """An attempt that ends just when a full lane is looked at, as it is every five seconds."""
    rig.having(concurrency=1)
    rig.agency.seconds = 15.0
    messages = await rig.put(1, 2, 3, 4)
    async with rig.delivering():
        await rig.until(State.DELIVERED, *messages)
    first = rig.agency.times[0]
    assert [at - first for at in rig.agency.times] == [0.0, 15.0, 30.0, 45.0]
