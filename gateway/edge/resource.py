"""How one recorded request stands, as its client is told; pure functions of the record, knows no HTTP and no store."""

from collections.abc import Mapping
from datetime import datetime
from typing import get_args

import msgspec

from gateway.edge.fields import Fields
from gateway.edge.needs import Exposed
from gateway.edge.problems import problem
from gateway.errors import GatewayError, Unavailable
from gateway.hours import opening
from gateway.message import Document, Outcome
from gateway.recorder import Accepted, settled
from gateway.records import Attempt, Record, State, Summary, Urgency
from gateway.waiting import Reason, Why
from gateway.wording import Language

_OK = 200
_TEXT: Mapping[str, object] = {"type": "string"}
_URGENCY: Mapping[Urgency, tuple[str, str]] = {
    "near": ("harus dijawab paling lambat {at}", "must be answered by {at}"),
    "past": ("seharusnya sudah dijawab paling lambat {at}", "should have been answered by {at}"),
}
_TIME: Mapping[str, object] = {"type": ["string", "null"], "format": "date-time"}
_STATE: Mapping[str, object] = {"type": "string", "enum": [state.value for state in State]}
_MAYBE: Mapping[str, object] = {"type": ["string", "null"]}
_COUNT: Mapping[str, object] = {"type": ["integer", "null"]}


def _object(**fields: Mapping[str, object]) -> Mapping[str, object]:
    return {"type": "object", "properties": fields, "required": list(fields)}


def _or_null(fields: Mapping[str, object]) -> Mapping[str, object]:
    return {**fields, "type": ["object", "null"]}


_LINE: Mapping[str, Mapping[str, object]] = {
    "id": _TEXT,
    "operation": _TEXT,
    "state": _STATE,
    "accepted_at": {"type": "string", "format": "date-time"},
    "settled_at": _TIME,
    "answer_by": {**_TIME, "description": "Batas waktu jawaban / when the answer is due"},
    "answered_at": {**_TIME, "description": "Saat terjawab / when people had their answer"},
}
_ATTEMPT = _object(
    number={"type": "integer"},
    at={"type": "string", "format": "date-time"},
    ms={"type": ["number", "null"]},
    outcome={"type": "string", "enum": [outcome.value for outcome in Outcome]},
    status=_COUNT,
)
_WAITING = _object(reason={"type": "string", "enum": list(get_args(Reason))}, until=_TIME, text=_TEXT)
_URGENT = _object(reason={"type": "string", "enum": list(get_args(Urgency))}, text=_TEXT)
_ANSWER = {
    **_or_null(_object(status={"type": "integer"}, body={"type": "object"})),
    "description": "Persis seperti jawaban langsung / exactly what a direct answer would have been",
}
RESOURCE = Fields(
    required={
        **_LINE,
        "correlation_id": _TEXT,
        "attempts": {"type": "array", "items": _ATTEMPT},
        "next_try": _TIME,
        "waiting": _or_null(_WAITING),
        "urgent": _or_null(_URGENT),
        "answer": _ANSWER,
    }
)
"""What is told of one request."""

PAGES = Fields(
    required={"requests": {"type": "array", "items": _object(**_LINE)}, "cursor": _MAYBE},
)
LISTED: Mapping[str, Mapping[str, object]] = {
    "state": {"type": "array", "items": _STATE},
    "operation": _TEXT,
    "cursor": {**_TEXT, "description": "Lanjutan dari halaman sebelumnya / continues the page before"},
}


def resource(record: Record, why: Why | None, language: Language, operation: Exposed | None, now: datetime) -> Document:
    """Return the resource; `operation` is the record's own, as it is now."""
    return {
        **line(record.summary),
        "correlation_id": record.correlation_id,
        "attempts": [_attempt(attempt) for attempt in record.attempts],
        "next_try": next_try(record.summary, why),
        "waiting": None if why is None else _waiting(why, language),
        "urgent": _urgent(record.summary, now, language),
        "answer": _answer(record, language, operation),
    }


def line(summary: Summary) -> dict[str, object]:
    """Return what a list tells of a request."""
    return {
        "id": summary.id,
        "operation": summary.operation,
        "state": summary.state.value,
        "accepted_at": summary.accepted_at,
        "settled_at": summary.settled_at,
        "answer_by": summary.answer_by,
        "answered_at": summary.answered_at,
    }


def next_try(summary: Summary, why: Why | None) -> datetime | None:
    """Return when it is tried next; None when nobody knows, or as soon as its turn comes."""
    if summary.state is not State.PENDING or why is None:
        return None
    times = [at for at in (summary.due, why.until) if at is not None and at > why.at]
    return max(times, default=None)


def _answer(record: Record, language: Language, operation: Exposed | None) -> Document | None:
    """Return exactly what a direct call would have been answered; None until that is known."""
    state = record.summary.state
    try:
        reply = settled(record, record.summary.id, direct=state is State.UNKNOWN)
        if state is State.EXPIRED:
            raise Unavailable("its open time was used up", maybe_done=False)
    except GatewayError as error:
        said = problem(error, language=language, correlation_id=record.correlation_id, operation=operation)
        return {"status": said.status, "body": msgspec.Raw(said.body)}
    return None if isinstance(reply, Accepted) else {"status": _OK, "body": reply.body}


def _attempt(attempt: Attempt) -> Document:
    return {
        "number": attempt.number,
        "at": attempt.at,
        "ms": None if attempt.seconds is None else round(attempt.seconds * 1000, 1),
        "outcome": attempt.outcome.value,
        "status": attempt.status,
    }


def _urgent(summary: Summary, now: datetime, language: Language) -> Document | None:
    """Return that the date of its answer is near or past; None while it is far, and once there is an answer."""
    urgency = summary.urgency(now)
    if urgency is None or summary.answer_by is None:
        return None
    text = _URGENCY[urgency][language == "en"].format(at=opening(now, summary.answer_by, language))
    return {"reason": urgency, "text": text}


def _waiting(why: Why, language: Language) -> Document:
    return {"reason": why.reason, "until": why.until, "text": why.text(language)}
