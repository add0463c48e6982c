"""Runtime: the processes themselves, their ledger and their disk."""

from grafana_foundation_sdk.builders.dashboard import Dashboard
from parts import A_FORTNIGHT, dashboard, graph, number, row
from promql import quantile, rate, rise

ITS = 'job=~"$job"'


def runtime() -> Dashboard:
    """Return the dashboard."""
    made = dashboard("runtime", "runtime", "The processes: load, memory, event loop, ledger, disk, configuration.")
    for part in (_now, _keeps, _load, _traffic, _ledger):
        made = part(made)
    return made


def _now(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Do they run?"))
        .with_panel(number("Processes", "That can be scraped now.", f"count(gateway_build_info{{{ITS}}})", span=3))
        .with_panel(
            number(
                "Replicas",
                "Among which what agencies allow is divided, by the largest word of any; 1 with a ledger on SQLite.",
                f"max(gateway_replicas{{{ITS}}})",
                span=3,
            )
        )
        .with_panel(
            number(
                "Youngest",
                "Since the last start of any of them.",
                f"time() - max(process_start_time_seconds{{{ITS}}})",
                unit="s",
                span=3,
            )
        )
        .with_panel(
            number(
                "Configuration",
                "1 when each could use the one that it last read.",
                f"min(gateway_config_last_load_successful{{{ITS}}})",
                least=1,
                span=3,
            )
        )
        .with_panel(
            number(
                "Loaded",
                "Since the oldest configuration in use was loaded.",
                f"time() - min(gateway_config_last_success_timestamp_seconds{{{ITS}}})",
                unit="s",
                span=3,
            )
        )
    )


def _keeps(made: Dashboard) -> Dashboard:
    """What they stand on, beside whether they run."""
    return (
        made.with_panel(
            number("Ledger", "1 when each can read and write it.", f"min(gateway_ledger_up{{{ITS}}})", least=1, span=3)
        )
        .with_panel(
            number(
                "Disk left",
                "Of the disk with the ledger, the least of all.",
                f"min(gateway_ledger_disk_free_bytes{{{ITS}}} / gateway_ledger_disk_size_bytes{{{ITS}}})",
                unit="percentunit",
                least=0.1,
                span=3,
            )
        )
        .with_panel(
            number(
                "Certificate",
                "Until the one of the API's own listener ends, the first of all; empty without TLS there.",
                f"min(gateway_certificate_expiry_timestamp_seconds{{{ITS}}} > 0) - time()",
                unit="s",
                least=A_FORTNIGHT,
                span=3,
            )
        )
    )


def _load(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Are they too busy?"))
        .with_panel(
            graph(
                "Processor",
                "1 is all that one process can use.",
                (f"rate(process_cpu_seconds_total{{{ITS}}}[$__rate_interval])", "{{instance}}"),
                unit="percentunit",
            )
        )
        .with_panel(
            graph("Memory", "Resident.", (f"process_resident_memory_bytes{{{ITS}}}", "{{instance}}"), unit="bytes")
        )
        .with_panel(
            graph(
                "Event loop",
                "How late it comes, 99 in 100 times; every request waits as long.",
                (quantile(0.99, "gateway_event_loop_lag_seconds", ITS, by="instance"), "{{instance}}"),
                unit="s",
            )
        )
        .with_panel(
            graph(
                "The gateway's own time for a request",
                "99 in 100 take at most so long, waiting for a turn included.",
                (quantile(0.99, "gateway_overhead_seconds", ITS, by="instance"), "{{instance}}"),
                unit="s",
            )
        )
    )


def _traffic(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("What do they carry?"))
        .with_panel(
            graph(
                "Requests under way",
                "At the moment of the scrape.",
                (f"gateway_requests_in_flight{{{ITS}}}", "{{instance}}"),
            )
        )
        .with_panel(
            graph(
                "Bytes",
                "Bodies of requests and answers.",
                (rate("gateway_request_bytes_total", ITS), "received"),
                (rate("gateway_response_bytes_total", ITS), "sent"),
                unit="Bps",
            )
        )
        .with_panel(
            graph(
                "Answers that cost no call",
                "Shared with another caller at the same time, or stale because the agency could not answer.",
                (rate("gateway_cache_requests_total", ITS, by="result"), "{{result}}"),
                unit="reqps",
            )
        )
        .with_panel(
            graph(
                "Open files",
                "Connections among them.",
                (f"process_open_fds{{{ITS}}}", "{{instance}}"),
                (f"process_max_fds{{{ITS}}}", "{{instance}}: limit"),
            )
        )
        .with_panel(
            graph(
                "SFTP of its own",
                "Logins, of which many refused are somebody who guesses, and the files that accounts brought.",
                (rise("gateway_sftp_logins_total", ITS, by="outcome"), "logins {{outcome}}"),
                (rise("gateway_sftp_uploads_total", ITS, by="outcome"), "files {{outcome}}"),
            )
        )
    )


def _ledger(made: Dashboard) -> Dashboard:
    return (
        made.with_row(row("Is there room?"))
        .with_panel(
            graph(
                "Disk of the ledger",
                "Bytes left.",
                (f"gateway_ledger_disk_free_bytes{{{ITS}}}", "{{instance}}"),
                unit="bytes",
            )
        )
        .with_panel(
            graph(
                "The ledger's files",
                "Empty when it is on PostgreSQL.",
                (f"gateway_ledger_bytes{{{ITS}}}", "{{instance}}"),
                unit="bytes",
            )
        )
    )
