"""What pending messages wait for, in words for operators, as far as ledger and calendars know: they know no outage."""

from dataclasses import dataclass
from datetime import timedelta

from gateway.masking import mask_text
from gateway.ports import Archive
from gateway.records import BY_GATEWAY, Filter, LaneStats, Pause, Record, State, Summary
from gateway.waiting import POSTPONED, Reason, Waiting, Why

_TICK = timedelta(milliseconds=1)
_AT_ONCE = 100
"""How many accepted within a tick are looked through for the oldest."""
_SECONDS = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """What a message or a lane waits for: the reason, and the same as a person reads it."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaiting:
    """Says it of messages and of lanes."""

    archive: Archive
    waiting: Waiting

    async def of(self, record: Record) -> Awaited | None:
        """Return what a pending message waits for; None in every other state."""
        if record.summary.state is not State.PENDING:
            return None
        why = await self.waiting.why(record)
        return None if why is None else Awaited(reason=why.reason, text=_text(why, record.summary))

    async def of_lane(self, stats: LaneStats) -> Awaited | None:
        """Return why a lane is closed, else what its oldest pending message waits for, if there is any."""
        if closed := await self.waiting.closed(stats.lane):
            return Awaited(reason=closed.reason, text=_text(closed))
        if stats.oldest is None:
            return None
        wanted = Filter(lane=stats.lane, states=frozenset({State.PENDING}), until=stats.oldest + _TICK)
        rows = (await self.archive.search(wanted, limit=_AT_ONCE)).rows
        record = await self.archive.get(rows[-1].id) if rows else None
        return None if record is None else await self.of(record)


def _text(why: Why, row: Summary | None = None) -> str:
    if why.pause is not None and why.pause.by != BY_GATEWAY:
        return _paused(why.pause)
    if why.held is not None:
        return f"an older message of its order: {why.held}"
    if row is None or why.reason not in {"retry", "queue"}:
        return why.text("en").removeprefix("waiting for ")
    next_try = "its turn" if why.until is None else f"its next try, {why.until:{_SECONDS}}"
    failed = f"; its last try failed: {mask_text(row.text) or 'no reason was kept'}" if row.reason == POSTPONED else ""
    return next_try + failed


def _paused(pause: Pause) -> str:
    until = f", until {pause.until:{_SECONDS}}" if pause.until is not None else ""
    what = "operator's pause" if pause.reason == "operator" else f"{pause.reason}, paused"
    return f"{what} by {pause.by}, since {pause.since:{_SECONDS}}{until}"
