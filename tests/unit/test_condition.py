"""What a lane remembers of messages that fail."""

from dataclasses import replace

import pytest

from gateway.condition import Condition
from gateway.errors import AgencyTimeout
from tests.delivery import LANE, Rig

TIMEOUT = AgencyTimeout("no answer", maybe_done=True)


async def test_no_more_than_so_many_failing_messages_are_remembered_those_that_failed_last(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.condition.MOST_WATCHED", 2)
    condition = Condition(clock=rig.clock, news=rig.news.append)
    ids = await rig.put(1, 2, 3)
    one, two, three = await rig.ledger.claim(LANE, 3, lease=60.0)
    for claim in (one, two, one, three):
        assert not condition.poisonous(claim, TIMEOUT)
    assert list(condition._since) == [ids[0], ids[2]]
    condition.answered(two, through=True)
    assert condition.poisonous(replace(one, failures=9), TIMEOUT)
