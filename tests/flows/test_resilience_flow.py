"""What a gateway does while agencies fail or are slow, and how it stops: against the real process, by real clocks."""

import asyncio
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from demo.testing import Running
from tests.flows import process
from tests.flows.asks import (
    BILL,
    FACILITIES,
    FILE_PERMIT,
    MY_PERMITS,
    OFFICIAL,
    PERMIT_STATUS,
    QUEUE,
    REPORT_ROAD,
    REPORT_WASTE,
    SUMMARY,
    UNITS,
    Ask,
)
from tests.flows.flow import Flow, problem
from tests.flows.pilot import KEY, RESTRICTED_KEY, UNBREAKABLE, defaults, pilot
from tests.flows.process import Gateway, eventually

QUICK = 'retry    = { attempts = 3, wait = "10ms", max_wait = "20ms", budget = 1.0 }'
TUNED: Mapping[str, str] = {
    **defaults(UNBREAKABLE, QUICK),
    'mapping = "mappings/dinkes.toml"': 'mapping = "mappings/dinkes.toml"\n'
    'retry = { attempts = 1 }\nbreaker = { failures = 3, open_for = "2s" }',
    'mapping = "mappings/pln.toml"': 'mapping = "mappings/pln.toml"\nconcurrency = 1\nwaiting = 1',
    'call   = "daftarIzin"': 'call   = "daftarIzin"\nstale  = "10m"',
}


@pytest.fixture(scope="module")
def tuned(agencies: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with process.running(pilot(tmp_path_factory.mktemp("tuned"), agencies.ports, TUNED)) as gateway:
        yield gateway


@pytest.fixture
def strained(tuned: Gateway, agencies: Running) -> Flow:
    return Flow(tuned, agencies)


@pytest.fixture
def alone(agencies: Running, tmp_path: Path) -> Iterator[Flow]:
    """A gateway of one test, which may stop it."""
    with process.running(pilot(tmp_path, agencies.ports)) as gateway:
        yield Flow(gateway, agencies)


async def together(gateway: Gateway, *asks: tuple[Ask, Mapping[str, Any] | None]) -> list[httpx.Response]:
    """Ask all at the same time."""
    async with httpx.AsyncClient(base_url=gateway.url, headers={"x-api-key": KEY}, timeout=30) as http:
        return await asyncio.gather(*(http.request(ask.method, ask.path, json=body or ask.body) for ask, body in asks))


def figure(gateway: Gateway, name: str) -> float:
    found = [line for line in gateway.figures().splitlines() if line.startswith(name)]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


def becomes(gateway: Gateway, name: str, value: float) -> None:
    """Wait for a figure: what Prometheus reads is kept for a second."""
    eventually(lambda: figure(gateway, name) == value or None, f"{name} is {value}")


def healed(flow: Flow) -> None:
    flow.turn("dinkes", "up")
    eventually(lambda: flow.ask(QUEUE).status_code == 200 or None, "dinkes is asked again")


def test_an_agency_that_keeps_failing_is_left_alone_until_a_probe_finds_it_back(strained: Flow) -> None:
    gateway, before = strained.gateway, len(strained.gateway.lines())
    strained.turn("dinkes", "down")
    for _ in range(3):
        problem(strained.ask(QUEUE), 503, "agency-unavailable")
    strained.turn("dinkes", "up")
    answer = strained.ask(QUEUE)
    assert problem(answer, 503, "breaker-open")["maybe_done"] is False
    assert 1 <= int(answer.headers["retry-after"]) <= 2
    assert strained.arrived("dinkes") == []
    becomes(gateway, 'gateway_agency_breaker_open{agency="dinkes"}', 1)
    assert strained.ask(UNITS).status_code == 200  # of the others none suffers
    healed(strained)
    becomes(gateway, 'gateway_agency_breaker_open{agency="dinkes"}', 0)
    gateway.event("agency-back", after=before, agency="dinkes")
    news = [line["event"] for line in gateway.lines()[before:] if line.get("event", "").startswith("agency-")]
    assert news == ["agency-failing", "agency-back"]


def test_every_request_and_every_call_is_counted_under_its_operation(strained: Flow) -> None:
    names = (
        (
            'gateway_requests_total{agency="gateway",code="200",error_source="none",method="POST",'
            'operation="gateway/aduan",outcome="ok"}'
        ),
        'gateway_agency_requests_total{agency="dpupr",operation="dpupr/lapor",outcome="ok"}',
    )
    before = [figure(strained.gateway, name) for name in names]
    assert strained.ask(REPORT_ROAD).status_code == 200
    for name, count in zip(names, before, strict=True):
        becomes(strained.gateway, name, count + 1)


def test_refusals_and_not_found_leave_the_breaker_alone(strained: Flow) -> None:
    strained.turn("dinkes", "refuse")
    for _ in range(6):
        problem(strained.ask(QUEUE), 422, "refused")
    strained.turn("dinkes", "up")
    assert strained.ask(QUEUE).status_code == 200


def test_the_last_good_answer_serves_with_its_age_while_the_agency_is_down(strained: Flow) -> None:
    good = strained.ask(FACILITIES)
    strained.turn("dinkes", "down")
    for _ in range(4):  # the last one finds the breaker open
        answer = strained.ask(FACILITIES)
        assert (answer.status_code, answer.json()) == (200, good.json())
        assert int(answer.headers["age"]) >= 0
    line = strained.gateway.line(answer)
    assert (line["outcome"], line["status"]) == ("stale", 200)
    problem(strained.ask(QUEUE), 503, "breaker-open")
    healed(strained)
    answer = strained.ask(FACILITIES)
    assert "age" not in answer.headers
    becomes(strained.gateway, 'gateway_cache_requests_total{operation="dinkes/daftar-faskes",result="stale"}', 4)


def test_a_soap_agencys_last_good_answer_serves_too_but_not_for_a_wrong_one(strained: Flow) -> None:
    good = strained.ask(UNITS)
    strained.turn("bkpsdm", "down")
    answer = strained.ask(UNITS)
    assert (answer.json(), answer.headers["age"]) == (good.json(), "0")
    strained.turn("bkpsdm", "wrong")
    problem(strained.ask(UNITS), 502, "agency-invalid-answer")


async def test_identical_reads_at_the_same_time_arrive_once(flow: Flow) -> None:
    flow.turn("bkpsdm", "slow", seconds=1)
    answers = await together(flow.gateway, *[(UNITS, None)] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["x-correlation-id"] for answer in answers}) == 8
    assert flow.arrived("bkpsdm") == ["UnitKerja"]


async def test_reads_that_differ_and_writes_are_never_shared(flow: Flow) -> None:
    flow.turn("bkpsdm", "slow", seconds=0.3)
    await together(flow.gateway, (OFFICIAL, None), (OFFICIAL, {"nip": "199102282019032902"}))
    assert flow.arrived("bkpsdm") == ["CariPegawai"] * 2
    flow.turn("diskominfo", "slow", seconds=0.3)
    first, second = await together(flow.gateway, (REPORT_WASTE, None), (REPORT_WASTE, None))
    assert first.json()["nomor"] != second.json()["nomor"]
    assert flow.arrived("diskominfo") == ["laporan"] * 2


def test_rule_11_2_what_was_certainly_not_done_is_tried_again_a_write_too(strained: Flow) -> None:
    strained.turn("dpmptsp", "busy", times=2)
    answer = strained.ask(PERMIT_STATUS)
    assert (answer.status_code, strained.gateway.line(answer)["attempts"]) == (200, 3)
    strained.turn("dpmptsp", "busy", times=1)
    answer = strained.ask(FILE_PERMIT)
    assert (answer.json()["nomor"][:8], strained.gateway.line(answer)["attempts"]) == ("902/IMB/", 2)
    assert strained.arrived("dpmptsp") == ["statusPermohonan"] * 3 + ["ajukanPermohonan"] * 2


def test_rule_11_2_after_a_doubt_only_a_read_is_tried_again(strained: Flow) -> None:
    strained.turn("bkpsdm", "half", times=1)
    answer = strained.ask(OFFICIAL)
    assert (answer.status_code, strained.gateway.line(answer)["attempts"]) == (200, 2)
    strained.turn("dpupr", "half", times=1)
    assert problem(strained.ask(REPORT_ROAD), 503, "agency-unavailable")["maybe_done"] is True
    assert strained.arrived("dpupr") == ["laporan"]


async def test_when_all_places_and_the_line_are_full_nothing_more_is_sent(strained: Flow) -> None:
    strained.turn("pln", "slow", seconds=1)
    customers = [{"id_pelanggan": f"14320500900{number}"} for number in (1, 2, 3)]
    answers = await together(strained.gateway, *((BILL, customer) for customer in customers))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503]
    (refused,) = (answer for answer in answers if answer.status_code == 503)
    problem(refused, 503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert strained.arrived("pln") == ["tagihan"] * 2


def test_a_client_that_asks_too_often_is_429_and_the_others_are_served(strained: Flow) -> None:
    limited = {"x-api-key": RESTRICTED_KEY}
    for _ in range(3):
        assert strained.ask(FACILITIES, **limited).status_code == 200
    answer = strained.ask(FACILITIES, **limited)
    problem(answer, 429, "rate-limited")
    assert 1000 < int(answer.headers["retry-after"]) <= 1200  # three an hour
    assert strained.ask(FACILITIES).status_code == 200
    assert strained.arrived("dinkes") == ["faskes"] * 4


def test_everything_together_ends_at_the_deadline(unlucky: Flow) -> None:
    unlucky.turn("dinkes", "slow")
    began = monotonic()
    problem(unlucky.ask(QUEUE), 504, "agency-timeout")
    # One second by the configuration; two attempts of 0.6 s would end later if each had its whole time.
    assert 0.9 < monotonic() - began < 10
    assert unlucky.arrived("dinkes") == ["antrean/sisa"] * 2


def test_a_gathered_part_is_served_stale_with_its_age(strained: Flow) -> None:
    fresh = strained.ask(SUMMARY).json()
    strained.turn("dpmptsp", "down")
    answer = strained.ask(SUMMARY)
    assert answer.status_code == 200
    assert answer.json()["parts"]["izin"] == {"state": "stale", "data": fresh["parts"]["izin"]["data"], "age": 0}
    assert answer.json()["parts"]["antrean"] == fresh["parts"]["antrean"]
    assert strained.ask(MY_PERMITS).headers["age"] == "0"


def test_rule_11_4_a_write_is_finished_though_its_client_has_hung_up(flow: Flow) -> None:
    flow.turn("dpupr", "slow", seconds=0.5)
    _hang_up(flow, REPORT_ROAD, "tutup-1")
    line = eventually(lambda: _line(flow, "tutup-1"), "the write's line")
    assert (line["status"], line["outcome"], line["attempts"]) == (200, "ok", 1)
    assert flow.arrived("dpupr") == ["laporan"]


def test_rule_11_4_a_read_is_given_up_when_its_client_has_hung_up(flow: Flow) -> None:
    flow.turn("bkpsdm", "slow", seconds=20)
    began = monotonic()
    _hang_up(flow, UNITS, "tutup-2")
    line = eventually(lambda: _line(flow, "tutup-2"), "the read's line")
    assert (line["status"], line["outcome"]) == (499, "client-gone")
    assert monotonic() - began < 10


def _line(flow: Flow, identity: str) -> dict[str, Any] | None:
    return next((line for line in flow.gateway.lines() if line.get("correlation_id") == identity), None)


def _hang_up(flow: Flow, ask: Ask, identity: str) -> None:
    """Send a request and leave as soon as the agency has it."""
    request = flow.gateway.http.build_request(ask.method, ask.path, json=ask.body)
    head = [f"{ask.method} {ask.path} HTTP/1.1", f"x-correlation-id: {identity}"]
    head += [f"{name}: {value}" for name, value in request.headers.items()]
    host, _, port = flow.gateway.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + request.read())
        eventually(lambda: flow.arrived(ask.agency) or None, f"{ask} arrives")


class Asking(threading.Thread):
    """One request under way in a thread of its own."""

    def __init__(self, flow: Flow, ask: Ask) -> None:
        super().__init__()
        self.answer: httpx.Response | None = None
        self._flow, self._ask = flow, ask
        self.start()
        eventually(lambda: flow.arrived(ask.agency) or None, f"{ask} arrives")

    def run(self) -> None:
        headers = {"x-api-key": KEY}
        url = self._flow.gateway.url + self._ask.path
        self.answer = httpx.request(self._ask.method, url, json=self._ask.body, headers=headers, timeout=60)

    def answered(self) -> httpx.Response:
        self.join(60)
        assert self.answer is not None
        return self.answer


@pytest.mark.parametrize("ask", [UNITS, REPORT_ROAD], ids=["a read", "a write"])
def test_asked_to_stop_it_finishes_what_is_under_way_and_takes_nothing_new(alone: Flow, ask: Ask) -> None:
    alone.turn(ask.agency, "slow", seconds=2)
    asking = Asking(alone, ask)
    alone.gateway.ask_to_stop()
    eventually(lambda: _refuses(alone.gateway.url), "new connections are refused")
    assert asking.answered().status_code == 200
    assert alone.gateway.process.wait(60) == 0
    assert alone.gateway.line(asking.answered())["outcome"] == "ok"
    assert alone.arrived(ask.agency) == [ask.arrives]


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_with_nothing_under_way_it_stops_at_once(alone: Flow, sent: signal.Signals) -> None:
    with httpx.Client(base_url=alone.gateway.url) as idle:
        assert idle.get("/livez").status_code == 200  # and the connection stays open
        alone.gateway.process.send_signal(sent)
        assert alone.gateway.process.wait(60) == 0
    assert "Traceback" not in alone.gateway.err.read_text("utf-8")


def test_asked_a_second_time_it_hurries_and_says_what_may_have_been_done(alone: Flow) -> None:
    for agency in ("bkpsdm", "dpupr"):
        alone.turn(agency, "slow", seconds=9)
    read, write = Asking(alone, UNITS), Asking(alone, REPORT_ROAD)
    alone.gateway.ask_to_stop()
    eventually(lambda: _refuses(alone.gateway.url), "new connections are refused")
    began = monotonic()
    alone.gateway.ask_to_stop()
    assert problem(read.answered(), 503, "stopping")["maybe_done"] is False
    assert problem(write.answered(), 503, "stopping")["maybe_done"] is True
    assert alone.gateway.process.wait(60) == 0
    assert monotonic() - began < 8


def _refuses(url: str) -> bool | None:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0 or None
