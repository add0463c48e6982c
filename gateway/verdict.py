"""What of a file's rows is taken, and why a file is refused whole; keeps nothing, and knows no ledger."""

from collections.abc import Callable, Iterable
from pathlib import PurePath
from traceback import extract_tb
from typing import Any

from gateway.errors import FieldError, TranslationError
from gateway.feeds import Batch, Chunk, FileReceipt, Reject, Tally
from gateway.filewords import FOR_CLERKS
from gateway.message import Document
from gateway.registry import Feed
from gateway.translate.program import Program
from gateway.wording import say

# An export cut short looks like a good file with fewer rows; agencies don't lose half their people overnight.
SHRINK = 0.5
NO_TEXT = frozenset({"empty-file", "kind", "old-excel"})
"""Why a file has no lines that could be closed."""
UNCLOSED = FieldError(pointer="", rule="unclosed")
"""Why a file is refused that may be cut short, as nothing but its last line tells that it is whole."""


def translated(feed: Feed, batch: Batch, after: int) -> Chunk:
    """Return a batch as our rows; what does not fit is rejected with every reason."""
    rows: list[tuple[int, Document]] = []
    rejects = [*batch.rejects]
    read: Callable[[Any], Document] = feed.read
    found: Iterable[tuple[int, Any]] = batch.natives
    if batch.columns and isinstance(feed.read, Program):
        read, found = feed.read.of_cells(batch.columns), batch.rows
    for number, native in found:
        try:
            rows.append((number, read(native)))
        except TranslationError as error:
            rejects.append(Reject(number=number, reasons=tuple(error.errors)))
    return Chunk(
        after=after,
        position=batch.done,
        rows=rows,
        rejects=rejects,
        skipped=batch.skipped,
        encoding=batch.encoding,
        last=batch.last,
        source=batch.source,
        written=batch.written,
    )


def refusal(batch: Batch) -> FieldError | None:
    """Return why a batch refuses its file whole."""
    return next((reject.reasons[0] for reject in batch.rejects if reject.number == 0), None)


def objection(feed: Feed, receipt: FileReceipt | None, tally: Tally, *, mends: bool = False) -> FieldError | None:
    """Return why a file that was read whole is not taken, without a receipt by its own rows alone."""
    total = tally.position - tally.skipped
    # What mends rows is added however many of them are not mended yet; what is made anew of all files is no such.
    repair = receipt is not None and receipt.mode == "repair" and receipt.original is None
    repair = repair or (mends and feed.forward is not None)
    if tally.rejected > total * feed.max_reject and not repair:
        counts = {"rejected": str(tally.rejected), "total": str(total), "max": f"{feed.max_reject:.0%}"}
        return FieldError(pointer="", rule="max-reject", params=counts)
    if receipt is None or receipt.confirmed or feed.acknowledges:
        return None
    return shrunk(receipt.before, tally.kept, total)


def shrunk(before: int, after: int, total: int) -> FieldError | None:
    """Return why a snapshot that has so many fewer rows than the one before is not taken unless a person says so.

    `total` is how many rows the file has.
    """
    if after >= before * SHRINK:
        return None
    if total == 0:
        return FieldError(pointer="", rule="no-rows", params={"before": str(before)})
    return FieldError(pointer="", rule="shrunk", params={"before": str(before), "after": str(after)})


def reason_words(reason: FieldError) -> str:
    """Return why a row is rejected as its clerk is told, who has its cells beside it: `nik wajib diisi`."""
    column = reason.pointer.removeprefix("/").replace("~1", "/").replace("~0", "~")
    return f"{column} {FOR_CLERKS.get(reason.rule) or say(reason, 'id')}".strip()


def bug(error: Exception) -> FieldError:
    """Say where it broke, and not its text, which may hold a person's data."""
    frame = extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__}, {PurePath(frame.filename).name}:{frame.lineno}"
    return FieldError(pointer="", rule="intake", params={"error": place})


def share(max_reject: float | str) -> float:
    """Return the share of rejects that a file may have."""
    words = {"all-or-nothing": 0.0, "row-wise": 1.0}
    return words.get(max_reject, 0.0) if isinstance(max_reject, str) else float(max_reject)
