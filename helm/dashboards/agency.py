"""One agency: is it there, and what comes back from it?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from parts import A_FORTNIGHT, agency_variable, dashboard, graph, number, row
from promql import quantile, rate, rise

ITS = 'job=~"$job", agency="$agency"'


def agency() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("agency", "agency", "One agency: is it there, how fast is it, what comes back?")
    made = made.with_variable(agency_variable())
    for part in (_there, _ends, _answers, _limits, _translation):
        made = part(made)
    return made


def _there(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Is it there?"))
        .with_panel(
            number(
                "Reached",
                "By the last attempt or probe: 1 is yes.",
                f"max(gateway_agency_up{{{ITS}}})",
                least=1,
                span=3,
            )
        )
        .with_panel(number("Open", "Within its service hours: 1 is yes.", f"max(gateway_agency_open{{{ITS}}})", span=3))
        .with_panel(
            number(
                "Breaker",
                "1 while nothing is sent because of failures.",
                f"max(gateway_agency_breaker_open{{{ITS}}})",
                bad=((1, "red"),),
                span=3,
            )
        )
        .with_panel(
            number(
                "Last success",
                "Since it last answered as agreed.",
                f"time() - max(gateway_agency_last_success_timestamp_seconds{{{ITS}}})",
                unit="s",
                span=3,
            )
        )
    )


def _ends(made: Dashboard) -> Dashboard:
    """What runs out, beside whether it is there."""
    return (
        made.with_panel(
            number(
                "Certificate",
                "Until its server's TLS certificate ends; empty without TLS.",
                f"min(gateway_agency_certificate_expiry_timestamp_seconds{{{ITS}}}) - time()",
                unit="s",
                least=A_FORTNIGHT,
                span=3,
            )
        )
        .with_panel(
            number(
                "Our certificate",
                "Until the one ends that the gateway shows to it; empty where it shows none.",
                f"min(gateway_agency_own_certificate_expiry_timestamp_seconds{{{ITS}}}) - time()",
                unit="s",
                least=A_FORTNIGHT,
                span=3,
            )
        )
        .with_panel(
            number(
                "Quota left",
                "Of the window that is running; empty without one.",
                f"min(gateway_agency_quota_left{{{ITS}}} / gateway_agency_quota_limit{{{ITS}}})",
                unit="percentunit",
                least=0.1,
                span=3,
            )
        )
        .with_panel(
            number(
                "Waiting",
                "Recorded messages that are not delivered yet.",
                f'max(gateway_lane_messages{{{ITS}, state="pending"}}) or vector(0)',
                span=3,
            )
        )
    )


def _answers(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("What comes back?"))
        .with_panel(
            graph(
                "Attempts by outcome",
                "Retries are attempts of their own.",
                (rate("gateway_agency_requests_total", ITS, by="outcome"), "{{outcome}}"),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "How long one attempt takes",
                "95 in 100 take at most so long, by operation.",
                (quantile(0.95, "gateway_agency_request_duration_seconds", ITS, by="operation"), "{{operation}}"),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "What callers were told",
                "By outcome of the request, after retries and stale answers.",
                (rate("gateway_requests_total", ITS, by="outcome"), "{{outcome}}"),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "Tried again, and not tried again",
                "By the code of the failure; spent is where the budget of retries left none.",
                (rate("gateway_agency_retries_total", ITS, by="reason"), "{{reason}}"),
                (rate("gateway_agency_retry_budget_exhausted_total", ITS), "spent"),
                unit="ops",
            )
        )
    )


def _limits(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Is it asked too much?"))
        .with_panel(
            graph(
                "Slots",
                "Calls at the agency at a time, those that wait for a slot, and how many there are.",
                (f"sum(gateway_agency_slots_in_use{{{ITS}}})", "in use"),
                (f"sum(gateway_agency_waiting{{{ITS}}})", "waiting"),
                (f"sum(gateway_agency_slots_limit{{{ITS}}})", "limit"),
            )
        )
        .with_panel(
            graph(
                "Breaker, quota, hours",
                "How often the breaker opened, the quota was spent, and a direct call failed outside service hours.",
                (rise("gateway_agency_breaker_transitions_total", f'{ITS}, to="open"'), "breaker opened"),
                (rise("gateway_agency_quota_exhausted_total", ITS), "quota spent"),
                (rise("gateway_agency_closed_calls_total", ITS), "closed"),
                (rise("gateway_agency_probes_total", f'{ITS}, outcome="failed"'), "probes failed"),
            )
        )
    )


def _translation(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Does it still speak as agreed?"))
        .with_panel(
            graph(
                "Documents that did not fit",
                "reply: the agency changed its answers, or the mapping is wrong.",
                (rise("gateway_translation_errors_total", ITS, by="operation, side"), "{{operation}} {{side}}"),
            )
        )
        .with_panel(
            graph(
                "Answers that were tolerated",
                "By what its section tolerates, or the charset it is read by: they deviate from the WSDL.",
                (rise("gateway_agency_tolerated_total", ITS, by="tolerance"), "{{tolerance}}"),
            )
        )
        .with_panel(
            number(
                "WSDL changed",
                "1 when what it publishes differs from what is pinned; empty where nobody compares.",
                f"max(gateway_agency_contract_changed{{{ITS}}})",
                bad=((1, "red"),),
            )
        )
        .with_panel(
            number(
                "WSDL compared",
                "Since it was last compared with the pinned one.",
                f"time() - max(gateway_agency_contract_checked_timestamp_seconds{{{ITS}}})",
                unit="s",
            )
        )
        .with_panel(
            graph(
                "How long translating takes",
                "95 in 100 documents take at most so long.",
                (quantile(0.95, "gateway_translation_duration_seconds", ITS, by="side"), "{{side}}"),
                unit="s",
            )
        )
    )
