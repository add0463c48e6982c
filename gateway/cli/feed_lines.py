"""What became of files as an operator is told: a table of feeds, a sentence for each file, all of one receipt."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo

from rich.table import Table

from gateway.became import ACKNOWLEDGE, FORWARD, became, why_refused
from gateway.cli.desk import field_line
from gateway.feeds import FileReceipt, FileState, Reject, Standing
from gateway.receipts import line as clerks_line
from gateway.receipts import zone_name
from gateway.wording import say

KEEPING_NONE = frozenset({FORWARD, ACKNOWLEDGE})
"""Modes of files whose rows are not kept to be looked up."""
HEADINGS = ("feed", "receipt", "rows", "data of", "newest file", "next due")
_SECONDS = "%Y-%m-%d %H:%M:%S"
_UNITS = ("bytes", "KB", "MB", "GB")
_STEP = 1024


def table(found: Sequence[tuple[Standing, Sequence[FileReceipt]]], dues: Sequence[str]) -> Table:
    """Return feeds as a table, red where the newest file was refused or one is late."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(HEADINGS[0], overflow="fold")
    for name in HEADINGS[1:3]:
        made.add_column(name, justify="right")
    made.add_column(HEADINGS[3], no_wrap=True)
    for name in HEADINGS[4:]:
        made.add_column(name, overflow="fold")
    for (standing, newest), due in zip(found, dues, strict=True):
        bad = (newest and newest[0].state is FileState.REFUSED) or due.startswith("LATE")
        made.add_row(*columns(standing, newest), due, style="red" if bad else "" if standing.live else "dim")
    return made


def columns(standing: Standing, newest: Sequence[FileReceipt]) -> tuple[str, ...]:
    """Return a feed's cells below the headings, but for when the next file is due."""
    live = standing.live
    last = f"{newest[0].file}: {newest[0].state.value}" if newest else "no file has been taken in yet"
    if newest and newest[0].reason:
        last += f", {say(newest[0].reason, 'en')}"
    if live is None:
        return (standing.feed, "-", "-", "-", last)
    back = f" (rolled back to {live.file} by {standing.changed_by})" if is_rolled_back(standing) else ""
    rows = live.tally.accepted if live.mode == FORWARD else live.tally.kept
    return (standing.feed, str(live.number), str(rows), f"{live.as_of:%d %b %H:%M}", last + back)


def is_rolled_back(standing: Standing) -> bool:
    """Tell whether a person went back to an older snapshot, and has not undone it."""
    live, previous = standing.live, standing.previous
    return bool(standing.changed_by) and live is not None and previous is not None and live.number < previous.number


def sentence(receipt: FileReceipt) -> str:
    """Return what became of a file in one sentence."""
    return f"{_moment(receipt.ended_at or receipt.claimed_at)}  {receipt.file}: {became(receipt)}"


def details(receipt: FileReceipt, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield all that is known of a receipt, by name; what there is nothing to say of is left out."""
    tally = receipt.tally
    told: Mapping[str, object] = {
        "receipt": receipt.number,
        "reference": receipt.reference,
        "feed": receipt.feed,
        "file": receipt.file,
        "state": receipt.state.value,
        "refused": why_refused(receipt) if receipt.reason else "",
        "duplicate of": receipt.original or "",
        "mode": receipt.mode,
        "data of": _moment(receipt.as_of),
        "taken up": _moment(receipt.claimed_at),
        "ended": _moment(receipt.ended_at) if receipt.ended_at else "",
        "size": _size(receipt.size),
        "encoding": tally.encoding,
        "records": tally.position,
        "taken": tally.accepted,
        "unchanged": tally.unchanged,
        "skipped": tally.skipped,
        "rejected": tally.rejected,
        "rejected for": ", ".join(f"{rule} {count}" for rule, count in _most_first(tally.rules)),
        "rows": "" if receipt.mode in KEEPING_NONE else f"{receipt.before} before, {_after(receipt)} after",
        "confirmed by": receipt.confirmed,
        "place": receipt.place,
        "sha256": receipt.sha256,
        "the clerk reads": clerks_line(receipt, zone),
    }
    yield from ((name, str(said)) for name, said in told.items() if said != "")


def rejected(rejects: Sequence[Reject]) -> Iterator[str]:
    """Yield a line for each reason of each row."""
    for reject in rejects:
        for reason in reject.reasons:
            told = field_line(reason) if reason.pointer or reason.where else say(reason, "en")
            yield f"record {reject.number}: {told}"


def reject_json(reject: Reject) -> dict[str, object]:
    """Return a row that was rejected, for programs."""
    reasons = [
        {"field": reason.pointer, "rule": reason.rule, "what": say(reason, "en"), "value": reason.value}
        for reason in reject.reasons
    ]
    return {"row": reject.number, "reasons": reasons}


def remedy(receipt: FileReceipt) -> str:
    """Return what an operator could do about a file that was refused, "" where only the agency can."""
    if receipt.state is FileState.REFUSED and receipt.reason is not None and receipt.reason.rule == "shrunk":
        return f"if the data did become so few: gateway feed retry {receipt.number} --shrink"
    return ""


def _after(receipt: FileReceipt) -> int:
    return receipt.tally.kept if receipt.state is FileState.ACCEPTED else receipt.before


def _most_first(rules: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(rules.items(), key=lambda one: (-one[1], one[0]))


def _moment(at: datetime) -> str:
    return f"{at:{_SECONDS}}"


def to_the_minute(at: datetime) -> str:
    """Return a time with its zone."""
    return f"{at:%Y-%m-%d %H:%M} {zone_name(at)}"


def _size(size: float) -> str:
    unit = 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size, unit = size / _STEP, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size:.0f} {_UNITS[unit]}"
