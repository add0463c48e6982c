"""Recorded requests over HTTP: 202, waiting for the settlement, and how a request stands (design, 6 and 11.18)."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import AgencyTimeout, FieldError, NotFound, Refused, Unavailable
from gateway.hours import AnswerDates
from gateway.ledger.keys import KeySource
from gateway.ledger.sqlite import SqliteLedger
from gateway.message import MessageId
from gateway.recorder import Recording
from gateway.records import Buried, Expired, Retention, Settlement, State, Terms
from gateway.records import Delivered as DeliveredVerdict
from gateway.records import Refused as RefusedVerdict
from tests.unit.edge.recorded import HEALTH_OFFICE, LANE, LOCKET, Agency, staged

UNKNOWN_ID = "0199aaaa-0000-7000-8000-000000000000"


def without_ids(answer):
    return {name: value for name, value in answer.json().items() if name != "correlation_id"}


async def settle(stage, verdict):
    """Settle the oldest message as a deliverer would."""
    claim, *_ = await stage.ledger.claim(LANE, 1, lease=60.0, terms=Terms(probe=True))
    assert (await stage.ledger.settle(Settlement(ticket=claim.ticket, verdict=verdict)))[0]


async def test_rule_11_18_the_edge_never_delivers(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(), wait=0.2) as stage:
        answer = await stage.post()
    assert (answer.status_code, stage.agency.asked) == (202, [])


async def test_rule_11_18_it_answers_202_only_after_the_commit(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.post()
        another = await SqliteLedger.open(
            tmp_path / "ledger.db", KeySource(path=tmp_path / "ledger.key"), stage.waiting.clock
        )
        record = await another.get(MessageId(answer.json()["id"]))
        await another.close()
    assert answer.status_code == 202
    assert record is not None
    assert (record.summary.state, record.body) == (State.PENDING, {"nomor": "1"})


async def test_rule_11_18_delivered_within_the_wait_is_200_with_its_location(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(), deliver=True, wait=10.0) as stage:
        answer = await stage.post()
        told = await stage.see(answer)
    assert (answer.status_code, answer.json()) == (200, {"nomor": "7"})
    assert told["answer"] == {"status": 200, "body": {"nomor": "7"}}
    assert (told["state"], told["waiting"], told["next_try"]) == ("delivered", None, None)
    assert told["settled_at"] is not None
    [attempt] = told["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["status"]) == (1, "ok", None)
    assert attempt["ms"] >= 0


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Refused("NIK 1405020101809001 belum terdaftar", maybe_done=False), 422, "refused"),
        (NotFound("tidak ada", maybe_done=False), 404, "not-found"),
    ],
)
async def test_rule_11_18_refused_within_the_wait_is_what_a_direct_answer_is(stand, tmp_path, error, status, code):
    async with staged(stand, tmp_path, Agency(error), deliver=True, wait=10.0) as stage:
        answer = await stage.post()
        told = await stage.see(answer)
        in_english = await stage.see(answer, accept_language="en")
    assert (answer.status_code, answer.json()["type"]) == (status, code)
    assert told["answer"] == {"status": status, "body": answer.json()}
    assert "1405020101809001" not in answer.text
    assert in_english["answer"]["body"]["title"] != told["answer"]["body"]["title"]


async def test_rule_11_18_anything_else_within_the_wait_is_202_with_its_resource(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(Unavailable("down", maybe_done=False)), deliver=True, wait=1.0) as stage:
        answer = await stage.post()
        told = await stage.see(answer)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/requests/{answer.json()['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-language"] == "id"
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    assert told["state"] == "pending"
    assert told["attempts"][0]["outcome"] == "unavailable"
    assert told["waiting"]["reason"] == "retry"
    assert told["next_try"] == told["waiting"]["until"]


async def test_rule_11_18_a_stored_request_of_which_nobody_knows_the_end_is_202_and_says_so(stand, tmp_path):
    late = AgencyTimeout("late", maybe_done=True)
    async with staged(stand, tmp_path, Agency(late), deliver=True, wait=10.0) as stage:
        answer = await stage.post()
        told = await stage.see(answer)
    assert (answer.status_code, answer.json()["state"]) == (202, "unknown")
    assert (told["waiting"], told["next_try"]) == (None, None)
    assert (told["answer"]["status"], told["answer"]["body"]["type"]) == (504, "outcome-unknown")


async def test_what_is_on_disk_is_202_even_when_the_ledger_goes_away_afterwards(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        stage.outbox.failing = {"wait"}
        answer = await stage.post()
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")


@pytest.mark.parametrize(
    ("prefer", "applied", "status"),
    [
        ("respond-async", "respond-async", 202),
        ("respond-async, wait=10", "wait=10", 200),
        ("wait=10", "wait=10", 200),
        ('wait="10"; foo=bar', "wait=10", 200),
        ("wait=0", "wait=0", 202),
        ("wait=99999999999999999999", "wait=20", 200),
        ("wait=10, wait=0", "wait=10", 200),
        ("wait=soon, handling=lenient", None, 202),
    ],
)
async def test_prefer_says_how_long_to_wait(stand, tmp_path, prefer, applied, status):
    agency = Agency()
    async with staged(stand, tmp_path, agency, deliver=True, wait=0.0) as stage:
        agency.let_go.clear()
        asyncio.get_running_loop().call_later(0.2, agency.let_go.set)
        answer = await stage.post(prefer=prefer)
    assert answer.status_code == status
    assert answer.headers.get("preference-applied") == applied


async def test_prefer_is_not_applied_where_the_answer_is_direct(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.put(prefer="respond-async")
    assert answer.status_code == 200
    assert "preference-applied" not in answer.headers


async def test_the_same_key_again_finds_the_stored_request(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        first, again = await stage.post(idempotency_key="a"), await stage.post(idempotency_key="a")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]


async def test_rule_11_6_a_repeat_of_what_a_person_found_out_says_that_it_is_done_and_sends_nothing(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(AgencyTimeout("late", maybe_done=True))) as stage:
        first = await stage.put(idempotency_key="a")
        message = MessageId(first.headers["location"].rpartition("/")[2])
        assert await stage.ledger.resolve(message, DeliveredVerdict(), by="sri")
        again = await stage.put(idempotency_key="a")
    assert (first.status_code, again.status_code, len(stage.agency.asked)) == (504, 202, 1)
    told = again.json()
    assert (told["id"], told["state"], told["answer"], told["waiting"]) == (message, "delivered", None, None)
    assert again.headers["location"] == first.headers["location"]
    assert "retry-after" not in again.headers


async def test_rule_11_6_a_repeat_of_what_a_person_found_refused_is_a_refusal(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(AgencyTimeout("late", maybe_done=True))) as stage:
        first = await stage.put(idempotency_key="a")
        message = MessageId(first.headers["location"].rpartition("/")[2])
        assert await stage.ledger.resolve(message, RefusedVerdict(text="berkas tidak ditemukan"), by="sri")
        again = await stage.put(idempotency_key="a")
    assert (again.status_code, again.json()["type"]) == (422, "refused")
    assert again.json()["agency_message"] == "berkas tidak ditemukan"
    assert len(stage.agency.asked) == 1


async def test_others_requests_unknown_ones_and_what_is_no_id_are_the_same_404(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        mine, http = await stage.post(), stage.edge.http
        place = mine.headers["location"]
        answers = [
            await http.get(place, headers=LOCKET),
            await http.get(place, headers=HEALTH_OFFICE),
            await http.delete(place, headers=LOCKET),
            await http.get(f"/v1/requests/{UNKNOWN_ID}"),
            await http.get("/v1/requests/%00"),
            await http.get("/v1/requests/a%2Fb"),
            await http.get("/v1/requests/bukan-id"),
            await http.delete("/v1/requests/bukan-id"),
        ]
        still = await stage.see(mine)
    for answer in answers:
        assert (answer.status_code, answer.json()["type"]) == (404, "unknown-message")
        assert without_ids(answer) == without_ids(answers[0])
    assert still["state"] == "pending"


async def test_nobody_without_a_key_learns_anything_of_requests(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        place, nobody = (await stage.post()).headers["location"], {"authorization": ""}
        answers = [
            await stage.edge.http.request(method, path, headers=nobody)
            for method in ("GET", "DELETE", "OPTIONS", "PATCH")
            for path in (place, "/v1/requests")
        ]
    assert {answer.status_code for answer in answers} == {401}


async def test_methods_of_requests_are_told(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        http, place = stage.edge.http, (await stage.post()).headers["location"]
        options = [(await http.options(path)).headers["allow"] for path in (place, "/v1/requests")]
        wrong = [await http.put(place, json={}), await http.post("/v1/requests", json={})]
        got, head = await http.get(place), await http.head(place)
    assert options == ["DELETE, GET, HEAD, OPTIONS", "GET, HEAD, OPTIONS"]
    assert [(one.status_code, one.headers["allow"]) for one in wrong] == [(405, allowed) for allowed in options]
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


async def test_a_client_needs_no_right_to_see_what_it_asked_through_a_composite(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.edge.http.post("/v1/aduan", json={"nomor": "1"}, headers=LOCKET)
        told = await stage.see(answer, **LOCKET)
    assert answer.status_code == 202
    assert told["operation"] == "dpupr/lapor"


async def test_a_request_past_its_retention_is_gone(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(), deliver=True, wait=10.0) as stage:
        answer = await stage.post()
        while (await stage.ledger.shed(LANE, Retention(keys=0.0, bodies=0.0))).bodies == 0:
            pass
        gone = await stage.edge.http.get(answer.headers["location"])
        await stage.ledger.shed(LANE, Retention(keys=0.0, bodies=0.0, metadata=0.0))
        forgotten = await stage.edge.http.get(answer.headers["location"])
    assert (gone.status_code, gone.json()["type"]) == (410, "gone")
    assert forgotten.status_code == 404


async def test_what_is_pending_can_be_cancelled_and_is_never_sent(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.post()
        cancelled = await stage.edge.http.delete(answer.headers["location"])
        again = await stage.edge.http.delete(answer.headers["location"])
        left = await stage.ledger.claim(LANE, 10, lease=1.0)
        deeds = (await stage.record(answer)).deeds
    assert (cancelled.status_code, cancelled.json()["state"], cancelled.json()["answer"]) == (200, "cancelled", None)
    assert (again.status_code, again.json()["type"]) == (409, "in-progress")
    assert again.headers["location"] == answer.headers["location"]
    assert left == ()
    assert [(deed.act, deed.by) for deed in deeds] == [("cancel", "client warga")]


async def test_what_is_being_delivered_or_settled_can_not_be_cancelled(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(), deliver=True) as stage:
        stage.agency.let_go.clear()
        answer = await stage.post()
        await stage.agency.reached.wait()
        in_flight = await stage.edge.http.delete(answer.headers["location"])
        stage.agency.let_go.set()
        await stage.ledger.wait(MessageId(answer.json()["id"]), 10.0)
        settled = await stage.edge.http.delete(answer.headers["location"])
        told = await stage.see(answer)
    assert (in_flight.status_code, settled.status_code) == (409, 409)
    assert told["state"] == "delivered"


async def test_a_request_that_a_person_must_look_at_says_so(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.post()
        await settle(stage, Buried(reason="misfit", text="x", errors=(FieldError(pointer="/nomor", rule="max"),)))
        told = await stage.see(answer, accept_language="en")
    assert (told["state"], told["answer"]) == ("buried", None)
    assert told["waiting"] == {
        "reason": "buried",
        "until": None,
        "text": "being looked into by the gateway's operators",
    }


async def test_an_expired_request_was_not_done_and_says_so(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.post()
        await settle(stage, Expired())
        told = await stage.see(answer)
    assert (told["state"], told["waiting"]) == ("expired", None)
    assert told["answer"]["status"] == 503
    assert told["answer"]["body"]["type"] == "agency-unavailable"
    assert told["answer"]["body"]["maybe_done"] is False


async def test_what_a_person_says_was_delivered_has_no_answer(stand, tmp_path):
    async with staged(stand, tmp_path, Agency()) as stage:
        answer = await stage.post()
        await settle(stage, DeliveredVerdict())
        told = await stage.see(answer)
    assert (told["state"], told["answer"]) == ("delivered", None)


def _dated(days):
    def dates(at):
        by = at + timedelta(days=days)
        return AnswerDates(near=by - timedelta(days=2), by=by)

    return Recording(lane=LANE, stored=True, dates=dates)


async def test_a_due_date_is_told(stand, tmp_path):
    async with staged(stand, tmp_path, Agency(), recording=_dated(3)) as stage:
        told = (await stage.post()).json()
    assert told["answer_by"] > told["accepted_at"]
    assert told["accepted_at"][-6:] == told["answer_by"][-6:]
    assert (told["answered_at"], told["urgent"]) == (None, None)


@pytest.mark.parametrize(
    ("days", "reason", "texts"),
    [
        (1, "near", ("harus dijawab paling lambat ", "must be answered by ")),
        (-1, "past", ("seharusnya sudah dijawab paling lambat ", "should have been answered by ")),
    ],
)
async def test_rule_11_17_a_date_that_is_near_or_past_is_told_until_there_is_an_answer(
    stand, tmp_path, days, reason, texts
):
    async with staged(stand, tmp_path, Agency(), recording=_dated(days)) as stage:
        answer = await stage.post()
        told, in_english = await stage.see(answer), await stage.see(answer, accept_language="en")
        await settle(stage, DeliveredVerdict())
        later = await stage.see(answer)
    assert (told["urgent"]["reason"], in_english["urgent"]["reason"]) == (reason, reason)
    assert told["urgent"]["text"].startswith(texts[0])
    assert in_english["urgent"]["text"].startswith(texts[1])
    assert (later["urgent"], later["answered_at"]) == (None, later["settled_at"])
