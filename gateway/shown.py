"""Messages and lanes as operators are shown them, plain data for JSON and terminals; masks what is not asked for."""

from datetime import datetime
from decimal import Decimal

import msgspec

from gateway.awaited import Awaited
from gateway.errors import FieldError
from gateway.masking import mask_document, mask_text
from gateway.message import Reply
from gateway.operate import Chosen, Replayed, Reread
from gateway.records import Attempt, Deed, LaneStats, Page, Pause, Record, Refused, Summary
from gateway.wording import say

Told = dict[str, object]

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def page(found: Page, now: datetime) -> Told:
    """Return a page of a search; `cursor` continues it."""
    return {"messages": [summary(row, now) for row in found.rows], "cursor": found.cursor}


def summary(row: Summary, now: datetime) -> Told:
    """Return one line about a message."""
    return {
        "id": row.id,
        "state": row.state.value,
        "agency": row.lane,
        "operation": row.operation,
        "client": row.client,
        "direct": row.direct,
        "repeat": row.repeat,
        "attempts": row.attempts,
        "accepted_at": _at(row.accepted_at),
        "next_try_at": _at(row.due),
        "settled_at": _at(row.settled_at),
        "answer_by": _at(row.answer_by),
        "answered_at": _at(row.answered_at),
        "urgency": row.urgency(now),
        "reason": row.reason,
        "text": mask_text(row.text),
        "size": row.size,
        "receipt": row.origin.receipt if row.origin is not None else None,
        "record": row.origin.record if row.origin is not None else None,
    }


def record(one: Record, now: datetime, *, waits: Awaited | None = None, unmasked: bool = False) -> Told:
    """Return everything about a message; its bodies only as shapes unless `unmasked`."""
    return {
        **summary(one.summary, now),
        "waits_for": awaited(waits),
        "correlation_id": one.correlation_id,
        "traceparent": one.traceparent,
        "held_by": one.held,
        "readable": one.readable,
        "shed": one.shed,
        "body": _shape(one.body, unmasked=unmasked),
        "answer": _answer(one.answer, unmasked=unmasked),
        "native_answer": _native(one.native, unmasked=unmasked),
        "timeline": timeline(one, unmasked=unmasked),
    }


def timeline(one: Record, *, unmasked: bool = False) -> list[Told]:
    """Return attempts and deeds in the order in which they happened."""
    happened = [(attempt.at, _attempt(attempt)) for attempt in one.attempts]
    happened += [(deed.at, _deed(deed, unmasked=unmasked)) for deed in one.deeds]
    return [told for _, told in sorted(happened, key=lambda each: each[0])]


def awaited(waits: Awaited | None) -> Told | None:
    """Return what a message or a lane waits for."""
    return None if waits is None else {"reason": waits.reason, "text": waits.text}


def lane(stats: LaneStats, *, waits: Awaited | None = None) -> Told:
    """Return how a lane stands."""
    return {
        "agency": stats.lane,
        "waits_for": awaited(waits),
        "depth": {state.value: count for state, count in stats.depth.items()},
        "held": stats.held,
        "oldest_pending_at": _at(stats.oldest),
        "open_seconds": round(stats.open_seconds, 1),
        "answers_near": stats.near,
        "answers_past": stats.past,
        "answer_by": _at(stats.answer_by),
        "pauses": [pause(one) for one in stats.pauses],
    }


def pause(one: Pause) -> Told:
    """Return a reason why a lane does not deliver."""
    return {"reason": one.reason, "by": one.by, "since": _at(one.since), "until": _at(one.until)}


def chosen(some: Chosen, now: datetime) -> Told:
    """Return what a replay would do."""
    return {
        "dry_run": True,
        "would_replay": len(some.ids),
        "of_them_unknown": len(some.doubtful),
        "confirm": some.phrase or None,
        "sample": [summary(row, now) for row in some.sample],
    }


def replayed(far: Replayed) -> Told:
    """Return how far a replay is."""
    return {"replayed": far.done, "skipped": far.skipped, "total": far.total}


def reread(end: Reread) -> Told:
    """Return what became of a message that was reread."""
    return {
        "state": end.state.value,
        "why": mask_text(end.why) or None,
        "errors": [field_error(error) for error in end.errors],
    }


def field_error(error: FieldError, *, valued: bool = True) -> Told:
    """Return a field that does not fit, where in a mapping, and if `valued` its value, masked where it is personal."""
    where = {"where": error.where} if error.where else {}
    value = {"value": error.value} if valued and error.value else {}
    return {**where, "pointer": error.pointer, "rule": error.rule, "message": say(error, "en"), **value}


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _attempt(attempt: Attempt) -> Told:
    return {
        "at": _at(attempt.at),
        "what": "attempt",
        "number": attempt.number,
        "seconds": None if attempt.seconds is None else round(attempt.seconds, 3),
        "outcome": attempt.outcome.value,
        "status": attempt.status,
        "error": mask_text(attempt.error),
    }


def _deed(deed: Deed, *, unmasked: bool) -> Told:
    detail = {} if deed.detail is None else {"changed": _shape(deed.detail, unmasked=unmasked)}
    return {"at": _at(deed.at), "what": deed.act, "by": deed.by, **detail}


def _shape(document: object, *, unmasked: bool) -> object:
    return document if unmasked else mask_document(document)


def _answer(answer: Reply | Refused | None, *, unmasked: bool) -> Told | None:
    if answer is None:
        return None
    if isinstance(answer, Reply):
        return {"outcome": answer.outcome.value, "body": _shape(answer.body, unmasked=unmasked)}
    text = _shape(answer.text, unmasked=unmasked) if answer.text else ""
    errors = [field_error(error, valued=unmasked) for error in answer.errors]
    return {"code": answer.code, "text": text, "errors": errors}


def _native(native: bytes | None, *, unmasked: bool) -> object:
    if native is None:
        return None
    try:
        answer: object = _decode(native)
    except msgspec.MsgspecError:
        answer = native.decode("utf-8", "replace")
    status = answer.pop("http_status", None) if isinstance(answer, dict) else None
    return {"size": len(native), "http_status": status, "answer": _shape(answer, unmasked=unmasked)}
