"""A row of the receipts as everybody sees it, the same for every store; knows no SQL."""

from gateway.arrivals import REREAD
from gateway.errors import FieldError
from gateway.feeds import FileReceipt, FileState
from gateway.ledger.rows import Row, When
from gateway.ledger.snapshot_rows import read_reasons, read_tally
from gateway.mended import is_reference

REPAIR = "repair"
"""The mode of a file that mends rejects of a snapshot: it is added to it."""
FORWARD = "forward"
"""The mode of a file whose rows became messages: there is no snapshot of it."""
SUPERSEDED = FieldError(pointer="", rule="superseded")
"""Why mended rows are refused: what they mend is not live."""
NOT_ACCEPTED = FieldError(pointer="", rule="not-accepted")
"""Why they are refused where rows are forwarded: none of that file were."""
_UNKNOWN = FieldError(pointer="", rule="mends-unknown")
BEGUN_ANEW = FieldError(pointer="", rule="begun-anew")
"""Why a receipt ends of a file that was not read to its end, and is another by now."""

FIRST_ASKED = "first asked of feed "
"""The setting, before a feed's name, that says when somebody first asked when its last file came."""
CAME = f"state IN ('accepted', 'duplicate') AND mode <> '{REPAIR}' AND confirmed <> '{REREAD}'"
"""What is true of the receipt of a file that came."""
FORGETTABLE = f"""
settled AND again = ''
AND NOT EXISTS (SELECT 1 FROM message AS row WHERE row.receipt = receipt.number)
AND number NOT IN (
    SELECT live FROM feed WHERE name = $1 AND live IS NOT NULL
    UNION SELECT previous FROM feed WHERE name = $1 AND previous IS NOT NULL
    UNION SELECT base FROM receipt WHERE feed = $1 AND base IS NOT NULL
    UNION SELECT original FROM receipt WHERE feed = $1 AND original IS NOT NULL
    UNION SELECT coalesce(max(number), 0) FROM receipt WHERE feed = $1 AND {CAME})
"""  # noqa: S608 - our own words
"""What is true of a receipt that nothing needs: no snapshot, message or other receipt, nobody who wants it again."""


def reference(sha256: str) -> str:
    """Return a receipt's short name; begins with letters, so that no spreadsheet takes it for a number."""
    return f"r-{sha256[:12]}"


def not_mended(why: FieldError, mended: str) -> FieldError:
    """Return why mended rows are refused: as said, unless they don't tell any more what they mend."""
    return why if is_reference(mended) else _UNKNOWN


def receipt_of(row: Row, when: When) -> FileReceipt:
    """Return a receipt."""
    return FileReceipt(
        number=row["number"],
        feed=row["feed"],
        file=row["file"],
        reference=reference(row["sha256"]),
        sha256=row["sha256"],
        size=row["size"],
        as_of=when(row["as_of"]),
        mapping=row["mapping"],
        mode=row["mode"],
        state=FileState(row["state"]),
        base=row["base"],
        original=row["original"],
        before=row["before"],
        tally=read_tally(row["tally"]),
        reason=read_reasons(row["reason"])[0] if row["reason"] else None,
        claimed_at=when(row["claimed_at"]),
        ended_at=when(row["ended_at"]) if row["ended_at"] is not None else None,
        place=row["place"],
        settled=bool(row["settled"]),
        confirmed=row["confirmed"],
        again=row["again"],
        shrink=bool(row["shrink"]),
    )
