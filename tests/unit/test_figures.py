"""What happens is counted where it belongs, and whatever clients send adds nothing."""

from datetime import timedelta

from prometheus_client import generate_latest

from gateway.edge.problems import STATUS
from gateway.figures import DELIVERIES, REJECTIONS, SOURCES, RequestFigures, attempts, deliveries
from gateway.handover import HandedOver
from gateway.message import Outcome, Reply
from gateway.metrics import Metrics
from gateway.records import (
    Buried,
    Claim,
    Delivered,
    Postponed,
    Refused,
    Repeat,
    Settlement,
    Ticket,
    Tried,
    Unknown,
    Verdict,
)
from tests.fakes import MONDAY_MORNING
from tests.unit.test_channel import message

MESSAGE = message({}).but(accepted_at=MONDAY_MORNING - timedelta(seconds=20))


def text(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def series(metrics: Metrics, name: str) -> dict[str, float]:
    rows = [line.rpartition(" ") for line in text(metrics).splitlines() if line.startswith((f"{name}{{", f"{name} "))]
    return {row[0].removeprefix(name): float(row[2]) for row in rows}


def test_every_error_that_can_be_answered_is_somebodys_failure_or_an_answer() -> None:
    assert STATUS.keys() <= SOURCES.keys()
    assert STATUS.keys() >= REJECTIONS
    answers = {code for code in STATUS if SOURCES[code] == "none"}
    assert answers == {"not-found", "refused"}


def test_ten_thousand_made_up_methods_add_no_series() -> None:
    metrics = Metrics()
    figures = RequestFigures(metrics, "other", "other")
    figures.done("BREW", "", 404, "unknown-operation", 0.001, 0.0, 0, 100)
    before = text(metrics).count("\n")
    for number in range(10_000):
        figures.done(f"BREW{number}", "", 404, "unknown-operation", 0.001, 0.0, 0, 100)
    assert text(metrics).count("\n") == before
    assert len(figures._kept) == 0


def test_a_request_is_counted_with_its_own_time_apart() -> None:
    metrics = Metrics()
    figures = RequestFigures(metrics, "dpmptsp/status-izin", "dpmptsp")
    figures.done("GET", "klik", 200, "ok", 0.103, 0.1, 10, 200)
    shown = text(metrics)
    labels = 'agency="dpmptsp",code="200",error_source="none",method="GET",operation="dpmptsp/status-izin",outcome="ok"'
    assert f"gateway_requests_total{{{labels}}} 1.0" in shown
    assert 'gateway_client_requests_total{agency="dpmptsp",client="klik",error_source="none"} 1.0' in shown
    assert 'gateway_overhead_seconds_bucket{le="0.005"} 1.0' in shown
    assert 'gateway_response_bytes_total{operation="dpmptsp/status-izin"} 200.0' in shown


def test_a_failure_bears_its_source_and_a_rejection_its_reason() -> None:
    metrics = Metrics()
    figures = RequestFigures(metrics, "dpmptsp/status-izin", "dpmptsp")
    figures.done("GET", "klik", 504, "agency-timeout", 8.0, 8.0, 10, 200)
    figures.done("GET", "klik", 422, "invalid-request", 0.001, 0.0, 10, 200)
    figures.done("GET", "klik", 500, "internal", 0.001, 0.0, 10, 200)
    sources = series(metrics, "gateway_client_requests_total")
    assert sources == {
        f'{{agency="dpmptsp",client="klik",error_source="{source}"}}': 1.0 for source in ("agency", "client", "gateway")
    }
    assert series(metrics, "gateway_rejections_total") == {'{reason="invalid-request"}': 1.0}


def test_an_attempt_that_reached_nobody_shows_the_agency_as_down() -> None:
    metrics = Metrics()
    observe = attempts(metrics, "dinkes", "dinkes/faskes")
    assert series(metrics, "gateway_agency_up") == {}
    observe(Outcome.TIMEOUT, 8.0)
    assert series(metrics, "gateway_agency_up") == {'{agency="dinkes"}': 0.0}
    observe(Outcome.REFUSED, 0.1)
    assert series(metrics, "gateway_agency_up") == {'{agency="dinkes"}': 1.0}


def ended(verdict: Verdict, repeat: Repeat = "never") -> tuple[Claim, Settlement]:
    """Return the end of an attempt that began 20 s after its message was accepted, and took half a second."""
    ticket = Ticket(id=MESSAGE.id, token=1)
    tried = Tried(at=MONDAY_MORNING, seconds=0.5, outcome=Outcome.OK)
    claim = Claim(ticket=ticket, message=MESSAGE, lane="dpmptsp", repeat=repeat)
    return claim, Settlement(ticket=ticket, verdict=verdict, tried=tried)


def words(metrics: Metrics) -> dict[str, float]:
    counted = series(metrics, "gateway_lane_deliveries_total")
    return {word: counted[f'{{agency="dpmptsp",outcome="{word}"}}'] for word in DELIVERIES}


def test_every_end_of_a_delivery_has_its_word_from_the_start() -> None:
    metrics = Metrics()
    counted = deliveries(metrics, "dpmptsp")
    assert set(series(metrics, "gateway_lane_deliveries_total").values()) == {0.0}
    for verdict in (
        Delivered(reply=Reply(body={})),
        Delivered(reply=Reply(body={}, outcome=Outcome.DUPLICATE)),
        HandedOver(reply=Reply(body={}), seconds=60.0),
        Refused(code="refused", text="tidak", errors=()),
        Postponed(seconds=1.0),
        Unknown(),
        Buried(reason="misfit"),
    ):
        counted(*ended(verdict))
    assert words(metrics) == dict.fromkeys(DELIVERIES, 1.0)
    assert series(metrics, "gateway_lane_delivery_lag_seconds_count") == {'{agency="dpmptsp"}': 3.0}
    assert series(metrics, "gateway_lane_delivery_lag_seconds_sum") == {'{agency="dpmptsp"}': 3 * 20.5}


def test_what_may_have_been_done_and_must_not_be_sent_again_is_counted_as_unknown() -> None:
    metrics = Metrics()
    counted = deliveries(metrics, "dpmptsp")
    counted(*ended(Postponed(seconds=1.0, maybe_done=True), repeat="never"))
    counted(*ended(Postponed(seconds=1.0, maybe_done=True), repeat="ask"))
    assert words(metrics) == dict.fromkeys(DELIVERIES, 0.0) | {"unknown": 1.0, "postponed": 1.0}
