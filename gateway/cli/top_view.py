"""What `gateway top` shows: how each agency stands by two readings of the figures, as a table; reads nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from gateway.cli.scrape import Reading, per_second, percentile

_ATTEMPTS, _TOOK = "gateway_agency_requests_total", "gateway_agency_request_duration_seconds"
_WAITING = ("pending", "delivering")
_CLOSING = {"hours", "maintenance"}
_STYLES = {"ok": "green", "failing": "red", "away": "red", "closed": "yellow", "paused": "yellow"}
COLUMNS = ("agency", "state", "calls/s", "p95", "lane", "oldest", "breaker", "waits for")
_AROUND = 4
"""Lines beside those of agencies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an agency stands: attempts per second and their 95th percentile, its lane, and what that waits for."""

    agency: str
    state: str
    per_second: float | None
    p95_seconds: float | None
    lane: int
    oldest_seconds: float | None
    breaker: str
    waits_for: tuple[str, ...]

    @property
    def troubled(self) -> bool:
        """Whether somebody should look."""
        return self.state not in {"ok", "-"} or bool(self.waits_for)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The whole gateway: its clients' requests, and its agencies by name."""

    seconds: float
    per_second: float | None
    p95_seconds: float | None
    in_flight: int
    ledger: str
    agencies: tuple[Standing, ...]


def overview(before: Reading, now: Reading, time: float) -> Overview:
    """Return how everything stands, `time` being seconds since 1970."""
    names = sorted({about["agency"] for about, _ in now.of("gateway_agency_slots_limit")})
    return Overview(
        seconds=now.at - before.at,
        per_second=per_second(before, now, "gateway_requests_total"),
        p95_seconds=percentile(0.95, before, now, "gateway_request_duration_seconds"),
        in_flight=round(now.sum("gateway_requests_in_flight")),
        ledger=_ledger(now),
        agencies=tuple(_standing(name, before, now, time) for name in names),
    )


def _ledger(now: Reading) -> str:
    if now.one("gateway_ledger_up"):
        return "ok"
    # Before the first look the figure is 0 as well, but then no lane has any.
    return "unavailable" if now.figures.get("gateway_lane_messages") else "-"


def _standing(agency: str, before: Reading, now: Reading, time: float) -> Standing:
    oldest = now.one("gateway_lane_oldest_pending_timestamp_seconds", agency=agency)
    waits = (*_waits(agency, now), *_late(agency, now, time))
    return Standing(
        agency=agency,
        state=_state(agency, now, waits),
        per_second=per_second(before, now, _ATTEMPTS, agency=agency),
        p95_seconds=percentile(0.95, before, now, _TOOK, agency=agency),
        lane=round(sum(now.sum("gateway_lane_messages", agency=agency, state=state) for state in _WAITING)),
        oldest_seconds=max(0.0, time - oldest) if oldest else None,
        breaker="open" if now.one("gateway_agency_breaker_open", agency=agency) else "closed",
        waits_for=waits,
    )


def _state(agency: str, now: Reading, waits: Sequence[str]) -> str:
    up = now.one("gateway_agency_up", agency=agency)
    if "breaker" in waits:
        return "failing"
    if now.one("gateway_agency_open", agency=agency) == 0 or _CLOSING & {*waits}:
        return "closed"
    if up == 0:
        return "away"
    if "operator" in waits:
        return "paused"
    return "-" if up is None else "ok"


def _waits(agency: str, now: Reading) -> Iterator[str]:
    """Yield what holds calls or messages back, the strongest first."""
    paused = {about["reason"] for about, held in now.of("gateway_lane_paused", agency=agency) if held}
    yield from sorted(paused - {"outage"}, reverse=True)
    if now.one("gateway_agency_breaker_open", agency=agency):
        yield "breaker"
    elif "outage" in paused or now.one("gateway_agency_up", agency=agency) == 0:
        yield "agency"
    if calls := round(now.sum("gateway_agency_waiting", agency=agency)):
        yield f"slot x{calls}"
    if held := round(now.sum("gateway_lane_held", agency=agency)):
        yield f"order x{held}"


def _late(agency: str, now: Reading, time: float) -> Iterator[str]:
    """Yield the feeds whose next file did not come in time."""
    for about, due in now.of("gateway_feed_due_timestamp_seconds", agency=agency):
        if due < time:
            yield f"file of {about['feed']}"


def screen(shown: Overview | None, *, address: str, clock: str, missing: str, height: int) -> Group:
    """Return all that is shown, on a screen of so many lines; `missing` is why the gateway does not answer."""
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(Text(f"gateway at {address}", style="bold"), clock)
    if missing:
        news = Text(f"no gateway answers: {missing}; trying again", style="red")
        return Group(head, news, *([table(shown, height, stale=True)] if shown is not None else []))
    assert shown is not None  # noqa: S101 - one of both is there
    return Group(head, Text(summary(shown)), table(shown, height))


def summary(shown: Overview) -> str:
    """Return the whole gateway as a line."""
    return (
        f"requests {_rate(shown.per_second)}/s, p95 {_seconds(shown.p95_seconds)}, {shown.in_flight} in flight; "
        f"ledger {shown.ledger}; over {shown.seconds:.0f} s"
    )


def table(shown: Overview, height: int, *, stale: bool = False) -> Table:
    """Return the agencies as a table that fits into 80 columns; what does not fit below each other are those well."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), style="dim" if stale else "")
    for title in COLUMNS:
        numbers = title in {"calls/s", "p95", "lane", "oldest"}
        whole = title != COLUMNS[-1]
        made.add_column(title, justify="right" if numbers else "left", no_wrap=whole, max_width=20 if whole else None)
    rows = shown.agencies
    room = max(1, height - _AROUND)
    if len(rows) > room:
        rows = tuple(sorted(rows, key=lambda one: not one.troubled))[: room - 1]
    for one in rows:
        name, state, *rest = cells(one)
        made.add_row(name, Text(state, style=_STYLES.get(state, "")), *rest)
    if left := len(shown.agencies) - len(rows):
        made.add_row(f"... {left} more", style="dim")
    return made


def cells(one: Standing) -> tuple[str, ...]:
    """Return a line of the table."""
    return (
        one.agency,
        one.state,
        _rate(one.per_second),
        _seconds(one.p95_seconds),
        str(one.lane) if one.lane else "-",
        _age(one.oldest_seconds),
        one.breaker,
        ", ".join(one.waits_for) or "-",
    )


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if value >= _SMALL or value == 0 else f"{value:.2f}"


_SMALL = 0.1
_UNITS = ((86400, "d", 3600), (3600, "h", 60), (60, "m", 1))


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _age(value: float | None) -> str:
    if value is None:
        return "-"
    for unit, name, part in _UNITS:
        if value >= unit:
            return f"{value // unit:.0f}{name}{value % unit // part:02.0f}"
    return f"{value:.0f}s"
