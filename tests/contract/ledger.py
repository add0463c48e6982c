"""What every ledger promises as a queue, and what the suites of its other sides share.

A store runs all of it by one module with a fixture `stage` and subclasses of these suites whose names begin with Test.
`Stage.pass_time` moves the store's own clock, with no real waiting; `another` opens the same store as a second process
would.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.errors import FieldError, IdempotencyMismatch
from gateway.ledger import Ledger
from gateway.message import Document, Message, MessageId, OperationId, Outcome, Reply, new_message_id
from gateway.records import (
    Buried,
    Claim,
    Delivered,
    Entry,
    Expired,
    Filter,
    Postponed,
    Record,
    Refused,
    Released,
    Settlement,
    State,
    Terms,
    Ticket,
    Tried,
    Unknown,
    Verdict,
)

LANE = "dpmptsp"
FILE_PERMIT = OperationId("dpmptsp/ajukan-izin")
LEASE = 60.0
ACCEPTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BODY: Document = {"pemohon": {"nik": "1405029001180001"}, "biaya": Decimal("1500.50"), "jenis": ["a", None, True]}


@dataclass(frozen=True, slots=True)
class Stage:
    """A ledger under test, and the ways to be another process and to let the store's time pass."""

    ledger: Ledger
    another: Callable[[], Awaitable[Ledger]]
    pass_time: Callable[[float], Awaitable[None]]

    async def put(self, entry: Entry | None = None) -> MessageId:
        return (await self.ledger.put(entry or an_entry()))[0].id

    async def claim(self, limit: int = 10, *, lane: str = LANE, terms: Terms | None = None) -> tuple[Claim, ...]:
        return await self.ledger.claim(lane, limit, lease=LEASE, terms=terms or Terms())

    async def claimed(self, *, lane: str = LANE) -> list[MessageId]:
        return [claim.ticket.id for claim in await self.claim(lane=lane)]

    async def settle(self, ticket: Ticket | None, verdict: Verdict, tried: Tried | None = None) -> bool:
        assert ticket is not None
        return (await self.ledger.settle(Settlement(ticket=ticket, verdict=verdict, tried=tried)))[0]

    async def end(self, message: MessageId, verdict: Verdict, *, lane: str = LANE) -> None:
        """Claim until this message comes, and settle it so."""
        for claim in await self.claim(100, lane=lane, terms=Terms(probe=True)):
            is_it = claim.ticket.id == message
            assert await self.settle(claim.ticket, verdict if is_it else Postponed(seconds=0.0))

    async def record(self, message: MessageId) -> Record:
        record = await self.ledger.get(message)
        assert record is not None
        return record

    async def state(self, message: MessageId) -> State:
        return (await self.record(message)).summary.state


def a_message(**changes: object) -> Message:
    message = Message(
        id=new_message_id(),
        operation=FILE_PERMIT,
        body=BODY,
        client="klik-pelalawan",
        correlation_id="c-1",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        accepted_at=ACCEPTED,
        deadline=0.0,
    )
    return message.but(**changes)


def an_entry(
    *,
    lane: str = LANE,
    key: str | None = None,
    body: Document = BODY,
    message: Message | None = None,
    **settings: object,
) -> Entry:
    settings = {"repeat": "harmless", **settings}
    return Entry(message=message or a_message(idempotency_key=key, body=body), lane=lane, **settings)


def tried(outcome: Outcome = Outcome.UNAVAILABLE, error: str = "") -> Tried:
    return Tried(at=ACCEPTED, seconds=0.25, outcome=outcome, status=503, error=error)


class PutContract:
    async def test_what_was_put_is_claimed_with_everything_it_came_with(self, stage: Stage) -> None:
        entry = an_entry(repeat="ask", answer_by=ACCEPTED)
        (receipt,) = await stage.ledger.put(entry)
        assert (receipt.id, receipt.state, receipt.fresh) == (entry.message.id, State.PENDING, True)
        assert receipt.accepted_at == ACCEPTED
        (claim,) = await stage.claim()
        assert claim.message == entry.message
        assert (claim.lane, claim.repeat, claim.answer_by, claim.uncertain) == (LANE, "ask", ACCEPTED, False)

    async def test_numbers_keep_their_digits(self, stage: Stage) -> None:
        body = {"biaya": Decimal("1500.50"), "luas": Decimal("1E+3"), "kk": 12345678901234567890123}
        await stage.put(an_entry(body=body))
        (claim,) = await stage.claim()
        assert str(claim.message.body["biaya"]) == "1500.50"
        assert claim.message.body == body

    async def test_what_was_put_is_found_by_its_key_and_by_its_id(self, stage: Stage) -> None:
        entry = an_entry(key="k")
        assert await stage.ledger.find(entry) is None
        (receipt,) = await stage.ledger.put(entry)
        (claim,) = await stage.claim()
        await stage.settle(claim.ticket, Delivered())
        for asked in (entry, an_entry(key="k"), an_entry(message=entry.message.but(idempotency_key=None))):
            found = await stage.ledger.find(asked)
            assert found == replace(receipt, state=State.DELIVERED, fresh=False)
        assert await stage.ledger.find(an_entry(key="another")) is None
        assert await stage.ledger.find(an_entry()) is None

    async def test_finding_a_key_with_another_body_is_a_mismatch(self, stage: Stage) -> None:
        await stage.put(an_entry(key="k"))
        with pytest.raises(IdempotencyMismatch):
            await stage.ledger.find(an_entry(key="k", body={"n": 2}))

    async def test_the_same_key_is_answered_with_the_same_receipt_and_its_state(self, stage: Stage) -> None:
        first = await stage.put(an_entry(key="k-1"))
        (again,) = await stage.ledger.put(an_entry(key="k-1"))
        assert (again.id, again.fresh, again.state) == (first, False, State.PENDING)
        await stage.end(first, Delivered(reply=Reply(body={"nomor": "1"})))
        (later,) = await stage.ledger.put(an_entry(key="k-1"))
        assert (later.id, later.fresh, later.state) == (first, False, State.DELIVERED)

    async def test_the_same_key_twice_in_one_put_is_one_message(self, stage: Stage) -> None:
        one, two = await stage.ledger.put(an_entry(key="k-1"), an_entry(key="k-1"))
        assert one.id == two.id
        assert (one.fresh, two.fresh) == (True, False)

    async def test_a_key_with_another_body_is_refused_and_nothing_of_that_call_is_recorded(self, stage: Stage) -> None:
        await stage.put(an_entry(key="k-1"))
        innocent = an_entry()
        with pytest.raises(IdempotencyMismatch):
            await stage.ledger.put(innocent, an_entry(key="k-1", body={"lain": "isi"}))
        assert await stage.ledger.get(innocent.message.id) is None

    async def test_rule_11_5_the_order_of_a_bodys_fields_does_not_make_it_another(self, stage: Stage) -> None:
        first = await stage.put(an_entry(key="k-1", body={"a": "1", "b": "2"}))
        assert await stage.put(an_entry(key="k-1", body={"b": "2", "a": "1"})) == first

    async def test_rule_11_5_a_key_belongs_to_its_client_and_operation(self, stage: Stage) -> None:
        entries = [
            an_entry(message=a_message(idempotency_key="k-1")),
            an_entry(message=a_message(idempotency_key="k-1", client="lain")),
            an_entry(message=a_message(idempotency_key="k-1", operation=OperationId("dpmptsp/lain"))),
        ]
        assert len({receipt.id for receipt in await stage.ledger.put(*entries)}) == 3

    async def test_rule_11_5_a_key_belongs_to_the_operation_that_the_client_asked(self, stage: Stage) -> None:
        """A composite passes each on to an agency that its body names; the key is the composite's."""
        asked, lain = OperationId("gateway/adukan"), OperationId("dpmptsp/lain")
        first = a_message(idempotency_key="k-1", asked_as=asked)
        other = a_message(idempotency_key="k-1", asked_as=asked, operation=lain, body={"jenis": "lain"})
        await stage.put(an_entry(message=first))
        with pytest.raises(IdempotencyMismatch):
            await stage.put(an_entry(message=other))
        with pytest.raises(IdempotencyMismatch):
            await stage.ledger.begin(an_entry(message=other), lease=LEASE)
        assert len(await stage.claim()) == 1

    async def test_the_same_message_put_again_is_there_once(self, stage: Stage) -> None:
        entry = an_entry()
        await stage.put(entry)
        (again,) = await stage.ledger.put(entry)
        assert (again.id, again.fresh) == (entry.message.id, False)
        assert len(await stage.claim()) == 1

    async def test_another_process_sees_what_was_put(self, stage: Stage) -> None:
        message = await stage.put()
        claims = await (await stage.another()).claim(LANE, 1, lease=LEASE)
        assert [claim.ticket.id for claim in claims] == [message]
        assert await stage.claim() == ()


class DirectContract:
    """Design 11.6: a direct write's intent is committed before the agency is asked."""

    async def test_rule_11_6_an_intent_is_delivering_and_nobody_else_may_claim_it(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert (receipt.state, receipt.fresh) == (State.DELIVERING, True)
        assert receipt.ticket is not None
        await stage.pass_time(LEASE + 1)
        assert await stage.claim() == ()

    async def test_rule_11_6_its_answer_is_kept_for_a_repeat(self, stage: Stage) -> None:
        reply = Reply(body={"nomor": "503/1", "biaya": Decimal("1.50")}, outcome=Outcome.DUPLICATE)
        receipt = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert await stage.settle(receipt.ticket, Delivered(reply=reply), tried(Outcome.DUPLICATE))
        again = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert (again.id, again.fresh, again.ticket, again.state) == (receipt.id, False, None, State.DELIVERED)
        assert (await stage.record(again.id)).answer == reply

    async def test_a_refusal_is_kept_sealed_with_its_fields_and_in_clear_only_why(self, stage: Stage) -> None:
        refusal = Refused(
            code="refused", text="Siti Rahmawati sudah ada", errors=(FieldError(pointer="/nik", rule="native"),)
        )
        receipt = await stage.ledger.begin(an_entry(), lease=LEASE)
        await stage.settle(receipt.ticket, replace(refusal, why="code '05' of 1405 0290 0118 0001"))
        record = await stage.record(receipt.id)
        assert record.answer == refusal
        assert record.summary.text == "code '05' of 140502******0001"

    @pytest.mark.parametrize(
        ("verdict", "code"),
        [
            (Postponed(seconds=0.0, text="HTTP 503", words="Siti"), "postponed"),
            (Postponed(seconds=0.0, maybe_done=True, text="HTTP 500", words="Siti"), "outcome-unknown"),
            (Unknown(code="agency-timeout", text="fault 'Server'", words="Siti"), "agency-timeout"),
            (Buried(reason="poison", text="HTTP 500", words="Siti"), "poison"),
        ],
    )
    async def test_an_agencys_last_words_are_kept_sealed(self, stage: Stage, verdict: Verdict, code: str) -> None:
        message = await stage.put(an_entry(repeat="never"))
        await stage.end(message, verdict)
        record = await stage.record(message)
        assert record.answer == Refused(code=code, text="Siti")
        assert "Siti" not in record.summary.text

    async def test_rule_11_7_a_repeat_while_it_is_in_flight_gets_no_ticket(self, stage: Stage) -> None:
        first = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        again = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert (again.id, again.fresh, again.ticket, again.state) == (first.id, False, None, State.DELIVERING)

    async def test_the_same_message_begun_again_is_the_same_intent(self, stage: Stage) -> None:
        entry = an_entry(key="k-1")
        first = await stage.ledger.begin(entry, lease=LEASE)
        again = await stage.ledger.begin(entry, lease=LEASE)
        assert again.fresh
        assert again.ticket == first.ticket

    async def test_a_key_with_another_body_is_refused(self, stage: Stage) -> None:
        await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        with pytest.raises(IdempotencyMismatch):
            await stage.ledger.begin(an_entry(key="k-1", body={"lain": "isi"}), lease=LEASE)

    async def test_rule_11_6_an_ended_lease_becomes_unknown(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        await stage.pass_time(LEASE + 1)
        assert await stage.ledger.sweep() == 1
        again = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert (again.id, again.state, again.ticket) == (receipt.id, State.UNKNOWN, None)

    async def test_a_repeat_finds_an_ended_lease_unknown_without_a_sweep(self, stage: Stage) -> None:
        await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        await stage.pass_time(LEASE + 1)
        again = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        assert (again.state, again.fresh, again.ticket) == (State.UNKNOWN, False, None)

    async def test_its_owner_may_still_say_how_it_ended(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(), lease=LEASE)
        await stage.pass_time(LEASE + 1)
        await stage.ledger.sweep()
        assert await stage.settle(receipt.ticket, Delivered(reply=Reply(body={})))
        assert await stage.state(receipt.id) is State.DELIVERED

    async def test_its_owner_comes_too_late_when_a_person_has_resolved_it(self, stage: Stage) -> None:
        receipt = await stage.ledger.begin(an_entry(), lease=LEASE)
        await stage.pass_time(LEASE + 1)
        await stage.ledger.sweep()
        assert await stage.ledger.resolve(receipt.id, Refused(text="ditolak"), by="sri")
        assert not await stage.settle(receipt.ticket, Delivered())
        assert await stage.state(receipt.id) is State.REFUSED

    async def test_rule_11_6_what_certainly_was_not_done_releases_the_key(self, stage: Stage) -> None:
        first = await stage.ledger.begin(an_entry(key="k-1"), lease=LEASE)
        await stage.settle(first.ticket, Released(text="connection refused"), tried())
        assert await stage.state(first.id) is State.CANCELLED
        again = await stage.ledger.begin(an_entry(key="k-1", body={"lain": "isi"}), lease=LEASE)
        assert again.fresh
        assert again.id != first.id

    @pytest.mark.parametrize(("maybe_done", "state"), [(False, State.CANCELLED), (True, State.UNKNOWN)])
    async def test_it_is_never_tried_again_by_itself(self, stage: Stage, maybe_done: bool, state: State) -> None:
        receipt = await stage.ledger.begin(an_entry(), lease=LEASE)
        await stage.settle(receipt.ticket, Postponed(seconds=1.0, maybe_done=maybe_done))
        await stage.pass_time(5.0)
        assert await stage.claim() == ()
        assert await stage.state(receipt.id) is state


class OrderContract:
    """Design 11.14: first in, first out for one order key; other keys are not kept waiting."""

    async def test_rule_11_14_only_the_oldest_of_a_key_is_claimed(self, stage: Stage) -> None:
        first, _, other = [await stage.put(an_entry(order_key=key)) for key in ("ani", "ani", "budi")]
        assert await stage.claimed() == [first, other]
        assert await stage.claimed() == []

    async def test_a_postponed_message_keeps_its_key(self, stage: Stage) -> None:
        first, second = [await stage.put(an_entry(order_key="ani")) for _ in range(2)]
        await stage.end(first, Postponed(seconds=100.0))
        assert await stage.claimed() == []
        assert (await stage.record(second)).held == first

    async def test_rule_11_14_a_message_without_a_key_waits_for_nobody(self, stage: Stage) -> None:
        messages = [await stage.put() for _ in range(3)]
        assert await stage.claimed() == messages

    async def test_the_same_key_in_another_lane_is_another_key(self, stage: Stage) -> None:
        await stage.put(an_entry(order_key="ani"))
        other = await stage.put(an_entry(order_key="ani", lane="dinkes"))
        assert await stage.claimed(lane="dinkes") == [other]

    @pytest.mark.parametrize("verdict", [Delivered(), Refused(), Expired()])
    async def test_rule_11_14_what_is_over_frees_the_key(self, stage: Stage, verdict: Verdict) -> None:
        first, second = [await stage.put(an_entry(order_key="ani")) for _ in range(2)]
        await stage.end(first, verdict)
        assert await stage.claimed() == [second]

    async def test_rule_11_14_a_cancelled_message_frees_the_key(self, stage: Stage) -> None:
        first, second = [await stage.put(an_entry(order_key="ani")) for _ in range(2)]
        assert await stage.ledger.cancel(first, by="sri")
        assert await stage.claimed() == [second]

    @pytest.mark.parametrize("verdict", [Buried(reason="poison"), Unknown()])
    async def test_rule_11_14_buried_and_unknown_hold_the_key(self, stage: Stage, verdict: Verdict) -> None:
        first, second = [await stage.put(an_entry(order_key="ani")) for _ in range(2)]
        await stage.end(first, verdict)
        assert await stage.claimed() == []
        assert (await stage.record(second)).held == first

    @pytest.mark.parametrize("verdict", [Buried(reason="poison"), Unknown()])
    async def test_unless_they_are_to_be_skipped(self, stage: Stage, verdict: Verdict) -> None:
        first, second = [await stage.put(an_entry(order_key="ani", skip_buried=True)) for _ in range(2)]
        await stage.end(first, verdict)
        assert await stage.claimed() == [second]

    async def test_a_replayed_message_waits_for_the_one_of_its_key_in_flight(self, stage: Stage) -> None:
        first, second = [await stage.put(an_entry(order_key="ani", skip_buried=True)) for _ in range(2)]
        await stage.end(first, Buried(reason="poison"))
        (claim,) = await stage.claim()
        assert await stage.ledger.replay([first], by="sri") == (first,)
        assert await stage.claimed() == []
        await stage.settle(claim.ticket, Delivered())
        assert claim.ticket.id == second
        assert await stage.claimed() == [first]


async def found(stage: Stage, **wanted: object) -> list[MessageId]:
    """The ids that a search gives, newest first."""
    return [row.id for row in (await stage.ledger.search(Filter(**wanted))).rows]
