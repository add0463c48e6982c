"""Delivery: what waits, since when, and what a person must look at."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from parts import dashboard, graph, number, row, table
from promql import quantile, rate

LANE = 'job=~"$job"'


def delivery() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("delivery", "delivery", "What waits and since when, and what a person must look at.")
    for part in (_now, _waiting, _through, _due):
        made = part(made)
    return made


def _now(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Is anything stuck?"))
        .with_panel(number("Waiting", "Messages in all lanes.", _messages("pending"), span=6))
        .with_panel(
            number(
                "Oldest",
                "How long the oldest message has waited, nights included.",
                f"time() - min(gateway_lane_oldest_pending_timestamp_seconds{{{LANE}}} > 0) or vector(0)",
                unit="s",
                span=6,
            )
        )
        .with_panel(number("Buried", "A person must look at them.", _messages("buried"), bad=((1, "red"),), span=6))
        .with_panel(number("Unknown", "A person must ask the agency.", _messages("unknown"), bad=((1, "red"),), span=6))
        .with_panel(
            table(
                "Lanes",
                "Held messages wait for an older one of their order; paused: hours and pauses of operators.",
                (f'max by (agency) (gateway_lane_messages{{{LANE}, state="pending"}})', "waiting"),
                (f"max by (agency) (gateway_lane_held{{{LANE}}})", "held"),
                (
                    f"time() - (max by (agency) (gateway_lane_oldest_pending_timestamp_seconds{{{LANE}}}) > 0)",
                    "oldest (s)",
                ),
                (f'max by (agency) (gateway_lane_messages{{{LANE}, state="buried"}})', "buried"),
                (f'max by (agency) (gateway_lane_messages{{{LANE}, state="unknown"}})', "unknown"),
                (f'max by (agency) (gateway_lane_messages{{{LANE}, state="expired"}})', "expired"),
                (f'max by (agency) (gateway_lane_messages{{{LANE}, state="handed-over"}})', "handed over"),
                (f"max by (agency) (gateway_lane_unacknowledged{{{LANE}}})", "unacknowledged"),
                (f"max by (agency) (gateway_lane_patience_seconds{{{LANE}}})", "goes every (s)"),
                (f"max by (agency) (gateway_lane_paused{{{LANE}}})", "paused"),
                by="agency",
            )
        )
    )


def _messages(state: str) -> str:
    return f'sum(max by (agency) (gateway_lane_messages{{{LANE}, state="{state}"}})) or vector(0)'


def _waiting(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("What waits, and why?"))
        .with_panel(
            graph(
                "Messages that wait",
                "By agency.",
                (f'max by (agency) (gateway_lane_messages{{{LANE}, state="pending"}})', "{{agency}}"),
            )
        )
        .with_panel(
            graph(
                "Age of the oldest",
                "By agency; 0 is an empty lane. Nights and pauses count here.",
                (
                    f"time() - (max by (agency) (gateway_lane_oldest_pending_timestamp_seconds{{{LANE}}}) > 0)",
                    "{{agency}}",
                ),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Lanes that are closed",
                "operator and maintenance by people, hours by the calendar, outage because the agency is away.",
                (f"max by (agency, reason) (gateway_lane_paused{{{LANE}}}) > 0", "{{agency}}: {{reason}}"),
            )
        )
        .with_panel(
            graph(
                "Held by an older message",
                "By agency.",
                (f"max by (agency) (gateway_lane_held{{{LANE}}})", "{{agency}}"),
            )
        )
    )


def _through(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("What gets through?"))
        .with_panel(
            graph(
                "Ends of attempts",
                "postponed ones are tried again.",
                (rate("gateway_lane_deliveries_total", LANE, by="outcome"), "{{outcome}}"),
                unit="ops",
            )
        )
        .with_panel(
            graph(
                "Delivered by agency",
                "duplicate: the agency had it already.",
                (
                    rate("gateway_lane_deliveries_total", f'{LANE}, outcome=~"delivered|duplicate"', by="agency"),
                    "{{agency}}",
                ),
                unit="ops",
            )
        )
        .with_panel(
            graph(
                "From acceptance to delivery",
                "95 in 100 messages took at most so long, nights included.",
                (quantile(0.95, "gateway_lane_delivery_lag_seconds", LANE, by="agency"), "{{agency}}"),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "For a person",
                "Buried and unknown, by agency.",
                (
                    f'max by (agency, state) (gateway_lane_messages{{{LANE}, state=~"buried|unknown"}})',
                    "{{agency}}: {{state}}",
                ),
            )
        )
    )


def _due(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Who must have an answer?"))
        .with_panel(
            graph(
                "Near and past their working days",
                "Messages of operations with answer_within that are not settled, by agency.",
                (f"max by (agency) (gateway_answers_near{{{LANE}}})", "{{agency}}: near"),
                (f"max by (agency) (gateway_answers_past{{{LANE}}})", "{{agency}}: past"),
            )
        )
        .with_panel(
            graph(
                "Until the next must be answered",
                "By agency; empty where none is running.",
                (
                    f"(min by (agency) (gateway_answers_earliest_due_timestamp_seconds{{{LANE}}}) > 0) - time()",
                    "{{agency}}",
                ),
                unit="s",
            )
        )
    )
