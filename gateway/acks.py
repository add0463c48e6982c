"""Rows in which an agency says what became of what it was handed -> settled messages; knows no file."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from gateway.acknowledged import Acknowledgements, Heard, Word
from gateway.errors import FieldError, TranslationError
from gateway.feeds import Chunk, Reject
from gateway.handover import AckColumns
from gateway.masking import mask_value
from gateway.message import Document, MessageId, OperationId
from gateway.records import Delivered, Refused

_REJECTED: Mapping[Heard, str] = {
    "unknown": "request-unknown",
    "cancelled": "request-cancelled",
    "not-handed-over": "request-not-handed-over",
    "contradicts": "request-contradicts",
}


def read_ack(columns: AckColumns, row: Document) -> Document:
    """Return what a row says of which request; raises TranslationError with all that is wrong."""
    request, status = _cell(row, columns.id), _cell(row, columns.status)
    errors = [FieldError(pointer=f"/{columns.id}", rule="required")] if not request else []
    said = status.casefold()
    verdict = next((word for word in ("delivered", "refused") if said in _folded(getattr(columns, word))), "")
    if not verdict:
        params = {"allowed": ", ".join((*columns.delivered, *columns.refused))}
        errors.append(FieldError(pointer=f"/{columns.status}", rule="codes", value=mask_value(status), params=params))
    if errors:
        raise TranslationError("reply", errors)
    words = _cell(row, columns.message) if columns.message else ""
    return {"request": request, "verdict": verdict, "status": status, "words": words}


async def acknowledged(
    ledger: Acknowledgements, operations: Collection[OperationId], chunk: Chunk, *, by: str
) -> Chunk:
    """Settle what a chunk's rows are about; returns it without the agency's words, which the ledger has sealed."""
    words = [_word(document) for _, document in chunk.rows]
    found = await ledger.acknowledge(operations, words, by=by) if words else ()
    rows, rejects = [], [*chunk.rejects]
    for (number, document), heard in zip(chunk.rows, found, strict=True):
        if heard in _REJECTED:
            rejects.append(Reject(number=number, reasons=(FieldError(pointer="", rule=_REJECTED[heard]),)))
        else:
            rows.append((number, {"request": document["request"], "verdict": document["verdict"]}))
    return replace(chunk, rows=rows, rejects=rejects)


def _word(document: Document) -> Word:
    message = MessageId(document["request"])
    if document["verdict"] == "delivered":
        return Word(message=message, verdict=Delivered())
    return Word(message=message, verdict=Refused(text=document["words"], why=f"status {document['status']!r}"))


def _cell(row: Document, column: str) -> str:
    return str(row.get(column) or "").strip()


def _folded(words: Collection[str]) -> Collection[str]:
    return [word.casefold() for word in words]
