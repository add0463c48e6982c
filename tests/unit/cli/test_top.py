"""What `gateway top` makes of two readings of the figures, and what it does when there is no gateway."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner
from rich.console import Console

from gateway.cli import _cli
from gateway.cli.scrape import NotThereError, Reading, Readings, parse, per_second, percentile, read
from gateway.cli.top_view import Overview, overview, screen

NOW = 1_800_000_000.0
AGENCIES = ("disdukcapil", "dpmptsp", "puskesmas")


def figures(calls: float = 0, slow: float = 0, **more: str) -> str:
    """The figures after so many quick calls and slow calls at each agency; `more` comes before what else is said."""
    lines = ["# HELP gateway_agency_up 1 when it was reached.", "# TYPE gateway_agency_up gauge", *more.values()]
    for name in AGENCIES:
        about = f'agency="{name}",operation="{name}/baca"'
        lines += [
            f'gateway_agency_slots_limit{{agency="{name}"}} 8.0',
            f'gateway_agency_up{{agency="{name}"}} 1.0',
            f'gateway_agency_breaker_open{{agency="{name}"}} 0.0',
            f'gateway_agency_requests_total{{{about},outcome="ok"}} {calls}',
            f'gateway_agency_requests_total{{{about},outcome="timeout"}} {slow}',
            f'gateway_agency_request_duration_seconds_bucket{{{about},le="0.1"}} {calls}',
            f'gateway_agency_request_duration_seconds_bucket{{{about},le="0.5"}} {calls + slow}',
            f'gateway_agency_request_duration_seconds_bucket{{{about},le="+Inf"}} {calls + slow}',
            f'gateway_requests_total{{agency="{name}",code="200",method="GET"}} {calls + slow}',
        ]
    return "\n".join([*lines, "gateway_ledger_up 1.0", ""])


def reading(at: float, text: str) -> Reading:
    return Reading(at=at, figures=parse(text))


def shown(**more: str) -> Overview:
    return overview(reading(0, figures()), reading(10, figures(90, 10, **more)), NOW)


def printed(made: object, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(made)
    return out.getvalue()


def test_rates_and_percentiles_are_of_what_happened_in_between() -> None:
    seen = shown()
    assert [one.agency for one in seen.agencies] == list(AGENCIES)
    assert seen.per_second == 30.0
    assert seen.agencies[1].per_second == 10.0
    assert seen.agencies[1].p95_seconds == pytest.approx(0.3)  # halfway between 0.1 and 0.5
    assert {(one.state, one.breaker, one.waits_for) for one in seen.agencies} == {("ok", "closed", ())}


def test_of_what_is_beyond_the_last_bound_no_more_is_known() -> None:
    text = 'gateway_x_bucket{le="1.0"} 1\ngateway_x_bucket{le="+Inf"} 9\n'
    assert percentile(0.95, reading(0, "gateway_y 1\n"), reading(1, text), "gateway_x") == 1.0


def test_a_first_reading_has_no_rate_and_a_quiet_time_no_percentile() -> None:
    first = reading(0, figures(5))
    assert per_second(first, first, "gateway_requests_total") is None
    assert percentile(0.95, first, reading(5, figures(5)), "gateway_agency_request_duration_seconds") is None
    assert per_second(first, reading(5, figures(5)), "gateway_requests_total") == 0.0


def test_a_gateway_that_was_started_anew_is_not_compared_with_the_one_before() -> None:
    kept = Readings()
    kept.add(reading(0, figures(50)))
    assert kept.add(reading(2, figures(60)))[0].at == 0
    assert kept.add(reading(4, figures(1)))[0].at == 4
    assert kept.add(reading(6, figures(2)))[0].at == 4
    assert kept.add(reading(50, figures(2)))[0].at == 50


@pytest.mark.parametrize(
    ("figure", "state", "waits"),
    [
        ('gateway_agency_breaker_open{agency="pln"} 1', "failing", ("breaker",)),
        ('gateway_agency_up{agency="pln"} 0', "away", ("agency",)),
        ('gateway_agency_open{agency="pln"} 0', "closed", ()),
        ('gateway_lane_paused{agency="pln",reason="hours"} 1', "closed", ("hours",)),
        ('gateway_lane_paused{agency="pln",reason="operator"} 1', "paused", ("operator",)),
        ('gateway_lane_paused{agency="pln",reason="maintenance"} 1', "closed", ("maintenance",)),
        ('gateway_lane_paused{agency="pln",reason="outage"} 1', "-", ("agency",)),
        ('gateway_agency_waiting{agency="pln"} 3', "-", ("slot x3",)),
        ('gateway_lane_held{agency="pln"} 2', "-", ("order x2",)),
    ],
)
def test_an_agencys_state_and_what_it_waits_for(figure: str, state: str, waits: tuple[str, ...]) -> None:
    seen = shown(limit='gateway_agency_slots_limit{agency="pln"} 8', figure=figure)
    (one,) = [each for each in seen.agencies if each.agency == "pln"]
    assert (one.state, one.waits_for) == (state, waits)


@pytest.mark.parametrize(("seconds", "told"), [(5, "5s"), (65, "1m05"), (7500, "2h05"), (180_000, "2d02")])
def test_a_lanes_depth_and_the_age_of_its_oldest(seconds: float, told: str) -> None:
    seen = shown(
        pending='gateway_lane_messages{agency="dpmptsp",state="pending"} 120',
        delivering='gateway_lane_messages{agency="dpmptsp",state="delivering"} 3',
        done='gateway_lane_messages{agency="dpmptsp",state="delivered"} 7',
        oldest=f'gateway_lane_oldest_pending_timestamp_seconds{{agency="dpmptsp"}} {NOW - seconds}',
    )
    assert seen.agencies[1].lane == 123
    row = next(line for line in printed(all_of(seen)).splitlines() if "dpmptsp" in line)
    assert row.split()[4:8] == ["ms", "123", told, "closed"]


def all_of(seen: Overview | None, *, missing: str = "", height: int = 24) -> object:
    return screen(seen, address="127.0.0.1:9090", clock="09:00:00", missing=missing, height=height)


def test_it_fits_into_80_columns_with_an_agency_in_every_kind_of_trouble() -> None:
    trouble = shown(
        breaker='gateway_agency_breaker_open{agency="disdukcapil"} 1',
        depth='gateway_lane_messages{agency="disdukcapil",state="pending"} 123456',
        oldest=f'gateway_lane_oldest_pending_timestamp_seconds{{agency="disdukcapil"}} {NOW - 1_000_000}',
        held='gateway_lane_held{agency="disdukcapil"} 12',
    )
    lines = printed(all_of(trouble)).splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    assert "123456" in "".join(lines)
    assert "11d13" in "".join(lines)


def test_on_a_low_screen_those_in_trouble_come_first() -> None:
    seen = shown(up='gateway_agency_breaker_open{agency="puskesmas"} 1')
    lines = printed(all_of(seen, height=6)).splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["puskesmas", "..."]
    assert "2 more" in lines[-1]


def test_without_a_gateway_it_says_so_and_shows_what_was_last() -> None:
    assert "connection refused; trying again" in printed(all_of(None, missing="connection refused"))
    assert "dpmptsp" in printed(all_of(shown(), missing="connection refused"))


@contextmanager
def serving(text: str) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_where_no_gateway_is_once_ends_with_1() -> None:
    done = CliRunner().invoke(_cli, ["top", "--at", "127.0.0.1:1", "--once"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "no gateway answers at 127.0.0.1:1" in done.stderr


def test_what_answers_without_figures_is_no_gateway() -> None:
    with serving("<html>nginx</html>") as address, pytest.raises(NotThereError, match="no gateway"):
        read(address, lambda: 0.0)


def test_a_gateway_that_listens_everywhere_is_read_here() -> None:
    with serving(figures()) as address:
        port = address.rpartition(":")[2]
        assert read(f"0.0.0.0:{port}", lambda: 3.0).at == 3.0


def test_where_there_is_no_terminal_it_prints_a_line_for_each_agency_and_ends() -> None:
    with serving(figures(5)) as address:
        done = CliRunner().invoke(_cli, ["top", "--at", address, "--every", "1"])
    assert done.exit_code == 0
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert rows[0] == ["agency", "state", "calls/s", "p95", "lane", "oldest", "breaker", "waits for"]
    assert [row[0] for row in rows[1:]] == list(AGENCIES)


def test_an_address_that_is_none_is_refused() -> None:
    done = CliRunner().invoke(_cli, ["top", "--at", "gateway"])
    assert done.exit_code == 2
    assert "127.0.0.1:9090" in done.stderr


def test_a_feed_whose_file_is_late_is_waited_for() -> None:
    due = "gateway_feed_due_timestamp_seconds"
    late = (
        f'{due}{{agency="puskesmas",feed="imunisasi"}} {NOW - 60}\n{due}{{agency="puskesmas",feed="stok"}} {NOW + 60}'
    )
    seen = {one.agency: one for one in shown(late=late).agencies}
    assert seen["puskesmas"].waits_for == ("file of imunisasi",)
    assert seen["puskesmas"].troubled
    assert not seen["dpmptsp"].troubled
