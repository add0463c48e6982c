"""After delivery an agency is asked for its last word, gently, and that stops the clock towards the answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.answers import AGAIN, PACE, REST, Inquirer, Inquiry
from gateway.errors import GatewayError, NotFound, TranslationError, Unavailable
from gateway.hours import Calendar, Hours
from gateway.message import Document, MessageId
from gateway.records import State
from tests.delivery import FILE, FIND, LANE, Rig, a_rig
from tests.fakes import JAKARTA

OFFICE = Calendar(zone=JAKARTA, weekly=Hours.parse("Mon-Thu 07:30-16:00; Fri 07:30-16:30"))
HOUR = 3600.0


def final(body: Document) -> str | None:
    return body["status"] if body["status"] in {"terbit", "ditolak"} else None


class Case:
    """A lane whose messages are asked about after their delivery."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.lines: list[tuple[str, str]] = []
        self.away = False
        ask = replace(rig.asking(), final=final)
        self.inquiry = Inquiry(lane=LANE, asks={FILE: ask}, calendar=None, away=lambda: self.away, log=self._log)

    def _log(self, event: str, /, *, level: str = "info", **facts: object) -> None:
        self.lines.append((event, f"{level} {facts.get('what', facts.get('status'))}"))

    async def delivered(self, *numbers: int) -> list[MessageId]:
        due = self.rig.clock.now() + timedelta(days=3)
        messages = await self.rig.put(*numbers, answer_by=due, until_final=True)
        async with self.rig.delivering():
            await self.rig.until(State.DELIVERED, *messages)
        return [MessageId(message) for message in messages]

    @asynccontextmanager
    async def asking(self, **changes: object) -> AsyncIterator[None]:
        ledger = self.rig.ledger
        inquiry = replace(self.inquiry, **changes)
        inquirer = Inquirer(inquiry, deadlines=ledger, lanes=ledger, upkeep=ledger, clock=self.rig.clock)
        task = asyncio.create_task(inquirer.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def answered(self, *messages: MessageId) -> bool:
        records = [await self.rig.record(message) for message in messages]
        return all(record.summary.answered_at is not None for record in records)

    async def asked(self, seconds: float) -> int:
        """Let time pass; returns how often the agency was asked."""
        before = len(self.rig.agency.asked)
        await self.rig.clock.sleep(seconds)
        return len(self.rig.agency.asked) - before


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Case]:
    async with a_rig(tmp_path) as rig:
        yield Case(rig)


async def test_rule_11_17_a_final_status_stops_the_clock(case: Case) -> None:
    (message,) = await case.delivered(1)
    assert not await case.answered(message)
    async with case.asking():
        assert await case.asked(AGAIN - 60) == 1
        case.rig.agency.status = "terbit"
        await case.rig.comes(lambda: case.answered(message), within=AGAIN)
        assert await case.asked(HOUR) == 0
    question = case.rig.agency.asked[-1]
    assert (question.operation, question.body, question.once) == (FIND, {"ref": message}, True)
    record = await case.rig.record(message)
    assert [(deed.act, deed.by) for deed in record.deeds] == [("answered", f"{FIND} (terbit)")]
    assert record.summary.settled_at is not None
    assert record.summary.answered_at is not None
    assert record.summary.answered_at > record.summary.settled_at
    assert case.lines == [("answered", "info terbit")]


async def test_rule_11_17_each_message_is_asked_about_every_half_hour_and_one_at_a_time(case: Case) -> None:
    messages = await case.delivered(*range(10))
    async with case.asking():
        assert await case.asked(5 * PACE - 1) == 5
        assert await case.asked(AGAIN - 5 * PACE - 1) == 5
        assert await case.asked(AGAIN) == 10
    counted = [sum(question.body["ref"] == message for question in case.rig.agency.asked) for message in messages]
    assert set(counted) == {2}
    assert not await case.answered(*messages)


async def test_rule_11_17_nothing_is_asked_outside_the_agencys_hours(case: Case) -> None:
    await case.delivered(1)
    await case.rig.clock.sleep(7.5 * HOUR)
    async with case.asking(calendar=OFFICE):
        assert await case.asked(14 * HOUR) == 0
        assert await case.asked(1.5 * HOUR) > 0


async def test_rule_11_17_nothing_is_asked_while_the_lane_is_paused_or_the_agency_is_away(case: Case) -> None:
    await case.delivered(1)
    await case.rig.ledger.pause(LANE, "operator", by="sri")
    await case.rig.ledger.pause("dinkes", "operator", by="sri")
    async with case.asking():
        assert await case.asked(HOUR) == 0
        case.away = True
        await case.rig.ledger.resume(LANE, by="sri")
        assert await case.asked(HOUR) == 0
        case.away = False
        assert await case.asked(HOUR) > 0


async def test_rule_11_17_a_question_that_fails_is_told_once_and_asked_again(case: Case) -> None:
    (message,) = await case.delivered(1)
    case.rig.agency.asking = Unavailable("HTTP 503", maybe_done=False)
    async with case.asking():
        assert await case.asked(5 * AGAIN) == 5
        assert await case.rig.state(message) is State.DELIVERED
        case.rig.agency.asking = None
        assert await case.asked(2 * AGAIN) == 2
    assert case.lines == [
        ("answer-not-known", f"warning asked {FIND} for a final status: agency-unavailable: HTTP 503")
    ]
    assert len((await case.rig.record(message)).attempts) == 1


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (NotFound("tidak ada", maybe_done=False), PACE),
        (Unavailable("HTTP 503", maybe_done=False), REST),
        (TranslationError("reply", ()), REST),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_an_agency_that_fails_is_left_alone_and_one_that_knows_nothing_is_asked_on(
    case: Case, error: GatewayError, seconds: float
) -> None:
    await case.delivered(1, 2)
    case.rig.agency.asking = error
    async with case.asking():
        assert await case.asked(seconds - 1) == 1
        assert await case.asked(2) == 1


async def test_of_several_processes_one_asks(case: Case) -> None:
    await case.delivered(*range(20))
    async with case.asking(), case.asking():
        assert await case.asked(10 * PACE - 1) == 10


async def test_a_message_whose_operation_is_followed_no_more_is_left_to_people(case: Case) -> None:
    (message,) = await case.delivered(1)
    async with case.asking(asks={}):
        assert await case.asked(HOUR) == 0
    assert await case.rig.ledger.answered(message, by="sri")
