"""The overview: are people served?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from parts import dashboard, graph, number, row, table
from promql import quantile, rate

ITS = 'job=~"$job"'
SHARES = ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
FAILED = 'error_source=~"gateway|agency", outcome!="agency-closed"'


def overview() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("overview", "overview", "Are people served, and by whom are they not?")
    for part in (_budget, _requests, _agencies, _clients):
        made = part(made)
    return made


def _budget(made: Dashboard) -> Dashboard:
    failed = f'sum(increase(gateway_requests_total{{job=~"$job", {FAILED}}}[$__range]))'
    asked = (
        'sum(increase(gateway_requests_total{job=~"$job", error_source!="client", outcome!="agency-closed"}[$__range]))'
    )
    return (
        made.with_row(row("Are people served?"))
        .with_panel(
            number(
                "Answered as it should be",
                "Of the requests in the time shown that were not their callers' own mistakes; the target is 99.5 %.",
                f"1 - (({failed} or vector(0)) / {asked})",
                unit="percentunit",
            )
        )
        .with_panel(
            number(
                "Error budget spent",
                "What failed in the time shown, as a share of what the target of 99.5 % allows; 100 % is all of it.",
                f"({failed} or vector(0)) / {asked} / 0.005",
                unit="percentunit",
                bad=((0.5, "orange"), (1.0, "red")),
            )
        )
        .with_panel(
            number(
                "Requests per second",
                "All of them, those turned away among them.",
                'sum(rate(gateway_requests_total{job=~"$job"}[5m]))',
                unit="reqps",
            )
        )
        .with_panel(
            number(
                "Agencies that can't be reached",
                "Now, whether they are within their service hours or not.",
                'count(max by (agency) (gateway_agency_up{job=~"$job"}) == 0) or vector(0)',
                bad=((1, "orange"),),
            )
        )
        .with_panel(
            number(
                "Messages that wait",
                "Recorded and not settled, in all lanes.",
                'sum(max by (agency) (gateway_lane_messages{job=~"$job", state="pending"})) or vector(0)',
            )
        )
        .with_panel(
            number(
                "Messages for a person",
                "Buried or unknown: they go no further by themselves.",
                'sum(max by (agency, state) (gateway_lane_messages{job=~"$job", state=~"buried|unknown"}))'
                " or vector(0)",
                bad=((1, "red"),),
            )
        )
    )


def _requests(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("What is asked, and what fails?"))
        .with_panel(
            graph(
                "Requests by agency",
                "gateway are composites; other is what reached no operation.",
                (rate("gateway_requests_total", ITS, by="agency"), "{{agency}}"),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "Share that fails, by agency",
                "Failures of the gateway's or the agency's own, over five minutes.",
                ("agency:gateway_requests:error_ratio_rate5m", "{{agency}}"),
                unit="percentunit",
            )
        )
        .with_panel(
            graph(
                "Failures by whose they are",
                "client: the request was wrong; gateway: full, stopping, the ledger, a bug; agency: the rest.",
                (rate("gateway_requests_total", f'{ITS}, error_source!="none"', by="error_source"), "{{error_source}}"),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "Failures by outcome",
                "Of the gateway's and the agencies' own.",
                (rate("gateway_requests_total", f'{ITS}, error_source=~"gateway|agency"', by="outcome"), "{{outcome}}"),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "How long an answer takes",
                "From the first byte of a request to its answer; all operations together.",
                *((quantile(share, "gateway_request_duration_seconds", ITS), name) for share, name in SHARES),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Of that, the gateway's own time",
                "Without the agencies' part; waiting for a turn counts as the gateway's own.",
                *((quantile(share, "gateway_overhead_seconds", ITS), name) for share, name in SHARES),
                unit="s",
            )
        )
    )


def _agencies(made: Dashboard) -> Dashboard:
    return made.with_row(row("How are the agencies?")).with_panel(
        table(
            "Agencies",
            "up: the last attempt or probe reached it; open: within its service hours.",
            ('max by (agency) (gateway_agency_up{job=~"$job"})', "up"),
            ('max by (agency) (gateway_agency_open{job=~"$job"})', "open"),
            ('max by (agency) (gateway_agency_breaker_open{job=~"$job"})', "breaker open"),
            (quantile(0.95, "gateway_agency_request_duration_seconds", ITS, by="agency"), "95 % within (s)"),
            (
                'time() - max by (agency) (gateway_agency_last_success_timestamp_seconds{job=~"$job"})',
                "last success (s ago)",
            ),
            ('max by (agency) (gateway_lane_messages{job=~"$job", state="pending"})', "waiting"),
            by="agency",
        )
    )


def _clients(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Who asks?"))
        .with_panel(
            graph(
                "Clients, the ten that ask most",
                "other is whoever showed no valid key.",
                (f"topk(10, {rate('gateway_client_requests_total', ITS, by='client')})", "{{client}}"),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "Turned away, by reason",
                "Before any agency was asked.",
                (rate("gateway_rejections_total", ITS, by="reason"), "{{reason}}"),
                unit="reqps",
            )
        )
    )
