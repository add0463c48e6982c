"""What was committed on PostgreSQL though its answer was lost: an app is never told that nothing was recorded."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.errors import LedgerUnavailable, Overloaded
from gateway.ledger.keys import KeySource
from gateway.ledger.postgres import PostgresLedger
from gateway.message import Message, Reply
from gateway.recorder import Accepted, Recorder, Recording
from gateway.records import Filter, State
from gateway.settle import Settler
from tests.contract.ledger import LANE, a_message
from tests.cut import Cut, a_cut
from tests.postgres import Cluster

DIRECT = Recording(lane=LANE)
STORED = Recording(lane=LANE, stored=True)
MARK = "jawaban-hilang"


@dataclass
class Desk:
    """A recorder over a ledger whose answers can be lost, before an agency that counts how often it is asked."""

    ledger: PostgresLedger
    cut: Cut
    clock: SystemClock = field(default_factory=SystemClock)
    calls: int = 0

    def __post_init__(self) -> None:
        self.settler = Settler(self.ledger, self.clock)

    async def ask(self, recording: Recording, *, key: str | None, mark: str = MARK) -> Reply:
        async def room(_lane: str) -> Overloaded | None:
            return None

        async def agency(_: Message) -> Reply:
            self.calls += 1
            return Reply(body={"nomor": "1"})

        message = a_message(idempotency_key=key).but(correlation_id=mark, deadline=self.clock.monotonic() + 20.0)
        recorder = Recorder(outbox=self.ledger, settler=self.settler, clock=self.clock, room=room)
        return await recorder.handler(recording, agency)(message)

    async def states(self) -> list[State]:
        return [row.state for row in (await self.ledger.search(Filter())).rows]


@pytest.fixture
async def desk(postgres: Cluster, tmp_path: Path) -> AsyncIterator[Desk]:
    with tempfile.TemporaryDirectory(prefix="cut-", dir="/tmp") as folder:  # a socket's path must be short
        async with a_cut(postgres, postgres.database(), Path(folder)) as cut:
            source = KeySource(path=tmp_path / "ledger.key")
            ledger = await PostgresLedger.open(cut.url, source, SystemClock())
            desk = Desk(ledger, cut)
            yield desk
            await desk.settler.close()
            await ledger.close()


@pytest.mark.parametrize("key", ["k", None])
async def test_rule_11_18_what_was_committed_is_accepted_though_nobody_heard_it(desk: Desk, key: str | None) -> None:
    desk.cut.lose(MARK, 1)
    told = await desk.ask(STORED, key=key)
    assert isinstance(told, Accepted)
    assert desk.cut.times == 0
    assert await desk.states() == [State.PENDING]


async def test_rule_11_18_after_a_second_lost_answer_the_app_is_told_where_to_look(desk: Desk) -> None:
    desk.cut.lose(MARK, 2)
    with pytest.raises(LedgerUnavailable) as told:
        await desk.ask(STORED, key=None)
    (row,) = (await desk.ledger.search(Filter())).rows
    assert (told.value.maybe_done, told.value.recorded) == (True, row.id)


async def test_rule_11_6_a_committed_intent_is_sent_once_though_its_answer_was_lost(desk: Desk) -> None:
    desk.cut.lose(MARK, 1)
    assert (await desk.ask(DIRECT, key="k")).body == {"nomor": "1"}
    assert (desk.calls, await desk.states()) == (1, [State.DELIVERED])


async def test_rule_11_6_a_committed_intent_that_was_never_sent_frees_its_key(desk: Desk) -> None:
    desk.cut.lose(MARK, 2)
    with pytest.raises(LedgerUnavailable) as told:
        await desk.ask(DIRECT, key="k")
    assert (told.value.maybe_done, desk.calls, await desk.states()) == (False, 0, [State.DELIVERING])
    assert (await desk.ask(DIRECT, key="k")).body == {"nomor": "1"}  # it waits for the key, which the settler frees
    assert (desk.calls, await desk.states()) == (1, [State.DELIVERED, State.CANCELLED])
