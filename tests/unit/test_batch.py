"""Messages that go over together: the real batcher over a real ledger, and what each comes to."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.acknowledged import Word
from gateway.batch import Batch
from gateway.errors import FieldError, Refused, TranslationError, Unavailable
from gateway.handover import BatchEnd
from gateway.message import Message, MessageId, Outcome, Reply
from gateway.records import Delivered, State
from tests.delivery import FILE, Rig, refused_connection

DONE = Reply(body={"berkas": "a.csv"})
EVERY = 900.0


class Inbox:
    """Where batches go: `end` says how each message ends, `written` keeps the numbers of each batch."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.end: Callable[[Message], BatchEnd] = lambda _message: DONE
        self.down = False
        self.seconds = 0.0
        self.written: list[list[int]] = []

    async def send(self, messages: Sequence[Message]) -> Sequence[BatchEnd]:
        if self.down:
            return [refused_connection() for _ in messages]
        self.written.append([message.body["n"] for message in messages])
        if self.seconds:
            await self.rig.clock.sleep(self.seconds)
        return [self.end(message) for message in messages]


def batching(rig: Rig, rows: int = 3, **changes: object) -> Inbox:
    inbox = Inbox(rig)
    made = replace(rig.lane.operations[FILE], within=3600.0, **changes)
    rig.having(operations={}, batches=[Batch(operation=FILE, made=made, rows=rows, every=EVERY, send=inbox.send)])
    return inbox


async def test_rule_11_25_as_many_as_go_together_go_at_once_and_the_rest_when_it_has_waited(rig: Rig) -> None:
    inbox = batching(rig)
    async with rig.delivering():
        messages = await rig.put(1, 2, 3, 4)
        await rig.until(State.HANDED_OVER, *messages[:3], within=5)
        await rig.clock.sleep(EVERY - 60)
        assert await rig.state(messages[3]) is State.PENDING
        await rig.until(State.HANDED_OVER, messages[3], within=120)
    assert inbox.written == [[1, 2, 3], [4]]
    record = await rig.record(messages[0])
    assert [attempt.outcome for attempt in record.attempts] == [Outcome.OK]
    assert record.answer == DONE
    assert rig.bugs == []


async def test_what_waits_for_others_may_still_be_cancelled(rig: Rig) -> None:
    inbox = batching(rig)
    async with rig.delivering():
        first, second = await rig.put(1, 2)
        await rig.clock.sleep(60)
        assert await rig.ledger.cancel(MessageId(first), by="sri")
        await rig.until(State.HANDED_OVER, second, within=EVERY + 60)
    assert inbox.written == [[2]]


async def test_rule_11_25_one_that_does_not_fit_does_not_keep_the_others(rig: Rig) -> None:
    def end(message: Message) -> BatchEnd:
        refused = TranslationError("request", [FieldError(pointer="/nama", rule="encoding")])
        return refused if message.body["n"] == 2 else DONE

    misfit = (FieldError(pointer="/n", rule="integer"),)
    inbox = batching(rig, 4, check=lambda body: misfit if body["n"] == 3 else ())
    inbox.end = end
    async with rig.delivering():
        one, two, three, four = await rig.put(1, 2, 3, 4)
        await rig.until(State.HANDED_OVER, one, four)
        await rig.until(State.BURIED, two, three)
    assert inbox.written == [[1, 2, 4]]


async def test_rule_11_25_what_was_not_done_comes_back_together(rig: Rig) -> None:
    inbox = batching(rig)
    inbox.end = lambda _message: Unavailable("disk full", maybe_done=False)
    rig.jitter = lambda least, _most: least + len(inbox.written) % 2
    async with rig.delivering():
        messages = await rig.put(1, 2, 3)
        await rig.comes(lambda: rig_has_tried(inbox))
        inbox.end = lambda _message: DONE
        await rig.until(State.HANDED_OVER, *messages)
    assert {tuple(batch) for batch in inbox.written} == {(1, 2, 3)}


async def rig_has_tried(inbox: Inbox) -> bool:
    return len(inbox.written) >= 2


async def test_rule_11_2_a_never_that_may_be_in_a_file_is_unknown_until_the_agency_speaks_of_it(rig: Rig) -> None:
    inbox = batching(rig, harmless=False)
    inbox.end = lambda _message: Unavailable("make durable", maybe_done=True)
    async with rig.delivering():
        messages = await rig.put(1, 2, 3, repeat="never")
        await rig.until(State.UNKNOWN, *messages)
        await rig.clock.sleep(2 * EVERY)
        words = [Word(message=MessageId(messages[0]), verdict=Delivered())]
        assert await rig.ledger.acknowledge([FILE], words, by="x") == ("settled",)
    assert inbox.written == [[1, 2, 3]]
    assert await rig.state(messages[0]) is State.DELIVERED


async def test_while_the_agency_is_away_nothing_is_claimed(rig: Rig) -> None:
    inbox = batching(rig)
    inbox.down = rig.agency.down = True
    async with rig.delivering():
        messages = await rig.put(1, 2, 3)
        await rig.clock.sleep(600)
        assert rig.news == [True]
        assert await rig.depth(State.PENDING) == 3
        inbox.down = rig.agency.down = False
        await rig.until(State.HANDED_OVER, *messages)
    assert rig.news == [True, False]
    assert inbox.written == [[1, 2, 3]]


async def test_a_stop_waits_for_what_is_being_written(rig: Rig) -> None:
    inbox = batching(rig)
    inbox.seconds = 5.0
    async with rig.delivering():
        messages = await rig.put(1, 2, 3)
        await rig.comes(lambda: has_begun(inbox))
    assert [await rig.state(message) for message in messages] == [State.HANDED_OVER] * 3


async def has_begun(inbox: Inbox) -> bool:
    return bool(inbox.written)


async def test_a_bug_is_told_and_the_batch_comes_again(rig: Rig) -> None:
    inbox = batching(rig)

    def stumble(_message: Message) -> BatchEnd:
        inbox.end = lambda _message: DONE
        raise ZeroDivisionError

    inbox.end = stumble
    async with rig.delivering():
        messages = await rig.put(1, 2, 3)
        await rig.comes(lambda: rig_has_heard(rig))
        await rig.end_leases()
        await rig.until(State.HANDED_OVER, *messages)
    assert [type(bug) for bug in rig.bugs] == [ZeroDivisionError]


async def rig_has_heard(rig: Rig) -> bool:
    return bool(rig.bugs)


async def test_what_an_agency_refuses_at_once_is_refused(rig: Rig) -> None:
    inbox = batching(rig, 1)
    inbox.end = lambda _message: Refused("penuh", maybe_done=False)
    async with rig.delivering():
        (message,) = await rig.put(1)
        await rig.until(State.REFUSED, message)
