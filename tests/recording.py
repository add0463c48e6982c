"""A recorder over a real ledger, before an agency that answers as it is told; time jumps."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import (
    Overloaded,
)
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import Document, Message, Reply, new_message_id
from gateway.recorder import Recorder, Recording
from gateway.records import Filter, State
from gateway.settle import Settler
from tests.delivery import FILE, LANE, open_ledger
from tests.fakes import FakeClock

DONE = Reply(body={"nomor": "902/IMB/XI/2026"})


@dataclass
class Desk:
    """A recorder before an agency that answers with `end`, after `seconds`."""

    clock: FakeClock
    ledger: Any
    end: Reply | Exception = DONE
    seconds: float = 0.0
    full: Overloaded | None = None
    shut: bool = False
    calls: int = 0

    async def agency(self, _message: Message) -> Reply:
        self.calls += 1
        end = self.end
        await self.clock.sleep(self.seconds)
        if isinstance(end, Exception):
            raise end
        return end

    async def ask(
        self, recording: Recording, key: str | None = "k", body: Document | None = None, wait: float | None = None
    ) -> Reply:
        async def room(_lane: str) -> Overloaded | None:
            return self.full

        recorder = Recorder(
            outbox=self.ledger,
            settler=Settler(self.ledger, self.clock),
            clock=self.clock,
            room=room,
            shut=lambda _: self.shut,
        )
        return await recorder.handler(recording, self.agency)(self.message(key, body, wait))

    def message(self, key: str | None, body: Document | None, wait: float | None = None) -> Message:
        return Message(
            id=new_message_id(),
            operation=FILE,
            body=body or {"n": 1},
            client="klik",
            correlation_id="c",
            traceparent="",
            accepted_at=self.clock.now(),
            deadline=self.clock.monotonic() + 20.0,
            idempotency_key=key,
            wait=wait,
        )

    async def states(self) -> list[State]:
        return [row.state for row in (await self.ledger.search(Filter())).rows]


DIRECT = Recording(lane=LANE)
STORED = Recording(lane=LANE, stored=True, wait=3.0, repeat="ask")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = FakeClock()
    ledger: SqliteLedger = await open_ledger(tmp_path, clock)
    yield Desk(clock, ledger)
    await ledger.close()
