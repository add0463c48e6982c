"""Errors as RFC 9457 problem+json, by one table; lets nothing internal out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import msgspec

from gateway.edge.asgi import Header
from gateway.edge.current import Stopping
from gateway.edge.needs import REQUESTS, Exposed
from gateway.errors import (
    AgencyError,
    ClientError,
    FieldError,
    GatewayError,
    InvalidRequest,
    LedgerUnavailable,
    NotFound,
    Place,
    Refused,
    TranslationError,
    UnknownMessage,
    UnknownOperation,
    WrongState,
)
from gateway.masking import mask_text
from gateway.wording import Language, say, title_and_detail

STATUS: Mapping[str, int] = {
    "invalid-request": 422,
    "unauthorized": 401,
    "unknown-operation": 404,
    "too-large": 413,
    "uri-too-long": 414,
    "headers-too-large": 431,
    "unsupported-media": 415,
    "in-progress": 409,
    "gone": 410,
    "unknown-message": 404,
    "wrong-state": 409,
    "idempotency-mismatch": 422,
    "rate-limited": 429,
    "overloaded": 503,
    "stopping": 503,
    "not-found": 404,
    "refused": 422,
    "agency-unavailable": 503,
    "parts-unavailable": 503,
    "no-data-yet": 503,
    "breaker-open": 503,
    "agency-closed": 503,
    "agency-timeout": 504,
    "outcome-unknown": 504,
    "agency-invalid-answer": 502,
    "agency-login": 502,
    "ledger-unavailable": 503,
    "internal": 500,
}
MALFORMED, WRONG_METHOD = 400, 405
_RETRY_CODES = frozenset(
    {
        "rate-limited",
        "overloaded",
        "stopping",
        "agency-unavailable",
        "parts-unavailable",
        "no-data-yet",
        "breaker-open",
        "ledger-unavailable",
    }
)
_RETRY_SECONDS = 5.0
_AGENCY_TEXT, _ERRORS = 300, 100

_BY_CODE: Mapping[str, tuple[Header, ...]] = {
    "unauthorized": ((b"www-authenticate", b"Bearer"),),
    "unsupported-media": ((b"accept-encoding", b"gzip"),),
    "stopping": ((b"connection", b"close"),),
}
_LANGUAGE_HEADER: Mapping[Language, Header] = {
    "id": (b"content-language", b"id"),
    "en": (b"content-language", b"en"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """An error, ready to be sent."""

    code: str
    status: int
    headers: tuple[Header, ...]
    body: bytes


def language(accept: bytes | None) -> Language:
    """Return which of the two languages an Accept-Language header (RFC 9110) prefers; Indonesian unless it says so."""
    best: tuple[float, Language] = (0.0, "id")
    for part in (accept or b"").decode("latin-1").split(","):
        tag, _, weight = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name in ("id", "en"):
            try:
                quality = float(weight.partition("=")[2]) if weight.strip() else 1.0
            except ValueError:
                continue
            if quality > best[0]:
                best = (quality, "id" if name == "id" else "en")
    return best[1]


def code_of(error: Exception) -> str:
    """Return the slug under which an error is answered, counted and documented."""
    if isinstance(error, TranslationError):
        return "invalid-request" if error.side == "request" else "agency-invalid-answer"
    code = error.code if isinstance(error, GatewayError) else "internal"
    return code if code in STATUS else "internal"


def problem(error: Exception, *, language: Language, correlation_id: str, operation: Exposed | None = None) -> Problem:
    """Return an error as it goes to the client; anything but a GatewayError shows nothing but the correlation id."""
    code = code_of(error)
    status = _status(error, code)
    if isinstance(error, UnknownOperation | UnknownMessage):  # the same whether or not there is such a thing
        operation = None
    done = _maybe_done(error, operation)
    place = place_of(error, operation)
    title, detail = title_and_detail(
        code,
        language,
        agency=place.agency_title or place.agency if place else "",
        maybe_done=None if operation is not None and operation.safe else done,
        limit="1 MiB",
    )
    members: dict[str, object] = {
        "type": code,
        "title": title,
        "status": status,
        "detail": detail,
        "correlation_id": correlation_id,
    }
    if place is not None:
        members |= {"agency": place.agency, "operation": place.operation}
    if done is not None:
        members["maybe_done"] = done
    members |= _details(error, language)
    headers = (
        *_BY_CODE.get(code, ()),
        *_where(error),
        *_about(error, code, doubtful=done is True),
        _LANGUAGE_HEADER[language],
    )
    return Problem(code, status, headers, msgspec.json.encode(members))


def place_of(error: Exception | None, operation: Exposed | None) -> Place | None:
    """Return where an error happened: where it says itself, else at the operation asked."""
    if isinstance(error, GatewayError) and error.place is not None:
        return error.place
    return Place(operation.agency, operation.agency_title, operation.id) if operation is not None else None


def _status(error: Exception, code: str) -> int:
    if isinstance(error, InvalidRequest) and error.malformed:
        return MALFORMED
    if isinstance(error, UnknownOperation) and error.allow:
        return WRONG_METHOD
    return STATUS[code]


def _maybe_done(error: Exception, operation: Exposed | None) -> bool | None:
    """Return whether something may have been done; of a read nothing is, so it may be repeated at will."""
    changes = operation is None or not operation.safe
    if isinstance(error, AgencyError):
        return error.maybe_done and changes
    if isinstance(error, TranslationError) and error.side == "reply":
        return changes
    if isinstance(error, Stopping) and error.began and operation is not None:
        return changes
    if isinstance(error, LedgerUnavailable) and error.maybe_done:
        return changes
    return None


def _details(error: Exception, language: Language) -> dict[str, object]:
    if isinstance(error, InvalidRequest) or (isinstance(error, TranslationError) and error.side == "request"):
        return _field_errors(error.errors, language)
    if isinstance(error, NotFound | Refused) and (text := str(error)):
        return {"agency_message": mask_text(text[: 2 * _AGENCY_TEXT])[:_AGENCY_TEXT]}
    if isinstance(error, WrongState):
        return {"state": error.state, "reason": str(error)}
    return {}


def _field_errors(errors: Sequence[FieldError], language: Language) -> dict[str, object]:
    if not errors:
        return {}
    shown = [{"pointer": e.pointer, "rule": e.rule, "message": say(e, language)} for e in errors[:_ERRORS]]
    more = {"errors_left_off": len(errors) - _ERRORS} if len(errors) > _ERRORS else {}
    return {"errors": shown, **more}


def location(recorded: str) -> Header:
    """Return where a recorded request's client sees how it stands."""
    return (b"location", f"{REQUESTS}/{recorded}".encode())


def _where(error: Exception) -> tuple[Header, ...]:
    recorded = error.recorded if isinstance(error, GatewayError) else None
    return () if recorded is None else (location(recorded),)


def _about(error: Exception, code: str, *, doubtful: bool) -> tuple[Header, ...]:
    if isinstance(error, UnknownOperation) and error.allow:
        return ((b"allow", ", ".join(error.allow).encode()),)
    if doubtful:  # Retry-After would invite programs to send a write again that may have been done
        return ()
    after = error.retry_after if isinstance(error, ClientError | AgencyError) else None
    if after is None and code in _RETRY_CODES:
        after = _RETRY_SECONDS
    return () if after is None else ((b"retry-after", b"%d" % max(1, ceil(after))),)
