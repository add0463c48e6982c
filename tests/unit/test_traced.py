"""Attempts and ledger steps as spans; the ledger is a real one, time jumps."""

from dataclasses import replace

import pytest

from gateway.errors import NotFound, TranslationError, Unavailable
from gateway.message import Message, Reply
from gateway.records import Delivered, Postponed, Settlement, State, Terms
from gateway.traced import TracedOutbox, attempt
from gateway.trail import Span, Trail
from tests.delivery import FILE, LANE, Rig, refused_connection

TRACE, REQUEST = "a" * 32, "b" * 16
DONE = Reply(body={})


def traced(rig: Rig, spans: list[Span]) -> Message:
    message = rig.entry(1).message
    trail = Trail(spans.append, rig.clock, TRACE, REQUEST)
    return message.but(traceparent=f"00-{TRACE}-{REQUEST}-01", trail=trail)


async def test_an_attempt_is_sent_its_own_traceparent(rig: Rig) -> None:
    spans: list[Span] = []
    sent: list[Message] = []

    async def send(message: Message) -> Reply:
        sent.append(message)
        await rig.clock.sleep(2)
        return DONE

    await attempt(send)(traced(rig, spans))
    (span,) = spans
    assert sent[0].traceparent == f"00-{TRACE}-{span.id}-01"
    assert (span.name, span.kind, span.parent, span.seconds, span.failed) == ("attempt", "client", REQUEST, 2.0, False)
    assert span.facts == {"operation": FILE, "agency": LANE, "outcome": "ok"}
    assert span.began == pytest.approx(rig.clock.now().timestamp() - 2)


@pytest.mark.parametrize(
    ("error", "failed", "facts"),
    [
        (Unavailable("HTTP 500", maybe_done=True), True, {"outcome": "unavailable", "maybe_done": True}),
        (NotFound("no such permit", maybe_done=False), False, {"outcome": "not-found", "maybe_done": False}),
        (TranslationError("request", []), True, {"outcome": "translation"}),
        (KeyError("1405025205909001"), True, {"outcome": "internal"}),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_attempt_that_fails_tells_its_outcome_and_no_text(
    rig: Rig, error: Exception, failed: bool, facts: dict[str, object]
) -> None:
    spans: list[Span] = []

    async def send(_: Message) -> Reply:
        raise error

    with pytest.raises(type(error)):
        await attempt(send)(traced(rig, spans))
    assert spans[0].failed is failed
    assert spans[0].facts == {"operation": FILE, "agency": LANE, **facts}


async def test_an_attempt_for_a_message_that_is_not_traced_is_sent_as_it_is(rig: Rig) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> Reply:
        sent.append(message)
        return DONE

    message = rig.entry(1).message
    await attempt(send)(message)
    assert sent == [message]
    assert sent[0] is message


async def test_a_stored_message_goes_on_in_the_trace_that_filed_it(rig: Rig) -> None:
    spans: list[Span] = []
    rig.outbox = TracedOutbox(rig.ledger, spans.append, rig.clock)
    entry = replace(rig.entry(1), message=traced(rig, spans))
    (receipt,) = await rig.outbox.put(entry)
    await rig.clock.sleep(3600)
    (claim,) = await rig.outbox.claim(LANE, 1, lease=30.0, terms=Terms())
    await rig.clock.sleep(5)
    assert await rig.outbox.settle(Settlement(ticket=claim.ticket, verdict=Delivered(reply=DONE))) == (True,)
    put, claimed, settled, delivery = spans
    assert (put.name, put.parent, put.facts["message_id"]) == ("put", REQUEST, receipt.id)
    assert (delivery.name, delivery.kind, delivery.trace, delivery.parent) == ("delivery", "consumer", TRACE, REQUEST)
    assert claim.message.traceparent == f"00-{TRACE}-{delivery.id}-01"
    assert [(one.name, one.parent) for one in (claimed, settled)] == [("claim", delivery.id), ("settle", delivery.id)]
    assert delivery.seconds == 5.0
    assert delivery.facts["verdict"] == settled.facts["verdict"] == "delivered"


async def test_a_delivery_that_must_be_tried_again_is_a_failed_span_of_its_own(rig: Rig) -> None:
    spans: list[Span] = []
    rig.outbox = TracedOutbox(rig.ledger, spans.append, rig.clock)
    await rig.outbox.put(replace(rig.entry(1), message=traced(rig, spans)))
    (claim,) = await rig.outbox.claim(LANE, 1, lease=30.0)
    await rig.outbox.settle(Settlement(ticket=claim.ticket, verdict=Postponed(seconds=0.0)))
    (again,) = await rig.outbox.claim(LANE, 1, lease=30.0)
    await rig.outbox.settle(Settlement(ticket=again.ticket, verdict=Delivered(reply=DONE)))
    deliveries = [span for span in spans if span.name == "delivery"]
    assert [(one.failed, one.facts["verdict"]) for one in deliveries] == [(True, "postponed"), (False, "delivered")]
    assert {one.parent for one in deliveries} == {REQUEST}


async def test_a_direct_write_tells_its_intent_and_its_end(rig: Rig) -> None:
    spans: list[Span] = []
    rig.outbox = TracedOutbox(rig.ledger, spans.append, rig.clock)
    receipt = await rig.outbox.begin(replace(rig.entry(1), message=traced(rig, spans)), lease=30.0)
    assert receipt.ticket is not None
    await rig.outbox.settle(Settlement(ticket=receipt.ticket, verdict=Delivered(reply=DONE)))
    assert [(span.name, span.parent) for span in spans] == [("begin", REQUEST), ("settle", REQUEST)]


async def test_messages_that_are_not_traced_pass_through(rig: Rig) -> None:
    spans: list[Span] = []
    rig.outbox = TracedOutbox(rig.ledger, spans.append, rig.clock)
    (message,) = [receipt.id for receipt in await rig.outbox.put(rig.entry(1))]
    (claim,) = await rig.outbox.claim(LANE, 1, lease=30.0)
    assert claim.message.trail is None
    assert await rig.outbox.extend(claim.ticket, lease=60.0) == {message}
    await rig.outbox.settle(Settlement(ticket=claim.ticket, verdict=Delivered(reply=DONE)))
    record = await rig.outbox.wait(message, 0.0)
    assert record is not None
    assert record.summary.state is State.DELIVERED
    assert spans == []


async def test_a_delivery_is_told_once_for_each_attempt_and_not_for_knocking_in_vain(rig: Rig) -> None:
    told: list[tuple[str, object]] = []
    rig.having(probe=None, told=lambda claim, _settlement, error: told.append((claim.ticket.id, error)))
    rig.agency.down = True
    (message,) = await rig.put(1)
    async with rig.delivering():
        await rig.clock.sleep(3600)
        assert [str(error) for _, error in told] == [str(refused_connection())]
        rig.agency.down = False
        await rig.until(State.DELIVERED, message)
    assert told[1:] == [(message, None)]
