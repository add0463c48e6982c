"""Feeds: do agencies' files come, what becomes of them, and how old is what people are told?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from parts import dashboard, graph, number, row, table
from promql import quantile, rise

ITS = 'job=~"$job"'
BOTH = "agency, feed"
NAMED = "{{agency}}/{{feed}}"
DUE = f"max by ({BOTH}) (gateway_feed_due_timestamp_seconds{{{ITS}}})"
DATA = f"max by ({BOTH}) (gateway_feed_data_timestamp_seconds{{{ITS}}})"


def feeds() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("feeds", "feeds", "Do agencies' files come, what becomes of them, and how old is the data?")
    for part in (_now, _come, _rows, _taking):
        made = part(made)
    return made


def _now(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Is any late?"))
        .with_panel(
            number(
                "Late",
                "Feeds whose next file did not come by when it was due.",
                f"count(time() - {DUE} > 0) or vector(0)",
                bad=((1, "red"),),
            )
        )
        .with_panel(
            number(
                "Waiting",
                "Complete files in the drops that are not taken in.",
                f"sum(max by ({BOTH}) (gateway_files_waiting{{{ITS}}})) or vector(0)",
                bad=((10, "orange"),),
            )
        )
        .with_panel(
            number(
                "Left where they are",
                "Files of the last day that were read and can't be moved: the gateway may not write there.",
                f"sum(increase(gateway_files_left_total{{{ITS}}}[1d])) or vector(0)",
                bad=((1, "orange"),),
            )
        )
        .with_panel(
            table(
                "Feeds",
                "data: how old it is; due: until the next file must come, negative when it is late.",
                (_whole(f"max by ({BOTH}) (gateway_feed_rows{{{ITS}}})"), "rows"),
                (_whole(f"time() - {DATA}"), "data (s)"),
                (_whole(f"{DUE} - time()"), "due (s)"),
                (_whole(f"max by ({BOTH}) (gateway_files_waiting{{{ITS}}})"), "waiting"),
                by="name",
            )
        )
    )


def _whole(expression: str) -> str:
    """Return an expression's values by the whole name of a feed: two agencies may call theirs the same."""
    return f'sum by (name) (label_join({expression}, "name", "/", "agency", "feed"))'


def _come(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Do they come?"))
        .with_panel(
            graph(
                "How old the data is",
                "Since the time of the file that look-ups are answered from.",
                (f"time() - {DATA}", NAMED),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Since the last file that was taken in",
                "By feed, as this process saw it.",
                (f"time() - max by ({BOTH}) (gateway_file_drop_last_success_timestamp_seconds{{{ITS}}})", NAMED),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "Files",
                "duplicate: the content of the live one again.",
                (rise("gateway_file_drops_total", ITS, by=f"{BOTH}, outcome"), f"{NAMED}: {{{{outcome}}}}"),
            )
        )
        .with_panel(
            graph(
                "Files that wait",
                "Complete and not taken in: the log's file-waits says why.",
                (f"max by ({BOTH}) (gateway_files_waiting{{{ITS}}})", NAMED),
                (rise("gateway_files_left_total", ITS, by=BOTH), f"{NAMED}: left"),
            )
        )
    )


def _rows(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("What is in them?"))
        .with_panel(
            graph(
                "Rows in use",
                "That look-ups are answered from.",
                (f"max by ({BOTH}) (gateway_feed_rows{{{ITS}}})", NAMED),
            )
        )
        .with_panel(
            graph(
                "Rows of files",
                "unchanged ones were there already; rejected ones were handed back.",
                (rise("gateway_file_rows_total", ITS, by=f"{BOTH}, outcome"), f"{NAMED}: {{{{outcome}}}}"),
            )
        )
        .with_panel(
            graph(
                "Why rows were rejected",
                "By the rule that they broke; rounded-number is Excel's.",
                (rise("gateway_file_rejects_total", ITS, by=f"{BOTH}, rule"), f"{NAMED}: {{{{rule}}}}"),
            )
        )
    )


def _taking(made: Dashboard) -> Dashboard:
    return made.with_row(row("How long does it take?")).with_panel(
        graph(
            "From claim to end",
            "95 in 100 files take at most so long, by feed.",
            (quantile(0.95, "gateway_file_duration_seconds", ITS, by=BOTH), NAMED),
            unit="s",
        )
    )
