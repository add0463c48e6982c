"""What became of a file as an operator is told, in English; a clerk's words are in receipts.py."""

from gateway.feeds import FileReceipt, FileState
from gateway.wording import counted, say

FORWARD, ACKNOWLEDGE = "forward", "acknowledge"


def became(receipt: FileReceipt) -> str:
    """Return what became of a file."""
    match receipt.state:
        case FileState.DUPLICATE:
            what = "what was sent on by" if receipt.mode == FORWARD else "the live data of"
            return f"has the same content as {what} receipt {receipt.original}; nothing was done"
        case FileState.REFUSED:
            return f"refused: {why_refused(receipt)}"
        case FileState.ACCEPTED:
            return _taken(receipt)
        case FileState.TAKING:
            return f"being read, {counted(receipt.tally.position, 'row')} so far"


def why_refused(receipt: FileReceipt) -> str:
    """Return why a file was refused."""
    return say(receipt.reason, "en") if receipt.reason else "for a reason that was not kept"


def _taken(receipt: FileReceipt) -> str:
    tally = receipt.tally
    if receipt.mode == FORWARD:
        return f"{counted(tally.accepted, 'row')} sent on, {tally.rejected} rejected, {tally.unchanged} sent before"
    if receipt.mode == ACKNOWLEDGE:
        return f"{counted(tally.accepted, 'answer')} recorded, {counted(tally.rejected, 'row')} rejected"
    counts = f"{counted(tally.accepted, 'row')} taken, {tally.rejected} rejected, {tally.unchanged} unchanged"
    return f"{counts}; from {receipt.before} to {counted(tally.kept, 'row')}"
