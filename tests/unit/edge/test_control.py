"""The control API on a port of its own: every act over HTTP, what is refused, and that nothing personal is shown."""

import asyncio
import io
import json
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from gateway import app
from gateway.awaited import Awaiting
from gateway.config.load import load
from gateway.edge.accesslog import LineLog
from gateway.edge.auth import Admission, Clients, KeyHash
from gateway.edge.control import Control, Office
from gateway.edge.current import Current, routes
from gateway.edge.health import Figures
from gateway.edge.ingress import Edge
from gateway.edge.server import Listener, serve
from gateway.edge.site import site
from gateway.errors import ConfigError, Finding
from gateway.metrics import Metrics
from gateway.records import Buried, Expired, Filter, Refused, State
from gateway.waiting import Waiting
from tests.office import BODY, FEE, MENDED_FEE, NAME, NIK, OLD_KEY, OPERATOR_KEY, books, furnish, mend, unreadable

POISON = Buried(reason="poison")


BAD = Finding(where="gateway.toml:3", what="agency.pln.url: is required")


async def reloading():
    """Reload: it is refused, whoever asks."""
    raise ConfigError(BAD)


class Desk:
    """A control API, an operator's client for it, and the ledger behind both."""

    def __init__(self, http, made, stream, log, stop):
        self.http, self.books, self.stream, self.log, self.stop = http, made, stream, log, stop

    async def ask(self, method, path, body=None, *, status=200, **more):
        """Ask; what is answered shows nothing personal unless that was asked for."""
        answer = await self.http.request(method, path, json=body, **more)
        assert answer.status_code == status, answer.text
        if "unmask" not in path:
            assert NIK not in answer.text
            assert NAME not in answer.text
        return answer.json()

    def lines(self):
        self.log.close()
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@asynccontextmanager
async def _desk(folder: Path):
    located = load(folder / "gateway.toml", {})
    async with books(folder) as made:
        clock, stream = made.clock, io.BytesIO()
        log = LineLog(stream, clock)
        stop, hurry = asyncio.Event(), asyncio.Event()
        operations = app.assemble(located, clock=clock, metrics=Metrics()).registry.operations
        office = Office(
            archive=made.ledger,
            deadlines=made.ledger,
            lanes=made.ledger,
            awaiting=Awaiting(archive=made.ledger, waiting=Waiting(lanes=made.ledger, clock=clock)),
            operations=operations,
            agencies=located.config.agency,
            clock=clock,
            log=log,
            stop=stop,
            reload=reloading,
        )
        keys = tuple(KeyHash(sha256=key.sha256, until=key.until) for key in located.config.operator["sri"].keys)
        control = Control(office, Clients([Admission(name="sri", keys=keys, allow=())], ()))
        current = Current(routes([], [], lambda _: None))
        where = asyncio.get_running_loop().create_future()
        done = asyncio.create_task(
            serve(
                Edge(current, site(current, clock, name="x", version="0"), clock=clock, log=log),
                Figures(CollectorRegistry(), clock),
                listen="127.0.0.1:0",
                metrics="127.0.0.1:0",
                stop=stop,
                hurry=hurry,
                grace=lambda: 5.0,
                control=Listener(
                    app=control, address="127.0.0.1:0", setting="gateway.control", started=where.set_result
                ),
            )
        )
        url = f"http://{await asyncio.wait_for(where, 30)}"
        async with httpx.AsyncClient(base_url=url, headers={"x-api-key": OPERATOR_KEY}, timeout=10) as http:
            yield Desk(http, made, stream, log, stop)
        stop.set()
        hurry.set()
        await asyncio.wait_for(done, 30)
        log.close()


@pytest.fixture
async def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path)
    async with _desk(tmp_path) as made:
        yield made


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_nothing_is_answered_without_a_valid_key(desk):
    for path in ("/lanes", "/messages", "/tidak-ada", "/messages/x/replay"):
        for key in ("", "salah", OLD_KEY):
            answer = await desk.http.get(path, headers={"x-api-key": key})
            assert (answer.status_code, answer.json()["type"]) == (401, "unauthorized"), (path, key)
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_bearer_is_a_key_too(desk):
    answer = await desk.http.get("/lanes", headers={"x-api-key": "", "authorization": f"Bearer {OPERATOR_KEY}"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


async def test_what_is_not_there_is_404_and_what_is_not_done_so_405(desk):
    assert (await desk.ask("GET", "/tidak-ada", status=404))["type"] == "unknown-operation"
    await desk.ask("DELETE", "/lanes", status=405)


async def test_messages_are_listed_and_found(desk):
    each = await desk.books.one_of_each()
    told = await desk.ask("GET", "/messages", params={"limit": 4})
    rest = await desk.ask("GET", "/messages", params={"cursor": told["cursor"]})
    assert {row["id"] for row in (*told["messages"], *rest["messages"])} == set(each.values())
    some = await desk.ask("GET", "/messages?state=buried&state=expired&since=2020-01-01T00:00:00%2B07:00")
    assert {row["state"] for row in some["messages"]} == {"buried", "expired"}
    other = await desk.books.put(subject="1405020101909002")
    mine = await desk.ask("POST", "/messages/search", {"subject": NIK})
    assert len(mine["messages"]) == 6
    assert other not in {row["id"] for row in mine["messages"]}


async def test_what_is_near_its_date_or_past_it_is_found_and_told(desk):
    now = desk.books.clock.now()
    late = await desk.books.put(answer_by=now - timedelta(hours=1))
    near = await desk.books.put(near_at=now - timedelta(hours=1), answer_by=now + timedelta(hours=9))
    await desk.books.put(near_at=now + timedelta(days=1), answer_by=now + timedelta(days=2))
    due = await desk.ask("GET", "/messages?due=true")
    assert [(row["id"], row["urgency"]) for row in due["messages"]] == [(near, "near"), (late, "past")]
    overdue = await desk.ask("POST", "/messages/search", {"overdue": True, "subject": NIK})
    assert [row["id"] for row in overdue["messages"]] == [late]
    lane = next(lane for lane in (await desk.ask("GET", "/lanes"))["lanes"] if lane["agency"] == "dpmptsp")
    assert (lane["answers_near"], lane["answers_past"], lane["answer_by"] is not None) == (1, 1, True)


async def test_a_person_says_that_people_have_their_answer(desk):
    (late,) = await desk.books.ended(Expired(), answer_by=desk.books.clock.now())
    told = await desk.ask("POST", f"/messages/{late}/answered")
    assert told["answered_at"] is not None
    assert (await desk.ask("GET", "/messages?due=true"))["messages"] == []
    assert (await desk.ask("GET", f"/messages/{late}"))["timeline"][-1]["what"] == "answered"
    again = await desk.ask("POST", f"/messages/{late}/answered", status=409)
    assert (again["type"], again["state"]) == ("wrong-state", "expired")


async def test_a_query_that_does_not_fit_is_told_where(desk):
    for query, pointer in (
        (f"subject={NIK}", "/subject"),
        ("limit=0", "/limit"),
        ("limit=banyak", "/limit"),
        ("state=parked", "/state/0"),
        ("since=2026-11-24T08:00", "/since"),
        ("since=0001-01-01T00:00:00%2B07:00", ""),
        ("cursor=x", "/cursor"),
    ):
        told = await desk.ask("GET", f"/messages?{query}", status=422)
        assert (told["type"], told["errors"][0]["pointer"]) == ("invalid-request", pointer), query


async def test_a_message_is_shown_masked_and_a_look_behind_it_is_recorded(desk):
    message = (await desk.books.one_of_each())[State.UNKNOWN]
    told = await desk.ask("GET", f"/messages/{message}")
    assert told["body"]["pemohon"]["nama"] == "*** (14 characters)"
    assert told["native_answer"]["http_status"] == 200
    whole = await desk.ask("GET", f"/messages/{message}?unmask=true")
    assert whole["body"] == BODY
    assert whole["timeline"][-1]["by"] == "sri"
    assert (await desk.ask("GET", "/messages/tidak-ada", status=404))["type"] == "unknown-message"


async def test_one_message_is_replayed(desk):
    (message,) = await desk.books.ended(POISON)
    told = await desk.ask("POST", f"/messages/{message}/replay")
    assert told == {"id": message, "replayed": 1, "skipped": 0, "total": 1}
    again = await desk.ask("POST", f"/messages/{message}/replay", status=409)
    assert (again["type"], again["state"]) == ("wrong-state", "pending")


async def test_an_id_that_can_be_none_is_unknown(desk):
    for path in ("/messages/a%00b/replay", "/messages/a%00b/cancel"):
        assert (await desk.ask("POST", path, status=404))["type"] == "unknown-message"
    assert (await desk.ask("GET", "/messages/a%00b", status=404))["type"] == "unknown-message"
    told = await desk.ask("POST", "/messages/replay", {"ids": ["a\x00b"]}, status=404)
    assert told["type"] == "unknown-message"
    told = await desk.ask("GET", "/messages?operation=a%00b", status=422)
    assert told["errors"][0] == {
        "pointer": "/operation",
        "rule": "type",
        "message": told["errors"][0]["message"],
    }


async def test_an_unknown_one_needs_its_phrase(desk):
    (message,) = await desk.books.ended(unreadable())
    await desk.ask("POST", f"/messages/{message}/replay", status=409)
    told = await desk.ask("POST", f"/messages/{message}/replay", {"unknown": True, "confirm": "ya"}, status=422)
    assert told["errors"][0]["pointer"] == "/confirm"
    assert '"send 1 again"' in told["errors"][0]["message"]
    await desk.ask("POST", f"/messages/{message}/replay", {"unknown": True, "confirm": "send 1 again"})
    assert await desk.books.state(message) is State.PENDING


async def test_many_are_replayed_after_a_dry_run(desk):
    ids = await desk.books.ended(POISON, Expired(), Refused())
    told = await desk.ask("POST", "/messages/replay", {"filter": {"agency": "dpmptsp"}})
    assert (told["dry_run"], told["would_replay"], len(told["sample"])) == (True, 2, 2)
    assert await desk.books.state(ids[0]) is State.BURIED
    wanted = {"filter": {"agency": "dpmptsp", "subject": NIK}, "dry_run": False}
    answer = await desk.http.post("/messages/replay", json=wanted)
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[-1] == {"replayed": 2, "skipped": 0, "total": 2, "ended": True, "stopped": False}
    by_id = await desk.http.post("/messages/replay", json={"ids": [ids[2]], "dry_run": False})
    assert json.loads(by_id.text.splitlines()[-1])["replayed"] == 1


async def test_a_replay_that_does_not_fit_is_refused_before_anything_is_done(desk):
    ids = await desk.books.ended(POISON, unreadable())
    for body, pointer in (
        ({}, "/filter"),
        ({"filter": {}}, "/filter"),
        ({"filter": {"agency": "dpmptsp"}, "ids": ["x"]}, "/ids"),
        ({"filter": {"agency": "dpmptsp"}, "rate": "cepat"}, "/rate"),
        ({"filter": {"state": ["delivered"]}}, "/state"),
        ({"filter": {"nik": NIK}}, "/filter/nik"),
        ({"filter": {"agency": "dpmptsp"}, "unknown": True, "dry_run": False}, "/confirm"),
    ):
        told = await desk.ask("POST", "/messages/replay", body, status=422)
        assert told["errors"][0]["pointer"] == pointer, body
    assert await desk.books.state(ids[0]) is State.BURIED


async def _expired(desk):
    page = await desk.books.ledger.search(Filter(states=frozenset({State.EXPIRED})), limit=500)
    return len(page.rows)


async def test_a_replay_of_300_stops_when_the_gateway_does_and_says_how_many(desk):
    await desk.books.ended(*[Expired()] * 300)
    wanted = {"filter": {"agency": "dpmptsp"}, "dry_run": False, "rate": "100/s"}
    lines = []
    async with desk.http.stream("POST", "/messages/replay", json=wanted) as answer:
        async for line in answer.aiter_lines():
            lines.append(json.loads(line))
            if len(lines) == 2:
                desk.stop.set()
    end = lines[-1]
    assert (end["ended"], end["stopped"], end["total"]) == (True, True, 300)
    assert await _expired(desk) == 300 - end["replayed"] > 0


async def test_one_message_is_replayed_though_the_gateway_stops(desk):
    (message,) = await desk.books.ended(POISON)
    desk.stop.set()
    told = await desk.ask("POST", f"/messages/{message}/replay")
    assert (told["replayed"], told["total"]) == (1, 1)


async def test_a_replay_stops_when_its_operator_hangs_up(desk):
    await desk.books.ended(*[Expired()] * 300)
    wanted = {"filter": {"agency": "dpmptsp"}, "dry_run": False, "rate": "100/s"}
    async with desk.http.stream("POST", "/messages/replay", json=wanted) as answer:
        await anext(answer.aiter_lines())
    async with asyncio.timeout(30):
        while not (said := [one for one in _events(desk) if one["event"] == "operator-act"]):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert await _expired(desk) == 300 - said[0]["replayed"] > 0


def _events(desk):
    return [json.loads(line) for line in desk.stream.getvalue().splitlines()]


async def test_a_person_resolves_cancels_and_rereads(desk, tmp_path):
    done, refused, odd, poison = await desk.books.ended(unreadable(), unreadable(), unreadable(), POISON)
    assert (await desk.ask("POST", f"/messages/{done}/resolve", {"outcome": "delivered"}))["state"] == "delivered"
    said = {"outcome": "refused", "text": "berkas kurang"}
    assert (await desk.ask("POST", f"/messages/{refused}/resolve", said))["state"] == "refused"
    await desk.ask("POST", f"/messages/{done}/resolve", {"outcome": "hilang"}, status=422)
    assert (await desk.ask("POST", f"/messages/{poison}/cancel"))["state"] == "cancelled"
    told = await desk.ask("POST", f"/messages/{odd}/reread")
    assert (told["state"], told["errors"][0]["rule"]) == ("unknown", "number")
    acts = [(line["act"], line["by"], line["message_id"]) for line in desk.lines() if line["event"] == "operator-act"]
    assert acts == [
        (act, "sri", one)
        for act, one in zip(("resolve", "resolve", "cancel", "reread"), (done, refused, poison, odd), strict=True)
    ]


async def test_a_mended_mapping_is_used_from_the_next_start(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path)
    mend(tmp_path, {FEE: MENDED_FEE})
    async with _desk(tmp_path) as desk:
        (message,) = await desk.books.ended(unreadable())
        told = await desk.ask("POST", f"/messages/{message}/reread")
    assert (told["state"], told["errors"]) == ("delivered", [])


async def test_a_buried_body_is_edited_with_its_difference_kept(desk):
    (message,) = await desk.books.ended(POISON)
    wrong = await desk.ask("POST", f"/messages/{message}/edit", {"body": {**BODY, "lain": 1}}, status=422)
    assert wrong["errors"][0]["pointer"] == "/lain"
    edited = {"body": {**BODY, "jenis": "SIUP"}, "confirm": ""}
    await desk.ask("POST", f"/messages/{message}/edit", edited)
    record = await desk.books.record(message)
    assert (record.summary.state, record.deeds[0].detail) == (State.PENDING, {"/jenis": ["IMB", "SIUP"]})


async def test_a_body_that_is_none_is_refused(desk):
    (message,) = await desk.books.ended(POISON)
    for content, status in ((b"{", 400), (b"[]", 422), (b'{"body": 1}', 422), (b"", 422)):
        answer = await desk.http.post(f"/messages/{message}/edit", content=content)
        assert answer.status_code == status, content
    assert await desk.books.state(message) is State.BURIED


async def test_lanes_are_paused_and_resumed(desk):
    told = await desk.ask("POST", "/lanes/dpmptsp/pause", {"until": "2099-01-01T00:00:00+07:00"})
    assert told == {"agency": "dpmptsp", "paused": True}
    lanes = (await desk.ask("GET", "/lanes"))["lanes"]
    assert [(lane["agency"], len(lane["pauses"])) for lane in lanes] == [("dinkes", 0), ("dpmptsp", 1)]
    assert [lane["waits_for"] and lane["waits_for"]["reason"] for lane in lanes] == [None, "operator"]
    await desk.books.ledger.pause("dpmptsp", "hours", by="gateway")
    told = await desk.ask("POST", "/lanes/dpmptsp/resume")
    assert (told["resumed"], [one["reason"] for one in told["still_closed"]]) == (True, ["hours"])
    await desk.ask("POST", "/lanes/dpmtsp/pause", status=422)
    await desk.ask("POST", "/lanes/dpmptsp/pause", {"reason": "hours"}, status=422)
    await desk.ask("POST", "/lanes/dpmptsp/pause", {"until": "2020-01-01T00:00:00+07:00"}, status=422)


async def test_a_ledger_that_is_away_is_503(desk):
    await desk.books.ledger.close()
    told = await desk.ask("POST", "/messages/x/cancel", status=503)
    assert told["type"] == "ledger-unavailable"


async def test_a_reload_that_is_refused_says_why_and_is_noted(desk):
    said = await desk.ask("POST", "/reload", status=422)
    assert said == {"reloaded": False, "why": [str(BAD)]}
    assert [(line["act"], line["outcome"]) for line in desk.lines()] == [("reload", "refused")]
