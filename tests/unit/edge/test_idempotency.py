"""Writes with an Idempotency-Key over HTTP, on a real ledger (design, 11.5 to 11.7)."""

import asyncio
from datetime import datetime

import pytest

from gateway.errors import AgencyTimeout, Refused, TranslationError, Unavailable
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import Message, MessageId, OperationId, Reply, new_message_id
from gateway.records import State
from gateway.registry import Queue
from tests.unit.edge.recorded import CHANGE_PERMIT, FILE_PERMIT, LANE, LOCKET, Agency, staged

KEY = {"idempotency_key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


async def test_rule_11_5_the_same_key_gets_the_kept_answer_and_the_agency_is_asked_once(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(Reply(body={"nomor": "7"}), Reply(body={"nomor": "8"}))) as stage:
        first = await stage.put(**KEY)
        again = await stage.put(**KEY)
    assert (first.status_code, first.json()) == (200, {"nomor": "7"})
    assert (again.status_code, again.json()) == (200, {"nomor": "7"})
    assert again.headers["location"] == first.headers["location"]
    assert len(stage.agency.asked) == 1


async def test_rule_11_5_the_same_key_with_another_body_is_a_mismatch(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        for send in (stage.put, stage.post):
            await send({"nomor": "1"}, **KEY)
            other = await send({"nomor": "2"}, **KEY)
            assert (other.status_code, other.json()["type"]) == (422, "idempotency-mismatch")
            assert "location" not in other.headers
    assert len(stage.agency.asked) == 1


async def test_rule_11_5_a_key_belongs_to_one_client_and_one_operation(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answers = [await stage.put(**KEY), await stage.put(**KEY, **LOCKET), await stage.post(**KEY)]
    assert [answer.status_code for answer in answers] == [200, 200, 202]
    assert len({answer.headers["location"] for answer in answers}) == 3


async def test_rule_11_5_rights_are_checked_again_before_a_kept_answer_is_given(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        first = await stage.put(**KEY)
        stage.revoke("dpmptsp/status-izin")
        again = await stage.put(**KEY)
        looked = await stage.edge.http.get(first.headers["location"])
        listed = (await stage.edge.http.get("/v1/requests")).json()["requests"]
    # The path is there for reading, which is all that it may do now.
    assert (first.status_code, again.status_code, looked.status_code, listed) == (200, 405, 404, [])


async def test_rule_11_6_the_intent_is_on_disk_before_the_agency_is_asked(stand, tmp_path):
    seen = []

    class Looking(Agency):
        async def __call__(self, message: Message) -> Reply:
            other = await SqliteLedger.open(
                tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), stage.waiting.clock
            )
            record = await other.get(message.id)
            await other.close()
            seen.append(record and record.summary.state)
            return await super().__call__(message)

    async with staged(stand, tmp_path, Looking()) as stage:
        answer = await stage.put(**KEY)
        kept = await stage.record(answer)
    assert seen == [State.DELIVERING]
    assert (kept.summary.state, kept.answer) == (State.DELIVERED, Reply(body={"nomor": "7"}))


async def test_rule_11_6_an_expired_lease_is_unknown(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        await stage.ledger.begin(stage.entry(a_message(KEY["idempotency_key"])), lease=0.0)
        answer = await stage.put(**KEY)
        told = await stage.see(answer)
    assert (answer.status_code, answer.json()["type"]) == (504, "outcome-unknown")
    assert told["state"] == "unknown"
    assert stage.agency.asked == []


@pytest.mark.parametrize(
    "error",
    [Unavailable("refused", maybe_done=False), TranslationError("request", [])],
)
async def test_rule_11_6_what_certainly_was_not_done_releases_the_key(stand, tmp_path, error):
    async with staged(stand, tmp_path, Agency(error, Reply(body={"nomor": "7"}))) as stage:
        failed = await stage.put(**KEY)
        told = await stage.see(failed)
        again = await stage.put(**KEY)
    assert failed.status_code in (422, 503)
    assert (told["state"], told["answer"]) == ("cancelled", None)
    assert (again.status_code, len(stage.agency.asked)) == (200, 2)


async def test_a_refusal_is_kept_under_its_key(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(Refused("sudah ada", maybe_done=False))) as stage:
        first, again = await stage.put(**KEY), await stage.put(**KEY)
    assert [answer.status_code for answer in (first, again)] == [422, 422]
    assert again.json()["agency_message"] == "sudah ada"
    assert again.headers["location"] == first.headers["location"]
    assert len(stage.agency.asked) == 1


async def test_rule_11_7_a_repeat_in_flight_waits_and_gets_the_same_answer(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        stage.agency.let_go.clear()
        first = asyncio.create_task(stage.put(**KEY))
        await stage.agency.reached.wait()
        again = asyncio.create_task(stage.put(**KEY))
        await asyncio.sleep(0.1)
        waits = not again.done()
        stage.agency.let_go.set()
        answers = [await first, await again]
    assert waits
    assert [answer.json() for answer in answers] == [{"nomor": "7"}] * 2
    assert len(stage.agency.asked) == 1


async def test_rule_11_7_a_repeat_that_waited_in_vain_is_in_progress_and_says_where(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(), deadline=1.0) as stage:
        stage.agency.let_go.clear()
        first = asyncio.create_task(stage.put(**KEY))
        await stage.agency.reached.wait()
        again = await stage.put(**KEY)
        told = await stage.see(again)
        stage.agency.let_go.set()
        answer = await first
    assert (again.status_code, again.json()["type"]) == (409, "in-progress")
    assert (told["state"], told["waiting"]["reason"], told["answer"]) == ("delivering", "delivering", None)
    assert again.headers["location"] == answer.headers["location"]


async def test_rule_11_7_what_nobody_knows_is_504_with_its_location_each_time(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(AgencyTimeout("late", maybe_done=True))) as stage:
        first = await stage.put(**KEY)
        others = [await stage.put(**KEY) for _ in range(2)]
        told = await stage.see(first)
    assert (first.status_code, first.json()["type"]) == (504, "agency-timeout")
    for other in others:
        assert (other.status_code, other.json()["type"], other.json()["maybe_done"]) == (504, "outcome-unknown", True)
        assert other.headers["location"] == first.headers["location"]
        assert "retry-after" not in other.headers
    assert told["answer"]["status"] == 504
    assert len(stage.agency.asked) == 1


async def test_without_a_key_a_direct_write_is_not_recorded(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.put()
    assert answer.status_code == 200
    assert "location" not in answer.headers


async def test_a_ledger_that_can_not_be_written_answers_503_and_nothing_is_sent_while_reads_go_on(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        stage.outbox.failing = {"put", "begin"}
        answers = [await stage.put(**KEY), await stage.post()]
        asked = len(stage.agency.asked)
        read = await stage.edge.http.get("/v1/izin?nomor=1")
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (503, "ledger-unavailable")
        assert "retry-after" in answer.headers
    assert (asked, read.status_code) == (0, 200)


async def test_a_lane_that_is_full_answers_503_with_when_to_come_back_but_knows_its_own_messages(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        kept = a_message(KEY["idempotency_key"], FILE_PERMIT)
        await stage.ledger.put(stage.entry(kept))
        stage.rooms.queues = {LANE: Queue(concurrency=1, waiting=lambda: 0, depth=1)}
        other, keyless = await stage.post(idempotency_key='"another"'), await stage.post()
        again = await stage.post(**KEY)
        direct = await stage.put(idempotency_key='"direct"')
    for answer in (other, keyless):
        assert (answer.status_code, answer.json()["type"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "60"
        assert "location" not in answer.headers
    assert (again.status_code, again.headers["location"]) == (202, f"/v1/requests/{kept.id}")
    assert direct.status_code == 200, "a direct write waits in no lane"


def a_message(key: str, operation: OperationId = CHANGE_PERMIT) -> Message:
    return Message(
        id=MessageId(new_message_id()),
        operation=operation,
        body={"nomor": "1"},
        client="warga",
        correlation_id="c",
        traceparent="",
        accepted_at=datetime.now().astimezone(),
        deadline=0.0,
        idempotency_key=key,
    )
